//! Ordered key-value arguments, as lmms-eval's `--model_args` and `--gen_kwargs` take them.

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// One argument's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ArgValue {
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Anything else.
    Text(String),
}

impl fmt::Display for ArgValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(n) => n.fmt(f),
            Self::Float(x) => x.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Arguments in the order in which they are passed.
///
/// Written as a list of pairs, because JSON objects (and `jsonb`) keep no order;
/// an object is accepted too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArgList(pub Vec<(String, ArgValue)>);

impl ArgList {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&ArgValue> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// Sets `key`, keeping its place when it is there already.
    pub fn set(&mut self, key: &str, value: ArgValue) {
        match self.0.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// These arguments with those of `over` set key by key.
    #[must_use]
    pub fn overridden_by(&self, over: &Self) -> Self {
        let mut merged = self.clone();
        for (key, value) in &over.0 {
            merged.set(key, value.clone());
        }
        merged
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for ArgList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ArgList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ArgListVisitor)
    }
}

struct ArgListVisitor;

impl<'de> Visitor<'de> for ArgListVisitor {
    type Value = ArgList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of [key, value] pairs")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ArgList, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(ArgList(pairs))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ArgList, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = seq.next_element()? {
            pairs.push(pair);
        }
        Ok(ArgList(pairs))
    }
}

#[cfg(feature = "openapi")]
mod schema {
    use super::{ArgList, ArgValue};
    use utoipa::openapi::schema::{AdditionalProperties, SchemaType, Type};
    use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    // One list of types: a whole number is a number as well, so that no choice of one would hold.
    impl PartialSchema for ArgValue {
        fn schema() -> RefOr<Schema> {
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::Boolean, Type::Number, Type::String]))
                .description(Some("One argument's value."))
                .into()
        }
    }

    impl ToSchema for ArgValue {}

    impl PartialSchema for ArgList {
        fn schema() -> RefOr<Schema> {
            let pair = utoipa::openapi::ArrayBuilder::new()
                .items(ArgValue::schema())
                .min_items(Some(2))
                .max_items(Some(2))
                .description(Some("[key, value]"));
            let pairs = utoipa::openapi::ArrayBuilder::new().items(pair);
            let object = ObjectBuilder::new()
                .additional_properties(Some(AdditionalProperties::RefOr(ArgValue::schema())));
            utoipa::openapi::OneOfBuilder::new()
                .item(pairs)
                .item(object)
                .into()
        }
    }

    impl ToSchema for ArgList {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_of_an_object_and_of_pairs() {
        let from_object: ArgList = serde_json::from_str(r#"{"z":"1","a":2,"m":true}"#).unwrap();
        let keys: Vec<_> = from_object.0.iter().map(|(k, _)| k.as_str()).collect();
        assert_eq!(keys, ["z", "a", "m"]);
        let text = serde_json::to_string(&from_object).unwrap();
        assert_eq!(text, r#"[["z","1"],["a",2],["m",true]]"#);
        assert_eq!(serde_json::from_str::<ArgList>(&text).unwrap(), from_object);
    }

    #[test]
    fn overriding_keeps_the_place() {
        let base = ArgList(vec![
            ("a".into(), ArgValue::Int(1)),
            ("b".into(), ArgValue::Int(2)),
        ]);
        let over = ArgList(vec![
            ("c".into(), ArgValue::Int(3)),
            ("a".into(), ArgValue::Int(9)),
        ]);
        let keys: Vec<_> = base
            .overridden_by(&over)
            .0
            .into_iter()
            .map(|(k, v)| (k, v.to_string()))
            .collect();
        assert_eq!(
            keys,
            [
                ("a".into(), "9".into()),
                ("b".into(), "2".into()),
                ("c".to_owned(), "3".to_owned())
            ]
        );
    }
}
