//! Turns what cargo built for wasm32 into the folder that the server hands out: `pack WASM FRONTEND OUT [--release]`.
//!
//! Everything that a browser may keep for ever lies under `assets/` with its content's hash in the name; `index.html`
//! alone is at the root. A release also has `.br` and `.gz` beside each file that shrinks.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let (paths, flags): (Vec<_>, Vec<_>) = arguments.into_iter().partition(|a| !a.starts_with("--release"));
    let [wasm, frontend, out] = paths.as_slice() else {
        bail!("expected `pack WASM FRONTEND OUT [--release]`");
    };
    let release = !flags.is_empty();
    let mut pack = Pack::new(frontend, out)?;
    pack.module(wasm, release)?;
    pack.statics()?;
    pack.stylesheet()?;
    pack.page()?;
    if release {
        compress(out)?;
    }
    Ok(())
}

struct Pack<'a> {
    frontend: &'a Path,
    out: &'a Path,
    /// Placeholder in `index.html` to address.
    addresses: BTreeMap<String, String>,
}

impl<'a> Pack<'a> {
    fn new(frontend: &'a Path, out: &'a Path) -> Result<Self> {
        fs::create_dir_all(out.join("assets"))?;
        Ok(Self {
            frontend,
            out,
            addresses: BTreeMap::new(),
        })
    }

    /// Runs wasm-bindgen; the script finds its module by the address that the page hands it.
    fn module(&mut self, wasm: &Path, release: bool) -> Result<()> {
        let mut output = Bindgen::new()
            .input_path(wasm)
            .out_name("app")
            .web(true)?
            .typescript(false)
            .debug(!release)
            .omit_default_module_path(true)
            .remove_name_section(release)
            .remove_producers_section(release)
            .generate_output()?;
        let scratch = self.out.join("bindgen");
        output.emit(&scratch)?;
        self.add("js", "app.js", &fs::read(scratch.join("app.js"))?)?;
        self.add("wasm", "app.wasm", &fs::read(scratch.join("app_bg.wasm"))?)?;
        let snippets = scratch.join("snippets");
        if snippets.exists() {
            fs::rename(snippets, self.out.join("assets/snippets"))?;
        }
        fs::remove_dir_all(scratch)?;
        Ok(())
    }

    /// `static/boot.js` becomes `{{boot}}`, and so on.
    fn statics(&mut self) -> Result<()> {
        for path in files(&self.frontend.join("static"))? {
            let name = file_name(&path)?;
            let key = path
                .file_stem()
                .and_then(OsStr::to_str)
                .context("a file name is not UTF-8")?;
            self.add(key, name, &fs::read(&path)?)?;
        }
        Ok(())
    }

    /// The stylesheets in the order of their names, as one file; fonts are addressed by their hashed names.
    fn stylesheet(&mut self) -> Result<()> {
        let style = self.frontend.join("style");
        let mut css = String::new();
        for path in files(&style)?
            .iter()
            .filter(|p| p.extension() == Some(OsStr::new("css")))
        {
            css.push_str(&fs::read_to_string(path)?);
            css.push('\n');
        }
        for path in files(&style.join("fonts"))?
            .iter()
            .filter(|p| p.extension() != Some(OsStr::new("txt")))
        {
            let name = file_name(path)?;
            let hashed = self.store(name, &fs::read(path)?)?;
            css = css.replace(&format!("fonts/{name}"), &hashed);
        }
        self.add("css", "app.css", css.as_bytes())
    }

    fn page(&self) -> Result<()> {
        let mut html = fs::read_to_string(self.frontend.join("index.html"))?;
        for (key, address) in &self.addresses {
            html = html.replace(&format!("{{{{{key}}}}}"), address);
        }
        if let Some(at) = html.find("{{") {
            bail!(
                "`frontend/index.html` names an unknown file: {}",
                html[at..].chars().take(20).collect::<String>()
            );
        }
        fs::write(self.out.join("index.html"), html)?;
        Ok(())
    }

    fn add(&mut self, key: &str, name: &str, bytes: &[u8]) -> Result<()> {
        let hashed = self.store(name, bytes)?;
        self.addresses.insert(key.to_owned(), format!("/assets/{hashed}"));
        Ok(())
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let (stem, extension) = name.rsplit_once('.').context("an asset has no extension")?;
        let hash = Sha256::digest(bytes)
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        let hashed = format!("{stem}-{hash}.{extension}");
        fs::write(self.out.join("assets").join(&hashed), bytes)?;
        Ok(hashed)
    }
}

/// The plain files of a folder by name; none when the folder is missing.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut found: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    found.retain(|path| path.is_file());
    found.sort();
    Ok(found)
}

fn file_name(path: &Path) -> Result<&str> {
    path.file_name()
        .and_then(OsStr::to_str)
        .context("a file name is not UTF-8")
}

/// Fonts are compressed already; everything else is tried and kept when it gains a tenth.
fn compress(out: &Path) -> Result<()> {
    for entry in walkdir::WalkDir::new(out) {
        let entry = entry?;
        let path = entry.path();
        if !entry.file_type().is_file() || path.extension() == Some(OsStr::new("woff2")) {
            continue;
        }
        let bytes = fs::read(path)?;
        keep_smaller(path, "br", &bytes, &brotli(&bytes)?)?;
        keep_smaller(path, "gz", &bytes, &gzip(&bytes)?)?;
    }
    Ok(())
}

fn keep_smaller(path: &Path, suffix: &str, bytes: &[u8], packed: &[u8]) -> Result<()> {
    if packed.len() * 10 < bytes.len() * 9 {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(suffix);
        fs::write(name, packed)?;
    }
    Ok(())
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 22);
    writer.write_all(bytes)?;
    writer.flush()?;
    Ok(writer.into_inner())
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}
