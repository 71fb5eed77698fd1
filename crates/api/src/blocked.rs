//! Which values of an answer link nobody, and why. A header, since the shapes of bodies are contracts.

use actix_web::HttpResponseBuilder;
use onefold_domain::block::BlockRule;
use onefold_domain::contact::{ContactKind, ContactRecord};

const BLOCKED_HEADER: &str = "Onefold-Blocked";

/// Adds the header, unless every value links.
pub(crate) fn insert(
    response: &mut HttpResponseBuilder,
    blocked: impl Iterator<Item = (&'static str, BlockRule)>,
) {
    let items: Vec<_> = blocked.map(|(field, rule)| format!("{field};rule={}", rule.as_str())).collect();
    if !items.is_empty() {
        response.insert_header((BLOCKED_HEADER, items.join(", ")));
    }
}

/// The blocked values of a contact, under the names that they have in its JSON.
pub(crate) fn of_record(record: &ContactRecord) -> impl Iterator<Item = (&'static str, BlockRule)> {
    let [email, phone] = match record.kind() {
        ContactKind::Both => ["email", "phone"],
        ContactKind::Email | ContactKind::Phone => ["value", "value"],
    };
    let blocked = [(email, record.email_blocked_by), (phone, record.phone_blocked_by)];
    blocked.into_iter().filter_map(|(field, rule)| Some((field, rule?)))
}
