//! What happened lately, and what needs somebody.

use crate::{RunStatus, RunSummary};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The home page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HomeView {
    /// Where the time range begins.
    pub since: DateTime<Utc>,
    /// The last runs, newest first.
    pub recent: Vec<RunSummary>,
    /// Runs under way.
    pub running: Vec<RunSummary>,
    /// Runs of the time range that failed, newest first.
    pub failed: Vec<RunSummary>,
    /// Runs by status, whenever they were created.
    pub counts: BTreeMap<RunStatus, u64>,
    /// Bytes of the database; null where that cannot be known.
    pub database_size: Option<i64>,
    /// Each day of the time range on which a run ended, first to last.
    pub days: Vec<HomeDay>,
}

/// What ended on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HomeDay {
    /// The day, in UTC.
    pub day: NaiveDate,
    /// Runs that completed.
    pub completed: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs that were cancelled.
    pub cancelled: u64,
    /// Samples of the runs that ended.
    pub samples: u64,
}
