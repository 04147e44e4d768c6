//! Answers of two models to the same documents: which can be paired, and what differs.
//!
//! Documents are joined by their index. A pair is dropped only when the documents are known to differ, like compared
//! with like: the fields of both, else the targets of both. Prompts belong to a family of models; that they differ is
//! worth a word, never a drop.

/// An answer to a document.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Answer {
    /// The document.
    pub doc_id: i64,
    /// Its score.
    pub score: f64,
    /// Of the document's fields, where they are known.
    pub content: Option<u64>,
    /// Of its target.
    pub target: Option<u64>,
    /// Of what was asked.
    pub prompt: Option<u64>,
}

impl Answer {
    fn is_of_same_document(&self, other: &Self) -> bool {
        match (self.content, other.content) {
            (Some(own), Some(other)) => own == other,
            _ => self
                .target
                .zip(other.target)
                .is_none_or(|(own, other)| own == other),
        }
    }
}

/// What two lists of answers have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Documents that both have.
    pub documents: u32,
    /// Those of them whose prompts are known on both sides.
    pub prompts_known: u32,
    /// Those of them whose prompts differ.
    pub prompts_differ: u32,
    /// Indices under which both have a document, but not the same.
    pub documents_differ: u32,
}

/// The answers under the same index; both lists are in its order.
fn joined<'a>(a: &'a [Answer], b: &'a [Answer]) -> impl Iterator<Item = (&'a Answer, &'a Answer)> {
    let mut rest = b.iter().peekable();
    a.iter().filter_map(move |own| {
        while rest.next_if(|other| other.doc_id < own.doc_id).is_some() {}
        let other = rest.next_if(|other| other.doc_id == own.doc_id)?;
        Some((own, other))
    })
}

/// The scores of documents that both have.
pub(super) fn matched<'a>(a: &'a [Answer], b: &'a [Answer]) -> impl Iterator<Item = (f64, f64)> + 'a {
    joined(a, b)
        .filter(|(own, other)| own.is_of_same_document(other))
        .map(|(own, other)| (own.score, other.score))
}

/// What two lists have in common.
#[must_use]
pub fn overlap(a: &[Answer], b: &[Answer]) -> Overlap {
    let mut found = Overlap::default();
    for (own, other) in joined(a, b) {
        if !own.is_of_same_document(other) {
            found.documents_differ += 1;
            continue;
        }
        found.documents += 1;
        if let Some((own, other)) = own.prompt.zip(other.prompt) {
            found.prompts_known += 1;
            found.prompts_differ += u32::from(own != other);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(doc_id: i64, content: Option<u64>, target: Option<u64>, prompt: Option<u64>) -> Answer {
        Answer {
            doc_id,
            score: doc_id as f64,
            content,
            target,
            prompt,
        }
    }

    #[test]
    fn like_is_compared_with_like() {
        let own = [answer(0, Some(1), Some(9), None)];
        for (content, target, same) in [
            // Documents decide where both are known, whatever the targets say.
            (Some(1), Some(8), true),
            (Some(2), Some(9), false),
            // An import knows the target alone: it is compared with the target.
            (None, Some(9), true),
            (None, Some(8), false),
            // Nothing is known to differ.
            (None, None, true),
        ] {
            let other = [answer(0, content, target, None)];
            assert_eq!(matched(&own, &other).count() == 1, same, "{content:?} {target:?}");
            assert_eq!(matched(&other, &own).count() == 1, same, "{content:?} {target:?}");
        }
    }

    #[test]
    fn prompts_that_differ_are_counted_and_cost_nothing() {
        let own: Vec<Answer> = (0..4).map(|i| answer(i, Some(1), None, Some(1))).collect();
        let mut other: Vec<Answer> = (1..6).map(|i| answer(i, Some(1), None, Some(2))).collect();
        other[0].prompt = None;
        other[1].content = Some(3);
        let expected = Overlap {
            documents: 2,
            prompts_known: 1,
            prompts_differ: 1,
            documents_differ: 1,
        };
        assert_eq!(overlap(&own, &other), expected);
        assert_eq!(matched(&own, &other).count(), 2);
    }
}
