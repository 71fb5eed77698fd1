//! Answers that hold everything there is, sent while it is read.

use std::future::Future;

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{Stream, stream};
use serde::Serialize;

use crate::csv::{self, accepts};
use crate::error::ApiError;
use crate::query::Query;

/// How an export is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Ndjson,
    Csv,
}

impl Form {
    pub(crate) fn of(request: &HttpRequest, query: &mut Query) -> Self {
        let csv = query.one_of("format", &["ndjson", "csv"], |format| Some(format == "csv"));
        if csv.unwrap_or_else(|| accepts(request, "text/csv")) { Self::Csv } else { Self::Ndjson }
    }
}

/// The pieces of an export, each with the place behind it, read when the one before was sent.
pub(crate) fn pages<P, R>(
    start: Option<P>,
    read: impl Fn(Option<P>) -> R,
) -> impl Stream<Item = Result<Bytes, ApiError>>
where
    P: Copy,
    R: Future<Output = Result<(Bytes, Option<P>), ApiError>>,
{
    stream::unfold((read, Some(start)), |(read, from)| async move {
        let (piece, next) = match read(from?).await {
            Ok((bytes, next)) => (Ok(bytes), next.map(Some)),
            // An error ends the stream: the status is sent already, breaking off is the only way to tell.
            Err(error) => (Err(error.logged()), None),
        };
        Some((piece, (read, next)))
    })
}

/// The file of this name.
pub(crate) fn answer(
    name: &str,
    form: Form,
    pages: impl Stream<Item = Result<Bytes, ApiError>> + 'static,
) -> HttpResponse {
    match form {
        Form::Csv => csv::answer(&format!("{name}.csv"), pages),
        Form::Ndjson => HttpResponse::Ok()
            .content_type("application/x-ndjson")
            .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.ndjson\"")))
            .streaming(pages),
    }
}

/// Each of these on a line of its own.
pub(crate) fn as_lines<T: Serialize>(rows: impl Iterator<Item = T>) -> Result<Bytes, ApiError> {
    let mut lines = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut lines, &row).map_err(|error| ApiError::Internal(Box::new(error)))?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}
