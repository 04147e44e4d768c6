//! How often one address may try to sign in.

use super::{AuthError, AuthResult};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);
/// Addresses remembered; beyond it, old ones are forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// Counts attempts per address and minute.
#[derive(Debug, Default)]
pub struct SignInLimiter {
    limit: u32,
    seen: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl SignInLimiter {
    /// At most `limit` attempts per minute and address.
    pub fn new(limit: u32) -> Self {
        Self {
            limit,
            seen: Mutex::default(),
        }
    }

    /// Counts one attempt at `now`.
    ///
    /// # Errors
    /// 429 when there were too many.
    pub fn count(&self, address: Option<IpAddr>, now: Instant) -> AuthResult<()> {
        let Some(address) = address else { return Ok(()) };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_ADDRESSES {
            seen.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        let (since, n) = seen.entry(address).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *n) = (now, 0);
        }
        *n += 1;
        if *n > self.limit {
            return Err(AuthError::new(
                429,
                "over_request_rate_limit",
                "Request rate limit reached",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_starts_anew_after_a_minute() {
        let limiter = SignInLimiter::new(2);
        let address = Some(IpAddr::from([127, 0, 0, 1]));
        let start = Instant::now();
        limiter.count(address, start).unwrap();
        limiter.count(address, start).unwrap();
        assert_eq!(
            limiter.count(address, start).unwrap_err().code(),
            "over_request_rate_limit"
        );
        limiter.count(Some(IpAddr::from([127, 0, 0, 2])), start).unwrap();
        limiter.count(address, start + WINDOW).unwrap();
    }
}
