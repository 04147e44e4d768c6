//! Keeping a medium of an organization: its bytes in the object store, what it is in the database.

use super::content::sniff;
use super::facts::facts;
use super::thumbnail::MAX_FILE as MAX_THUMBNAIL_SOURCE;
use crate::db::Conn;
use crate::db::media::{self, NewMedium};
use crate::ingest::IngestError;
use crate::store::{Store, StoreError, Stored};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use types::MediaKind;
use uuid::Uuid;

/// Bytes of the beginning that are looked at. A photograph may begin with a lot of other things
/// than its size.
pub const HEAD: u64 = 1 << 20;

/// Notes stored bytes as a medium of an organization. The same ones again change nothing.
///
/// # Errors
/// When store or database fail.
pub async fn keep(
    conn: &mut Conn,
    store: &Store,
    organization: Uuid,
    stored: &Stored,
) -> Result<(), IngestError> {
    let head = read_part(store, stored, HEAD).await?;
    let content = sniff(&head);
    let mut found = facts(content, &head, stored.size);
    // Some headers are read to the end of the file.
    let is_cut = stored.size > HEAD && stored.size <= MAX_THUMBNAIL_SOURCE;
    if content.kind == MediaKind::Image && found.width.is_none() && is_cut {
        found = facts(
            content,
            &read_part(store, stored, stored.size).await?,
            stored.size,
        );
    }
    let pixels = |n: Option<u32>| n.and_then(|n| i32::try_from(n).ok());
    let medium = NewMedium {
        organization_id: organization,
        sha256: stored.sha256.clone(),
        kind: content.kind.as_str(),
        mime: content.mime,
        bytes: i64::try_from(stored.size).unwrap_or(i64::MAX),
        width: pixels(found.width),
        height: pixels(found.height),
        duration: found.duration,
        problem: found.problem,
        object_key: stored.key.clone(),
    };
    Ok(media::insert(conn, &medium).await?)
}

async fn read_part(store: &Store, stored: &Stored, most: u64) -> Result<Vec<u8>, StoreError> {
    let end = stored.size.min(most);
    if end == 0 {
        return Ok(Vec::new());
    }
    let pieces: Vec<Bytes> = store.read(&stored.key, Some(0..end)).await?.try_collect().await?;
    Ok(pieces.concat())
}

/// Keeps bytes that are in memory; their hash.
///
/// # Errors
/// When store or database fail.
pub async fn keep_bytes(
    conn: &mut Conn,
    store: &Store,
    organization: Uuid,
    bytes: Vec<u8>,
) -> Result<String, IngestError> {
    let limit = bytes.len() as u64;
    let content = stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
    let stored = store.put_content(content, limit, None).await?;
    keep(conn, store, organization, &stored).await?;
    Ok(stored.sha256)
}

/// The bytes of a `data:` address, and what it is said to be; `None` for anything else.
pub fn embedded(source: &str) -> Option<Result<(Vec<u8>, String), &'static str>> {
    let (head, body) = source.strip_prefix("data:")?.split_once(',')?;
    let said = head.split([';', '/']).next().unwrap_or_default().to_owned();
    if !head.ends_with(";base64") {
        return Some(Err("its data are not in base64"));
    }
    let decoded = STANDARD
        .decode(body.trim())
        .map_err(|_| "its data are not in base64");
    Some(decoded.map(|bytes| (bytes, said)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_data_are_taken_out() {
        assert_eq!(embedded("images/a.png"), None);
        let found = embedded("data:image/png;base64,aGk=").unwrap().unwrap();
        assert_eq!(found, (b"hi".to_vec(), "image".to_owned()));
        assert!(embedded("data:image/png;base64,a%").unwrap().is_err());
        assert!(embedded("data:text/html,<p>").unwrap().is_err());
    }
}
