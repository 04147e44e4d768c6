//! Passwords: bcrypt as GoTrue does it, never on a thread that serves requests.

use super::{AuthError, AuthResult};
use tokio::sync::Semaphore;

const COST: u32 = 10;
const MIN: usize = 8;
/// bcrypt looks at no more bytes.
const MAX: usize = 72;
/// Hashes at a time: a flood of sign-ins must leave the processors to those who are in.
static HASHING: Semaphore = Semaphore::const_new(2);
/// What an unknown user's password is compared with, so that the answer takes as long.
const NOBODY: &str = "$2b$10$CwTycUXWue0Thq9StjUM0uJ8.tYqQj1yY9bZ0d7m8Qy7uE5jYxJ6e";

/// That a password may be chosen.
///
/// # Errors
/// 422 or 400, as GoTrue answers.
pub(super) fn check(password: &str) -> AuthResult<()> {
    if password.len() > MAX {
        return Err(AuthError::new(
            400,
            "validation_failed",
            "Password cannot be longer than 72 characters",
        ));
    }
    if password.chars().count() < MIN {
        let message = format!("Password should be at least {MIN} characters.");
        return Err(AuthError::new(422, "weak_password", message));
    }
    Ok(())
}

/// The hash that is kept.
///
/// # Errors
/// When the thread pool is gone.
pub(super) async fn hash(password: String) -> AuthResult<String> {
    let _turn = HASHING.acquire().await;
    Ok(tokio::task::spawn_blocking(move || bcrypt::hash(password, COST))
        .await
        .map_err(|e| AuthError::new(500, "unexpected_failure", e.to_string()))??)
}

/// Whether the password is the one; takes as long when there is no hash.
pub(super) async fn verify(password: String, hash: Option<String>) -> bool {
    let known = hash.filter(|h| !h.is_empty());
    let exists = known.is_some();
    let hash = known.unwrap_or_else(|| NOBODY.to_owned());
    let _turn = HASHING.acquire().await;
    let verified = tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash)).await;
    exists && matches!(verified, Ok(Ok(true)))
}
