//! The bytes of a medium, where a page has to look into them.

use gloo_net::http::RequestBuilder;
use web_sys::RequestCredentials;

/// Larger media are not looked into.
pub const MOST: u64 = 64 << 20;

/// Fetches a medium without saying who asks.
///
/// # Errors
/// What went wrong, in one sentence.
pub async fn fetch(url: &str) -> Result<Vec<u8>, &'static str> {
    let away = "It cannot be fetched: the server does not answer.";
    let request = RequestBuilder::new(url)
        .credentials(RequestCredentials::Omit)
        .build()
        .map_err(|_| away)?;
    let answer = request.send().await.map_err(|_| away)?;
    if !answer.ok() {
        return Err("It cannot be fetched: its address may have run out.");
    }
    answer.binary().await.map_err(|_| away)
}
