//! Media of samples: what a document shows to a model beside text.

use crate::{MediaKind, MediaProblem};
use serde::{Deserialize, Serialize};

/// A medium of a document, or why there is nothing to show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MediaView {
    /// Its place among the media of the document, from 0.
    pub position: u32,
    /// What it is by its content; what it is said to be where there is no content.
    pub kind: MediaKind,
    /// How it was called, where it had a name.
    pub name: Option<String>,
    /// Hex SHA-256 of its content; null where there is none.
    pub sha256: Option<String>,
    /// Its type by its content.
    pub mime: Option<String>,
    /// Bytes.
    pub bytes: Option<u64>,
    /// Pixels from left to right.
    pub width: Option<u32>,
    /// Pixels from top to bottom.
    pub height: Option<u32>,
    /// Seconds.
    pub duration: Option<f64>,
    /// A short-lived address to show it from, relative to the server; null where it is not shown.
    pub url: Option<String>,
    /// The same of a small picture of it; images only.
    pub thumbnail: Option<String>,
    /// The same to save it, whatever it is; null where there is no content.
    pub download: Option<String>,
    /// Why it is not shown.
    pub problem: Option<MediaProblem>,
    /// Why it is not shown, in words.
    pub reason: Option<String>,
}
