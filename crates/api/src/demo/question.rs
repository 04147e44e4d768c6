//! What the demo tasks ask, and what is right.

use serde_json::{Map, Value};
use std::collections::HashMap;

/// How hard a question is; a third of each task's questions each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difficulty {
    Easy,
    Medium,
    Hard,
}

impl Difficulty {
    /// The difficulty of the `index`-th question of a task.
    pub(super) fn of(index: usize) -> Self {
        [Self::Easy, Self::Medium, Self::Hard][index % 3]
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        }
    }
}

/// What must come with a question, or nobody can answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Nothing,
    Image,
    Sound,
    Frames,
}

/// How the models word their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wording {
    /// The bare answer.
    Bare,
    /// Now and then a sentence, which a strict filter holds against them.
    Talkative,
}

/// One question of a demo task: a line of its data, and what the endpoint knows about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// E.g. `QC07`; it stands in the prompt, in brackets.
    pub id: String,
    /// What is right.
    pub answer: String,
    pub(super) wrong: Vec<String>,
    pub(super) difficulty: Difficulty,
    pub(super) media: Media,
    pub(super) wording: Wording,
    /// Further fields of the document.
    pub(super) fields: Map<String, Value>,
    pub(super) text: String,
}

impl Question {
    /// The prompt's text.
    pub(super) fn prompt(&self) -> String {
        format!("[{}] {}", self.id, self.text)
    }

    /// Its line in the task's data.
    pub fn document(&self) -> Value {
        let mut line = Map::new();
        line.insert("question_id".to_owned(), self.id.clone().into());
        line.insert("question".to_owned(), self.prompt().into());
        line.insert("answer".to_owned(), self.answer.clone().into());
        line.insert("difficulty".to_owned(), self.difficulty.name().into());
        line.extend(self.fields.clone());
        Value::Object(line)
    }
}

/// All questions by id.
#[derive(Clone, Debug, Default)]
pub struct Answers(HashMap<String, Question>);

impl Answers {
    pub(super) fn new(questions: impl IntoIterator<Item = Question>) -> Self {
        Self(questions.into_iter().map(|q| (q.id.clone(), q)).collect())
    }

    /// The last question that a prompt holds: those before it are examples.
    pub(super) fn asked(&self, prompt: &str) -> Option<&Question> {
        let ids = prompt.rsplit("[Q").filter_map(|rest| rest.split_once(']'));
        ids.filter_map(|(id, _)| self.0.get(&format!("Q{id}"))).next()
    }
}

#[cfg(test)]
mod tests {
    use crate::demo::tasks;

    #[test]
    fn the_last_question_of_a_prompt_counts() {
        let answers = tasks::answers();
        let asked = |prompt| answers.asked(prompt).map(|q| q.id.as_str());
        assert_eq!(asked("[QC00] What? red\n\n[QA07] 1 + 1 =\n[note]"), Some("QA07"));
        assert_eq!(asked("[QX99] nobody knows"), None);
        assert_eq!(asked("[QC00 not closed"), None);
        assert_eq!(asked(""), None);
    }
}
