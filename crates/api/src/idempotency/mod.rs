//! `Idempotency-Key`: a POST that is sent again with the same key is carried out once, and answered as before.
//! What that rests on is `idempotency` of the service crate; here requests are told apart and answers kept.

mod fingerprint;
mod held;
mod sealed;

use actix_web::body::{BodySize, BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION,
};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use onefold_service::idempotency::Begun;
use onefold_service::operation::{
    IdempotencyKey, IdempotencyScope, InvalidIdempotencyKey, OperationId, OperationSubject, SealedAnswer,
};

use crate::access::{Rejection, bearer};
use crate::app::App;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::operations::is_streamed;
use fingerprint::Passing;
use held::Held;
use sealed::{Answer, Head, SealingKey};

pub(crate) const KEY: &str = "Idempotency-Key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What is kept of an answer's header fields. The others are of the day: ids of requests, limits.
const KEPT: [HeaderName; 4] = [CONTENT_TYPE, LOCATION, ETAG, HeaderName::from_static("onefold-blocked")];

/// No POST answers with more.
const LARGEST_ANSWER: u64 = 1024 * 1024;

/// Webhooks have a name for each call already, and who sends them decides on no headers.
const EXEMPT: &str = "/webhooks/";

/// Finding a customer is repeated without harm, and its answer is the present state.
const REPEATABLE: &str = "/identify";

/// Shows a contact by another contract, which has no GET: a PUT that changes nothing answers the same.
const ADMIN: &str = "/ia/admin/contacts";

type Response = Result<ServiceResponse<BoxBody>, Error>;

/// Wraps every request, inside of whatever says whose it is: that puts an [`IdempotencyScope`] into the request.
pub(crate) async fn once(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let app = request.app_data::<web::Data<App>>().cloned();
    let (app, key) = match (app, key(&request)) {
        (Some(app), Ok(Some(key))) => (app, key),
        (_, Err(error)) => return Ok(Rejection::from(error).reject(request)),
        (_, Ok(_)) => return Ok(next.call(request).await?.map_into_boxed_body()),
    };
    let sealing = SealingKey::derive(bearer::token(request.headers()).map(str::as_bytes), &key);
    let scope = request.extensions().get().cloned().unwrap_or_else(IdempotencyScope::anonymous);
    let body = match is_streamed(request.method(), request.path()) {
        true => None,
        false => match fingerprint::read_body(&mut request).await {
            Ok(body) => Some(body),
            Err(error) => return Ok(Rejection::from(error).reject(request)),
        },
    };
    let fingerprint = fingerprint::of(&request, body.as_ref());
    match app.idempotency.begin(&scope, &key, fingerprint).await {
        Ok(Begun::New(operation)) => perform(&app, operation, &sealing, request, next).await,
        Ok(Begun::Replay { answer, subject }) => replay(&answer, subject, &sealing, request, next).await,
        Ok(Begun::CarriedOut(subject)) => tell(&subject, request, next).await,
        Ok(Begun::OtherRequest) => Ok(Rejection::from(ApiError::IdempotencyKeyReused).reject(request)),
        Ok(Begun::Running { retry_after }) => {
            let retry_after_s = retry_after.as_secs().max(1);
            Ok(Rejection::from(ApiError::IdempotencyRunning { retry_after_s }).reject(request))
        }
        Err(error) => Ok(Rejection::from(ApiError::from(error)).reject(request)),
    }
}

/// Whether a key means anything there.
pub(crate) fn takes_key(method: &Method, path: &str) -> bool {
    method == Method::POST && !path.starts_with(EXEMPT)
}

/// The key of a request that is to be carried out once.
fn key(request: &ServiceRequest) -> Result<Option<IdempotencyKey>, ApiError> {
    let mut sent = request.headers().get_all(KEY);
    let Some(first) = sent.next() else { return Ok(None) };
    if !takes_key(request.method(), request.path()) {
        return Ok(None);
    }
    let text = first.to_str().ok().filter(|_| sent.next().is_none());
    text.ok_or(InvalidIdempotencyKey).and_then(IdempotencyKey::parse).map(Some).map_err(|error| {
        let mut faults = Faults::default();
        faults.add(KEY, error.to_string());
        faults.into()
    })
}

async fn perform(
    app: &web::Data<App>,
    operation: OperationId,
    sealing: &SealingKey,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Response {
    // For the transaction of the change.
    request.extensions_mut().insert(operation);
    let is_file = is_streamed(request.method(), request.path());
    let passing = is_file.then(|| Passing::through(&mut request));
    let held = Held::new(app.clone(), operation);
    let response = next.call(request).await?.map_into_boxed_body();
    let received = passing.as_ref().and_then(Passing::digest);
    // What broke off while it streamed was not answered for good.
    let complete = passing.is_none() || received.is_some();
    if !complete || !is_final(response.status()) {
        return Ok(response);
    }
    if !matches!(response.response().body().size(), BodySize::None | BodySize::Sized(..=LARGEST_ANSWER)) {
        held.keep();
        return Ok(response);
    }
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let body = to_bytes(body).await.map_err(|error| ApiError::Internal(error.to_string().into()))?;
    let head = Head { status: response.status().as_u16(), headers: kept(response.headers()), received };
    let answer = Answer { head, body };
    if let Some(sealed) = sealing.seal(operation, &answer)
        && let Err(error) = app.idempotency.finish(operation, &sealed).await
    {
        // It was done; a repetition will be told of what it made.
        tracing::warn!(error = %error, "an answer was not kept for its idempotency key");
    }
    held.keep();
    Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(answer.body))))
}

/// Whether the same request would be answered so again. Who may ask, and how often, is judged each time.
fn is_final(status: StatusCode) -> bool {
    let passing = [
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    !status.is_server_error() && !passing.contains(&status)
}

fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let field = |name: HeaderName| {
        let value = headers.get(&name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    KEPT.into_iter().filter_map(field).collect()
}

/// Answers as before.
async fn replay(
    sealed: &SealedAnswer,
    subject: Option<OperationSubject>,
    sealing: &SealingKey,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Response {
    let Some(answer) = sealing.open(sealed) else {
        // The caller has another secret than then. What was made can still be told.
        return match subject {
            Some(subject) => tell(&subject, request, next).await,
            None => Ok(Rejection::from(ApiError::IdempotencyAnswerLost).reject(request)),
        };
    };
    if let Some(received) = answer.head.received {
        match fingerprint::drain(&mut request).await {
            Ok(digest) if digest == received => {}
            Ok(_) => return Ok(Rejection::from(ApiError::IdempotencyKeyReused).reject(request)),
            Err(error) => return Ok(Rejection::from(error).reject(request)),
        }
    }
    let status = StatusCode::from_u16(answer.head.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    for (name, value) in answer.head.headers {
        response.insert_header((name, value));
    }
    response.insert_header((REPLAYED, "true"));
    Ok(request.into_response(response.body(answer.body)))
}

/// Answers with what the operation made as it is now: its first answer died with a server.
async fn tell(
    subject: &OperationSubject,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Response {
    let made = if request.path() == REPEATABLE {
        None
    } else if request.path() == ADMIN {
        let Ok(uri) = format!("{ADMIN}/{}", subject.id).parse() else {
            return Ok(Rejection::from(ApiError::IdempotencyAnswerLost).reject(request));
        };
        read_instead(&mut request, Method::PUT, uri);
        None
    } else {
        match place(subject)
            .and_then(|place| Some((place.parse::<Uri>().ok()?, HeaderValue::try_from(place).ok()?)))
        {
            Some((uri, location)) => {
                read_instead(&mut request, Method::GET, uri);
                Some(location)
            }
            None => return Ok(Rejection::from(ApiError::IdempotencyAnswerLost).reject(request)),
        }
    };
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let (Some(location), StatusCode::OK) = (made, response.status()) {
        *response.response_mut().status_mut() = created(subject);
        response.headers_mut().insert(LOCATION, location);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Has the request routed as another one, without a body.
fn read_instead(request: &mut ServiceRequest, method: Method, uri: Uri) {
    request.match_info_mut().get_mut().update(&uri);
    request.set_payload(Payload::None);
    let head = request.head_mut();
    head.method = method;
    head.uri = uri;
    for name in [CONTENT_TYPE, IF_NONE_MATCH] {
        head.headers_mut().remove(name);
    }
}

/// Where a GET shows what was made.
fn place(subject: &OperationSubject) -> Option<String> {
    let folder = match subject.kind.as_str() {
        "contact" => "contacts",
        "user" => "users",
        "import" => "imports",
        _ => return None,
    };
    Some(format!("/{folder}/{}", subject.id))
}

fn created(subject: &OperationSubject) -> StatusCode {
    if subject.kind == "import" { StatusCode::ACCEPTED } else { StatusCode::CREATED }
}
