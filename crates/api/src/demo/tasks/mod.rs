//! The demo's task set: small data made from nothing, the same on every machine, for the real
//! lmms-eval.

mod films;
mod images;
mod sounds;
mod sums;

use super::question::{Answers, Question};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The tasks that work, by name.
pub const TASKS: [&str; 6] = [
    "demo_colour",
    "demo_count",
    "demo_choice",
    "demo_arithmetic",
    "demo_tone",
    "demo_motion",
];
/// The group over three of them.
pub const GROUP: &str = "demo_suite";
/// The task whose scoring fails, to show what a failure looks like.
pub const BROKEN: &str = "demo_broken";

/// A task: its questions and the files that belong to them.
struct Task {
    /// Where its questions are written.
    data: &'static str,
    questions: Vec<Question>,
    /// Media, by path below the folder of tasks.
    media: Vec<(String, Make)>,
}

/// Makes the bytes of a file; the endpoint wants the questions alone, and drawing takes its time.
type Make = Box<dyn Fn() -> Vec<u8>>;

impl Task {
    /// A task of `count` questions about one file each, whose paths are below `folder`.
    fn with_media(
        folder: &str,
        data: &'static str,
        count: usize,
        make: impl Fn(usize) -> (Question, String, Make),
    ) -> Self {
        let (questions, media) = (0..count)
            .map(make)
            .map(|(question, path, make)| (question, (format!("{folder}/{path}"), make)))
            .unzip();
        Self {
            data,
            questions,
            media,
        }
    }
}

/// What is the same in every installation.
const FIXED: [(&str, &str); 13] = [
    (
        "demo_images/demo_colour.yaml",
        include_str!("files/demo_colour.yaml"),
    ),
    (
        "demo_images/demo_count.yaml",
        include_str!("files/demo_count.yaml"),
    ),
    (
        "demo_images/demo_choice.yaml",
        include_str!("files/demo_choice.yaml"),
    ),
    ("demo_images/demo_functions.py", include_str!("files/images.py")),
    (
        "demo_text/demo_arithmetic.yaml",
        include_str!("files/demo_arithmetic.yaml"),
    ),
    (
        "demo_text/demo_broken.yaml",
        include_str!("files/demo_broken.yaml"),
    ),
    ("demo_text/demo_functions.py", include_str!("files/text.py")),
    ("demo_audio/demo_tone.yaml", include_str!("files/demo_tone.yaml")),
    ("demo_audio/demo_functions.py", include_str!("files/audio.py")),
    (
        "demo_video/demo_motion.yaml",
        include_str!("files/demo_motion.yaml"),
    ),
    ("demo_video/demo_functions.py", include_str!("files/video.py")),
    (
        "demo_suite/demo_suite.yaml",
        include_str!("files/demo_suite.yaml"),
    ),
    ("README.md", include_str!("files/README.md")),
];

fn tasks() -> Vec<Task> {
    vec![
        images::colour(),
        images::count(),
        images::choice(),
        sums::arithmetic(),
        sounds::tone(),
        films::motion(),
    ]
}

/// What the endpoint knows: every question of every task.
pub fn answers() -> Answers {
    Answers::new(tasks().into_iter().flat_map(|t| t.questions))
}

/// The questions of the task whose data has this name, in order.
pub fn questions(task: &str) -> Vec<Question> {
    let file = format!("/{task}.jsonl");
    tasks()
        .into_iter()
        .find(|t| t.data.ends_with(&file))
        .map(|t| t.questions)
        .unwrap_or_default()
}

/// Writes the task set; files that are there already as they should be are left alone.
///
/// # Errors
/// The path that cannot be written, and why.
pub fn write(folder: &Path) -> Result<(), (PathBuf, io::Error)> {
    for (path, bytes) in files() {
        let path = folder.join(path);
        put(&path, &bytes).map_err(|error| (path, error))?;
    }
    Ok(())
}

fn files() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = FIXED
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    for task in tasks() {
        all.push((task.data.to_owned(), lines(&task.questions)));
        all.extend(task.media.into_iter().map(|(path, make)| (path, make())));
    }
    all
}

fn lines(questions: &[Question]) -> Vec<u8> {
    let lines: Vec<String> = questions.iter().map(|q| format!("{}\n", q.document())).collect();
    lines.concat().into_bytes()
}

/// An evaluation may be reading: it sees the old file or the new one.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    fs::write(&temporary, bytes)?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_question_is_the_only_one_of_its_name_and_has_wrong_answers() {
        let mut seen = BTreeSet::new();
        for task in TASKS {
            let questions = questions(task);
            assert!(
                (30..=60).contains(&questions.len()),
                "{task}: {}",
                questions.len()
            );
            for q in questions {
                assert!(!q.wrong.is_empty() && !q.wrong.contains(&q.answer), "{q:?}");
                assert!(seen.insert(q.id.clone()), "{} is there twice", q.id);
            }
        }
    }

    #[test]
    fn documents_have_fields_to_slice_by() {
        for task in TASKS {
            for q in questions(task) {
                let document = q.document();
                for field in ["question", "answer", "difficulty", "category"] {
                    assert!(document[field].is_string(), "{task} has no `{field}`: {document}");
                }
            }
        }
    }

    #[test]
    fn the_media_of_every_document_is_there() {
        let files = files();
        let has = |path: &str| files.iter().any(|(name, _)| name == path);
        for (task, field, folder) in [
            ("demo_count", "image", "demo_images"),
            ("demo_tone", "audio", "demo_audio"),
            ("demo_motion", "clip", "demo_video"),
        ] {
            for q in questions(task) {
                let document = q.document();
                let path = document[field].as_str().unwrap();
                assert!(has(&format!("{folder}/{path}")), "{path}");
            }
        }
    }

    #[test]
    fn writing_again_changes_nothing_and_mends_what_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        let data = folder.path().join("demo_images/demo_colour.jsonl");
        let (text, written) = (
            fs::read(&data).unwrap(),
            fs::metadata(&data).unwrap().modified().unwrap(),
        );
        write(folder.path()).unwrap();
        assert_eq!(fs::metadata(&data).unwrap().modified().unwrap(), written);
        fs::write(&data, "cut off").unwrap();
        write(folder.path()).unwrap();
        assert_eq!(fs::read(&data).unwrap(), text);
        let left = walkdir::WalkDir::new(folder.path())
            .into_iter()
            .filter_map(Result::ok);
        assert_eq!(left.filter(|e| e.file_type().is_file()).count(), files().len());
    }

    #[test]
    fn media_begin_as_their_format_says() {
        let files = files();
        let of = |extension: &str| -> Vec<&Vec<u8>> {
            files
                .iter()
                .filter(|(name, _)| name.ends_with(extension))
                .map(|(_, bytes)| bytes)
                .collect()
        };
        assert!(of(".png").iter().all(|b| b.starts_with(b"\x89PNG\r\n\x1a\n")));
        for riff in [of(".wav"), of(".avi")].concat() {
            let length = u32::from_le_bytes(riff[4..8].try_into().unwrap());
            assert!(riff.starts_with(b"RIFF") && length as usize + 8 == riff.len());
        }
    }
}
