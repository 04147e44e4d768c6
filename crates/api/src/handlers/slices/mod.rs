//! Slices: named subsets of samples.

pub mod preview;
pub mod read;
pub mod write;

use crate::db::{Conn, slices};
use crate::error::{AppError, AppResult};
use types::{OrganizationId, SliceId, SliceView};

/// The slice, as row-level security shows it.
async fn visible(conn: &mut Conn, id: SliceId) -> AppResult<(OrganizationId, SliceView)> {
    slices::find(conn, id)
        .await?
        .ok_or_else(|| AppError::not_found("slice", id))
}
