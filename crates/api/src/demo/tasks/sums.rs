//! Sums, differences and products.

use super::Task;
use super::images::fields;
use crate::demo::chance::Dice;
use crate::demo::question::{Difficulty, Media, Question, Wording};
use serde_json::json;

const QUESTIONS: usize = 48;

/// Arithmetic in words and numbers.
pub(super) fn arithmetic() -> Task {
    Task {
        data: "demo_text/demo_arithmetic.jsonl",
        questions: (0..QUESTIONS).map(question).collect(),
        media: Vec::new(),
    }
}

fn question(index: usize) -> Question {
    let mut dice = Dice::new(&format!("arithmetic {index}"));
    let difficulty = Difficulty::of(index);
    let most = match difficulty {
        Difficulty::Easy => 9,
        Difficulty::Medium => 30,
        Difficulty::Hard => 99,
    };
    let (a, b) = (dice.between(2, most), dice.between(2, most));
    let (a, b) = (a.max(b), a.min(b));
    let (category, text, answer) = match index / 3 % 3 {
        0 => ("addition", format!("{a} + {b} = ?"), a + b),
        1 => ("subtraction", format!("{a} - {b} = ?"), a - b),
        _ => ("multiplication", format!("{a} * {b} = ?"), a * b),
    };
    Question {
        id: format!("QA{index:02}"),
        text,
        answer: answer.to_string(),
        wrong: [answer + 1, answer + 10, answer + 2]
            .map(|n| n.to_string())
            .to_vec(),
        difficulty,
        media: Media::Nothing,
        wording: Wording::Bare,
        fields: fields(json!({"category": category})),
    }
}
