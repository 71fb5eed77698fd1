//! `HEAD` (RFC 9110, 9.3.2): wherever `GET` is answered, with its status and header fields and without its body. Here,
//! once, and not at each route: one that is added has it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Bytes;

/// Has a `HEAD` routed as the `GET` that it asks of. Inside of whatever judges, counts or names the request, which is to
/// see what was sent.
pub(crate) async fn as_get(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.method() != Method::HEAD {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    request.head_mut().method = Method::GET;
    let answer = next.call(request).await?;
    Ok(answer.map_body(|_, body| BoxBody::new(Omitted(body.size()))))
}

/// In place of a body: as long, and never made. One that streams, such as an export, would be read to its end
/// otherwise, and nobody gets to see it.
struct Omitted(BodySize);

impl MessageBody for Omitted {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, HttpResponse, web};
    use futures_util::stream;

    use super::*;

    #[actix_web::test]
    async fn a_body_that_streams_is_not_made() {
        let export = || async {
            let pieces =
                stream::poll_fn(|_| -> Poll<Option<Result<Bytes, Error>>> { panic!("a piece was read") });
            HttpResponse::Ok().content_type("text/csv").streaming(pieces)
        };
        let page = || async { HttpResponse::Ok().body("12345") };
        let app = App::new().wrap(from_fn(as_get)).route("/export", web::get().to(export));
        let app = init_service(app.route("/page", web::get().to(page))).await;
        let head = |path: &str| TestRequest::default().method(Method::HEAD).uri(path).to_request();
        let answer = call_service(&app, head("/export")).await;
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(answer.headers().get(CONTENT_TYPE).unwrap(), "text/csv");
        assert_eq!(answer.response().body().size(), BodySize::Stream);
        let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
        assert!(body.is_empty());
        let page = call_service(&app, head("/page")).await;
        assert_eq!(page.response().body().size(), BodySize::Sized(5), "so long would it be");
        assert!(page.headers().get(CONTENT_LENGTH).is_none(), "the server adds it");
    }
}
