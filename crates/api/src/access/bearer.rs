//! Where a request carries its token.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

/// What follows the last `Bearer ` of the header, in any letters, up to a comma: as Laravel reads it. `None`
/// without one; an empty text if it is there and cannot be read.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    const SCHEME: &str = "bearer ";
    let Ok(header) = headers.get(AUTHORIZATION)?.to_str() else { return Some("") };
    let start = header.to_ascii_lowercase().rfind(SCHEME)? + SCHEME.len();
    let rest = header.get(start..)?;
    Some(rest.split_once(',').map_or(rest, |(token, _)| token).trim())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn of(value: &[u8]) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        token(&headers).map(str::to_owned)
    }

    #[test]
    fn a_token_is_found_where_laravel_finds_it() {
        for (header, expected) in [
            ("Bearer 12|abc", Some("12|abc")),
            ("bearer 12|abc", Some("12|abc")),
            ("BEARER  12|abc ", Some("12|abc")),
            ("Basic x, Bearer 12|abc, Digest y", Some("12|abc")),
            ("Bearer first Bearer second", Some("second")),
            ("Bearer ", Some("")),
            ("Basic dXNlcjpwYXNz", None),
            ("Bearer", None),
        ] {
            assert_eq!(of(header.as_bytes()).as_deref(), expected, "{header}");
        }
        assert_eq!(of(b"Bearer \xff").as_deref(), Some(""), "no text");
        assert_eq!(token(&HeaderMap::new()), None);
    }
}
