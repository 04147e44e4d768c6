//! What is known of the rights of those who follow runs: one question for each caller and run, however many
//! connections the caller has.

use crate::auth::Principal;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use types::RunId;

type Key = [u8; 32];

/// When it was last seen that a caller may follow a run. That they may not is never kept: it ends the connection.
#[derive(Debug, Default)]
pub struct Rights(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    seen: HashMap<Key, Instant>,
    swept: Option<Instant>,
}

impl Rights {
    /// Whether that was seen within this time.
    pub(super) fn is_fresh(&self, key: &Key, within: Duration) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.seen.get(key).is_some_and(|at| at.elapsed() < within)
    }

    /// Notes that it was seen now, and forgets now and then what is older than this time.
    pub(super) fn note(&self, key: Key, within: Duration) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.swept.is_none_or(|at| at.elapsed() >= within) {
            known.seen.retain(|_, at| at.elapsed() < within);
            known.swept = Some(Instant::now());
        }
        known.seen.insert(key, Instant::now());
    }
}

/// A caller, with all that their rights hang on, and a run.
pub(super) fn key(principal: &Principal, run: RunId) -> Key {
    let caller = serde_json::to_vec(&principal.identity).unwrap_or_default();
    Sha256::new()
        .chain_update(run.0.as_bytes())
        .chain_update(caller)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_known_for_a_while() {
        let rights = Rights::default();
        let hour = Duration::from_secs(3600);
        assert!(!rights.is_fresh(&[1; 32], hour));
        rights.note([1; 32], hour);
        assert!(rights.is_fresh(&[1; 32], hour) && !rights.is_fresh(&[2; 32], hour));
        rights.note([2; 32], Duration::ZERO);
        assert!(!rights.is_fresh(&[1; 32], hour), "what is old is forgotten");
    }
}
