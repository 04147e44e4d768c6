//! What a plan says is byte for byte what lmms-eval gets, whatever the values hold.

use crate::attempt::Attempt;
use crate::driver::{PYTHON, beside_the_stand_in};
use lmms::command::{ArgValue, Isolation, Launch, PlanBenchmark, PlanInput, Process, plan};
use proptest::prelude::*;
use runner::{JobBenchmark, JobProcess};
use std::collections::BTreeMap;
use uuid::Uuid;

fn input(isolation: Isolation, model_args: &[(String, String)]) -> PlanInput {
    let text = |(key, value): &(String, String)| (key.clone(), ArgValue::Text(value.clone()));
    let benchmark = |(order, name): (u32, &str)| PlanBenchmark {
        order,
        name: name.to_owned(),
    };
    PlanInput {
        python: PYTHON.clone(),
        isolation,
        backend: "openai".to_owned(),
        model_args: model_args.iter().map(text).collect(),
        benchmarks: (0..).zip(["first", "last"]).map(benchmark).collect(),
        include_paths: vec!["/srv/it's \"tasks\" é".to_owned()],
        seed: None,
        num_fewshot: None,
        gen_kwargs: vec![("until".to_owned(), ArgValue::Text("-- a b".to_owned()))],
        limit: Some(2.0),
        offset: None,
        batch_size: None,
        repeats: None,
        gpus: 0,
        launch: Launch::Single,
    }
}

fn process(of: &Process) -> JobProcess {
    let benchmark = |command: &lmms::command::BenchmarkCommand| JobBenchmark {
        order: command.order,
        name: command.name.clone(),
        run_benchmark_id: Uuid::new_v4().into(),
        leaf_tasks: vec![command.name.clone()],
        argv: command.argv.clone(),
        output_path: command.output_path.clone(),
    };
    JobProcess {
        argv: of.argv.clone(),
        env_extra: BTreeMap::new(),
        benchmarks: of.benchmarks.iter().map(benchmark).collect(),
    }
}

/// Each benchmark's `sys.argv[1:]`, by its own account.
fn recorded(attempt: &Attempt) -> Vec<Vec<String>> {
    let text = attempt.read("argv.jsonl");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The vector of the last process, by the kernel's account.
fn cmdline(attempt: &Attempt) -> Vec<String> {
    let text = attempt.read("cmdline");
    let mut parts: Vec<String> = text.split('\0').map(str::to_owned).collect();
    assert_eq!(parts.pop().as_deref(), Some(""));
    parts
}

/// Runs what the plan says; `None` when lmms-eval has no way to say these values.
fn runs_as_planned(isolation: Isolation, model_args: &[(String, String)]) -> Option<()> {
    let plan = plan(&input(isolation, model_args)).ok()?;
    let attempt = beside_the_stand_in(plan.processes.iter().map(process).collect());
    attempt.run();
    let benchmarks = plan.processes.iter().flat_map(|process| &process.benchmarks);
    let planned: Vec<Vec<String>> = benchmarks.map(|benchmark| benchmark.argv.clone()).collect();
    assert_eq!(recorded(&attempt), planned);
    assert_eq!(cmdline(&attempt), plan.processes.last().unwrap().argv);
    Some(())
}

fn both(model_args: &[(String, String)]) -> Option<()> {
    runs_as_planned(Isolation::ModelOnce, model_args)?;
    runs_as_planned(Isolation::ProcessPerBenchmark, model_args)
}

#[test]
fn hard_values_run_as_planned() {
    let hard = [
        "it's",
        "\"q\" 'q'",
        "a  b",
        "line\nbreak",
        "--tasks",
        "-x",
        "é漢字🙂",
        "$(id) `id` *",
        "a\\b",
    ];
    for value in hard {
        let given = [("prompt".to_owned(), value.to_owned())];
        assert!(both(&given).is_some(), "`{value}` should be sayable");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_values_run_as_planned(
        model_args in proptest::collection::btree_map("[a-z_][a-z0-9_]{0,5}", "(-|--)?[^\0,=]{0,20}", 0..4)
    ) {
        let model_args: Vec<_> = model_args.into_iter().collect();
        prop_assume!(both(&model_args).is_some());
    }
}
