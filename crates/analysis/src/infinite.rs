//! Numbers that may be infinite, as JSON: `"inf"`, `"-inf"`, a number, or null for undefined.
//!
//! A test statistic is infinite when every difference is the same and not zero; JSON has no word
//! for that, and null already means undefined.

use serde::{Deserialize, Deserializer, Serializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Word(Word),
}

#[derive(Deserialize)]
enum Word {
    #[serde(rename = "inf")]
    Plus,
    #[serde(rename = "-inf")]
    Minus,
}

#[expect(
    clippy::ref_option,
    reason = "serde's `with` hands the field over by reference"
)]
pub(crate) fn serialize<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    match *value {
        None => to.serialize_none(),
        Some(x) if x.is_nan() => to.serialize_none(),
        Some(x) if x == f64::INFINITY => to.serialize_str("inf"),
        Some(x) if x == f64::NEG_INFINITY => to.serialize_str("-inf"),
        Some(x) => to.serialize_f64(x),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(
        Option::<Written>::deserialize(from)?.map(|written| match written {
            Written::Number(x) => x,
            Written::Word(Word::Plus) => f64::INFINITY,
            Written::Word(Word::Minus) => f64::NEG_INFINITY,
        }),
    )
}
