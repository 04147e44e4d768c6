//! What a folder proves after its reporter is gone: finished benchmarks and the rest of the output.
//!
//! The folder is as hostile as the evaluation that wrote it: no link is followed out of it, and
//! only regular files are read.

use super::Worker;
use crate::auth::run_secrets;
use crate::db::artifacts::stored_bytes;
use crate::db::attempts::WatchedRow;
use crate::db::events::append;
use crate::db::run_benchmarks::PickRow;
use crate::db::{self, Conn, attempts, run_benchmarks, runs};
use crate::ingest::IngestError;
use crate::ingest::files::{Owner, Place, append_log, register};
use crate::ingest::lines::kept;
use crate::store::StoreError;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use runner::{AttemptDir, Unreported};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use types::{BenchmarkDone, BenchmarkStatus, LogLineEvent, LogStream, MAX_LOG_CHUNK, RunId};
use uuid::Uuid;

impl Worker {
    /// Stores what the folder proves. A file that cannot be read is left out, and then the
    /// results tell whether it mattered.
    pub(super) async fn salvage(&self, attempt: &WatchedRow, picks: &[PickRow]) -> Result<(), IngestError> {
        let Some(folder) = attempt.directory.as_ref() else {
            return Ok(());
        };
        let dir = AttemptDir::new(folder);
        let owner = owner_of(attempt);
        let secrets = self.secrets_of(owner.run).await?;
        for stream in LogStream::ALL {
            self.salvage_log(&dir, &owner, *stream, &secrets).await?;
            self.salvage_lines(&dir, &owner, *stream, &secrets).await?;
        }
        let open = |p: &&PickRow| matches!(p.status(), BenchmarkStatus::Pending | BenchmarkStatus::Running);
        for pick in picks.iter().filter(open).filter(|p| p.done.is_none()) {
            let order = u32::try_from(pick.order).unwrap_or(0);
            if let Ok(Some(done)) = dir.done(order) {
                self.salvage_benchmark(&dir, &owner, pick, &done).await?;
            }
        }
        for pick in picks.iter().filter(|p| p.media_told_at.is_none()) {
            self.salvage_media(&dir, &owner, pick).await?;
        }
        Ok(())
    }

    async fn salvage_benchmark(
        &self,
        dir: &AttemptDir,
        owner: &Owner,
        pick: &PickRow,
        done: &BenchmarkDone,
    ) -> Result<(), IngestError> {
        for file in &done.files {
            let name = format!("out/{}/{}", done.order, file.path);
            let Some(place) = Place::parse(&name).filter(|p| p.order == pick.order) else {
                continue;
            };
            if let Err(error) = self.salvage_file(dir, owner, &place, Some(&file.sha256)).await? {
                tracing::warn!(file = name, %error, "a file of a lost attempt cannot be stored");
            }
        }
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                run_benchmarks::report_done(conn, owner.run, pick.id, owner.attempt, done).await?;
                Ok(())
            })
            .await?;
        Ok(())
    }

    pub(super) async fn salvage_file(
        &self,
        dir: &AttemptDir,
        owner: &Owner,
        place: &Place,
        sha256: Option<&str>,
    ) -> Result<Result<(), StoreError>, IngestError> {
        let file = match open_within(&dir.path("out"), &dir.path(&place.name())).await {
            Ok(file) => file,
            Err(error) => return Ok(Err(StoreError::Upload(error.to_string()))),
        };
        let limit = self.state.config.storage.max_upload_mb.saturating_mul(1 << 20);
        let stored = match self.state.store.put_content(pieces(file), limit, sha256).await {
            Ok(stored) => stored,
            Err(error @ StoreError::Store(_)) => return Err(error.into()),
            Err(error) => return Ok(Err(error)),
        };
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                Ok(register(conn, owner, place, &stored).await?)
            })
            .await?;
        Ok(Ok(()))
    }

    /// The values that must not be stored. One that cannot be opened was never handed over.
    async fn secrets_of(&self, run: Uuid) -> Result<BTreeMap<String, String>, IngestError> {
        let known = self
            .state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                match runs::find(conn, RunId(run)).await? {
                    Some(run) => Ok(run_secrets::of_run(&self.state, conn, &run).await?),
                    None => Ok(BTreeMap::new()),
                }
            })
            .await?;
        let value = |(variable, (_, value)): (String, (String, Option<String>))| Some((variable, value?));
        Ok(known.into_iter().filter_map(value).collect())
    }

    /// Appends what is in the file and not yet stored.
    async fn salvage_log(
        &self,
        dir: &AttemptDir,
        owner: &Owner,
        stream: LogStream,
        secrets: &BTreeMap<String, String>,
    ) -> Result<(), IngestError> {
        while self.salvage_chunk(dir, owner, stream, secrets).await? {}
        Ok(())
    }

    async fn salvage_chunk(
        &self,
        dir: &AttemptDir,
        owner: &Owner,
        stream: LogStream,
        secrets: &BTreeMap<String, String>,
    ) -> Result<bool, IngestError> {
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, IngestError> {
                // A reporter that is not quite dead takes turns with us.
                attempts::take_turn(conn, owner.attempt.into()).await?;
                let at = u64::try_from(stored_bytes(conn, owner.attempt, stream).await?).unwrap_or(0);
                let (dir, secrets) = (dir.clone(), secrets.clone());
                let read = move || runner::log_part(&dir, &format!("{stream}.log"), at, &secrets);
                let bytes = tokio::task::spawn_blocking(read).await.ok().and_then(Result::ok);
                let Some(bytes) = bytes.filter(|b| !b.is_empty()) else {
                    return Ok(false);
                };
                append_log(conn, &self.state.store, owner, stream, at, bytes.into()).await?;
                Ok(true)
            })
            .await
    }

    /// Indexes the lines that nobody has reported.
    async fn salvage_lines(
        &self,
        dir: &AttemptDir,
        owner: &Owner,
        stream: LogStream,
        secrets: &BTreeMap<String, String>,
    ) -> Result<(), IngestError> {
        let found = self
            .state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                Ok(attempts::find_executor(conn, owner.attempt.into()).await?)
            })
            .await?;
        let Some(executor) = found else {
            return Ok(());
        };
        let mut known = executor.offsets().get(stream.as_str()).copied().unwrap_or(0);
        let mut rest = Unreported::from(stream, known, executor.epoch);
        loop {
            let (dir, secrets) = (dir.clone(), secrets.clone());
            let read = move || {
                let next = rest.next(&dir, &secrets);
                (rest, next)
            };
            let Ok((reader, Ok(Some((lines, end))))) = tokio::task::spawn_blocking(read).await else {
                return Ok(());
            };
            rest = reader;
            if !self.index_lines(owner, stream, known, lines, end).await? {
                return Ok(());
            }
            known = end;
        }
    }

    /// Stores lines that begin at `at`; false when they are not the next ones, because somebody
    /// else has told of them.
    async fn index_lines(
        &self,
        owner: &Owner,
        stream: LogStream,
        at: u64,
        lines: Vec<LogLineEvent>,
        end: u64,
    ) -> Result<bool, IngestError> {
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, IngestError> {
                let Some((run, executor)) = attempts::lock_with_run(conn, owner.attempt.into()).await? else {
                    return Ok(false);
                };
                let known = executor.offsets().get(stream.as_str()).copied().unwrap_or(0);
                if known != at || executor.state().is_terminal() {
                    return Ok(false);
                }
                append(conn, owner.run, kept(run.log_lines, lines, executor.epoch)).await?;
                attempts::set_offset(conn, owner.attempt, stream.as_str(), end).await?;
                Ok(true)
            })
            .await
    }
}

/// Whose files an attempt's are.
pub(super) fn owner_of(attempt: &WatchedRow) -> Owner {
    Owner {
        organization: attempt.organization_id,
        run: attempt.run_id,
        attempt: attempt.id,
    }
}

/// A regular file below `root`, whatever links lie on the way.
pub(super) async fn open_within(root: &Path, path: &Path) -> io::Result<File> {
    let (root, path): (PathBuf, PathBuf) = (root.to_owned(), path.to_owned());
    let open = move || {
        let (root, real) = (root.canonicalize()?, path.canonicalize()?);
        if !real.starts_with(&root) || path.is_symlink() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "leads out of its folder",
            ));
        }
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).unwrap_or(0);
        let file = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(real)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no regular file"));
        }
        Ok(file)
    };
    let file = tokio::task::spawn_blocking(open)
        .await
        .map_err(io::Error::other)??;
    Ok(File::from_std(file))
}

pub(super) fn pieces(file: File) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; MAX_LOG_CHUNK];
        let n = file.read(&mut piece).await?;
        piece.truncate(n);
        Ok((n > 0).then_some((Bytes::from(piece), file)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_outside_the_folder_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("out"), dir.path().join("token"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(&outside, "secret").unwrap();
        std::fs::write(inside.join("a"), "fine").unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        std::os::unix::fs::symlink(dir.path(), inside.join("up")).unwrap();
        assert!(open_within(&inside, &inside.join("a")).await.is_ok());
        for name in ["link", "up/token", "../token", "missing"] {
            assert!(open_within(&inside, &inside.join(name)).await.is_err(), "{name}");
        }
    }
}
