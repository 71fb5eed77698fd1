//! The one table of the routes: who may call what, and how large a body is taken. A route that is not in it is not served, and
//! the OpenAPI document takes what it says of access from here.

use actix_web::http::Method;
use onefold_service::token::Ability;

/// Whom a route lets in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// Everybody: there is nothing to protect.
    Open,
    /// Everybody while the server listens on loopback only; elsewhere holders of a token with this ability,
    /// or any token if there is none.
    OpenOnLoopback(Option<Ability>),
    /// Holders of a token with this ability.
    Needs(Ability),
    /// Holders of a token with this ability, for which the handler asks: by the contract of this route a contact that is
    /// not there is told before a missing ability.
    NeedsLate(Ability),
    /// Whoever proves itself to the handler in a way of its own.
    OwnProof,
}

/// What a token that belongs to a user may do on a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum UserTokens {
    /// Nothing: the route shows or changes more than one user's data.
    Refused,
    /// The handler limits it to the user's own.
    OwnData,
}

/// How a route tells of errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    /// RFC 9457.
    Problem,
    Laravel,
    /// `{"success": false, "error": …}`.
    Enveloped,
}

impl Family {
    pub(crate) fn of_path(path: &str) -> Self {
        if path.starts_with("/ia/") {
            Self::Laravel
        } else if path.starts_with("/api/") {
            Self::Enveloped
        } else {
            Self::Problem
        }
    }
}

/// The body that a route takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Body {
    /// Read as a whole, if it has at most so many bytes.
    Whole(usize),
    /// A file, which is stored as it comes, for as long as it comes, if it has at most so many bytes.
    Streamed(u64),
}

/// One object, for every route whose row does not say otherwise.
pub(crate) const OBJECT: usize = 64 * 1024;

/// A list of ids: 10,000 UUIDs and room for how they are written.
const LIST: Body = Body::Whole(512 * 1024);

/// What another system tells of a person; with all its fields that is seldom over 16 KiB.
const REPORT: Body = Body::Whole(256 * 1024);

/// The largest file in bytes, unpacked: what a table of pieces can number, and more than a team has customers.
pub(crate) const LARGEST_FILE: u64 = 16 << 30;

const FILE: Body = Body::Streamed(LARGEST_FILE);

/// One route and its access.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) method: Method,
    pub(crate) pattern: &'static str,
    pub(crate) access: Access,
    pub(crate) user_tokens: UserTokens,
    pub(crate) body: Body,
}

const fn route(method: Method, pattern: &'static str, access: Access, user_tokens: UserTokens) -> Entry {
    taking(Body::Whole(OBJECT), method, pattern, access, user_tokens)
}

/// A route that takes another body than most.
const fn taking(
    body: Body,
    method: Method,
    pattern: &'static str,
    access: Access,
    user_tokens: UserTokens,
) -> Entry {
    Entry { method, pattern, access, user_tokens, body }
}

use Access::{Needs, NeedsLate, Open, OpenOnLoopback, OwnProof};
use UserTokens::{OwnData, Refused};

pub(crate) const TABLE: &[Entry] = &[
    // Answers with whatever is linked to a value, whosever it is.
    route(Method::POST, "/identify", OpenOnLoopback(Some(Ability::Identify)), Refused),
    route(Method::GET, "/contacts", Needs(Ability::ContactsRead), OwnData),
    route(Method::POST, "/contacts", Needs(Ability::ContactsWrite), OwnData),
    // It may claim a guest's contact, and so show what the guest left.
    route(Method::PUT, "/contacts", Needs(Ability::ContactsWrite), Refused),
    taking(FILE, Method::POST, "/contacts/import", Needs(Ability::ContactsWrite), Refused),
    route(Method::GET, "/contacts/export", Needs(Ability::ContactsRead), Refused),
    route(Method::GET, "/contacts/{id}", Needs(Ability::ContactsRead), OwnData),
    route(Method::PATCH, "/contacts/{id}", Needs(Ability::ContactsWrite), OwnData),
    route(Method::DELETE, "/contacts/{id}", Needs(Ability::ContactsWrite), OwnData),
    route(Method::GET, "/imports/{id}", Needs(Ability::ContactsRead), Refused),
    route(Method::GET, "/imports/{id}/errors", Needs(Ability::ContactsRead), Refused),
    // A customer may hold what others said of the same address.
    route(Method::GET, "/customers", Needs(Ability::CustomersRead), Refused),
    route(Method::GET, "/customers/{id}", Needs(Ability::CustomersRead), Refused),
    route(Method::PATCH, "/customers/{id}", Needs(Ability::CustomersWrite), Refused),
    route(Method::GET, "/customers/{id}/activity", Needs(Ability::SyncRead), Refused),
    // It may claim what a guest left, and says whether somebody is registered.
    route(Method::POST, "/api/register", Needs(Ability::ContactsWrite), Refused),
    route(Method::GET, "/users", Needs(Ability::ContactsRead), OwnData),
    route(Method::POST, "/users", Needs(Ability::ContactsWrite), Refused),
    route(Method::GET, "/users/export", Needs(Ability::ContactsRead), Refused),
    route(Method::GET, "/users/{id}", Needs(Ability::ContactsRead), OwnData),
    route(Method::GET, "/users/{id}/contacts", Needs(Ability::ContactsRead), OwnData),
    route(Method::POST, "/ia/admin/contacts", NeedsLate(Ability::AdminContacts), OwnData),
    route(Method::PUT, "/ia/admin/contacts/{contact}", NeedsLate(Ability::AdminContacts), OwnData),
    route(Method::GET, "/audit", Needs(Ability::AuditRead), Refused),
    route(Method::GET, "/tokens", Needs(Ability::TokensManage), Refused),
    route(Method::POST, "/tokens", Needs(Ability::TokensManage), Refused),
    route(Method::DELETE, "/tokens/{id}", Needs(Ability::TokensManage), Refused),
    route(Method::POST, "/api/metakocka/contacts/sync", Needs(Ability::SyncRun), Refused),
    taking(LIST, Method::POST, "/api/metakocka/contacts/bulk-sync", Needs(Ability::SyncRun), Refused),
    route(Method::GET, "/api/metakocka/contacts/mappings", Needs(Ability::SyncRead), Refused),
    route(Method::POST, "/api/metakocka/contacts/import", Needs(Ability::SyncRun), Refused),
    taking(LIST, Method::POST, "/api/metakocka/contacts/bulk-import", Needs(Ability::SyncRun), Refused),
    route(Method::POST, "/api/openphone/contacts/sync", Needs(Ability::SyncRun), Refused),
    taking(LIST, Method::POST, "/api/openphone/contacts/bulk-sync", Needs(Ability::SyncRun), Refused),
    route(Method::GET, "/api/openphone/contacts/mappings", Needs(Ability::SyncRead), Refused),
    route(Method::POST, "/api/openphone/contacts/import", Needs(Ability::SyncRun), Refused),
    taking(LIST, Method::POST, "/api/openphone/contacts/bulk-import", Needs(Ability::SyncRun), Refused),
    route(Method::GET, "/sync/rules", Needs(Ability::SyncRead), Refused),
    route(Method::PUT, "/sync/rules", Needs(Ability::SyncRun), Refused),
    route(Method::GET, "/sync/conflicts", Needs(Ability::SyncRead), Refused),
    route(Method::GET, "/sync/conflicts/{id}", Needs(Ability::SyncRead), Refused),
    route(Method::POST, "/sync/conflicts/{id}/resolve", Needs(Ability::SyncRun), Refused),
    route(Method::GET, "/sync/runs", Needs(Ability::SyncRead), Refused),
    route(Method::POST, "/sync/runs", Needs(Ability::SyncRun), Refused),
    route(Method::GET, "/sync/runs/{id}", Needs(Ability::SyncRead), Refused),
    route(Method::GET, "/sync/runs/{id}/items", Needs(Ability::SyncRead), Refused),
    route(Method::POST, "/sync/runs/{id}/approve", Needs(Ability::SyncRun), Refused),
    route(Method::GET, "/sync/jobs", Needs(Ability::SyncRead), Refused),
    route(Method::GET, "/sync/jobs/{id}", Needs(Ability::SyncRead), Refused),
    route(Method::DELETE, "/sync/jobs/{id}", Needs(Ability::SyncRun), Refused),
    route(Method::POST, "/sync/jobs/{id}/replay", Needs(Ability::SyncRun), Refused),
    route(Method::GET, "/sync/log", Needs(Ability::SyncRead), Refused),
    route(Method::GET, "/sync/stats", Needs(Ability::SyncRead), Refused),
    taking(REPORT, Method::POST, "/webhooks/kratos", OwnProof, Refused),
    taking(REPORT, Method::POST, "/webhooks/openphone", OwnProof, Refused),
    route(Method::GET, "/", Open, OwnData),
    route(Method::GET, "/health", Open, OwnData),
    route(Method::GET, "/health/live", Open, OwnData),
    route(Method::GET, "/health/ready", Open, OwnData),
    // Counts only, but they tell of the business.
    route(Method::GET, "/metrics", OpenOnLoopback(None), Refused),
    route(Method::GET, "/openapi.json", Open, OwnData),
    route(Method::GET, "/docs", Open, OwnData),
    route(Method::GET, "/docs/{_:.*}", Open, OwnData),
];

/// `HEAD` is let in where `GET` is, on the same conditions: it tells what the answer would be.
pub(crate) fn find(method: &Method, pattern: &str) -> Option<&'static Entry> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    TABLE.iter().find(|entry| entry.pattern == pattern && entry.method == *method)
}

/// The methods that a path takes, as the header `Allow` has them. `None` for a path that there is not.
pub(crate) fn allowed(pattern: &str) -> Option<String> {
    let entries = TABLE.iter().filter(|entry| entry.pattern == pattern);
    let methods: Vec<_> = entries
        .flat_map(|entry| match entry.method {
            Method::GET => vec![Method::GET.as_str(), Method::HEAD.as_str()],
            ref other => vec![other.as_str()],
        })
        .collect();
    (!methods.is_empty()).then(|| methods.join(", "))
}

/// The largest body that is read as a whole where this is posted to. Where a body is streamed it is the handler that counts.
pub(crate) fn body_limit(path: &str) -> usize {
    match find(&Method::POST, path).map(|entry| entry.body) {
        Some(Body::Whole(most)) => most,
        Some(Body::Streamed(_)) | None => OBJECT,
    }
}

/// Whether the body is a file, of any size, that is stored as it comes.
pub(crate) fn is_streamed(method: &Method, path: &str) -> bool {
    find(method, path).is_some_and(|entry| matches!(entry.body, Body::Streamed(_)))
}
