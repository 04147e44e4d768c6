//! The media that a folder proves after its reporter is gone.

use super::Worker;
use super::salvage::{open_within, pieces};
use crate::db::run_benchmarks::{self, PickRow};
use crate::db::{self, Conn, media};
use crate::ingest::IngestError;
use crate::ingest::files::{Owner, Place};
use crate::media::keep;
use crate::store::{StoreError, Stored};
use runner::AttemptDir;
use std::path::Path;

impl Worker {
    /// Stores the media of a benchmark, where the driver had kept all of them. What cannot be read
    /// is left out.
    pub(super) async fn salvage_media(
        &self,
        dir: &AttemptDir,
        owner: &Owner,
        pick: &PickRow,
    ) -> Result<(), IngestError> {
        let order = u32::try_from(pick.order).unwrap_or(0);
        let Some(kept) = runner::media::Kept::of(dir, order) else {
            return Ok(());
        };
        let folder = dir.out(order);
        let wanted = kept.files.keys().cloned().collect();
        for hash in self.missing(owner, wanted).await? {
            let path = kept.files.get(&hash).map(|path| folder.join(path));
            match self
                .salvage_medium(&folder, path.as_deref().unwrap_or(&folder), &hash)
                .await
            {
                Ok(stored) => self.keep(owner, &stored).await?,
                Err(error) => tracing::warn!(hash, %error, "a medium of a lost attempt cannot be stored"),
            }
        }
        for name in kept.indexes {
            if let Some(place) = Place::parse(&format!("out/{order}/{name}")) {
                self.salvage_file(dir, owner, &place, None).await?.ok();
            }
        }
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, IngestError> {
                Ok(run_benchmarks::report_media(conn, owner.run, pick.id, owner.attempt).await?)
            })
            .await
    }

    async fn missing(&self, owner: &Owner, hashes: Vec<String>) -> Result<Vec<String>, db::Error> {
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                Ok(media::missing(conn, owner.organization, hashes).await?)
            })
            .await
    }

    async fn salvage_medium(&self, folder: &Path, path: &Path, hash: &str) -> Result<Stored, StoreError> {
        let file = open_within(folder, path)
            .await
            .map_err(|error| StoreError::Upload(error.to_string()))?;
        let limit = self.state.config.media.max_file_mb.saturating_mul(1 << 20);
        self.state
            .store
            .put_content(pieces(file), limit, Some(hash))
            .await
    }

    async fn keep(&self, owner: &Owner, stored: &Stored) -> Result<(), IngestError> {
        self.state
            .db
            .service(async |conn: &mut Conn| keep(conn, &self.state.store, owner.organization, stored).await)
            .await
    }
}
