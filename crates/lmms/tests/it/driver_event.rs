//! The driver's lines.

use lmms::driver_event::{DriverEvent, DriverEventKind};
use serde_json::{Value, json};

fn parse(value: &Value) -> DriverEventKind {
    DriverEvent::parse(&value.to_string()).expect("an event").kind
}

#[test]
fn known_kinds() {
    let event = DriverEvent::parse(
        r#"{"event":"benchmark_finished","t":12.5,"order":2,"name":"mme","seconds":3.1,"error":"RuntimeError('x')","error_type":"RuntimeError","poisoned":true,"datasets":{"mme":"abc"}}"#,
    )
    .expect("an event");
    assert_eq!(event.t, 12.5);
    let DriverEventKind::BenchmarkFinished(finished) = event.kind else {
        panic!("{:?}", event.kind);
    };
    assert_eq!(
        (finished.order, finished.name.as_str(), finished.poisoned),
        (2, "mme", true)
    );
    assert_eq!(finished.error_type.as_deref(), Some("RuntimeError"));
    assert_eq!(finished.more["datasets"]["mme"], "abc");
}

#[test]
fn an_exit_code_is_a_number_or_a_text() {
    for (exit, expected) in [
        (json!(2), Some("2")),
        (json!("x"), Some("x")),
        (json!(null), None),
    ] {
        let kind =
            parse(&json!({"event": "benchmark_finished", "t": 1, "order": 0, "name": "a", "exit": exit}));
        let DriverEventKind::BenchmarkFinished(finished) = kind else {
            panic!("{kind:?}");
        };
        assert_eq!(finished.exit.as_deref(), expected);
    }
}

#[test]
fn unknown_kinds_are_kept() {
    let kind = parse(&json!({"event": "weather", "t": 1.0, "rain": true}));
    let DriverEventKind::Unknown(fields) = kind else {
        panic!("{kind:?}");
    };
    assert_eq!(fields["rain"], true);
    assert_eq!(fields["event"], "weather");
}

#[test]
fn every_kind_survives_a_round_trip() {
    for value in [
        json!({"event": "environment", "t": 0.0, "host": "h", "versions": {"torch": "2"}, "gpus": ["H200"], "driver": "1"}),
        json!({"event": "imported", "t": 13.0, "seconds": 13.0, "versions": {"lmms_eval": "0.7.3"}}),
        json!({"event": "model_loaded", "t": 14.0, "seconds": 1.0}),
        json!({"event": "benchmark_started", "t": 15.0, "order": 0, "name": "mme", "argv": ["--model", "x"]}),
        json!({"event": "hook_missing", "t": 1.0, "name": "TaskManager"}),
        json!({"event": "finished", "t": 20.0, "seconds": 20.0, "poisoned": false}),
        json!({"event": "weather", "t": 1.0, "rain": true}),
    ] {
        let event = DriverEvent::parse(&value.to_string()).expect("an event");
        assert_eq!(serde_json::to_value(&event).expect("JSON"), value);
    }
}

#[test]
fn a_line_cut_off_is_an_error() {
    assert!(DriverEvent::parse(r#"{"event":"imp"#).is_err());
    assert!(DriverEvent::parse("[]").is_err());
}
