//! The media of samples as they are shown: with signed addresses, or with the reason why not.

use crate::db::Conn;
use crate::db::media::{self, ShownRow, document_of};
use crate::media::{Address, MAX_PIXELS, Purpose};
use crate::state::AppState;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use types::{MediaKind, MediaProblem, MediaView, SampleView};

/// Adds to samples what their documents show, as the caller may see it.
///
/// # Errors
/// When the database fails.
pub(super) async fn add_media(
    conn: &mut Conn,
    state: &AppState,
    samples: &mut [SampleView],
) -> QueryResult<()> {
    let documents: Vec<_> = samples.iter().map(document_of).collect();
    let shown = media::of_documents(conn, &documents).await?;
    let now = Utc::now();
    for sample in samples {
        let rows = shown.get(&document_of(sample));
        sample.media = rows
            .into_iter()
            .flatten()
            .map(|row| view(state, row, now))
            .collect();
    }
    Ok(())
}

fn view(state: &AppState, row: &ShownRow, now: DateTime<Utc>) -> MediaView {
    let claimed = row.claimed.as_ref().and_then(|kind| kind.parse().ok());
    let kind = row.kind.as_ref().and_then(|kind| kind.parse().ok());
    let trouble = trouble(row, kind, claimed);
    let is_shown = trouble.is_none();
    let address = |purpose| {
        let sha256 = row.sha256.as_deref()?;
        let address = Address {
            organization: row.organization_id,
            sha256,
        };
        Some(address.signed(&state.keys.sealing, purpose, state.config.media.url_lifetime, now))
    };
    let has_thumbnail = is_shown && kind == Some(MediaKind::Image) && row.thumbnail_problem.is_none();
    let (problem, reason) = trouble.unzip();
    MediaView {
        position: u32::try_from(row.position).unwrap_or(0),
        kind: kind.or(claimed).unwrap_or(MediaKind::Other),
        name: row.name.clone(),
        sha256: row.sha256.clone(),
        mime: row.mime.clone(),
        bytes: row.bytes.and_then(|n| u64::try_from(n).ok()),
        width: row.width.and_then(|n| u32::try_from(n).ok()),
        height: row.height.and_then(|n| u32::try_from(n).ok()),
        duration: row.duration,
        url: is_shown.then(|| address(Purpose::View)).flatten(),
        thumbnail: has_thumbnail.then(|| address(Purpose::Thumbnail)).flatten(),
        download: address(Purpose::Download),
        problem,
        reason,
    }
}

/// Why a medium is not shown.
fn trouble(
    row: &ShownRow,
    kind: Option<MediaKind>,
    claimed: Option<MediaKind>,
) -> Option<(MediaProblem, String)> {
    let Some(kind) = kind else {
        let problem = row.problem.as_ref().and_then(|problem| problem.parse().ok());
        let reason = row
            .reason
            .clone()
            .unwrap_or_else(|| "its file did not arrive".to_owned());
        return Some((problem.unwrap_or(MediaProblem::Missing), reason));
    };
    let lie = claimed.filter(|claimed| *claimed != kind).map(named);
    match (&row.content_problem, lie) {
        (Some(is), Some(said)) if kind == MediaKind::Other => {
            Some((MediaProblem::WrongType, format!("said to be {said}, {is}")))
        }
        (Some(is), None) if kind == MediaKind::Other => Some((MediaProblem::WrongType, is.clone())),
        (_, Some(said)) => Some((
            MediaProblem::WrongType,
            format!("said to be {said}, is {}", named(kind)),
        )),
        (Some(why), None) => Some((
            if is_huge(row) {
                MediaProblem::Huge
            } else {
                MediaProblem::Broken
            },
            why.clone(),
        )),
        (None, None) => None,
    }
}

fn is_huge(row: &ShownRow) -> bool {
    let pixels = |n: Option<i32>| n.map_or(0, |n| u64::from(n.unsigned_abs()));
    pixels(row.width) * pixels(row.height) > MAX_PIXELS
}

const fn named(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "an image",
        MediaKind::Audio => "a sound",
        MediaKind::Video => "a film",
        MediaKind::Other => "a file",
    }
}
