//! No input makes an analysis panic, and nothing undefined leaves it as a number.

use analysis::streams::Stream;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::{dispatch, files, mutation};

/// Spoilt inputs of each golden case.
const ROUNDS: u64 = 60;

#[test]
fn spoilt_inputs_are_answered_or_refused() {
    let mut answered = 0;
    let mut refused = 0;
    for file in files::all() {
        let group = file["group"].as_str().expect("a golden file names its group");
        for (i, case) in file["cases"].as_array().into_iter().flatten().enumerate() {
            for round in 0..ROUNDS {
                let mut stream = Stream::new(1000 * i as u64, round);
                let mut case = case.clone();
                case["input"] = mutation::spoil(&case["input"], &mut || stream.bits());
                match dispatch::run(group, &case) {
                    Ok(_) => answered += 1,
                    Err(error) => {
                        assert_ne!(error, dispatch::NOT_JSON, "{group} {}", case["input"]);
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(
        answered > 1000 && refused > 1000,
        "{answered} answered, {refused} refused"
    );
}
