//! The demo: an organization, a task set and models that need neither GPU nor key nor hub.
//!
//! Nothing about a run is pretended: the real lmms-eval evaluates real pictures, sounds and films. Only
//! the models are made up. They are an endpoint of this server that knows the right answers
//! ([`tasks::answers`]) and gives them with a given probability.
//!
//! The endpoint's address stands in the arguments of the demo's models and is brought up to date by
//! [`prepare`] at every start; a run of the demo takes it from there when it begins, however long it
//! has waited.

mod canvas;
mod chance;
mod clip;
mod endpoint;
mod organization;
mod question;
mod reply;
mod sound;
pub mod tasks;

pub use endpoint::{Endpoint, base_url, mount};
pub use organization::{DemoError, NAME, arguments, prepare};
pub use question::{Answers, Question};
pub use reply::{MODELS, Model, would_answer};
