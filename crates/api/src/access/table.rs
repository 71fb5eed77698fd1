//! The one table of who may call what. A route that is not in it is not served, and the OpenAPI document
//! takes what it says of access from here.

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
    /// The same, but the handler asks: by the contract of this route a contact that is not there is
    /// told before a missing ability.
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

/// One route and its access.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) method: Method,
    pub(crate) pattern: &'static str,
    pub(crate) access: Access,
    pub(crate) user_tokens: UserTokens,
}

const fn route(method: Method, pattern: &'static str, access: Access, user_tokens: UserTokens) -> Entry {
    Entry { method, pattern, access, user_tokens }
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
    route(Method::POST, "/contacts/import", Needs(Ability::ContactsWrite), Refused),
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
    route(Method::POST, "/api/metakocka/contacts/bulk-sync", Needs(Ability::SyncRun), Refused),
    route(Method::GET, "/api/metakocka/contacts/mappings", Needs(Ability::SyncRead), Refused),
    route(Method::POST, "/api/metakocka/contacts/import", Needs(Ability::SyncRun), Refused),
    route(Method::POST, "/api/metakocka/contacts/bulk-import", Needs(Ability::SyncRun), Refused),
    route(Method::POST, "/api/openphone/contacts/sync", Needs(Ability::SyncRun), Refused),
    route(Method::POST, "/api/openphone/contacts/bulk-sync", Needs(Ability::SyncRun), Refused),
    route(Method::GET, "/api/openphone/contacts/mappings", Needs(Ability::SyncRead), Refused),
    route(Method::POST, "/api/openphone/contacts/import", Needs(Ability::SyncRun), Refused),
    route(Method::POST, "/api/openphone/contacts/bulk-import", Needs(Ability::SyncRun), Refused),
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
    route(Method::POST, "/webhooks/kratos", OwnProof, Refused),
    route(Method::POST, "/webhooks/openphone", OwnProof, Refused),
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
