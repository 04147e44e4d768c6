//! One newtype per kind of id, so that a run's id is never passed for a model's.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// A tenant.
    OrganizationId,
    /// A person, as in `auth.users`.
    UserId,
    /// A model.
    ModelId,
    /// A model's variant.
    CheckpointId,
    /// One lmms-eval task, group or tag.
    BenchmarkId,
    /// A named subset of samples.
    SliceId,
    /// One model checkpoint on a list of benchmarks.
    RunId,
    /// One picked benchmark inside a run.
    RunBenchmarkId,
    /// One execution of a run on one engine.
    AttemptId,
    /// One document of a benchmark in a run.
    SampleId,
    /// A stored file of a run.
    ArtifactId,
    /// A machine's credential.
    ApiTokenId,
}
