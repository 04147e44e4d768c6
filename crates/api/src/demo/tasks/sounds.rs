//! Tones: how high.

use super::images::{fields, others};
use super::{Make, Task};
use crate::demo::chance::Dice;
use crate::demo::question::{Difficulty, Media, Question, Wording};
use crate::demo::sound::{Tone, wav};
use serde_json::json;

const QUESTIONS: usize = 36;
const PITCHES: [(&str, f64); 3] = [("low", 220.0), ("middle", 440.0), ("high", 880.0)];
const SECONDS: [f64; 3] = [0.5, 1.0, 2.0];

/// One tone, of three pitches.
pub(super) fn tone() -> Task {
    Task::with_media("demo_audio", "demo_audio/demo_tone.jsonl", QUESTIONS, heard)
}

fn heard(index: usize) -> (Question, String, Make) {
    let mut dice = Dice::new(&format!("tone {index}"));
    let difficulty = Difficulty::of(index);
    let (name, pitch) = *dice.pick(&PITCHES);
    let tone = Tone {
        pitch,
        seconds: *dice.pick(&SECONDS),
        square: dice.between(0, 1) == 1,
        noise: match difficulty {
            Difficulty::Easy => 0.0,
            Difficulty::Medium => 0.3,
            Difficulty::Hard => 0.6,
        },
    };
    let path = format!("sounds/tone_{index:02}.wav");
    let category = if tone.square { "square wave" } else { "sine wave" };
    let question = Question {
        id: format!("QT{index:02}"),
        text: "Is the tone low, middle or high?".to_owned(),
        answer: name.to_owned(),
        wrong: others(PITCHES.map(|(n, _)| n), name),
        difficulty,
        media: Media::Sound,
        wording: Wording::Bare,
        fields: fields(
            json!({"audio": path, "category": category, "duration": tone.seconds, "noise": tone.noise}),
        ),
    };
    (
        question,
        path,
        Box::new(move || wav(tone, &mut Dice::new(&format!("tone {index} noise")))),
    )
}
