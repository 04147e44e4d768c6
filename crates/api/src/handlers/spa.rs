//! The built pages: compressed beforehand, kept by the browser for ever when their name says so.

use crate::error::AppError;
use crate::state::AppState;
use actix_files::NamedFile;
use actix_web::http::header::{CACHE_CONTROL, ContentEncoding, HeaderValue, VARY};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use std::path::{Component, Path, PathBuf};

const COMPRESSED: [(&str, &str, ContentEncoding); 2] = [
    ("br", "br", ContentEncoding::Brotli),
    ("gzip", "gz", ContentEncoding::Gzip),
];

/// The folder with the pages: as configured, beside the binary, or in the current folder.
pub fn folder(configured: Option<&PathBuf>) -> Option<PathBuf> {
    if let Some(folder) = configured {
        return Some(folder.clone());
    }
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join("dist")));
    [beside, Some(PathBuf::from("dist"))]
        .into_iter()
        .flatten()
        .find(|f| f.join("index.html").is_file())
}

/// A file of the pages, or the page itself for an address inside it.
///
/// # Errors
/// 404 when there is no such file, 405 for anything but reading.
pub async fn serve(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, AppError> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(AppError::NoRoute(StatusCode::METHOD_NOT_ALLOWED));
    }
    let none = || AppError::NoRoute(StatusCode::NOT_FOUND);
    let folder = state.spa.as_ref().ok_or_else(none)?;
    let asked = relative(request.path()).ok_or_else(none)?;
    let is_page = asked.extension().is_none();
    let path = if is_page {
        Path::new("index.html")
    } else {
        asked.as_path()
    };
    let mut response = open(&folder.join(path), &request).ok_or_else(none)?;
    let cache = if !is_page && is_hashed(path) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
        .headers_mut()
        .append(VARY, HeaderValue::from_static("accept-encoding"));
    Ok(response)
}

fn open(path: &Path, request: &HttpRequest) -> Option<HttpResponse> {
    let accepted = request
        .headers()
        .get("accept-encoding")
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let kind = actix_files::file_extension_to_mime(path.extension()?.to_str()?);
    for (name, extension, encoding) in COMPRESSED {
        let compressed = PathBuf::from(format!("{}.{extension}", path.display()));
        let accepts = accepted
            .split(',')
            .any(|e| e.split(';').next().is_some_and(|e| e.trim() == name));
        if accepts && let Ok(file) = NamedFile::open(&compressed) {
            let file = file
                .set_content_type(kind)
                .set_content_encoding(encoding)
                .disable_content_disposition();
            return Some(file.into_response(request));
        }
    }
    let file = NamedFile::open(path).ok()?;
    Some(file.disable_content_disposition().into_response(request))
}

/// The path below the folder; nothing that leaves it, and no hidden file.
fn relative(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(path.trim_start_matches('/'));
    let plain = path.components().all(|c| match c {
        Component::Normal(name) => !name.to_string_lossy().starts_with('.'),
        _ => false,
    });
    plain.then_some(path)
}

/// `app-0a1b2c3d4e5f6071.js`: the name changes with the content.
fn is_hashed(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    name.split(['-', '.', '_']).any(|part| {
        part.len() >= 8
            && part.chars().all(|c| c.is_ascii_hexdigit())
            && part.chars().any(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(relative("/runs/1").unwrap(), Path::new("runs/1"));
        for path in ["/../etc/passwd", "/a/../../b.js", "/.git/config", "//etc/../x"] {
            assert!(
                relative(path).is_none_or(|p| !p.starts_with("/") && !p.to_string_lossy().contains("..")),
                "{path}"
            );
        }
        assert!(relative("/../etc/passwd").is_none());
        assert!(relative("/.env").is_none());
    }

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        assert!(is_hashed(Path::new("app-0a1b2c3d4e5f6071.js")));
        assert!(!is_hashed(Path::new("index.html")));
        assert!(!is_hashed(Path::new("fonts/inter.woff2")));
    }
}
