//! From paths to files: folders are walked, archives are opened, links are not followed.

use super::archive::{self, Format, Limits, Member, Stop};
use rustix::fs::OFlags;
use std::fs::File;
use std::io::{self, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// One file, or why there is none.
#[derive(Debug)]
pub struct Found {
    /// Its path as the user gave it; inside of an archive, the archive's path and its name there.
    pub path: String,
    /// Its bytes, at the first one.
    pub content: Result<File, String>,
}

/// What an import is made of.
#[derive(Clone, Debug)]
pub enum Files {
    /// Files, folders and archives of this machine.
    Paths(Vec<PathBuf>),
    /// Files that were sent: what their sender calls each, and where its bytes lie.
    Uploads(Vec<(String, PathBuf)>),
}

/// Walks through paths.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// What archives may amount to.
    pub limits: Limits,
    /// Where files of archives are unpacked, one at a time; the system's folder when absent.
    pub scratch: Option<PathBuf>,
}

impl Walk {
    /// Hands out every file.
    pub fn all(&self, files: &Files, take: &mut dyn FnMut(Found)) {
        match files {
            Files::Paths(paths) => self.each(paths, take),
            Files::Uploads(uploads) => uploads
                .iter()
                .for_each(|(path, at)| self.upload(path.clone(), at, take)),
        }
    }

    /// Hands out a file that was sent, or what is in it: one that was sent by itself is opened as an archive whatever
    /// it is called.
    fn upload(&self, path: String, at: &Path, take: &mut dyn FnMut(Found)) {
        match open(at, false) {
            Ok(file) => {
                let named = !path.contains('/');
                self.opened(path, file, named, take);
            }
            Err(why) => take(Found {
                path,
                content: Err(why),
            }),
        }
    }

    /// Hands out every file of the paths, in the order of their names.
    pub fn each(&self, paths: &[PathBuf], take: &mut dyn FnMut(Found)) {
        for path in paths {
            for entry in WalkDir::new(path).sort_by_file_name() {
                match entry {
                    Ok(entry) if entry.file_type().is_dir() => {}
                    Ok(entry) => self.file(&entry, take),
                    Err(error) => take(Found {
                        path: error.path().unwrap_or(path).display().to_string(),
                        content: Err(format!("it cannot be read: {}", cause(&error))),
                    }),
                }
            }
        }
    }

    fn file(&self, entry: &DirEntry, take: &mut dyn FnMut(Found)) {
        let path = entry.path().display().to_string();
        let named = entry.depth() == 0;
        if entry.path_is_symlink() && !named {
            let content = Err("a symbolic link, which is not followed".to_owned());
            return take(Found { path, content });
        }
        match open(entry.path(), named) {
            Ok(file) => self.opened(path, file, named, take),
            Err(why) => take(Found {
                path,
                content: Err(why),
            }),
        }
    }

    /// Hands out a file, or the files in it when it is an archive.
    ///
    /// Weights and arrays are zip archives, too: in a folder only those that are called so are
    /// opened.
    fn opened(&self, path: String, mut file: File, named: bool, take: &mut dyn FnMut(Found)) {
        let format = match archive::format_of(&mut file) {
            Ok(format) => format.filter(|_| named || archive::is_named_so(&path)),
            Err(error) => {
                let content = Err(format!("it cannot be read: {error}"));
                return take(Found { path, content });
            }
        };
        match format {
            Some(format) => self.archive(&path, &file, format, take),
            None => take(Found {
                path,
                content: Ok(file),
            }),
        }
    }

    fn archive(&self, path: &str, file: &File, format: Format, take: &mut dyn FnMut(Found)) {
        let read = archive::read(file, path, format, &self.limits, &mut |member| {
            take(self.unpack(path, member));
            Ok(())
        });
        if let Err(Stop::Limit(why) | Stop::Broken(why)) = read {
            take(Found {
                path: path.to_owned(),
                content: Err(why),
            });
        }
    }

    fn unpack(&self, archive: &str, member: Member<'_>) -> Found {
        let path = format!("{archive}/{}", member.name);
        let content = member.body.and_then(|body| {
            let mut file = self
                .spool()
                .map_err(|e| format!("there is no room to unpack it: {e}"))?;
            io::copy(body, &mut file).map_err(|e| format!("it cannot be unpacked: {e}"))?;
            file.rewind().map_err(|e| format!("it cannot be unpacked: {e}"))?;
            let inner = archive::format_of(&mut file).map_err(|e| e.to_string())?;
            if inner.is_some() && archive::is_named_so(&path) {
                return Err("an archive inside of an archive, which is not opened".to_owned());
            }
            Ok(file)
        });
        Found { path, content }
    }

    fn spool(&self) -> io::Result<File> {
        match &self.scratch {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        }
    }
}

/// Opens a regular file; anything else could block, or lead elsewhere.
fn open(path: &Path, follow: bool) -> Result<File, String> {
    let links = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = (OFlags::NONBLOCK | links).bits().cast_signed();
    let opened = File::options().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| format!("it cannot be read: {error}"))?;
    match file.metadata() {
        Ok(data) if data.is_file() => Ok(file),
        Ok(_) => Err("it is no regular file".to_owned()),
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}

fn cause(error: &walkdir::Error) -> String {
    match error.io_error() {
        Some(error) => error.to_string(),
        None => "its folders form a loop".to_owned(),
    }
}
