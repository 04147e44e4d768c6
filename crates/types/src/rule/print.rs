//! A rule as text: the same rule is always written the same way.

use super::parse::is_keyword;
use super::token::{is_of_word, starts_word};
use super::{Field, Literal, Part, Place, Rule, Test};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => joined(f, parts, " and ", |part| matches!(part, Self::Any(_))),
            Self::Any(parts) => joined(f, parts, " or ", |part| matches!(part, Self::All(_))),
            Self::Not(inner) if matches!(**inner, Self::All(_) | Self::Any(_)) => write!(f, "not ({inner})"),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Test(field, test) => write!(f, "{field} {test}"),
        }
    }
}

fn joined(f: &mut Formatter<'_>, parts: &[Rule], with: &str, inner: fn(&Rule) -> bool) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(with)?;
        }
        if inner(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        listed(f, &self.0, "|")
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Self::Doc(names) = self {
            for (at, name) in names.iter().enumerate() {
                if at > 0 {
                    f.write_char('.')?;
                }
                named(f, name, at == 0)?;
            }
            return Ok(());
        }
        let name = Self::NAMED
            .iter()
            .find(|(_, place)| place == self)
            .map(|(name, _)| *name);
        write!(f, "@{}", name.unwrap_or_default())
    }
}

fn named(f: &mut Formatter<'_>, name: &str, first: bool) -> fmt::Result {
    let is_bare = name.starts_with(starts_word) && name.chars().all(is_of_word);
    if is_bare && !(first && is_keyword(name)) {
        return f.write_str(name);
    }
    write!(f, "`{}`", name.replace('`', "``"))
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(values) => among(f, values, "=", "in"),
            Self::NotIn(values) => among(f, values, "!=", "not in"),
            Self::Number(order, number) => write!(f, "{} {}", order.sign(), Digits(*number)),
            Self::Between(low, high) => write!(f, "between {} and {}", Digits(*low), Digits(*high)),
            Self::Holds(part, text) => write!(f, "{} {}", part.word(), Quoted(text)),
            Self::Exists => f.write_str("exists"),
            Self::IsNull => f.write_str("is null"),
        }
    }
}

fn among(f: &mut Formatter<'_>, values: &[Literal], one: &str, many: &str) -> fmt::Result {
    if let [value] = values {
        return write!(f, "{one} {value}");
    }
    write!(f, "{many} (")?;
    listed(f, values, ", ")?;
    f.write_char(')')
}

fn listed<T: Display>(f: &mut Formatter<'_>, items: &[T], with: &str) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(with)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

impl Part {
    /// As it is written.
    const fn word(self) -> &'static str {
        match self {
            Self::Anywhere => "contains",
            Self::Start => "starts_with",
            Self::End => "ends_with",
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => Quoted(text).fmt(f),
            Self::Number(number) => Digits(*number).fmt(f),
            Self::Bool(value) => value.fmt(f),
        }
    }
}

/// The shortest digits that mean the number.
struct Digits(f64);

impl Display for Digits {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 != 0.0 && !(1e-5..1e15).contains(&self.0.abs()) {
            return write!(f, "{:e}", self.0);
        }
        // No `-0`, which compares like zero.
        write!(f, "{}", self.0 + 0.0)
    }
}

struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
