//! Slices at ingest: every sample is judged before it is stored.

use super::IngestError;
use crate::db::Conn;
use crate::db::samples::NewSample;
use crate::db::slices::assign::{InForce, enter, in_force};
use crate::db::slices::scores::{committed, members, replace};
use crate::slicing;
use std::sync::Arc;
use types::rule::Subject;
use uuid::Uuid;

/// The slices of an organization, for the length of one transaction.
#[derive(Debug)]
pub(super) struct Judges(Vec<InForce>);

impl Judges {
    /// The slices that samples stored in this transaction belong to.
    pub(super) async fn of(conn: &mut Conn, organization: Uuid) -> Result<Arc<Self>, IngestError> {
        Ok(Arc::new(Self(in_force(conn, organization).await?)))
    }

    /// Notes in a sample the slices that it is in.
    pub(super) fn judge(&self, sample: &mut NewSample) {
        let applies = |slice: &&InForce| {
            let reach = slice.reach.as_ref();
            reach.is_none_or(|tasks| tasks.contains(&sample.benchmark_id))
        };
        let subject = subject(sample);
        let fitting = self
            .0
            .iter()
            .filter(applies)
            .filter(|slice| slice.rule.fits(&subject));
        let slices = fitting.map(|slice| slice.id).collect();
        sample.slices = slices;
    }

    /// Enters the stored samples of a pick into their slices, and stores what they score there.
    pub(super) async fn conclude(&self, conn: &mut Conn, pick: Uuid) -> Result<(), IngestError> {
        if self.0.is_empty() {
            return Ok(());
        }
        enter(conn, pick).await?;
        let slices: Vec<Uuid> = self.0.iter().map(|slice| slice.id).collect();
        Ok(rescore(conn, &[pick], &slices).await?)
    }
}

/// What a rule can know of a sample that is to be stored.
fn subject(sample: &NewSample) -> Subject<'_> {
    Subject {
        doc: sample.doc.as_ref(),
        target: sample.ground_truth.as_ref(),
        input: sample.input_data["text"].as_str(),
        doc_id: sample.doc_id,
    }
}

/// Computes again what these picks score on these slices.
///
/// # Errors
/// When a statement fails.
pub async fn rescore(conn: &mut Conn, picks: &[Uuid], slices: &[Uuid]) -> diesel::QueryResult<()> {
    let members = members(conn, picks, slices).await?;
    let scores = slicing::scores(&members, &committed(conn, picks).await?);
    replace(conn, picks, slices, &scores).await
}
