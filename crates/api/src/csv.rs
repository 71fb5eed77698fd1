//! CSV out, in pieces.

use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::Stream;

use crate::error::ApiError;

/// Rows of a table. Cells that a spreadsheet would run as formulas are defused with an apostrophe.
pub(crate) struct Table(csv::Writer<Vec<u8>>);

impl Default for Table {
    fn default() -> Self {
        Self(csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new()))
    }
}

impl Table {
    pub(crate) fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        for cell in cells {
            // Writing to memory does not fail, nor does a row without a fixed number of cells.
            let _ = match runs(cell) {
                true => self.0.write_field(format!("'{cell}")),
                false => self.0.write_field(cell),
            };
        }
        let _ = self.0.write_record(None::<&[u8]>);
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.0.into_inner().unwrap_or_default().into()
    }
}

/// What spreadsheets take for a formula, by the advice of OWASP. A number with a sign, such as a phone number, is
/// none. What begins with an apostrophe before such a text gets another one, so that whoever takes the first
/// away again has what was there.
fn runs(cell: &str) -> bool {
    let shown = cell.trim_start_matches('\'');
    if shown.len() < cell.len() {
        return shown.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    }
    let digits = || cell.len() > 1 && cell.bytes().skip(1).all(|byte| byte.is_ascii_digit());
    match cell.chars().next() {
        Some('+' | '-') => !digits(),
        Some('=' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => true,
        _ => false,
    }
}

/// A table that is sent while it is written.
pub(crate) fn answer(
    name: &str,
    pages: impl Stream<Item = Result<Bytes, ApiError>> + 'static,
) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(pages)
}

/// Whether the caller asks for this type by name.
pub(crate) fn accepts(request: &HttpRequest, media_type: &str) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains(media_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_phone_numbers_are_not() {
        let mut table = Table::default();
        table.row([
            "=1+1",
            "+1-2",
            "@x",
            "-x",
            "\tx",
            "+12025550143",
            "-5",
            "a,\"b\"",
            "",
            "+",
            "'=1",
            "'+12",
            "'a'",
        ]);
        let expected = "'=1+1,'+1-2,'@x,'-x,'\tx,+12025550143,-5,\"a,\"\"b\"\"\",,'+,''=1,''+12,'a'\r\n";
        assert_eq!(table.into_bytes(), expected.as_bytes());
    }
}
