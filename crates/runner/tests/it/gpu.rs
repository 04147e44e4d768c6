//! GPUs by a stub of the NVIDIA library.

use crate::attempt::{Attempt, until};
use crate::receiver::Receiver;
use runner::gpu::{Allocation, Gpu, GpuState, Inventory, Monitor, Reader, Refusal, allocate};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, Mutex},
    time::Duration,
};
use types::{ComputeProfile, News};

/// The stub, compiled once; its state file is named by one variable of this process.
struct Stub {
    _folder: tempfile::TempDir,
    library: PathBuf,
    state: PathBuf,
}

static STUB: LazyLock<Mutex<Stub>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libnvidia-ml-stub.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/nvml.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-w", "-o"])
        .arg(&library)
        .arg(source)
        .status();
    assert!(compiled.unwrap().success());
    let state = folder.path().join("gpus");
    // SAFETY: set once, under the lock of this static, before the stub reads it.
    unsafe { std::env::set_var("FAKE_NVML", &state) };
    Mutex::new(Stub {
        _folder: folder,
        library,
        state,
    })
});

const TWO: &str =
    "NVIDIA A100-SXM4-80GB|GPU-aaaa|81559|10|0|0|\nNVIDIA GeForce RTX 4070|GPU-bbbb|8188|10|0|0|\n";

fn profile(text: &str) -> ComputeProfile {
    text.parse().unwrap()
}

fn none() -> BTreeSet<String> {
    BTreeSet::new()
}

#[test]
fn reads_what_the_driver_tells() {
    let stub = STUB.lock().unwrap();
    fs::write(
        &stub.state,
        format!("{TWO}LOST\nNVIDIA A100|GPU-cccc|40960|3000|97|40|4242:2900\n"),
    )
    .unwrap();
    let found = Reader::new(Some(&stub.library)).read();
    assert_eq!(found.reason, None);
    let states: Vec<GpuState> = found.gpus.iter().map(|gpu| gpu.state).collect();
    assert_eq!(
        states,
        [GpuState::Free, GpuState::Free, GpuState::Lost, GpuState::Used]
    );
    let first = &found.gpus[0];
    assert_eq!(
        (first.uuid.as_str(), first.memory_total),
        ("GPU-aaaa", 81559 << 20)
    );
    let busy = &found.gpus[3];
    assert_eq!((busy.utilization, busy.processes[0].pid), (97, 4242));
    assert_eq!(busy.processes[0].memory_used, Some(2900 << 20));
}

#[test]
fn a_monitor_sees_changes() {
    let stub = STUB.lock().unwrap();
    fs::write(&stub.state, TWO).unwrap();
    let monitor = Monitor::start(Some(stub.library.clone()), Duration::from_millis(20)).unwrap();
    assert_eq!(monitor.latest().gpus.len(), 2);
    // Whole or not at all: the monitor reads all the time.
    let next = stub.state.with_extension("next");
    fs::write(&next, "LOST\nNVIDIA GeForce RTX 4070|GPU-bbbb|8188|10|0|0|\n").unwrap();
    fs::rename(&next, &stub.state).unwrap();
    until("the loss", || {
        (monitor.latest().gpus[0].state == GpuState::Lost).then_some(())
    });
    assert_eq!(monitor.latest().gpus[0].uuid, "GPU-aaaa");
}

#[test]
fn without_a_driver_there_are_none_and_the_reason() {
    let found = Reader::new(Some(Path::new("/nowhere/libnvidia-ml.so"))).read();
    assert!(found.gpus.is_empty());
    assert_eq!(
        found.reason.as_deref(),
        Some("no NVIDIA driver is installed (libnvidia-ml is missing)")
    );
    let refusal = allocate(&found, &none(), &profile("2×A100")).unwrap_err();
    assert!(matches!(
        refusal,
        Refusal::Never {
            matching: 0,
            present: 0,
            ..
        }
    ));
    assert!(refusal.to_string().contains("no NVIDIA driver"), "{refusal}");
    assert_eq!(
        allocate(&found, &none(), &profile("cpu")),
        Ok(Allocation { uuids: Vec::new() })
    );
}

#[test]
fn readings_of_the_attempt_s_gpus_are_reported() {
    let stub = STUB.lock().unwrap();
    fs::write(&stub.state, "NVIDIA A100|GPU-aaaa|40960|3000|97|40|\n").unwrap();
    let receiver = Receiver::start();
    let mut attempt = Attempt::of_scripts(&["while ! test -e go; do sleep 0.05; done"]);
    attempt = attempt.reporting_to(&receiver.endpoint_file());
    attempt.job.gpus = vec!["GPU-aaaa".to_owned()];
    let mut executor = attempt.start_with(&[("LMMS_NVML_LIB", stub.library.to_str().unwrap())]);
    receiver.until("a reading", |store| {
        store.news().any(|news| match news {
            News::Progress { gpus, .. } => gpus
                .iter()
                .any(|gpu| gpu.uuid == "GPU-aaaa" && gpu.utilization == 97 && gpu.memory_used == 3000 << 20),
            _ => false,
        })
    });
    fs::write(attempt.dir.path("go"), "").unwrap();
    assert_eq!(executor.wait(), 0);
}

fn gpu(index: u32, name: &str, gib: u64, state: GpuState) -> Gpu {
    Gpu {
        uuid: format!("GPU-{index}"),
        index,
        name: name.to_owned(),
        memory_total: gib << 30,
        memory_used: 0,
        utilization: 0,
        processes: Vec::new(),
        state,
    }
}

fn machine() -> Inventory {
    Inventory {
        gpus: vec![
            gpu(0, "NVIDIA H100", 80, GpuState::Free),
            gpu(1, "NVIDIA A100", 80, GpuState::Free),
            gpu(2, "NVIDIA A100", 40, GpuState::Free),
            gpu(3, "NVIDIA A100", 40, GpuState::Used),
            gpu(4, "NVIDIA A100", 40, GpuState::Lost),
            gpu(5, "NVIDIA A100", 80, GpuState::Unsupported),
        ],
        reason: None,
    }
}

fn picked(profile_: &str, taken: &[&str]) -> Result<Vec<String>, Refusal> {
    let taken = taken.iter().map(|&uuid| uuid.to_owned()).collect();
    allocate(&machine(), &taken, &profile(profile_)).map(|allocation| allocation.uuids)
}

#[test]
fn the_smallest_that_will_do_are_given() {
    assert_eq!(picked("A100", &[]), Ok(vec!["GPU-2".to_owned()]));
    assert_eq!(
        picked("2xA100", &[]),
        Ok(vec!["GPU-1".to_owned(), "GPU-2".to_owned()])
    );
    assert_eq!(picked("a100-80GB", &[]), Ok(vec!["GPU-1".to_owned()]));
    assert_eq!(picked("80GB", &["GPU-1"]), Ok(vec!["GPU-0".to_owned()]));
}

#[test]
fn what_can_never_be_is_told_from_what_has_to_wait() {
    let busy = picked("3xA100", &[]).unwrap_err();
    assert!(
        matches!(
            busy,
            Refusal::Busy {
                matching: 3,
                free: 2,
                ..
            }
        ),
        "{busy}"
    );
    let busy = picked("2xA100", &["GPU-1"]).unwrap_err();
    assert_eq!(busy.to_string(), "`2×A100` waits: 1 of 3 matching GPUs are free");
    let never = picked("4xA100", &[]).unwrap_err();
    assert_eq!(
        never.to_string(),
        "`4×A100` can never run here: 3 of 4 GPUs match"
    );
    assert!(matches!(
        picked("B200", &[]),
        Err(Refusal::Never { matching: 0, .. })
    ));
}
