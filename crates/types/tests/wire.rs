//! The JSON that clients see, as the specification writes it.

use serde_json::json;
use types::{CancelAnswer, LiveEvent, LiveMessage, News, ProgressEvent, RunStatus};

#[test]
fn a_cancel_answers_as_specified() {
    let waiting = CancelAnswer {
        status: RunStatus::Cancelled,
        cancelling: false,
    };
    assert_eq!(
        serde_json::to_value(&waiting).unwrap(),
        json!({"status": "cancelled"})
    );
    let running = CancelAnswer {
        status: RunStatus::Running,
        cancelling: true,
    };
    assert_eq!(
        serde_json::to_value(&running).unwrap(),
        json!({"status": "running", "cancelling": true})
    );
}

#[test]
fn a_live_message_has_type_data_and_seq() {
    let progress = ProgressEvent {
        completed_tasks: 5,
        total_tasks: 10,
        ..ProgressEvent::default()
    };
    let message = LiveMessage {
        seq: 3,
        event: LiveEvent::Progress(progress),
    };
    let value = serde_json::to_value(&message).unwrap();
    assert_eq!((&value["seq"], &value["type"]), (&json!(3), &json!("progress")));
    assert_eq!(value["data"]["completed_tasks"], 5);
    assert_eq!(serde_json::from_value::<LiveMessage>(value).unwrap(), message);
}

#[test]
fn a_batch_refuses_what_it_does_not_know() {
    let error =
        serde_json::from_value::<types::Batch>(json!({"batch_no": 1, "epoch": 1, "evil": true})).unwrap_err();
    assert!(error.to_string().contains("evil"), "{error}");
    let news = json!({"kind": "notice", "message": "m", "at": "2026-11-20T12:00:00Z"});
    assert!(matches!(
        serde_json::from_value::<News>(news).unwrap(),
        News::Notice { .. }
    ));
}
