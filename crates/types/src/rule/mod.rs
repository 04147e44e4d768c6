//! The language of slices: a rule over one sample, e.g. `category = "ocr" and difficulty >= 3`.
//!
//! A rule reads the sample's document (`category`, `scene.kind`, `` `image id` ``) and what is known of the sample
//! before anybody answers: `@target`, `@input`, `@input_length`, `@doc_id`. It can not ask for answers, scores or
//! flags: a slice by what was answered would compare models on different questions.
//!
//! Its meaning is two-valued and typed: a test on a field that is missing, null or of another type is false, also
//! `!=` and `not in`; `not` turns any test around. Text is compared without regard to the case of a to z. `a|b` is
//! the first of the two that is there. `contains` looks into text, or for one element of a list of texts.
//! [`Rule::fits`] is that meaning in Rust; the server's SQL has the same.

mod error;
mod eval;
mod parse;
mod print;
mod token;

pub use error::RuleError;
pub use eval::{Subject, folded};
pub use parse::is_keyword;

/// The longest rule, in characters.
pub const MAX_RULE: usize = 4000;
/// How deep parentheses and `not` may be nested.
pub const MAX_RULE_DEPTH: usize = 24;
/// The most tests of a rule.
pub const MAX_RULE_TESTS: usize = 100;
/// The most values of one list.
pub const MAX_RULE_VALUES: usize = 200;
/// The most names of one path, and the most alternatives of one field.
pub const MAX_RULE_NAMES: usize = 8;

/// A rule over one sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// All of these hold; at least two.
    All(Vec<Rule>),
    /// At least one of these holds; at least two.
    Any(Vec<Rule>),
    /// This does not hold.
    Not(Box<Rule>),
    /// One test of one field.
    Test(Field, Test),
}

/// What is tested: the first of these that is there and not null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field(pub Vec<Place>);

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the document, name by name through its objects.
    Doc(Vec<String>),
    /// What was expected.
    Target,
    /// The text of the prompt. Models may be asked with different words around the same question.
    Input,
    /// Its characters.
    InputLength,
    /// lmms-eval's index of the document.
    DocId,
}

impl Place {
    /// Those outside the document, with their names.
    pub const NAMED: [(&'static str, Self); 4] = [
        ("target", Self::Target),
        ("input", Self::Input),
        ("input_length", Self::InputLength),
        ("doc_id", Self::DocId),
    ];
}

/// A value that a rule names.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// A finite number.
    Number(f64),
    /// True or false.
    Bool(bool),
}

/// How numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Order {
    /// As it is written, in rules and in SQL.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// Where text is looked for in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Anywhere, or as an element of a list.
    Anywhere,
    /// At the start.
    Start,
    /// At the end.
    End,
}

/// What is asked of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is one of these; one is written with `=`.
    In(Vec<Literal>),
    /// It is there, and none of these.
    NotIn(Vec<Literal>),
    /// It is a number so.
    Number(Order, f64),
    /// It is a number from here to there, both included.
    Between(f64, f64),
    /// It is text that holds this.
    Holds(Part, String),
    /// It is there and not null.
    Exists,
    /// It is missing or null.
    IsNull,
}

impl Rule {
    /// All of these, without a level that says nothing.
    pub fn all(rules: Vec<Self>) -> Self {
        let parts = rules.into_iter().flat_map(|rule| match rule {
            Self::All(inner) => inner,
            other => vec![other],
        });
        Self::joined(parts.collect(), Self::All)
    }

    /// Any of these, without a level that says nothing.
    pub fn any(rules: Vec<Self>) -> Self {
        let parts = rules.into_iter().flat_map(|rule| match rule {
            Self::Any(inner) => inner,
            other => vec![other],
        });
        Self::joined(parts.collect(), Self::Any)
    }

    fn joined(mut parts: Vec<Self>, join: fn(Vec<Self>) -> Self) -> Self {
        match parts.len() {
            1 => parts.remove(0),
            _ => join(parts),
        }
    }
}

#[cfg(test)]
mod tests;
