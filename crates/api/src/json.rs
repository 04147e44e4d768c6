//! Request bodies: JSON whose every problem names the field.
//!
//! A body is read beside the caller, but what is wrong with it comes out only when the handler asks
//! for it, after it has checked the caller: who may not do a thing learns nothing of its shape.

use crate::error::{AppError, AppResult};
use actix_web::error::PayloadError;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use types::{FieldError, MAX_BODY};

/// A body of at most [`MAX_BODY`] bytes, read as JSON, good or bad.
#[derive(Debug)]
pub struct Json<T>(AppResult<T>);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Infallible>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload).into_inner();
        let declared = request
            .headers()
            .get("content-length")
            .and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
        Box::pin(async move {
            Ok(Self(match payload {
                _ if declared.is_some_and(|n| n > MAX_BODY) => Err(too_large()),
                Ok(payload) => read(payload).await,
                Err(error) => Err(unreadable(&error)),
            }))
        })
    }
}

impl<T> Json<T> {
    /// The value: to be asked for once the caller is known to be allowed to send it.
    ///
    /// # Errors
    /// 413 when the body is too large, else as [`parse`].
    pub fn accept(self) -> AppResult<T> {
        self.0
    }
}

/// The body of a request whose sender had to be known before it is looked at.
///
/// # Errors
/// 413 when it is too large, else as [`parse`].
pub async fn read<T: DeserializeOwned>(payload: web::Payload) -> AppResult<T> {
    match payload.to_bytes_limited(MAX_BODY).await {
        Ok(Ok(body)) => parse(&body),
        Ok(Err(error)) => Err(unreadable(&error)),
        Err(_) => Err(too_large()),
    }
}

fn too_large() -> AppError {
    AppError::TooLarge(format!("the body has more than {MAX_BODY} bytes"))
}

fn unreadable(error: &actix_web::Error) -> AppError {
    match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => too_large(),
        _ => AppError::Malformed("the body cannot be read to its end".to_owned()),
    }
}

/// The value, or a problem that names the field.
///
/// # Errors
/// 400 when it is no JSON, 422 with the field's path when it is JSON of another shape.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> AppResult<T> {
    // serde would take a list for the fields in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(AppError::field("body", "is a list; expected an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() {
            AppError::Validation(vec![field_error(&path, &inner.to_string())])
        } else {
            AppError::Malformed(format!("the body is not valid JSON: {inner}"))
        }
    })?;
    deserializer
        .end()
        .map_err(|e| AppError::Malformed(format!("the body is not valid JSON: {e}")))?;
    Ok(value)
}

/// serde names a missing or unknown field in its message, and the object around it in the path.
pub(crate) fn field_error(path: &str, message: &str) -> FieldError {
    let message = message.rsplit_once(" at line ").map_or(message, |(m, _)| m);
    let parent = if path == "." || path == "query" { "" } else { path };
    for (prefix, text) in [
        ("missing field `", "is missing"),
        ("unknown field `", "is unknown"),
    ] {
        let Some((name, rest)) = message.strip_prefix(prefix).and_then(|r| r.split_once('`')) else {
            continue;
        };
        let field = match parent {
            "" => name.to_owned(),
            p if p == name || p.ends_with(&format!(".{name}")) => p.to_owned(),
            p => format!("{p}.{name}"),
        };
        return FieldError::new(
            field,
            format!("{text}{}", rest.replacen(", expected", "; expected", 1)),
        );
    }
    let whole = if path == "query" { path } else { "body" };
    let field = if parent.is_empty() { whole } else { parent };
    FieldError::new(field, message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::CreateRun;

    fn problem(body: &str) -> (String, String) {
        match parse::<CreateRun>(body.as_bytes()) {
            Err(AppError::Validation(errors)) => (errors[0].field.clone(), errors[0].message.clone()),
            Err(AppError::Malformed(text)) => ("malformed".to_owned(), text),
            other => panic!("expected a problem, got {other:?}"),
        }
    }

    #[test]
    fn every_problem_names_its_field() {
        let id = "018f0000-0000-7000-8000-000000000000";
        assert_eq!(problem("{}").0, "model_id");
        assert_eq!(problem(r#"{"model_id":7}"#).0, "model_id");
        let (field, message) = problem(&format!(
            r#"{{"model_id":"{id}","benchmark_ids":[],"config":{{"shotz":1}}}}"#
        ));
        assert_eq!(field, "config.shotz");
        assert!(message.starts_with("is unknown; expected"), "{message}");
        assert_eq!(
            problem(&format!(r#"{{"model_id":"{id}","benchmark_ids":["x"]}}"#)).0,
            "benchmark_ids[0]"
        );
        assert_eq!(
            problem(&format!(r#"{{"model_id":"{id}","benchmark_ids":[],"colour":1}}"#)).0,
            "colour"
        );
        assert_eq!(problem("{").0, "malformed");
        assert_eq!(problem("[] x").0, "body");
        assert_eq!(problem(&format!(r#" ["{id}",[]]"#)).0, "body");
        assert_eq!(problem("{} x").0, "model_id");
    }
}
