//! JSON objects in which a key stands twice: readers differ in which one they take.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How many repeated keys are named.
const CAP: usize = 20;

/// The paths of the keys that stand twice, as `results.mme`; at most the first few.
pub type Repeated = Vec<String>;

/// Reads one document to its end.
pub(super) fn read<'de, R: serde_json::de::Read<'de>>(
    mut input: serde_json::Deserializer<R>,
) -> Result<(Value, Repeated), serde_json::Error> {
    let found = RefCell::default();
    let place = Place {
        path: String::new(),
        found: &found,
    };
    let value = place.deserialize(&mut input)?;
    input.end()?;
    Ok((value, found.into_inner()))
}

/// Where a value stands, and where what is found goes.
struct Place<'a> {
    path: String,
    found: &'a RefCell<Repeated>,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = input.next_element_seed(Place {
            path: format!("{}[]", self.path),
            found: self.found,
        })? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = input.next_key::<String>()? {
            let path = match self.path.as_str() {
                "" => key.clone(),
                path => format!("{path}.{key}"),
            };
            let value = input.next_value_seed(Place {
                path: path.clone(),
                found: self.found,
            })?;
            let mut found = self.found.borrow_mut();
            if fields.insert(key, value).is_some() && found.len() < CAP {
                found.push(path);
            }
        }
        Ok(Value::Object(fields))
    }
}
