//! Revisions as HTTP tells them (RFC 9110, section 13): `ETag`, `If-Match`, `If-None-Match`.

use actix_web::HttpRequest;
use actix_web::http::header::{ETag, EntityTag, Header, IF_MATCH, IfMatch, IfNoneMatch};
use onefold_service::contacts::Expectation;

use crate::error::ApiError;
use crate::faults::Faults;

pub(crate) fn etag(revision: &str) -> ETag {
    ETag(EntityTag::new_strong(revision.to_owned()))
}

/// What a caller saw before it decided on a change.
pub(crate) fn expectation(request: &HttpRequest) -> Result<Expectation, ApiError> {
    if !request.headers().contains_key(IF_MATCH) {
        return Ok(Expectation::Anything);
    }
    match IfMatch::parse(request) {
        Ok(IfMatch::Any) => Ok(Expectation::Anything),
        Ok(IfMatch::Items(tags)) if !tags.is_empty() => {
            // Weak ones are equal to none here, by the standard.
            let strong = tags.into_iter().filter(|tag| !tag.weak);
            Ok(Expectation::OneOf(strong.map(|tag| tag.tag().to_owned()).collect()))
        }
        // A condition that cannot be read must not count as none: the change would overwrite.
        _ => {
            let mut faults = Faults::default();
            faults.add("If-Match", "Send the ETag of an answer with its quotes, or *.");
            Err(faults.into())
        }
    }
}

/// Whether the caller has this revision already.
pub(crate) fn is_known(request: &HttpRequest, revision: &str) -> bool {
    let current = EntityTag::new_strong(revision.to_owned());
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&current)),
        Err(_) => false,
    }
}
