//! The made-up models: how often each is right, and what it says.

use super::chance::share;
use super::question::{Media, Question, Wording};

/// A model of the demo, as the endpoint knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Model {
    /// What requests call it.
    pub id: &'static str,
    /// How often it is right.
    pub accuracy: f64,
}

/// All models of the demo, with the checkpoints of one of them.
pub const MODELS: [Model; 5] = [
    Model {
        id: "demo-large",
        accuracy: 0.9,
    },
    Model {
        id: "demo-base",
        accuracy: 0.75,
    },
    Model {
        id: "demo-base-step-2000",
        accuracy: 0.64,
    },
    Model {
        id: "demo-base-step-1000",
        accuracy: 0.5,
    },
    Model {
        id: "demo-small",
        accuracy: 0.55,
    },
];

/// Share of the questions that find all models equally lucky: real models fail on the same ones.
const COMMON: f64 = 0.6;
/// Share of the answers that a talkative model wraps in a sentence.
const TALK: f64 = 0.2;
/// What it says of media that did not arrive.
const BLIND: &str = "I cannot answer that, as nothing came with the question.";

/// What came with a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attached {
    pub(super) images: u32,
    pub(super) sounds: u32,
}

impl Attached {
    fn suffices(self, media: Media) -> bool {
        match media {
            Media::Nothing => true,
            Media::Image => self.images >= 1,
            Media::Frames => self.images >= 2,
            Media::Sound => self.sounds >= 1,
        }
    }
}

impl Model {
    /// The model with this id.
    pub(super) fn find(id: &str) -> Option<Self> {
        MODELS.into_iter().find(|m| m.id == id)
    }

    /// Whether the model knows the answer: always the same for a question.
    fn knows(self, question: &Question) -> bool {
        use super::question::Difficulty::{Easy, Hard, Medium};
        // The hardest and the easiest third balance each other, so that the accuracy holds on average.
        let spread = 0.6 * self.accuracy * (1.0 - self.accuracy);
        let chance = match question.difficulty {
            Easy => self.accuracy + spread,
            Medium => self.accuracy,
            Hard => self.accuracy - spread,
        };
        let id = question.id.as_str();
        let common = share(&["common", id]) < COMMON;
        let luck = if common {
            share(&["luck", id])
        } else {
            share(&["luck", self.id, id])
        };
        luck < chance
    }

    /// What the model says.
    pub(super) fn answer(self, question: &Question, attached: Attached) -> String {
        if !attached.suffices(question.media) {
            return BLIND.to_owned();
        }
        let would = would_answer(self, question);
        if would.in_a_sentence {
            format!("There are {} of them.", would.answer)
        } else {
            would.answer
        }
    }

    /// A part of the usual time of an answer, which differs from question to question.
    pub(super) fn pace(self, prompt: &str) -> f64 {
        0.6 + 0.8 * share(&["pace", self.id, prompt])
    }
}

/// What a model makes of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Would {
    /// Its answer.
    pub answer: String,
    /// Whether that is right.
    pub right: bool,
    /// Whether it is wrapped in a sentence.
    pub in_a_sentence: bool,
}

/// What the model makes of a question whose media have arrived.
pub fn would_answer(model: Model, question: &Question) -> Would {
    let right = model.knows(question);
    let draw = |what: &str| share(&[what, model.id, &question.id]);
    let place = (draw("mistake") * question.wrong.len() as f64) as usize;
    let mistake = question.wrong.get(place).unwrap_or(&question.answer);
    Would {
        answer: if right {
            question.answer.clone()
        } else {
            mistake.clone()
        },
        right,
        in_a_sentence: question.wording == Wording::Talkative && draw("talk") < TALK,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tasks;
    use super::*;

    fn score(model: Model, task: &str) -> f64 {
        let questions = tasks::questions(task);
        let right = questions.iter().filter(|q| would_answer(model, q).right).count();
        right as f64 / questions.len() as f64
    }

    #[test]
    fn every_model_is_about_as_good_as_it_should_be() {
        for model in MODELS {
            let mean = tasks::TASKS.iter().map(|t| score(model, t)).sum::<f64>() / tasks::TASKS.len() as f64;
            assert!((mean - model.accuracy).abs() < 0.08, "{model:?}: {mean}");
        }
    }

    #[test]
    fn better_models_are_better() {
        let mean = |model| tasks::TASKS.iter().map(|t| score(model, t)).sum::<f64>();
        let scores = [
            "demo-large",
            "demo-base",
            "demo-base-step-2000",
            "demo-base-step-1000",
        ]
        .map(|id| mean(Model::find(id).unwrap()));
        assert!(scores.is_sorted_by(|a, b| a > b), "{scores:?}");
    }

    #[test]
    fn a_mistake_is_one_of_the_wrong_answers() {
        for question in tasks::TASKS.iter().flat_map(|t| tasks::questions(t)) {
            for model in MODELS {
                let would = would_answer(model, &question);
                assert_eq!(would.right, would.answer == question.answer, "{question:?}");
                assert!(would.right || question.wrong.contains(&would.answer));
            }
        }
    }

    #[test]
    fn without_its_media_a_question_has_no_answer() {
        let model = Model::find("demo-large").unwrap();
        let questions = tasks::questions("demo_motion");
        let one_frame = Attached { images: 1, sounds: 0 };
        assert!(questions.iter().all(|q| model.answer(q, one_frame) == BLIND));
        let frames = Attached { images: 8, sounds: 0 };
        assert!(questions.iter().any(|q| model.answer(q, frames) == q.answer));
    }

    #[test]
    fn some_counts_come_in_a_sentence() {
        let model = Model::find("demo-large").unwrap();
        let image = Attached { images: 1, sounds: 0 };
        let questions = tasks::questions("demo_count");
        let long = questions
            .iter()
            .filter(|q| model.answer(q, image).starts_with("There are "))
            .count();
        assert!((3..questions.len() / 2).contains(&long), "{long}");
    }
}
