//! Slices: named subsets of samples, and what models score on them.

use crate::rule::Rule;
use crate::status::text_enum;
use crate::{BenchmarkId, ModelId, RunBenchmarkId, RunId, SampleId, SliceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Groups with fewer scored samples are shown by their size alone.
pub const SMALL_SLICE: u64 = 20;
/// The longest description of a slice, in characters.
pub const MAX_SLICE_TEXT: usize = 2000;

text_enum! {
    /// What kind of property makes a slice. All but `custom` have fields of their own (see [`SliceType::fields`]).
    SliceType, "slice type" {
        /// Who speaks.
        AudioGender = "audio_gender",
        /// Which language is spoken.
        AudioLanguage = "audio_language",
        /// How noisy the recording is.
        AudioSnr = "audio_snr",
        /// How long the recording is, in seconds.
        AudioDuration = "audio_duration",
        /// Whether text in the image has to be read.
        VisionOcrRequired = "vision_ocr_required",
        /// How large the image is.
        VisionResolution = "vision_resolution",
        /// Which kind of chart it shows.
        VisionChartType = "vision_chart_type",
        /// How long the video is, in seconds or by name.
        VideoLength = "video_length",
        /// How much moves in the video.
        VideoMotion = "video_motion",
        /// Whatever its rule says.
        Custom = "custom",
    }
}

impl SliceType {
    /// The fields of a document in which benchmarks keep the property; the first that is there counts.
    pub const fn fields(self) -> &'static str {
        match self {
            Self::AudioGender => "gender|speaker_gender|sex",
            Self::AudioLanguage => "language|lang|locale",
            Self::AudioSnr => "snr|snr_db|snr_level|noise_level",
            Self::AudioDuration => "duration|audio_duration|duration_seconds|audio_length",
            Self::VisionOcrRequired => "ocr_required|requires_ocr|ocr|has_text",
            Self::VisionResolution => "resolution|image_resolution|pixels|image_size",
            Self::VisionChartType => "chart_type|figure_type|plot_type|chart",
            Self::VideoLength => "duration|video_length|video_duration|length",
            Self::VideoMotion => "motion|motion_level|camera_motion|video_motion",
            Self::Custom => "",
        }
    }

    /// The rule of a typed slice: its fields have this value. `> 20`, `<= 5` and `5..20` are ranges of numbers,
    /// `true`, `yes`, `false` and `no` also stand for each other, anything else is text.
    ///
    /// # Errors
    /// When the type has no fields, or the value is none.
    pub fn rule(self, value: &str) -> Result<Rule, String> {
        let value = value.trim();
        if self == Self::Custom {
            return Err("is missing; a custom slice is made by its rule".to_owned());
        }
        if value.is_empty() {
            return Err(format!(
                "is missing; `{self}` expects one such as `{}`",
                self.example()
            ));
        }
        let text = self.test_of(value);
        text.parse()
            .map_err(|e| format!("is `{value}`, which is no value: {e}"))
    }

    fn test_of(self, value: &str) -> String {
        let fields = self.fields();
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        if value.starts_with(['<', '>']) {
            return format!("{fields} {value}");
        }
        let number = |text: &str| text.trim().parse::<f64>().is_ok_and(f64::is_finite);
        if let Some((low, high)) = value
            .split_once("..")
            .filter(|(low, high)| number(low) && number(high))
        {
            return format!("{fields} between {low} and {high}");
        }
        match value.to_ascii_lowercase().as_str() {
            "true" | "yes" => format!("{fields} = true or {fields} in (\"true\", \"yes\", \"1\", 1)"),
            "false" | "no" => format!("{fields} = false or {fields} in (\"false\", \"no\", \"0\", 0)"),
            _ if number(value) => format!("{fields} in ({value}, {})", quoted(value)),
            _ => format!("{fields} = {}", quoted(value)),
        }
    }

    /// A value that it may have.
    pub const fn example(self) -> &'static str {
        match self {
            Self::AudioGender => "female",
            Self::AudioLanguage => "english",
            Self::AudioSnr => "< 10",
            Self::AudioDuration => "0..30",
            Self::VisionOcrRequired => "true",
            Self::VisionResolution => "high",
            Self::VisionChartType => "pie_chart",
            Self::VideoLength => "short",
            Self::VideoMotion => "high",
            Self::Custom => "",
        }
    }
}

text_enum! {
    /// Whether samples have been looked at with the rule of a slice.
    SliceState, "slice state" {
        /// Not yet.
        Pending = "pending",
        /// Some have.
        Running = "running",
        /// All have.
        Done = "done",
        /// The rule cannot be used.
        Failed = "failed",
    }
}

/// A slice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SliceView {
    /// Its id.
    pub id: SliceId,
    /// Its name, unique in the organization.
    pub name: String,
    /// E.g. `audio_gender`, or `custom`.
    pub slice_type: SliceType,
    /// E.g. `male`.
    pub slice_value: Option<String>,
    /// The rule that is used: its own, or that of its type and value.
    pub rule: String,
    /// Whether the rule was given; else it follows from type and value.
    pub own_rule: bool,
    /// The benchmarks it applies to; all when empty.
    pub associated_benchmarks: Vec<BenchmarkId>,
    /// In words.
    pub description: Option<String>,
    /// Whether all samples have been looked at.
    pub state: SliceState,
    /// Why the rule cannot be used.
    pub error: Option<String>,
    /// Samples that have been looked at, in all runs.
    pub seen: i64,
    /// Samples that are to be looked at.
    pub to_see: i64,
    /// Samples that are in it.
    pub samples: i64,
    /// When it was changed.
    pub updated_at: DateTime<Utc>,
}

/// All slices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SliceList {
    /// By type and name.
    pub slices: Vec<SliceView>,
}

/// A slice to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateSlice {
    /// Its name, unique in the organization.
    pub name: String,
    /// What kind of property it is about.
    pub slice_type: SliceType,
    /// The value of the property; needed without a rule.
    #[serde(default)]
    pub slice_value: Option<String>,
    /// The rule; needed for `custom`, else that of type and value is used without it.
    #[serde(default)]
    pub rule: Option<String>,
    /// The benchmarks it applies to; all when empty.
    #[serde(default)]
    pub associated_benchmarks: Vec<BenchmarkId>,
    /// In words.
    #[serde(default)]
    pub description: Option<String>,
}

/// What is to change of a slice; what is left out stays. An empty text takes a value away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateSlice {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The value of the property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice_value: Option<String>,
    /// The rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The benchmarks it applies to; all when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub associated_benchmarks: Option<Vec<BenchmarkId>>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A rule to try, or none to see what documents hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewSlice {
    /// The rule.
    #[serde(default)]
    pub rule: Option<String>,
    /// The benchmarks whose newest run is looked at; those of the newest runs when empty.
    #[serde(default)]
    pub benchmark_ids: Vec<BenchmarkId>,
}

/// What a rule would find.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlicePreview {
    /// The rule as it is kept; null without one.
    pub rule: Option<String>,
    /// How many samples were looked at.
    pub seen: u64,
    /// How many of them fit.
    pub samples: u64,
    /// By benchmark.
    pub benchmarks: Vec<PreviewBenchmark>,
    /// Some that fit.
    pub examples: Vec<PreviewExample>,
    /// What the documents hold, the most frequent field first.
    pub fields: Vec<PreviewField>,
}

/// What a rule would find in one benchmark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewBenchmark {
    /// The benchmark.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    pub benchmark: String,
    /// The run whose samples were looked at.
    pub run_id: RunId,
    /// How many samples.
    pub seen: u64,
    /// How many of them fit.
    pub samples: u64,
}

/// A sample that a rule fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewExample {
    /// The sample.
    pub sample_id: SampleId,
    /// Its run.
    pub run_id: RunId,
    /// Its benchmark.
    pub benchmark: String,
    /// lmms-eval's index of the document.
    pub doc_id: i64,
    /// The start of its prompt.
    pub input: String,
    /// What was expected.
    pub ground_truth: serde_json::Value,
}

/// A field of documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewField {
    /// Its name, as a rule writes it.
    pub name: String,
    /// `string`, `number`, `boolean`, `array` or `object`, the most frequent one.
    pub kind: String,
    /// Documents that have it.
    pub documents: u64,
    /// Its most frequent values, as a rule writes them.
    pub values: Vec<String>,
}

/// The scores of a slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SliceMetricList {
    /// The slice's name.
    pub slice: String,
    /// The newest run first.
    pub metrics: Vec<SliceMetric>,
    /// How many there are.
    pub total: u64,
}

/// What a run scores on a slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SliceMetric {
    /// The run.
    pub run_id: RunId,
    /// Its name.
    pub run_name: String,
    /// The model.
    pub model_id: ModelId,
    /// Its name.
    pub model_name: String,
    /// The checkpoint.
    pub checkpoint: String,
    /// The task.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    pub benchmark: String,
    /// The picked row.
    pub run_benchmark_id: RunBenchmarkId,
    /// The metric.
    pub metric_name: String,
    /// The filter.
    pub filter: String,
    /// The value over the samples of the slice; null where it cannot be had.
    pub metric_value: Option<f64>,
    /// Its standard error.
    pub stderr: Option<f64>,
    /// Low end of its 95 % interval.
    pub low: Option<f64>,
    /// High end.
    pub high: Option<f64>,
    /// Samples of the slice with a score.
    pub sample_count: Option<i64>,
    /// Whether more is better.
    pub higher_is_better: Option<bool>,
    /// The value over all samples.
    pub overall: Option<f64>,
    /// Why there is no value.
    pub reason: Option<String>,
    /// Too few samples to judge.
    pub small: bool,
}

/// The slices of one task in one run, against each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SliceReport {
    /// The run.
    pub run_id: RunId,
    /// The task.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    pub benchmark: String,
    /// The filter.
    pub filter: String,
    /// The metric.
    pub metric_name: String,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// The committed value over all samples.
    pub value: Option<f64>,
    /// Why slices cannot have a value; then only their sizes are known.
    pub reason: Option<String>,
    /// Samples with a score.
    pub n: u64,
    /// Low end of the 95 % interval over all.
    pub low: Option<f64>,
    /// High end.
    pub high: Option<f64>,
    /// Samples that are in no slice.
    pub uncovered: u64,
    /// The slices that have a sample here, by name.
    pub slices: Vec<SliceRow>,
    /// How far slices are apart; null with fewer than two that are large enough.
    pub gap: Option<SliceGap>,
}

/// One slice in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SliceRow {
    /// The slice.
    pub id: SliceId,
    /// Its name.
    pub name: String,
    /// Its rule.
    pub rule: String,
    /// Samples with a score.
    pub n: u64,
    /// Too few to judge: there are no numbers but `n`.
    pub small: bool,
    /// The value over its samples.
    pub value: Option<f64>,
    /// Low end of its 95 % interval.
    pub low: Option<f64>,
    /// High end.
    pub high: Option<f64>,
    /// Its value minus that of all other samples.
    pub delta: Option<f64>,
    /// Low end of the difference's 95 % interval.
    pub delta_low: Option<f64>,
    /// High end.
    pub delta_high: Option<f64>,
    /// Two-sided p of the difference.
    pub p: Option<f64>,
    /// The same after Benjamini and Hochberg over the slices with numbers.
    pub p_adjusted: Option<f64>,
}

/// How far slices are apart, and how far they would be by chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SliceGap {
    /// Largest minus smallest value.
    pub gap: f64,
    /// The gap to expect when membership means nothing.
    pub expected: f64,
    /// How often chance gives this gap or more.
    pub p: f64,
    /// Permutations.
    pub replicates: u64,
    /// The slice with the worst value.
    pub worst: SliceId,
    /// Its name.
    pub worst_name: String,
    /// By how much it is worse than all samples together.
    pub worst_gap: f64,
}

/// A benchmark that some models have a score of, but not on the slice that is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SliceMissing {
    /// The benchmark.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    pub benchmark: String,
    /// Why.
    pub reason: String,
    /// Models and checkpoints without it.
    pub entries: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_rules() {
        for (kind, value, rule) in [
            (
                SliceType::AudioLanguage,
                "English",
                r#"language|lang|locale = "English""#,
            ),
            (
                SliceType::AudioSnr,
                "< 10",
                "snr|snr_db|snr_level|noise_level < 10",
            ),
            (
                SliceType::AudioDuration,
                "0..30",
                "duration|audio_duration|duration_seconds|audio_length between 0 and 30",
            ),
            (
                SliceType::VideoMotion,
                "a \"b\" \\",
                r#"motion|motion_level|camera_motion|video_motion = "a \"b\" \\""#,
            ),
        ] {
            assert_eq!(kind.rule(value).unwrap().to_string(), rule);
        }
        for kind in SliceType::ALL.iter().filter(|kind| **kind != SliceType::Custom) {
            kind.rule(kind.example()).unwrap();
            assert!(kind.rule(" ").unwrap_err().contains("is missing"));
        }
        assert!(
            SliceType::AudioSnr
                .rule("< low")
                .unwrap_err()
                .contains("expected a number")
        );
        assert!(SliceType::Custom.rule("x").unwrap_err().contains("rule"));
    }
}
