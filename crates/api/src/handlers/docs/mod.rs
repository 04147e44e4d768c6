//! The OpenAPI document and a page to browse it.

use crate::error::AppError;
use crate::openapi;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use std::sync::LazyLock;

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// The OpenAPI 3.1 document of this API.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "service", security(()),
    responses((status = 200, description = "The document", content_type = "application/json")))]
pub async fn get_openapi() -> Result<HttpResponse, AppError> {
    static TEXT: LazyLock<Option<String>> = LazyLock::new(|| openapi::pretty().ok());
    let text = TEXT
        .as_deref()
        .ok_or_else(|| AppError::internal("the document cannot be written"))?;
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}

/// A page to browse the document.
#[utoipa::path(get, path = "/api/v1/docs", operation_id = "get_docs", tag = "service", security(()),
    responses((status = 200, description = "The page", content_type = "text/html")))]
pub async fn get_docs() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(PAGE)
}

/// Script and style of the page.
///
/// # Errors
/// 404 for any other name.
pub async fn get_docs_file(file: Path<String>) -> Result<HttpResponse, AppError> {
    let (kind, text) = match file.as_str() {
        "page.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "page.css" => ("text/css; charset=utf-8", STYLE),
        _ => return Err(AppError::NoRoute(StatusCode::NOT_FOUND)),
    };
    Ok(HttpResponse::Ok().content_type(kind).body(text))
}
