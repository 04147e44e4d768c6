//! What a rule means.

use super::{Field, Literal, Order, Part, Place, Rule, Test};
use serde_json::Value;
use std::borrow::Cow;

/// What a rule can know of a sample.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// Its document.
    pub doc: Option<&'a Value>,
    /// What was expected.
    pub target: Option<&'a Value>,
    /// The text of its prompt.
    pub input: Option<&'a str>,
    /// lmms-eval's index of the document.
    pub doc_id: i64,
}

impl<'a> Subject<'a> {
    fn at(&self, place: &Place) -> Option<Cow<'a, Value>> {
        match place {
            Place::Doc(names) => {
                let through = |value: &'a Value, name: &String| value.get(name.as_str());
                names.iter().try_fold(self.doc?, through).map(Cow::Borrowed)
            }
            Place::Target => self.target.map(Cow::Borrowed),
            Place::Input => self.input.map(|text| Cow::Owned(Value::from(text))),
            Place::InputLength => self
                .input
                .map(|text| Cow::Owned(Value::from(text.chars().count()))),
            Place::DocId => Some(Cow::Owned(Value::from(self.doc_id))),
        }
    }

    /// The first value that is there and not null.
    fn value(&self, field: &Field) -> Option<Cow<'a, Value>> {
        let mut values = field.0.iter().filter_map(|place| self.at(place));
        values.find(|value| !value.is_null())
    }
}

impl Rule {
    /// Whether a sample is one of these.
    pub fn fits(&self, sample: &Subject<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.fits(sample)),
            Self::Any(parts) => parts.iter().any(|part| part.fits(sample)),
            Self::Not(inner) => !inner.fits(sample),
            Self::Test(field, test) => test.fits(sample.value(field).as_deref()),
        }
    }
}

impl Test {
    fn fits(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else {
            return matches!(self, Self::IsNull);
        };
        match self {
            Self::In(values) => values.iter().any(|literal| literal.is(value)),
            Self::NotIn(values) => !values.iter().any(|literal| literal.is(value)),
            Self::Number(order, number) => value.as_f64().is_some_and(|x| order.holds(x, *number)),
            Self::Between(low, high) => value.as_f64().is_some_and(|x| *low <= x && x <= *high),
            Self::Holds(part, text) => holds(value, *part, &folded(text)),
            Self::Exists => true,
            Self::IsNull => false,
        }
    }
}

fn holds(value: &Value, part: Part, wanted: &str) -> bool {
    match (value, part) {
        (Value::String(text), Part::Anywhere) => folded(text).contains(wanted),
        (Value::String(text), Part::Start) => folded(text).starts_with(wanted),
        (Value::String(text), Part::End) => folded(text).ends_with(wanted),
        (Value::Array(items), Part::Anywhere) => items
            .iter()
            .any(|item| item.as_str().is_some_and(|text| folded(text) == wanted)),
        _ => false,
    }
}

/// Text as it is compared: A to Z are a to z, everything else is itself.
pub fn folded(text: &str) -> String {
    text.to_ascii_lowercase()
}

impl Literal {
    fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(own), Value::String(text)) => own.eq_ignore_ascii_case(text),
            (Self::Number(own), Value::Number(number)) => number.as_f64() == Some(*own),
            (Self::Bool(own), Value::Bool(value)) => own == value,
            _ => false,
        }
    }
}

impl Order {
    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
            Self::More => value > bound,
            Self::AtLeast => value >= bound,
        }
    }
}
