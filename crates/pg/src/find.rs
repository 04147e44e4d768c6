//! Which PostgreSQL server runs the cluster.
//!
//! An existing cluster can only be run by the major version that made it, so that comes first;
//! otherwise the first usable server of the machine is taken, and one is installed only when
//! there is none.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::account::{self, Account};
use crate::error::{Error, Rejected, ending};
use crate::home::Home;
use crate::options::Options;
use crate::{init, install, process};

/// The oldest major version that is accepted.
pub const OLDEST_MAJOR: u32 = 15;
/// The newest major version whose usual folders are looked at.
const NEWEST_MAJOR: u32 = 18;
const PROBE_LIMIT: Duration = Duration::from_secs(30);

/// The programs of one PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder that holds `postgres` and `initdb`.
    pub dir: PathBuf,
    /// The major version, such as 15.
    pub major: u32,
    /// The full version, such as `15.18`.
    pub version: String,
}

impl Binaries {
    /// The path of one of its programs; not every server brings more than `postgres`, `initdb`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Finds the server for the cluster in `options.dir`, or installs one where that is allowed.
///
/// # Errors
///
/// When no server can be used, with what was looked at and what to do.
pub fn find_binaries(options: &Options) -> Result<Binaries, Error> {
    let home = Home {
        dir: options.dir.clone(),
    };
    let account = account::choose(&home.data())?;
    find(options, &home, account.as_ref())
}

pub(crate) fn find(options: &Options, home: &Home, account: Option<&Account>) -> Result<Binaries, Error> {
    let mut search = Search {
        data: home.data(),
        cluster: init::cluster_major(&home.data())?,
        account,
        others: Vec::new(),
        rejected: Vec::new(),
    };
    if let Some(bin) = &options.bin {
        return search.only(bin);
    }
    let recorded = home.record().map(|record| record.bin);
    let cache = install::cache(options);
    let places = recorded.into_iter().chain(on_path());
    let places = places.chain(std::iter::once_with(from_pg_config).flatten());
    let places = places.chain(usual_places());
    let places = places.chain(std::iter::once_with(|| install::installed(&cache)).flatten());
    if let Some(found) = search.first(places)? {
        return Ok(found);
    }
    let failure = if options.allow_install {
        match install::install(&cache, &options.progress) {
            Ok(places) => match search.first(places)? {
                Some(found) => return Ok(found),
                None => None,
            },
            Err(why) => Some(why),
        }
    } else {
        None
    };
    Err(search.failure(failure))
}

struct Search<'a> {
    data: PathBuf,
    cluster: Option<u32>,
    account: Option<&'a Account>,
    /// Usable servers of a major version that cannot run the cluster.
    others: Vec<Binaries>,
    rejected: Vec<Rejected>,
}

impl Search<'_> {
    /// The one folder that the caller named.
    fn only(mut self, bin: &Path) -> Result<Binaries, Error> {
        if let Some(found) = self.first(std::iter::once(bin.to_owned()))? {
            return Ok(found);
        }
        if self.others.is_empty() {
            let rejected = self.rejected.pop().unwrap_or_else(|| Rejected {
                dir: bin.to_owned(),
                reason: "it has no `postgres`".to_owned(),
            });
            return Err(Error::BadBinaries(rejected));
        }
        Err(self.failure(None))
    }

    /// The first folder whose server can run the cluster.
    fn first(&mut self, places: impl IntoIterator<Item = PathBuf>) -> Result<Option<Binaries>, Error> {
        for place in places {
            let Some(dir) = resolve(&place) else { continue };
            if self.known(&dir) {
                continue;
            }
            match probe(&dir, self.account)? {
                Ok(found) if self.fits(&found) => return Ok(Some(found)),
                Ok(other) => self.others.push(other),
                Err(reason) => self.rejected.push(Rejected { dir, reason }),
            }
        }
        Ok(None)
    }

    fn known(&self, dir: &Path) -> bool {
        self.others.iter().any(|other| other.dir == dir)
            || self.rejected.iter().any(|rejected| rejected.dir == dir)
    }

    fn fits(&self, found: &Binaries) -> bool {
        self.cluster.is_none_or(|major| major == found.major)
    }

    fn failure(self, install: Option<String>) -> Error {
        match self.cluster {
            Some(cluster) => Error::VersionMismatch {
                data: self.data,
                cluster,
                found: self.others,
                install,
            },
            None => Error::NoBinaries {
                rejected: self.rejected,
                install,
            },
        }
    }
}

/// The true folder of a place's `postgres`: the server finds its libraries and time zones there,
/// not beside a link in `PATH`.
fn resolve(place: &Path) -> Option<PathBuf> {
    let program = place.join("postgres").canonicalize().ok()?;
    program.parent().map(Path::to_owned)
}

/// Runs `postgres -V` as the user that will run the server; the inner error is why not.
fn probe(dir: &Path, account: Option<&Account>) -> Result<Result<Binaries, String>, Error> {
    if !dir.join("initdb").exists() {
        return Ok(Err("it has `postgres` but no `initdb`".to_owned()));
    }
    let program = dir.join("postgres");
    let mut command = process::command(&program, account);
    command.arg("-V");
    match process::run(command, PROBE_LIMIT) {
        Ok(finished) if finished.status.success() => Ok(accept(dir, &finished.output)),
        Ok(finished) => {
            let first = finished.output.lines().next().unwrap_or_default();
            let status = ending(finished.status);
            Ok(Err(format!("`postgres -V` failed ({status}): {first}")))
        }
        Err(error) => match account.and_then(|account| account.explain(&error, &program)) {
            Some(error @ Error::MayNotChangeUser { .. }) => Err(error),
            Some(error) => Ok(Err(error.to_string())),
            None => Ok(Err(format!("`postgres` cannot be run: {error}"))),
        },
    }
}

fn accept(dir: &Path, output: &str) -> Result<Binaries, String> {
    let Some((major, version)) = parse_version(output) else {
        let line = output.lines().next().unwrap_or_default();
        return Err(format!("`postgres -V` answers `{line}`"));
    };
    if major < OLDEST_MAJOR {
        return Err(format!("it is version {version}, older than {OLDEST_MAJOR}"));
    }
    Ok(Binaries {
        dir: dir.to_owned(),
        major,
        version: version.to_owned(),
    })
}

/// The versions in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_version(output: &str) -> Option<(u32, &str)> {
    let rest = output.trim().strip_prefix("postgres (PostgreSQL) ")?;
    let version = rest.split_whitespace().next()?;
    let digits = version.find(|c: char| !c.is_ascii_digit());
    let major = version[..digits.unwrap_or(version.len())].parse().ok()?;
    Some((major, version))
}

fn on_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = env::split_paths(&path).collect();
    dirs.into_iter().filter(|dir| dir.is_absolute())
}

/// What `pg_config --bindir` says, which on some systems names a folder outside `PATH`.
fn from_pg_config() -> Option<PathBuf> {
    let program = on_path()
        .map(|dir| dir.join("pg_config"))
        .find(|program| program.exists())?;
    let mut command = process::command(&program, None);
    command.arg("--bindir");
    let finished = process::run(command, PROBE_LIMIT).ok()?;
    let dir = PathBuf::from(finished.output.trim());
    (finished.status.success() && dir.is_absolute()).then_some(dir)
}

/// Where Debian, Red Hat, Homebrew, PostgreSQL's own build and Postgres.app put servers.
fn usual_places() -> impl Iterator<Item = PathBuf> {
    let majors = (OLDEST_MAJOR..=NEWEST_MAJOR).rev();
    let versioned = majors.flat_map(|major| {
        [
            format!("/usr/lib/postgresql/{major}/bin"),
            format!("/usr/pgsql-{major}/bin"),
            format!("/opt/homebrew/opt/postgresql@{major}/bin"),
            format!("/usr/local/opt/postgresql@{major}/bin"),
        ]
    });
    let plain = [
        "/usr/local/pgsql/bin",
        "/Applications/Postgres.app/Contents/Versions/latest/bin",
    ];
    versioned.chain(plain.map(str::to_owned)).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_releases_and_previews_are_read() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(parse_version(debian), Some((15, "15.18")));
        let preview = "postgres (PostgreSQL) 19beta2";
        assert_eq!(parse_version(preview), Some((19, "19beta2")));
        assert_eq!(parse_version("postgres (EnterpriseDB) 15.2"), None);
        assert_eq!(parse_version("postgres (PostgreSQL) "), None);
        assert_eq!(parse_version("postgres (PostgreSQL) x"), None);
    }

    #[test]
    fn an_old_server_is_refused_by_its_version() {
        let refused = accept(Path::new("/opt/pg"), "postgres (PostgreSQL) 14.9");
        assert_eq!(refused, Err("it is version 14.9, older than 15".to_owned()));
    }

    #[test]
    fn newer_usual_places_come_first() {
        let places: Vec<PathBuf> = usual_places().collect();
        let at = |path: &str| places.iter().position(|place| place == Path::new(path));
        assert!(at("/usr/lib/postgresql/18/bin") < at("/usr/lib/postgresql/15/bin"));
        assert!(at("/usr/lib/postgresql/15/bin").is_some());
    }
}
