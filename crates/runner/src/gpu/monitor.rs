//! One thread that reads the GPUs again and again.

use super::{GpuState, Inventory, Reader};
use std::{
    path::PathBuf,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};
use tokio::sync::watch;

/// Reads the GPUs in a thread of its own, because NVML blocks, until it is dropped.
#[derive(Debug)]
pub struct Monitor {
    latest: watch::Receiver<Inventory>,
    _stop: mpsc::Sender<()>,
}

/// A lost GPU does not tell its name any more, but it had one before.
fn with_names(mut now: Inventory, before: &Inventory) -> Inventory {
    for gpu in now.gpus.iter_mut().filter(|gpu| gpu.state == GpuState::Lost) {
        if let Some(known) = before.gpus.iter().find(|known| known.index == gpu.index) {
            gpu.uuid.clone_from(&known.uuid);
            gpu.name.clone_from(&known.name);
            gpu.memory_total = known.memory_total;
        }
    }
    now
}

impl Monitor {
    /// Starts reading every `interval`. The first reading is there when this returns.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn start(library: Option<PathBuf>, interval: Duration) -> std::io::Result<Self> {
        let reader = library.map_or_else(Reader::default, |path| Reader::new(Some(&path)));
        let (publish, latest) = watch::channel(reader.read());
        let (stop, stopped) = mpsc::channel();
        thread::Builder::new().name("gpus".to_owned()).spawn(move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                publish.send_modify(|latest| *latest = with_names(reader.read(), latest));
            }
        })?;
        Ok(Self { latest, _stop: stop })
    }

    /// The latest reading.
    #[must_use]
    pub fn latest(&self) -> Inventory {
        self.latest.borrow().clone()
    }

    /// The readings as they come.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Inventory> {
        self.latest.clone()
    }
}
