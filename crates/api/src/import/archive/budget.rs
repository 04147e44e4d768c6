//! What has come out of an archive, counted while it inflates.

use super::Limits;
use std::cell::{Cell, RefCell};
use std::io::{self, Read};

/// The count of one pass.
pub(super) struct Budget {
    limits: Limits,
    bytes: u64,
    left: Cell<u64>,
    entries: Cell<u64>,
    exceeded: RefCell<Option<String>>,
}

impl Budget {
    /// The budget of an archive of this size.
    pub(super) fn new(limits: Limits, size: u64) -> Self {
        let by_ratio = size.saturating_mul(limits.ratio).saturating_add(limits.free);
        let bytes = limits.unpacked.min(by_ratio);
        Self {
            limits,
            bytes,
            left: Cell::new(bytes),
            entries: Cell::new(0),
            exceeded: RefCell::new(None),
        }
    }

    /// Why the archive is over a limit.
    pub(super) fn exceeded(&self) -> Option<String> {
        self.exceeded.borrow().clone()
    }

    /// Counts an entry.
    pub(super) fn entry(&self) -> io::Result<()> {
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() > self.limits.entries {
            return Err(self.stop(format!(
                "the archive has more than {} entries: nothing of it is taken",
                self.limits.entries
            )));
        }
        Ok(())
    }

    /// Refuses an archive that promises more entries than are read.
    pub(super) fn promised(&self, entries: u64) -> io::Result<()> {
        if entries > self.limits.entries {
            return Err(self.stop(format!(
                "the archive has {entries} entries, at most {} are read: nothing of it is taken",
                self.limits.entries
            )));
        }
        Ok(())
    }

    fn spend(&self, bytes: u64) -> io::Result<()> {
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(self.stop(format!(
                "the archive unpacks to more than {} bytes: nothing of it is taken",
                self.bytes
            ))),
        }
    }

    fn stop(&self, why: String) -> io::Error {
        self.exceeded.replace(Some(why.clone()));
        io::Error::other(why)
    }

    /// A reader whose bytes count.
    pub(super) fn meter<R>(&self, input: R) -> Metered<'_, R> {
        Metered { budget: self, input }
    }
}

/// A reader whose bytes count.
pub(super) struct Metered<'a, R> {
    budget: &'a Budget,
    input: R,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.budget.spend(n as u64)?;
        Ok(n)
    }
}
