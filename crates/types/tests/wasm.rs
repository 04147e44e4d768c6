//! What the browser depends on, checked where the browser runs it.
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    reason = "these are tests, by another attribute than `#[test]`"
)]

use types::{ComputeProfile, CreateRun, LiveEvent, LiveMessage, RunStatus};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn a_live_message_is_read_with_its_sequence_number() {
    let text = r#"{"seq":7,"type":"log_line","data":{"timestamp":"2026-11-20T12:00:00Z","level":"INFO",
        "message":"Starting benchmark VQA...","stream":"stdout","attempt":1,"byte_offset":0}}"#;
    let message: LiveMessage = serde_json::from_str(text).unwrap();
    assert_eq!(message.seq, 7);
    assert!(matches!(message.event, LiveEvent::LogLine(line) if line.message == "Starting benchmark VQA..."));
}

#[wasm_bindgen_test]
fn a_create_request_survives_the_round_trip() {
    let text = r#"{"model_id":"0198c4a0-0000-7000-8000-000000000001","benchmark_ids":[],
        "config":{"shots":0,"compute_profile":"2×A100","model_args":{"b":"1","a":2}}}"#;
    let request: CreateRun = serde_json::from_str(text).unwrap();
    let again: CreateRun = serde_json::from_str(&serde_json::to_string(&request).unwrap()).unwrap();
    assert_eq!(again, request);
    assert_eq!(again.checkpoint_variant, "latest");
    let expected: ComputeProfile = "2×A100".parse().unwrap();
    assert_eq!(again.config.compute_profile, Some(expected));
}

#[wasm_bindgen_test]
fn an_unknown_status_is_named() {
    let error = "done".parse::<RunStatus>().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`done` is no run status; expected one of pending")
    );
}
