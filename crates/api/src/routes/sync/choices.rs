//! What each answer to a conflict would do, in a sentence: whoever decides need not know what `local` means.

use onefold_sync::conflict::{Conflict, ConflictSubject};
use onefold_sync::view::SyncText;
use serde::Serialize;
use utoipa::ToSchema;

use super::people::Person;

/// An answer that there is, and what it would do.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncChoice)]
pub(crate) struct Choice {
    #[schema(example = "local")]
    answer: &'static str,
    #[schema(example = "MetaKocka gets “Bled” instead of “Kranj”.")]
    effect: String,
}

/// Of the answers that are given: none of a conflict that is resolved.
pub(super) fn choices(
    conflict: &Conflict,
    answers: &[&'static str],
    customer: Option<&Person>,
    other: Option<&Person>,
) -> Vec<Choice> {
    let choice = |answer: &&'static str| Choice { answer, effect: effect(conflict, answer, customer, other) };
    answers.iter().map(choice).collect()
}

fn effect(conflict: &Conflict, answer: &str, customer: Option<&Person>, other: Option<&Person>) -> String {
    let (title, record) = (conflict.system.title(), conflict.system.record_type());
    let (who, whom) = (called(customer, "The customer"), called(other, "the other customer"));
    let (local, remote) = (quoted(conflict.local.as_ref()), quoted(conflict.remote.as_ref()));
    match (conflict.subject, answer) {
        (ConflictSubject::Field(_), "local") => format!("{title} gets {local} instead of {remote}."),
        (ConflictSubject::Field(_), "remote") => format!("{who} gets {remote} here instead of {local}."),
        (ConflictSubject::Field(_), _) => format!("{title} and {who} here get the value that you send."),
        (ConflictSubject::SamePartner, "merge") => {
            format!("{who} and {whom} become one customer, with {record} {remote} in {title}.")
        }
        (ConflictSubject::SamePartner, _) => {
            format!("{who} and {whom} stay two; {who} gets a {record} of its own in {title}.")
        }
        (ConflictSubject::SameCustomer, "remote") => {
            format!("{who} is kept the same as {record} {remote} in {title}; {local} is left alone.")
        }
        (ConflictSubject::SameCustomer, _) => {
            format!("{who} stays the same as {record} {local} in {title}; {remote} is left alone.")
        }
        (ConflictSubject::Gone, "recreate") => {
            format!("{who} gets a new {record} in {title}, instead of {remote}, which is missing there.")
        }
        (ConflictSubject::Gone, _) => format!("{who} stays here, without a {record} in {title}."),
    }
}

fn called<'a>(person: Option<&'a Person>, else_called: &'a str) -> &'a str {
    person.map_or(else_called, Person::called)
}

fn quoted(text: Option<&SyncText>) -> String {
    text.map_or_else(|| "nothing".to_owned(), |text| format!("“{}”", text.as_str()))
}
