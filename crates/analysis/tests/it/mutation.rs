//! Inputs that are almost right: golden inputs with a few places spoilt.

use serde_json::{Value, json};

/// The most replicates of a spoilt input: more would only take time.
const MOST_REPLICATES: u64 = 40;

/// The longest list of a spoilt input.
const MOST_ITEMS: usize = 200;

/// Spoils a few places of an input, as the source of random numbers has it.
pub(crate) fn spoil(input: &Value, random: &mut dyn FnMut() -> u64) -> Value {
    let mut spoilt = input.clone();
    for _ in 0..1 + random() % 4 {
        spoil_one(&mut spoilt, random);
    }
    bound_work(&mut spoilt);
    spoilt
}

/// Walks down to a random place and puts something else there.
fn spoil_one(value: &mut Value, random: &mut dyn FnMut() -> u64) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let at = (random() % fields.len() as u64) as usize;
            if let Some((_, field)) = fields.iter_mut().nth(at) {
                spoil_one(field, random);
            }
        }
        Value::Array(items) if !items.is_empty() && !random().is_multiple_of(4) => {
            let at = (random() % items.len() as u64) as usize;
            spoil_one(&mut items[at], random);
        }
        Value::Array(items) => spoil_list(items, random),
        other => *other = odd_value(random),
    }
}

fn spoil_list(items: &mut Vec<Value>, random: &mut dyn FnMut() -> u64) {
    match random() % 6 {
        0 => items.clear(),
        1 => items.truncate(1),
        2 => items.truncate(items.len() / 2),
        3 => items.extend(items.clone()),
        4 => {
            if let Some(first) = items.first().cloned() {
                items.fill(first);
            }
        }
        _ => {
            let odd = odd_value(random);
            items.fill(odd);
        }
    }
    items.truncate(MOST_ITEMS);
}

fn odd_value(random: &mut dyn FnMut() -> u64) -> Value {
    let odd = [
        json!(null),
        json!(0),
        json!(-0.0),
        json!(1),
        json!(-1),
        json!(2),
        json!(3),
        json!(17),
        json!(0.5),
        json!(1e-300),
        json!(-1e-300),
        json!(1e-9),
        json!(0.999_999_999_999),
        json!(1e99),
        json!(-1e99),
        json!(1e101),
        json!(1e308),
        json!(-1e308),
        json!(1_000_000_000_000_u64),
        json!(u64::MAX),
        json!(true),
        json!("inf"),
        json!(""),
        json!([]),
    ];
    odd[(random() % odd.len() as u64) as usize].clone()
}

/// Keeps replicates few, wherever they are asked for.
fn bound_work(input: &mut Value) {
    if let Some(b) = input.get("b").and_then(Value::as_u64) {
        input["b"] = json!(b.min(MOST_REPLICATES));
    }
}
