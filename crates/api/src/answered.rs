//! What middleware gets back. actix routes a request only if nobody else holds it, so whoever gives one up halfway
//! has no request left to answer and can but fail. Such an answer has its header fields all the same.

use actix_web::Error;
use actix_web::dev::ServiceResponse;
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;

pub(crate) type Answered<B> = Result<ServiceResponse<B>, Error>;

/// Changes the header fields of an answer, whichever way it comes.
pub(crate) fn with_headers<B>(answered: Answered<B>, change: impl FnOnce(&mut HeaderMap)) -> Answered<B> {
    match answered {
        Ok(mut response) => {
            change(response.headers_mut());
            Ok(response)
        }
        Err(error) => {
            let mut response = error.error_response();
            change(response.headers_mut());
            Err(InternalError::from_response(error, response).into())
        }
    }
}

pub(crate) fn status<B>(answered: &Answered<B>) -> StatusCode {
    match answered {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    }
}
