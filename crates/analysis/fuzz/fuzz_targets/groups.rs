//! Every analysis on golden inputs spoilt as the fuzzer says: answered or refused, never a panic,
//! and never a result that JSON cannot hold.
#![no_main]

#[path = "../../examples/golden/dispatch/mod.rs"]
mod dispatch;
#[path = "../../tests/it/files.rs"]
mod files;
#[path = "../../tests/it/mutation.rs"]
mod mutation;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static CASES: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    let of_file = |file: Value| {
        let group = file["group"].as_str().unwrap_or_default().to_owned();
        let cases = file["cases"].as_array().cloned().unwrap_or_default();
        cases.into_iter().map(move |case| (group.clone(), case))
    };
    files::all().into_iter().flat_map(of_file).collect()
});

fuzz_target!(|data: &[u8]| {
    let mut bytes = data.iter();
    let mut random = || {
        let mut word = [0; 2];
        word.fill_with(|| bytes.next().copied().unwrap_or(0));
        u64::from(u16::from_le_bytes(word))
    };
    let (group, case) = &CASES[random() as usize % CASES.len()];
    let mut case = case.clone();
    case["input"] = mutation::spoil(&case["input"], &mut random);
    if let Err(error) = dispatch::run(group, &case) {
        assert_ne!(error, dispatch::NOT_JSON, "{group} {}", case["input"]);
    }
});
