//! Command lines.

use insta::assert_snapshot;
use lmms::command::{
    ArgValue, CommandError, Isolation, Launch, PlanBenchmark, PlanInput, Seed, plan, shell_line, weights_key,
};
use proptest::prelude::*;

/// The least that a plan needs.
pub(crate) fn input() -> PlanInput {
    PlanInput {
        python: "/opt/venv/bin/python".to_owned(),
        isolation: Isolation::ProcessPerBenchmark,
        backend: "openai".to_owned(),
        model_args: Vec::new(),
        benchmarks: vec![benchmark(0, "mme")],
        include_paths: Vec::new(),
        seed: None,
        num_fewshot: None,
        gen_kwargs: Vec::new(),
        limit: None,
        offset: None,
        batch_size: None,
        repeats: None,
        gpus: 1,
        launch: Launch::Single,
    }
}

fn benchmark(order: u32, name: &str) -> PlanBenchmark {
    PlanBenchmark {
        order,
        name: name.to_owned(),
    }
}

fn pair(key: &str, value: &str) -> (String, ArgValue) {
    (key.to_owned(), ArgValue::Text(value.to_owned()))
}

fn full() -> PlanInput {
    PlanInput {
        isolation: Isolation::ModelOnce,
        model_args: vec![
            pair("model", "org/name"),
            ("num_concurrent".to_owned(), ArgValue::Int(2)),
            ("verify".to_owned(), ArgValue::Bool(false)),
        ],
        benchmarks: vec![benchmark(0, "mme"), benchmark(1, "refcoco+_seg_testA")],
        include_paths: vec!["/srv/tasks".to_owned()],
        seed: Some(Seed::All(42)),
        num_fewshot: Some(2),
        gen_kwargs: vec![
            ("temperature".to_owned(), ArgValue::Float(0.7)),
            ("max_new_tokens".to_owned(), ArgValue::Int(32)),
        ],
        limit: Some(100.0),
        offset: Some(3),
        batch_size: Some("auto:4".to_owned()),
        repeats: Some(3),
        ..input()
    }
}

fn lines(input: &PlanInput) -> String {
    let plan = plan(input).expect("a plan");
    let mut lines = Vec::new();
    for process in plan.processes {
        lines.push(shell_line(&process.argv));
        for benchmark in process.benchmarks {
            lines.push(format!(
                "  {} {}: {}",
                benchmark.order,
                benchmark.output_path,
                shell_line(&benchmark.argv)
            ));
        }
    }
    lines.join("\n")
}

fn refusal(change: impl FnOnce(&mut PlanInput)) -> String {
    let mut input = full();
    change(&mut input);
    plan(&input).expect_err("it cannot be said").to_string()
}

#[test]
fn fields_left_alone_add_no_flag() {
    assert_snapshot!(lines(&input()), @"
    /opt/venv/bin/python -m lmms_eval --model openai --tasks mme --output_path out/0 --log_samples --timezone UTC --verbosity INFO
      0 out/0: --model openai --tasks mme --output_path out/0 --log_samples --timezone UTC --verbosity INFO
    ");
}

#[test]
fn no_shots_add_no_flag() {
    let shots = PlanInput {
        num_fewshot: Some(0),
        ..input()
    };
    assert_eq!(lines(&shots), lines(&input()));
}

#[test]
fn the_driver_runs_all_benchmarks_in_one_process() {
    assert_snapshot!(lines(&full()));
}

#[test]
fn plain_processes_run_one_benchmark_each() {
    let input = PlanInput {
        isolation: Isolation::ProcessPerBenchmark,
        ..full()
    };
    assert_snapshot!(lines(&input));
}

#[test]
fn accelerate_needs_more_than_one_gpu() {
    let mut input = PlanInput {
        launch: Launch::Accelerate,
        gpus: 4,
        ..input()
    };
    assert_snapshot!(lines(&input).lines().next().expect("a line"), @"/opt/venv/bin/python -m accelerate.commands.launch --multi_gpu --num_machines 1 --num_processes 4 --main_process_port 0 --mixed_precision no --dynamo_backend no -m lmms_eval --model openai --tasks mme --output_path out/0 --log_samples --timezone UTC --verbosity INFO");
    input.gpus = 1;
    assert!(!lines(&input).contains("accelerate"));
    input.gpus = 4;
    input.launch = Launch::Single;
    assert!(!lines(&input).contains("accelerate"));
}

#[test]
fn numbers_are_written_as_python_reads_them() {
    let text = |change: fn(&mut PlanInput)| {
        let mut input = input();
        change(&mut input);
        lines(&input)
    };
    assert!(text(|input| input.limit = Some(100.0)).contains("--limit 100 "));
    assert!(text(|input| input.limit = Some(0.25)).contains("--limit 0.25 "));
    assert!(text(|input| input.limit = Some(-1.0)).contains("--limit=-1 "));
    let seed = Seed::Each {
        python: Some(0),
        numpy: None,
        torch: Some(8),
        fewshot: Some(52),
    };
    let mut input = input();
    input.seed = Some(seed);
    assert!(lines(&input).contains("--seed 0,None,8,52 "));
}

#[test]
fn a_value_with_a_leading_dash_is_no_flag() {
    let input = PlanInput {
        backend: "-x".to_owned(),
        benchmarks: vec![benchmark(0, "--tui")],
        ..input()
    };
    let argv = &plan(&input).expect("a plan").processes[0].benchmarks[0].argv;
    assert_eq!(argv[..2], ["--model=-x", "--tasks=--tui"]);
}

#[test]
fn one_open_quote_goes_last() {
    let mut input = input();
    input.model_args = vec![pair("system", "it's"), pair("model", "m")];
    let argv = &plan(&input).expect("a plan").processes[0].benchmarks[0].argv;
    assert!(argv.contains(&"model=m,system=it's".to_owned()), "{argv:?}");
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    assert_snapshot!(refusal(|input| input.model_args = vec![pair("prompt", "a, b")]), @"`model_args.prompt` is `a, b`, expected text without a comma outside of quotes and braces");
    assert_snapshot!(refusal(|input| input.model_args = vec![pair("prompt", "a ")]), @"`model_args.prompt` is `a `, expected text that does not end in white space");
    assert_snapshot!(refusal(|input| input.model_args = vec![pair("a b", "x")]), @"`model_args` is `a b`, expected letters, digits and `_` as the name of an argument");
    assert_snapshot!(refusal(|input| input.model_args = vec![pair("a", "it's"), pair("b", "that's")]), @"`model_args.b` is `that's`, expected closed quotes and braces, as `a` already has open ones");
    assert_snapshot!(refusal(|input| input.gen_kwargs = vec![("t".to_owned(), ArgValue::Float(f64::NAN))]), @"`gen_kwargs.t` is `NaN`, expected a finite number");
    assert_snapshot!(refusal(|input| input.limit = Some(1.5)), @"`limit` is `1.5`, expected a whole number from 1, a fraction between 0 and 1, or -1 for all documents");
    assert_snapshot!(refusal(|input| input.limit = Some(0.0)), @"`limit` is `0`, expected a whole number from 1, a fraction between 0 and 1, or -1 for all documents");
    assert_snapshot!(refusal(|input| input.repeats = Some(0)), @"`repeats` is `0`, expected a number from 1");
    assert_snapshot!(refusal(|input| input.include_paths.push("/b".to_owned())), @"`include_paths` is `/srv/tasks, /b`, expected at most one folder, as lmms-eval takes one `--include_path`");
    assert_snapshot!(refusal(|input| input.benchmarks = Vec::new()), @"`benchmarks` is `[]`, expected at least one benchmark");
    assert_snapshot!(refusal(|input| input.benchmarks.push(benchmark(1, "x"))), @"`benchmarks.order` is `1`, expected a number that no other benchmark of the run has");
    assert_snapshot!(refusal(|input| input.python.clear()), @"`python` is ``, expected the path of a Python interpreter");
}

#[test]
fn names_that_mean_something_else_are_refused() {
    for name in [
        "",
        "a,b",
        "mm*",
        "m[a]",
        "a?",
        "list",
        "list_tags",
        "out",
        "out/0",
        "/etc",
        "..",
        "a/../b",
        "a//b",
    ] {
        let input = PlanInput {
            benchmarks: vec![benchmark(0, name)],
            ..input()
        };
        let error: CommandError = plan(&input).expect_err(name);
        assert_eq!(error.field, "benchmarks.name");
    }
    let input = PlanInput {
        benchmarks: vec![benchmark(0, "a/b+c.d")],
        ..input()
    };
    assert!(plan(&input).is_ok());
}

#[test]
fn the_key_that_names_the_weights() {
    assert_eq!(weights_key("qwen2_5_vl"), Some("pretrained"));
    assert_eq!(weights_key("vllm"), Some("model"));
    assert_eq!(weights_key("openai_compatible"), Some("model"));
    assert_eq!(weights_key("claude"), Some("model_version"));
    assert_eq!(weights_key("dummy"), None);
}

proptest! {
    #![proptest_config(crate::fixtures::cases(256))]

    #[test]
    fn what_can_be_said_arrives(
        args in prop::collection::vec(("[a-z_][a-z0-9_]{0,5}", "\\PC{0,12}|[\"'{}\\[\\],=\\\\ a]{0,8}"), 0..5)
    ) {
        let given: Vec<_> = args.iter().map(|(key, value)| pair(key, value)).collect();
        if let Ok(joined) = lmms::command::arguments::join("model_args", &given) {
            let mut arrived = lmms::command::arguments::pairs(&joined);
            let mut wanted = args;
            arrived.sort();
            wanted.sort();
            prop_assert_eq!(arrived, wanted);
        }
    }
}
