//! What an error text says about its cause.

use super::Outcome;

/// One rule: any of these parts in the text (in lower case) means this outcome.
struct Rule {
    outcome: Outcome,
    parts: &'static [&'static str],
}

/// In order: the first rule that fits wins.
const RULES: &[Rule] = &[
    Rule {
        outcome: Outcome::OutOfMemory,
        parts: &[
            "out of memory",
            "outofmemoryerror",
            "cublas_status_alloc_failed",
            "cannot allocate memory",
            "can't allocate memory",
            "memoryerror",
            "bad_alloc",
            "no available memory for the cache blocks",
            "is less than desired gpu memory utilization",
            "oom-kill",
            "oom_kill",
        ],
    },
    Rule {
        outcome: Outcome::TaskNotFound,
        parts: &[
            "tasks not found:",
            "tasks were not found:",
            "need to specify task to evaluate",
            "no tasks specified, or no tasks found",
        ],
    },
    Rule {
        outcome: Outcome::BadArguments,
        parts: &[
            "unknown keys in config file",
            "specify --output_path if providing",
            "--limit must be",
            "--offset must be",
            "unexpected keyword argument",
            "unexpected kwargs",
            "has no attribute 'sampler'",
            "unrecognized arguments:",
        ],
    },
    Rule {
        outcome: Outcome::DatasetUnreachable,
        parts: &[
            "couldn't reach '",
            "datasetnotfounderror",
            "datafilesnotfounderror",
            "couldn't find any data file",
            "couldn't find cache for",
            "couldn't find a dataset",
            "couldn't find the dataset",
            "is a gated dataset",
            "datasetgenerationerror",
            "datasets-server",
            "raised connectionerror>",
            "huggingface.co/datasets",
            "/api/datasets/",
            "unable to find '",
        ],
    },
    Rule {
        outcome: Outcome::ModelNotFound,
        parts: &[
            "not found in available models",
            "is not a local folder and is not a valid model identifier",
            "does not appear to have a file named",
            "no file named model.safetensors",
            "failed to import model from",
            "model_not_found",
            "in the cached files",
            "can't load the configuration of",
            "can't load tokenizer for",
            "repositorynotfounderror",
            "gatedrepoerror",
            "unrecognized model in",
        ],
    },
];

/// The outcome that an error text speaks of; `None` when it is an error like any other.
pub(super) fn classify(error: &str) -> Option<Outcome> {
    let error = error.to_lowercase();
    let fits = |rule: &&Rule| rule.parts.iter().any(|part| error.contains(part));
    RULES.iter().find(fits).map(|rule| rule.outcome)
}

/// One sentence on an error of a known kind.
pub(super) fn sentence(outcome: Outcome, error: &str) -> String {
    match outcome {
        Outcome::TaskNotFound => match named(error, "not found: ", ". Try") {
            Some(names) => format!("lmms-eval does not know `{names}`"),
            None => "lmms-eval was given no task that it knows".to_owned(),
        },
        Outcome::ModelNotFound => match named(error, "Model '", "' not found in available") {
            Some(name) => format!("lmms-eval has no model backend `{name}`"),
            None => format!("the model cannot be found: {error}"),
        },
        Outcome::BadArguments if error.contains("'sampler'") => {
            "the task has no few-shot examples (`fewshot_config`), so `--num_fewshot` makes \
             lmms-eval fail"
                .to_owned()
        }
        Outcome::BadArguments => format!("lmms-eval refused its arguments: {error}"),
        Outcome::DatasetUnreachable => format!("the dataset cannot be loaded: {error}"),
        Outcome::OutOfMemory => format!("memory ran out: {error}"),
        _ => format!("the evaluation failed: {error}"),
    }
}

fn named<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after).map_or(rest, |(name, _)| name))
}
