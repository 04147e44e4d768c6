//! Files that the viewer chose or dropped, folders among them, with the paths that they have there.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, File, FileList};

/// The most files that are taken from a folder at once.
pub const MOST: usize = 20_000;

/// A file and its path.
#[derive(Debug, Clone)]
pub struct Picked {
    /// Its path below what was chosen.
    pub path: String,
    /// The file.
    pub file: File,
}

/// A file or a folder of a drop: the browsers' own interface for it, which no standard has named yet.
pub struct Entry(JsValue);

impl Entry {
    fn property(&self, name: &str) -> Option<JsValue> {
        property(&self.0, name)
    }

    fn name(&self) -> String {
        self.property("name")
            .and_then(|name| name.as_string())
            .unwrap_or_default()
    }

    fn is_file(&self) -> bool {
        self.property("isFile").is_some_and(|is| is.is_truthy())
    }
}

fn property(of: &JsValue, name: &str) -> Option<JsValue> {
    let found = Reflect::get(of, &JsValue::from_str(name)).ok()?;
    (!found.is_null() && !found.is_undefined()).then_some(found)
}

/// Calls a method that answers by itself.
fn call(of: &JsValue, name: &str) -> Option<JsValue> {
    let method: Function = property(of, name)?.dyn_into().ok()?;
    method.call0(of).ok()
}

/// Calls a method that answers one of two functions.
async fn ask(of: &JsValue, name: &str) -> Option<JsValue> {
    let method: Function = property(of, name)?.dyn_into().ok()?;
    let asked = Promise::new(&mut |answered, failed| {
        // What it throws it would have told the second function.
        let _ = method.call2(of, &answered, &failed);
    });
    JsFuture::from(asked).await.ok()
}

/// The files of an input; those of a folder keep their paths.
pub fn chosen(list: &FileList) -> Vec<Picked> {
    let files = (0..list.length()).filter_map(|at| list.get(at));
    let picked = files.map(|file| Picked {
        path: path_of(&file),
        file,
    });
    picked.take(MOST).collect()
}

fn path_of(file: &File) -> String {
    let below = property(file, "webkitRelativePath").and_then(|path| path.as_string());
    below
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| file.name())
}

/// What was dropped; to be asked for before the handler returns, for the browser forgets it then.
pub fn entries(event: &DragEvent) -> Vec<Entry> {
    let items = property(event, "dataTransfer").and_then(|transfer| property(&transfer, "items"));
    let items = items.map(|items| Array::from(&items)).unwrap_or_default();
    let entry = |item: JsValue| call(&item, "webkitGetAsEntry").filter(JsValue::is_object);
    items.iter().filter_map(entry).map(Entry).collect()
}

/// All files below these entries, in the order of their paths.
pub async fn walk(roots: Vec<Entry>) -> Vec<Picked> {
    let mut open: Vec<(String, Entry)> = roots.into_iter().map(|entry| (entry.name(), entry)).collect();
    let mut found = Vec::new();
    while let Some((path, entry)) = open.pop() {
        if found.len() >= MOST {
            break;
        }
        if entry.is_file() {
            let file = ask(&entry.0, "file").await.and_then(|file| file.dyn_into().ok());
            found.extend(file.map(|file| Picked { path, file }));
        } else {
            let inside = children(&entry).await;
            open.extend(
                inside
                    .into_iter()
                    .map(|child| (format!("{path}/{}", child.name()), child)),
            );
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// What is in a folder; the browser hands it out in parts.
async fn children(folder: &Entry) -> Vec<Entry> {
    let mut all = Vec::new();
    let Some(reader) = call(&folder.0, "createReader") else {
        return all;
    };
    loop {
        let part = ask(&reader, "readEntries").await.map(|part| Array::from(&part));
        match part {
            Some(part) if part.length() > 0 => all.extend(part.iter().map(Entry)),
            _ => return all,
        }
    }
}
