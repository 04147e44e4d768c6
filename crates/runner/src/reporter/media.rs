//! Uploading the media of a benchmark: those that the API lacks, then the indexes that name them.

use super::{
    client::Client,
    upload::{is_gone, patiently},
};
use crate::{
    dir::{AttemptDir, read_capped},
    exec::chain,
    media::{INDEX, Kept},
};
use sha2::{Digest, Sha256};
use std::path::Path;
use types::{MAX_MEDIA_ASKED, OutputFile};

/// So many media that could not be uploaded are named one by one.
const NAMED: usize = 5;

/// Uploads the media of a benchmark, for as long as it takes. Returns what had to be left out.
pub(super) async fn benchmark(client: Client, dir: AttemptDir, order: u32) -> Vec<String> {
    let Some(kept) = Kept::of(&dir, order) else {
        return Vec::new();
    };
    let folder = dir.out(order);
    let mut left_out = Vec::new();
    let hashes: Vec<&String> = kept.files.keys().collect();
    for hashes in hashes.chunks(MAX_MEDIA_ASKED) {
        let missing = patiently(|| client.missing_media(hashes), || false).await;
        for hash in missing.unwrap_or_default() {
            if let Some(path) = kept.files.get(&hash)
                && let Err(why) = put_medium(&client, &hash, &folder.join(path)).await
            {
                left_out.push(format!("`{path}` is not uploaded: {why}"));
            }
        }
    }
    for name in &kept.indexes {
        if let Err(why) = put_index(&client, order, &folder, name).await {
            left_out.push(format!("`{name}` is not uploaded: {why}"));
        }
    }
    summary(left_out)
}

async fn put_medium(client: &Client, hash: &str, path: &Path) -> Result<(), String> {
    let put = patiently(|| client.put_medium(hash, path), || is_gone(path));
    put.await.map_err(|refusal| chain(&refusal))
}

async fn put_index(client: &Client, order: u32, folder: &Path, name: &str) -> Result<(), String> {
    let path = folder.join(name);
    let bytes = read_capped(&path, INDEX).map_err(|error| error.to_string())?;
    let file = OutputFile {
        path: name.to_owned(),
        size: bytes.len() as u64,
        sha256: hex::encode(Sha256::digest(&bytes)),
    };
    let put = patiently(|| client.put_file(order, &file, &path), || is_gone(&path));
    put.await.map_err(|refusal| chain(&refusal))
}

/// Of very many only the first are named.
fn summary(mut left_out: Vec<String>) -> Vec<String> {
    let more = left_out.len().saturating_sub(NAMED);
    left_out.truncate(NAMED);
    if more > 0 {
        left_out.push(format!("{more} more media are not uploaded"));
    }
    left_out
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn of_many_only_the_first_are_named() {
        let many = (0..9).map(|n| n.to_string()).collect();
        assert_eq!(summary(many).last().unwrap(), "4 more media are not uploaded");
        assert_eq!(summary(vec!["a".to_owned()]), ["a"]);
    }
}
