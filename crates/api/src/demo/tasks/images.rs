//! Pictures of shapes: which colour, how many, which one.

use super::{Make, Task};
use crate::demo::canvas::{COLOURS, Canvas, SHAPES};
use crate::demo::chance::Dice;
use crate::demo::question::{Difficulty, Media, Question, Wording};
use serde_json::{Map, Value, json};

const QUESTIONS: usize = 42;
const LETTERS: [&str; 4] = ["A", "B", "C", "D"];

/// One shape, whose colour is asked.
pub(super) fn colour() -> Task {
    Task::with_media(
        "demo_images",
        "demo_images/demo_colour.jsonl",
        QUESTIONS,
        |index| {
            let mut dice = Dice::new(&format!("colour {index}"));
            let difficulty = Difficulty::of(index);
            let side: u32 = *dice.pick(&[64, 96, 128]);
            let (name, paint) = *dice.pick(&COLOURS);
            let shape = *dice.pick(&SHAPES);
            let half = match difficulty {
                Difficulty::Easy => side / 3,
                Difficulty::Medium => side / 5,
                Difficulty::Hard => side / 8,
            };
            let draw: Make = Box::new(move || {
                let middle = (side / 2).cast_signed();
                let mut canvas = Canvas::new(side, side);
                canvas.shape(shape, paint, (middle, middle), half.cast_signed());
                if difficulty == Difficulty::Hard {
                    canvas.speckle(&mut Dice::new(&format!("colour {index} dots")), side * 6);
                }
                canvas.png()
            });
            let path = format!("images/colour_{index:02}.png");
            let question = Question {
                id: format!("QC{index:02}"),
                text: "What colour is the shape?".to_owned(),
                answer: name.to_owned(),
                wrong: others(COLOURS.map(|(n, _)| n), name),
                difficulty,
                media: Media::Image,
                wording: Wording::Bare,
                fields: fields(json!({"image": path, "category": shape, "colour": name, "width": side})),
            };
            (question, path, draw)
        },
    )
}

/// Up to nine shapes on a grid, to be counted.
pub(super) fn count() -> Task {
    Task::with_media(
        "demo_images",
        "demo_images/demo_count.jsonl",
        QUESTIONS,
        |index| {
            let mut dice = Dice::new(&format!("count {index}"));
            let difficulty = Difficulty::of(index);
            let number = match difficulty {
                Difficulty::Easy => dice.between(1, 3),
                Difficulty::Medium => dice.between(4, 6),
                Difficulty::Hard => dice.between(7, 9),
            };
            let (name, paint) = *dice.pick(&COLOURS);
            let shape = *dice.pick(&SHAPES);
            let mut places: Vec<i32> = (0..9).collect();
            dice.shuffle(&mut places);
            let draw: Make = Box::new(move || {
                let mut canvas = Canvas::new(120, 120);
                for place in places.iter().take(number as usize) {
                    canvas.shape(shape, paint, (20 + place % 3 * 40, 20 + place / 3 * 40), 14);
                }
                canvas.png()
            });
            let path = format!("images/count_{index:02}.png");
            let question = Question {
                id: format!("QN{index:02}"),
                text: "How many shapes are there?".to_owned(),
                answer: number.to_string(),
                wrong: [
                    number.checked_sub(1).filter(|n| *n > 0),
                    Some(number + 1),
                    Some(number + 2),
                ]
                .into_iter()
                .flatten()
                .map(|n| n.to_string())
                .collect(),
                difficulty,
                media: Media::Image,
                wording: Wording::Talkative,
                fields: fields(
                    json!({"image": path, "category": shape, "colour": name, "scene": format!("scene {}", index / 6)}),
                ),
            };
            (question, path, draw)
        },
    )
}

/// Four shapes of different colours, of which one is asked by its letter.
pub(super) fn choice() -> Task {
    Task::with_media(
        "demo_images",
        "demo_images/demo_choice.jsonl",
        QUESTIONS,
        |index| {
            let mut dice = Dice::new(&format!("choice {index}"));
            let difficulty = Difficulty::of(index);
            let mut colours = COLOURS;
            dice.shuffle(&mut colours);
            let mut shapes = SHAPES;
            dice.shuffle(&mut shapes);
            let mut options = SHAPES;
            dice.shuffle(&mut options);
            let draw: Make = Box::new(move || {
                let mut canvas = Canvas::new(120, 120);
                for (place, (shape, (_, paint))) in (0_i32..).zip(shapes.iter().zip(colours)) {
                    canvas.shape(shape, paint, (32 + place % 2 * 56, 32 + place / 2 * 56), 20);
                }
                if difficulty != Difficulty::Easy {
                    let dots = if difficulty == Difficulty::Hard { 900 } else { 300 };
                    canvas.speckle(&mut Dice::new(&format!("choice {index} dots")), dots);
                }
                canvas.png()
            });
            let answer = LETTERS[options.iter().position(|o| *o == shapes[0]).unwrap_or(0)];
            let path = format!("images/choice_{index:02}.png");
            let question = Question {
                id: format!("QM{index:02}"),
                text: format!("Which shape is {}?", colours[0].0),
                answer: answer.to_owned(),
                wrong: others(LETTERS, answer),
                difficulty,
                media: Media::Image,
                wording: Wording::Bare,
                fields: fields(
                    json!({"image": path, "options": options, "category": shapes[0], "colour": colours[0].0}),
                ),
            };
            (question, path, draw)
        },
    )
}

/// All but the right one.
pub(super) fn others<const N: usize>(all: [&str; N], right: &str) -> Vec<String> {
    all.into_iter()
        .filter(|one| *one != right)
        .map(str::to_owned)
        .collect()
}

/// The fields of an object.
pub(super) fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
