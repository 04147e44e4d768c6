//! Closed enums: where a thing is (status) and why it ended (outcome).

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that names no variant of a closed enum.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{value}` is no {what}; expected one of {expected}")]
pub struct UnknownVariant {
    /// What kind of thing was expected.
    pub what: &'static str,
    /// The text that was given.
    pub value: String,
    /// The accepted texts, separated by commas.
    pub expected: String,
}

// The text is a token of its own: the derive for the API's document does not see through a `literal`.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $text:tt),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text used in JSON, in the database and in addresses.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownVariant;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text).ok_or_else(|| $crate::UnknownVariant {
                    what: $what,
                    value: text.to_owned(),
                    expected: Self::ALL.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}
pub(crate) use text_enum;

text_enum! {
    /// Where a run is.
    RunStatus, "run status" {
        /// Held back by a schedule or a quota.
        Pending = "pending",
        /// Waiting for a worker.
        Queued = "queued",
        /// An attempt is under way, also while it is being cancelled.
        Running = "running",
        /// Every benchmark completed.
        Completed = "completed",
        /// At least one benchmark failed, or none ran.
        Failed = "failed",
        /// Stopped by a user.
        Cancelled = "cancelled",
    }
}

impl RunStatus {
    /// Whether nothing more will happen unless the run is requeued.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

text_enum! {
    /// Where a benchmark of a run is.
    BenchmarkStatus, "benchmark status" {
        /// Not started.
        Pending = "pending",
        /// Being evaluated or ingested.
        Running = "running",
        /// Its metrics are committed.
        Completed = "completed",
        /// It ended without committed metrics.
        Failed = "failed",
        /// It was stopped or never reached.
        Cancelled = "cancelled",
    }
}

impl BenchmarkStatus {
    /// Whether this benchmark is over in this attempt.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

text_enum! {
    /// Where an attempt is.
    AttemptState, "attempt state" {
        /// A worker has claimed the run.
        Claimed = "claimed",
        /// The executor is being launched.
        Submitting = "submitting",
        /// The engine has accepted the executor.
        Submitted = "submitted",
        /// The executor runs, lmms-eval is loading.
        Starting = "starting",
        /// Benchmarks are being evaluated.
        Running = "running",
        /// Every benchmark completed.
        Succeeded = "succeeded",
        /// At least one benchmark failed.
        Failed = "failed",
        /// Stopped by a user.
        Cancelled = "cancelled",
        /// The executor vanished.
        Lost = "lost",
        /// The wall-clock limit ended it.
        TimedOut = "timed_out",
    }
}

impl AttemptState {
    /// Terminal states never change.
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Lost | Self::TimedOut
        )
    }
}

text_enum! {
    /// Why an attempt or a benchmark ended.
    Outcome, "outcome" {
        /// Results were found and hold every task that was asked for.
        Completed = "completed",
        /// The process could not be started.
        StartFailed = "start_failed",
        /// lmms-eval refused its command line.
        BadArguments = "bad_arguments",
        /// lmms-eval knows no such task.
        TaskNotFound = "task_not_found",
        /// lmms-eval knows no such model backend, or the weights were not found.
        ModelNotFound = "model_not_found",
        /// The dataset could not be loaded.
        DatasetUnreachable = "dataset_unreachable",
        /// The device or the host ran out of memory.
        OutOfMemory = "out_of_memory",
        /// An exception ended it.
        Crashed = "crashed",
        /// A signal from outside ended it.
        Killed = "killed",
        /// No progress for too long.
        Stalled = "stalled",
        /// The wall-clock limit was reached.
        TimedOut = "timed_out",
        /// A user stopped it.
        Cancelled = "cancelled",
        /// The executor vanished.
        Lost = "lost",
        /// Results were written but cannot be read.
        ResultsUnreadable = "results_unreadable",
    }
}

text_enum! {
    /// What a member may do in an organization, from least to most.
    Role, "role" {
        /// Reads.
        Viewer = "viewer",
        /// Launches runs and edits models.
        Editor = "editor",
        /// Manages members, tokens, secrets and task folders.
        Admin = "admin",
        /// Everything, and may hand the organization over.
        Owner = "owner",
    }
}

text_enum! {
    /// How loud a log line is.
    LogLevel, "log level" {
        /// Details for developers.
        Debug = "DEBUG",
        /// What happens.
        Info = "INFO",
        /// Something odd.
        Warning = "WARNING",
        /// Something failed.
        Error = "ERROR",
    }
}

text_enum! {
    /// Which output of a process a line came from.
    LogStream, "log stream" {
        /// Standard output.
        Stdout = "stdout",
        /// Standard error.
        Stderr = "stderr",
    }
}

text_enum! {
    /// What a model is given.
    Modality, "modality" {
        /// Images.
        Vision = "Vision",
        /// Sound.
        Audio = "Audio",
        /// Moving images.
        Video = "Video",
        /// Text alone.
        Text = "Text",
    }
}

text_enum! {
    /// What a catalogue entry is.
    BenchmarkKind, "benchmark kind" {
        /// One task.
        Task = "task",
        /// A group of tasks, perhaps with an aggregate.
        Group = "group",
        /// A label shared by tasks.
        Tag = "tag",
    }
}

text_enum! {
    /// What samples of a bucket have in common.
    BucketKind, "bucket kind" {
        /// Their task.
        Benchmark = "benchmark",
        /// The category of their documents.
        Category = "category",
        /// What is odd about them.
        Flag = "flag",
        /// How they went.
        Mark = "mark",
        /// Their slice.
        Slice = "slice",
    }
}

text_enum! {
    /// What a medium is.
    MediaKind, "kind of media" {
        /// A picture.
        Image = "image",
        /// A sound.
        Audio = "audio",
        /// A film.
        Video = "video",
        /// Of a type that is never shown.
        Other = "other",
    }
}

text_enum! {
    /// Why a medium is not shown.
    MediaProblem, "problem of media" {
        /// The limit of what is kept of a benchmark was reached.
        LeftOut = "left_out",
        /// It could not be read or written where the model ran.
        Failed = "failed",
        /// Its file is not there.
        Missing = "missing",
        /// Its path leads out of what was imported.
        Outside = "outside",
        /// It is an address on the web, which is not fetched.
        Remote = "remote",
        /// The model was given something that no file holds.
        Unsupported = "unsupported",
        /// By its content it is not what it is said to be.
        WrongType = "wrong_type",
        /// It begins as its type does, and cannot be read.
        Broken = "broken",
        /// It has more pixels than are decoded.
        Huge = "huge",
    }
}

text_enum! {
    /// What an artifact holds.
    ArtifactType, "artifact type" {
        /// The configuration of the run or a results document.
        Config = "config",
        /// Raw output.
        Log = "log",
        /// Per-sample predictions.
        Predictions = "predictions",
        /// Error analysis.
        ErrorAnalysis = "error_analysis",
        /// What was known of the checkpoint and the environment.
        CheckpointInfo = "checkpoint_info",
    }
}
