//! How often one address may try to sign in, and how often one account may be guessed at.

use super::{AuthError, AuthResult};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);
/// Keys remembered; beyond it, those whose minute is over are forgotten, then everything.
const MAX_KEYS: usize = 10_000;

/// Counts attempts per address and wrong passwords per account, by the minute.
#[derive(Debug)]
pub struct SignInLimiter {
    addresses: Windows<IpAddr>,
    accounts: Windows<String>,
}

impl SignInLimiter {
    /// At most `per_address` attempts and `per_account` wrong passwords in a minute.
    pub fn new(per_address: u32, per_account: u32) -> Self {
        Self {
            addresses: Windows::new(per_address),
            accounts: Windows::new(per_account),
        }
    }

    /// Counts one attempt from an address.
    ///
    /// # Errors
    /// 429 when there were too many.
    pub fn attempt(&self, address: Option<IpAddr>, now: Instant) -> AuthResult<()> {
        match address {
            Some(address) => self.addresses.count(address, now),
            None => Ok(()),
        }
    }

    /// That the password of this account may be tried; a right one is refused as well while too many were wrong.
    ///
    /// # Errors
    /// 429 when too many were wrong.
    pub fn may_guess(&self, account: &str, now: Instant) -> AuthResult<()> {
        self.accounts.check(&account.to_owned(), now)
    }

    /// Counts one wrong password.
    pub fn wrong(&self, account: &str, now: Instant) {
        // Whoever is over the limit is told so at the next attempt.
        let _ = self.accounts.count(account.to_owned(), now);
    }
}

/// Since when, and how many.
type Window = (Instant, u32);

#[derive(Debug)]
struct Windows<K> {
    limit: u32,
    seen: Mutex<HashMap<K, Window>>,
}

impl<K: Eq + Hash> Windows<K> {
    fn new(limit: u32) -> Self {
        Self {
            limit,
            seen: Mutex::default(),
        }
    }

    fn count(&self, key: K, now: Instant) -> AuthResult<()> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_KEYS && !seen.contains_key(&key) {
            seen.retain(|_, window| is_open(window, now));
            if seen.len() >= MAX_KEYS {
                seen.clear();
            }
        }
        let window = seen.entry(key).or_insert((now, 0));
        if !is_open(window, now) {
            *window = (now, 0);
        }
        window.1 = window.1.saturating_add(1);
        if window.1 > self.limit {
            return Err(refused(window, now));
        }
        Ok(())
    }

    fn check(&self, key: &K, now: Instant) -> AuthResult<()> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(key) {
            Some(window) if is_open(window, now) && window.1 >= self.limit => Err(refused(window, now)),
            _ => Ok(()),
        }
    }
}

fn is_open(window: &Window, now: Instant) -> bool {
    now.duration_since(window.0) < WINDOW
}

fn refused(window: &Window, now: Instant) -> AuthError {
    let left = WINDOW.saturating_sub(now.duration_since(window.0));
    AuthError::too_many(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_starts_anew_after_a_minute() {
        let limiter = SignInLimiter::new(2, 1);
        let address = Some(IpAddr::from([127, 0, 0, 1]));
        let start = Instant::now();
        limiter.attempt(address, start).unwrap();
        limiter.attempt(address, start).unwrap();
        assert_eq!(
            limiter.attempt(address, start).unwrap_err().code(),
            "over_request_rate_limit"
        );
        let other = Some(IpAddr::from([127, 0, 0, 2]));
        limiter.attempt(other, start).unwrap();
        limiter.attempt(address, start + WINDOW).unwrap();
    }

    #[test]
    fn only_wrong_passwords_count_against_an_account() {
        let limiter = SignInLimiter::new(2, 2);
        let start = Instant::now();
        for _ in 0..9 {
            limiter.may_guess("ada", start).unwrap();
        }
        limiter.wrong("ada", start);
        limiter.may_guess("ada", start).unwrap();
        limiter.wrong("ada", start);
        limiter.may_guess("ada", start).unwrap_err();
        limiter.may_guess("eve", start).unwrap();
        limiter.may_guess("ada", start + WINDOW).unwrap();
    }

    #[test]
    fn memory_is_bounded() {
        let windows = Windows::new(1);
        let start = Instant::now();
        for key in 0..3 * MAX_KEYS {
            windows.count(key, start).unwrap();
        }
        assert!(windows.seen.lock().unwrap().len() <= MAX_KEYS);
    }
}
