//! Two seconds of a moving shape: which way.

use super::images::{fields, others};
use super::{Make, Task};
use crate::demo::canvas::{COLOURS, Canvas, SHAPES};
use crate::demo::chance::Dice;
use crate::demo::clip::{RATE, avi};
use crate::demo::question::{Difficulty, Media, Question, Wording};
use serde_json::json;

const QUESTIONS: usize = 33;
const SIDE: u32 = 64;
const SECONDS: u32 = 2;
const WAYS: [(&str, i32, i32); 4] = [("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1)];

/// One shape that moves in one of four directions.
pub(super) fn motion() -> Task {
    Task::with_media("demo_video", "demo_video/demo_motion.jsonl", QUESTIONS, seen)
}

fn seen(index: usize) -> (Question, String, Make) {
    let mut dice = Dice::new(&format!("motion {index}"));
    let difficulty = Difficulty::of(index);
    let (name, right, down) = *dice.pick(&WAYS);
    let (speed, reach) = match difficulty {
        Difficulty::Easy => ("fast", 22),
        Difficulty::Medium => ("medium", 14),
        Difficulty::Hard => ("slow", 7),
    };
    let (colour, paint) = *dice.pick(&COLOURS);
    let shape = *dice.pick(&SHAPES);
    let count = (RATE * SECONDS).cast_signed();
    let frame = move |i: i32| {
        // From one side of the middle to the other.
        let way = reach * (2 * i - (count - 1)) / (count - 1);
        let middle = (SIDE / 2).cast_signed();
        let mut canvas = Canvas::new(SIDE, SIDE);
        canvas.shape(shape, paint, (middle + right * way, middle + down * way), 8);
        canvas.png()
    };
    let path = format!("clips/motion_{index:02}.avi");
    let question = Question {
        id: format!("QV{index:02}"),
        text: "Does the shape move left, right, up or down?".to_owned(),
        answer: name.to_owned(),
        wrong: others(WAYS.map(|(n, ..)| n), name),
        difficulty,
        media: Media::Frames,
        wording: Wording::Bare,
        fields: fields(
            json!({"clip": path, "category": shape, "colour": colour, "speed": speed, "duration": SECONDS}),
        ),
    };
    let film: Make = Box::new(move || {
        let frames: Vec<Vec<u8>> = (0..count).map(frame).collect();
        avi(SIDE, SIDE, &frames)
    });
    (question, path, film)
}
