//! A rule as a condition of SQL over one row `s` of `run_samples`.
//!
//! The text is made of the fragments in this file and numbered placeholders alone: names and values of a rule are
//! bound. It reads `s.doc`, `s.ground_truth`, `s.input_data` and `s.doc_id`, nothing else, and means what
//! [`Rule::fits`] means.

use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, Bool, Double, Text};
use types::rule::{Field, Literal, Part, Place, Rule, Test, folded};

/// A condition and what its placeholders stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// An expression that is true or false, never null.
    pub text: String,
    /// The values, in the order of their numbers.
    pub values: Vec<Bound>,
}

/// The value of a placeholder.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// Text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
    /// A number.
    Number(f64),
    /// Numbers.
    Numbers(Vec<f64>),
    /// True, false or both.
    Bools(Vec<bool>),
}

/// A query under construction.
pub type Query<'a> = BoxedSqlQuery<'a, Pg, SqlQuery>;

impl Condition {
    /// The condition of a rule; its first placeholder is `$first`.
    pub fn of(rule: &Rule, first: usize) -> Self {
        let mut writer = Writer {
            first,
            values: Vec::new(),
        };
        Self {
            text: writer.rule(rule),
            values: writer.values,
        }
    }

    /// Gives the placeholders their values; all before them have theirs.
    pub fn bind<'a>(self, query: Query<'a>) -> Query<'a> {
        self.values.into_iter().fold(query, |query, value| match value {
            Bound::Text(text) => query.bind::<Text, _>(text),
            Bound::Texts(texts) => query.bind::<Array<Text>, _>(texts),
            Bound::Number(number) => query.bind::<Double, _>(number),
            Bound::Numbers(numbers) => query.bind::<Array<Double>, _>(numbers),
            Bound::Bools(bools) => query.bind::<Array<Bool>, _>(bools),
        })
    }
}

struct Writer {
    first: usize,
    values: Vec<Bound>,
}

impl Writer {
    /// The placeholder of a value.
    fn hold(&mut self, value: Bound) -> String {
        let kind = match value {
            Bound::Text(_) => "text",
            Bound::Texts(_) => "text[]",
            Bound::Number(_) => "float8",
            Bound::Numbers(_) => "float8[]",
            Bound::Bools(_) => "bool[]",
        };
        self.values.push(value);
        format!("${}::{kind}", self.first + self.values.len() - 1)
    }

    fn rule(&mut self, rule: &Rule) -> String {
        match rule {
            Rule::All(parts) => self.joined(parts, " and "),
            Rule::Any(parts) => self.joined(parts, " or "),
            Rule::Not(inner) => format!("(not {})", self.rule(inner)),
            Rule::Test(field, test) => self.test(field, test),
        }
    }

    fn joined(&mut self, parts: &[Rule], with: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.rule(part)).collect();
        format!("({})", parts.join(with))
    }

    /// The first value that is there and not null, as jsonb.
    fn field(&mut self, field: &Field) -> String {
        let places: Vec<String> = field
            .0
            .iter()
            .map(|place| format!("nullif({}, 'null'::jsonb)", self.place(place)))
            .collect();
        match places.as_slice() {
            [one] => one.clone(),
            many => format!("coalesce({})", many.join(", ")),
        }
    }

    fn place(&mut self, place: &Place) -> String {
        const INPUT: &str =
            "case jsonb_typeof(s.input_data -> 'text') when 'string' then s.input_data -> 'text' end";
        match place {
            Place::Doc(names) => names.iter().fold("s.doc".to_owned(), |path, name| {
                let name = self.hold(Bound::Text(name.clone()));
                format!("({path} -> {name})")
            }),
            Place::Target => "s.ground_truth".to_owned(),
            Place::Input => format!("({INPUT})"),
            Place::InputLength => format!("to_jsonb(char_length(({INPUT}) #>> '{{}}'))"),
            Place::DocId => "to_jsonb(s.doc_id)".to_owned(),
        }
    }

    fn test(&mut self, field: &Field, test: &Test) -> String {
        let value = self.field(field);
        match test {
            Test::In(literals) => self.among(&value, literals),
            Test::NotIn(literals) => {
                format!("({value} is not null and not {})", self.among(&value, literals))
            }
            Test::Number(order, number) => {
                let number = self.hold(Bound::Number(*number));
                of_kind(
                    &value,
                    &[("number", format!("({value})::float8 {} {number}", order.sign()))],
                )
            }
            Test::Between(low, high) => {
                let (low, high) = (self.hold(Bound::Number(*low)), self.hold(Bound::Number(*high)));
                of_kind(
                    &value,
                    &[("number", format!("({value})::float8 between {low} and {high}"))],
                )
            }
            Test::Holds(part, text) => self.holds(&value, *part, text),
            Test::Exists => format!("({value} is not null)"),
            Test::IsNull => format!("({value} is null)"),
        }
    }

    fn among(&mut self, value: &str, literals: &[Literal]) -> String {
        let (mut texts, mut numbers, mut bools) = (Vec::new(), Vec::new(), Vec::new());
        for literal in literals {
            match literal {
                Literal::Text(text) => texts.push(folded(text)),
                Literal::Number(number) => numbers.push(*number),
                Literal::Bool(value) => bools.push(*value),
            }
        }
        let mut kinds = Vec::new();
        if !texts.is_empty() {
            let texts = self.hold(Bound::Texts(texts));
            kinds.push(("string", format!("{} = any ({texts})", text_of(value))));
        }
        if !numbers.is_empty() {
            let numbers = self.hold(Bound::Numbers(numbers));
            kinds.push(("number", format!("({value})::float8 = any ({numbers})")));
        }
        if !bools.is_empty() {
            let bools = self.hold(Bound::Bools(bools));
            kinds.push(("boolean", format!("({value})::bool = any ({bools})")));
        }
        of_kind(value, &kinds)
    }

    fn holds(&mut self, value: &str, part: Part, text: &str) -> String {
        let (own, wanted) = (text_of(value), self.hold(Bound::Text(folded(text))));
        match part {
            Part::Start => of_kind(value, &[("string", format!("starts_with({own}, {wanted})"))]),
            Part::End => of_kind(
                value,
                &[(
                    "string",
                    format!("right({own}, char_length({wanted})) = {wanted}"),
                )],
            ),
            Part::Anywhere => {
                let items =
                    format!("case jsonb_typeof({value}) when 'array' then {value} else '[]'::jsonb end");
                let item = format!(
                    "exists (select from jsonb_array_elements({items}) as e(item) \
                     where jsonb_typeof(e.item) = 'string' and {} = {wanted})",
                    text_of("e.item")
                );
                of_kind(
                    value,
                    &[
                        ("string", format!("strpos({own}, {wanted}) > 0")),
                        ("array", item),
                    ],
                )
            }
        }
    }
}

/// The text of a jsonb string as it is compared; the collation "C" lowers A to Z alone.
fn text_of(value: &str) -> String {
    format!("lower(({value} #>> '{{}}') collate \"C\")")
}

/// A test for each kind of value that it has a meaning for; `case` never evaluates another.
fn of_kind(value: &str, kinds: &[(&str, String)]) -> String {
    let kinds: String = kinds
        .iter()
        .map(|(kind, test)| format!(" when '{kind}' then {test}"))
        .collect();
    format!("(case jsonb_typeof({value}){kinds} else false end)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_rule_is_in_the_text() {
        let rule: Rule = "`x'; drop` = 'Y''' or a.b in (3, true)"
            .replace("'Y'''", "\"Y'\"")
            .parse()
            .unwrap();
        let of = Condition::of(&rule, 4);
        assert!(of.text.contains("(s.doc -> $4::text)") && of.text.contains("$5::text[]"));
        assert!(!of.text.contains("drop") && !of.text.contains('Y'), "{}", of.text);
        assert_eq!(
            of.values,
            [
                Bound::Text("x'; drop".into()),
                Bound::Texts(vec!["y'".into()]),
                Bound::Text("a".into()),
                Bound::Text("b".into()),
                Bound::Numbers(vec![3.0]),
                Bound::Bools(vec![true]),
            ]
        );
    }
}
