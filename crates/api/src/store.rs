//! Big objects: files of runs and chunks of raw logs.
//!
//! The rule it keeps: keys are made here, from ids and content hashes, never from a name that a
//! client or an executor chose. Files are content-addressed, so a repeated upload is the same object.

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use sha2::{Digest, Sha256};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

/// Parts of an upload that may be on their way at a time.
const PARTS_IN_FLIGHT: usize = 4;

/// Why an object could not be stored or read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The store failed.
    #[error("the object store failed")]
    Store(#[from] object_store::Error),
    /// The folder cannot be made.
    #[error("the folder of the object store cannot be used")]
    Folder(#[source] std::io::Error),
    /// The sender stopped or failed.
    #[error("the upload ended early: {0}")]
    Upload(String),
    /// More bytes than allowed.
    #[error("has more than {0} bytes")]
    TooLarge(u64),
    /// Other bytes than announced.
    #[error("has the SHA-256 `{found}`; expected `{expected}`")]
    Hash {
        /// The hash of what arrived.
        found: String,
        /// The hash that was announced.
        expected: String,
    },
}

/// What was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Hex SHA-256.
    pub sha256: String,
}

/// The bytes of an object as they are read.
pub type Bytestream = BoxStream<'static, Result<Bytes, object_store::Error>>;

/// The object store; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
}

impl Store {
    /// A store in a folder, which is made where it is missing.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn local(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(StoreError::Folder)?;
        let objects = LocalFileSystem::new_with_prefix(folder)?.with_automatic_cleanup(true);
        Ok(Self {
            objects: Arc::new(objects),
        })
    }

    /// Stores a stream under the hash of its content.
    ///
    /// # Errors
    /// When it is larger than `limit`, differs from `expected`, ends early, or cannot be stored.
    pub async fn put_content<E: std::fmt::Display>(
        &self,
        content: impl Stream<Item = Result<Bytes, E>>,
        limit: u64,
        expected: Option<&str>,
    ) -> Result<Stored, StoreError> {
        let aside = Key::from(format!("incoming/{}", Uuid::now_v7()));
        let (sha256, size) = self.write_aside(&aside, content, limit).await?;
        if let Some(expected) = expected.filter(|e| !e.eq_ignore_ascii_case(&sha256)) {
            self.objects.delete(&aside).await?;
            return Err(StoreError::Hash {
                found: sha256,
                expected: expected.to_owned(),
            });
        }
        let key = format!("content/{}/{sha256}", &sha256[..2]);
        self.objects.rename(&aside, &Key::from(key.as_str())).await?;
        Ok(Stored { key, size, sha256 })
    }

    async fn write_aside<E: std::fmt::Display>(
        &self,
        aside: &Key,
        content: impl Stream<Item = Result<Bytes, E>>,
        limit: u64,
    ) -> Result<(String, u64), StoreError> {
        let mut upload = WriteMultipart::new(self.objects.put_multipart(aside).await?);
        let mut content = std::pin::pin!(content);
        let (mut hash, mut size) = (Sha256::new(), 0_u64);
        let mut refusal = None;
        while let Some(chunk) = content.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    refusal = Some(StoreError::Upload(error.to_string()));
                    break;
                }
            };
            size += chunk.len() as u64;
            if size > limit {
                refusal = Some(StoreError::TooLarge(limit));
                break;
            }
            hash.update(&chunk);
            upload.wait_for_capacity(PARTS_IN_FLIGHT).await?;
            upload.put(chunk);
        }
        if let Some(refusal) = refusal {
            upload.abort().await?;
            return Err(refusal);
        }
        upload.finish().await?;
        Ok((hex::encode(hash.finalize()), size))
    }

    /// Stores a chunk of an attempt's output. The same chunk again changes nothing.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn put_log_chunk(
        &self,
        attempt: Uuid,
        stream: types::LogStream,
        offset: u64,
        bytes: Bytes,
    ) -> Result<String, StoreError> {
        let key = format!("logs/{attempt}/{stream}/{offset:016}");
        let payload = PutPayload::from_bytes(bytes);
        self.objects.put(&Key::from(key.as_str()), payload).await?;
        Ok(key)
    }

    /// The bytes of an object, or of a part of it.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytestream, StoreError> {
        let options = GetOptions {
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let found = self.objects.get_opts(&Key::from(key), options).await?;
        Ok(found.into_stream())
    }

    /// A whole object in memory; `None` when it is larger than `cap`.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub async fn read_small(&self, key: &str, cap: u64) -> Result<Option<Bytes>, StoreError> {
        let found = self.objects.get(&Key::from(key)).await?;
        if found.meta.size > cap {
            return Ok(None);
        }
        Ok(Some(found.bytes().await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    fn chunks(parts: &[&'static str]) -> impl Stream<Item = Result<Bytes, std::io::Error>> + use<> {
        let parts: Vec<_> = parts
            .iter()
            .map(|p| Ok(Bytes::from_static(p.as_bytes())))
            .collect();
        stream::iter(parts)
    }

    async fn text(store: &Store, key: &str, range: Option<Range<u64>>) -> String {
        let parts: Vec<_> = store.read(key, range).await.unwrap().collect().await;
        let bytes: Vec<u8> = parts.into_iter().flat_map(|p| p.unwrap().to_vec()).collect();
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn content_is_addressed_by_its_hash() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::local(dir.path()).unwrap();
        let first = store.put_content(chunks(&["ab", "c"]), 10, None).await.unwrap();
        assert_eq!((first.size, &first.sha256[..8]), (3, "ba7816bf"));
        let again = store
            .put_content(chunks(&["abc"]), 10, Some(&first.sha256))
            .await
            .unwrap();
        assert_eq!(first, again);
        assert_eq!(text(&store, &first.key, None).await, "abc");
        assert_eq!(text(&store, &first.key, Some(1..2)).await, "b");
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_refused_upload() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::local(dir.path()).unwrap();
        let large = store.put_content(chunks(&["abc", "def"]), 5, None).await;
        assert!(matches!(large, Err(StoreError::TooLarge(5))), "{large:?}");
        let other = store.put_content(chunks(&["abc"]), 5, Some("00")).await;
        assert!(matches!(other, Err(StoreError::Hash { .. })), "{other:?}");
        let broken = stream::iter([Ok(Bytes::from_static(b"a")), Err("gone")]);
        let early = store.put_content(broken, 5, None).await;
        assert!(matches!(early, Err(StoreError::Upload(_))), "{early:?}");
        let files = walk(dir.path());
        assert!(files.is_empty(), "{files:?}");
    }

    fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
        entries
            .flat_map(|p| if p.is_dir() { walk(&p) } else { vec![p] })
            .collect()
    }
}
