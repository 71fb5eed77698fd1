//! The chain of hashes. Each entry's hash covers all that it says, its number and the hash of the entry
//! before, so that nothing can be changed, removed, added or exchanged without every later hash being wrong.
//!
//! The hash is SHA-256 over the bytes of `onefold-audit-v1` and then of each field in the order of
//! [`hash`]: a byte 0 for a field that is absent; otherwise a byte 1, the length in bytes as eight bytes, the
//! highest first, and the field as text in UTF-8. Numbers are in decimal digits, ids in the form with hyphens,
//! the time in UTC as `2026-11-21T08:30:00.000000Z`, JSON letter by letter as it is stored. Whoever can read
//! the table can repeat it without this program. A change of the form gets another name in front.

use std::fmt;
use std::str::FromStr;

use chrono::SecondsFormat;
use sha2::{Digest, Sha256};

use super::{AuditEntry, AuditFacts, AuditSubject, Snapshot};

/// Keeps these hashes apart from any others.
const FORM: &str = "onefold-audit-v1";

const HASH_DIGITS: usize = 64;

/// The last entry of a chain, as `NUMBER:HASH`. Whoever keeps one elsewhere can tell later that all entries
/// up to it are as they were then, and that none is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditHead {
    pub number: u64,
    pub hash: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a head is a number, a colon and {HASH_DIGITS} hexadecimal digits, as `audit verify` prints it")]
pub struct InvalidHead;

impl FromStr for AuditHead {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<Self, InvalidHead> {
        let (number, hash) = text.split_once(':').ok_or(InvalidHead)?;
        let number = number.parse().ok().filter(|number| *number > 0).ok_or(InvalidHead)?;
        if hash.len() != HASH_DIGITS || !hash.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidHead);
        }
        Ok(Self { number, hash: hash.to_ascii_lowercase() })
    }
}

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.hash)
    }
}

/// What is wrong with a chain. Only the first fault is told: behind it nothing can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AuditFault {
    #[error("entry {number} is missing")]
    Missing { number: u64 },
    #[error("what entry {number} says does not match its hash")]
    Hash { number: u64 },
    #[error("entry {number} does not follow from the one before it")]
    PreviousHash { number: u64 },
    #[error("entry {number} has another hash than the one that was expected")]
    Unexpected { number: u64 },
    #[error("no entry tells how {} {} came to be", .subject.kind(), .subject.id())]
    Untold { subject: AuditSubject },
}

/// Numbers and chains what is to follow `head`.
pub fn seal(head: Option<&AuditHead>, facts: impl IntoIterator<Item = AuditFacts>) -> Vec<AuditEntry> {
    let mut number = head.map_or(0, |head| head.number);
    let mut previous_hash = head.map_or_else(origin, |head| head.hash.clone());
    let entry = |facts: AuditFacts| {
        number += 1;
        let hash = hash(number, &facts, &previous_hash);
        let previous_hash = std::mem::replace(&mut previous_hash, hash.clone());
        AuditEntry { number, facts, previous_hash, hash }
    };
    facts.into_iter().map(entry).collect()
}

/// Goes along a chain, entry by entry from the first one on.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ChainCheck {
    last: Option<AuditHead>,
    expected: Option<AuditHead>,
}

impl ChainCheck {
    /// `expected` is a head that the chain once had and must still hold.
    pub fn new(expected: Option<AuditHead>) -> Self {
        Self { last: None, expected }
    }

    /// The last entry that was looked at.
    pub fn last(&self) -> Option<&AuditHead> {
        self.last.as_ref()
    }

    /// # Errors
    /// The entry is not the one that has to follow.
    pub fn next(&mut self, entry: &AuditEntry) -> Result<(), AuditFault> {
        let number = self.last.as_ref().map_or(1, |last| last.number + 1);
        if entry.number != number {
            return Err(AuditFault::Missing { number });
        }
        let previous = self.last.as_ref().map_or_else(origin, |last| last.hash.clone());
        if entry.previous_hash != previous {
            return Err(AuditFault::PreviousHash { number });
        }
        if entry.hash != hash(number, &entry.facts, &previous) {
            return Err(AuditFault::Hash { number });
        }
        let expected = self.expected.as_ref().filter(|expected| expected.number == number);
        if expected.is_some_and(|expected| expected.hash != entry.hash) {
            return Err(AuditFault::Unexpected { number });
        }
        self.last = Some(AuditHead { number, hash: entry.hash.clone() });
        Ok(())
    }

    /// There are no more entries.
    ///
    /// # Errors
    /// Those up to the expected head are not all there.
    pub fn finish(self) -> Result<Option<AuditHead>, AuditFault> {
        let number = self.last.as_ref().map_or(0, |last| last.number);
        match self.expected {
            Some(expected) if expected.number > number => Err(AuditFault::Missing { number: number + 1 }),
            _ => Ok(self.last),
        }
    }
}

/// What stands for the hash before the first entry.
fn origin() -> String {
    "0".repeat(HASH_DIGITS)
}

fn hash(number: u64, facts: &AuditFacts, previous_hash: &str) -> String {
    let uuid = |id: uuid::Uuid| id.hyphenated().to_string();
    let mut digest = Sha256::new_with_prefix(FORM);
    let mut field = |text: Option<&str>| match text {
        None => digest.update([0]),
        Some(text) => {
            digest.update([1]);
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
    };
    field(Some(&number.to_string()));
    field(Some(&facts.at.to_rfc3339_opts(SecondsFormat::Micros, true)));
    field(Some(&facts.actor));
    field(facts.token.map(|token| token.0.to_string()).as_deref());
    field(facts.user.map(|user| uuid(user.0)).as_deref());
    field(facts.request_id.as_deref());
    field(facts.operation.map(|operation| uuid(operation.0)).as_deref());
    field(Some(&facts.action));
    field(Some(&facts.subject_kind));
    field(Some(&facts.subject_id));
    field(facts.customer.map(|customer| uuid(customer.0)).as_deref());
    field(facts.before.as_ref().map(Snapshot::as_str));
    field(facts.after.as_ref().map(Snapshot::as_str));
    field(Some(previous_hash));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::operation::OperationId;
    use crate::token::TokenId;
    use onefold_domain::id::{CustomerId, UserId};

    fn facts(number: i64) -> AuditFacts {
        AuditFacts {
            at: DateTime::UNIX_EPOCH + TimeDelta::microseconds(number),
            actor: "token".to_owned(),
            token: Some(TokenId(number)),
            user: Some(UserId(Uuid::from_u128(1))),
            request_id: Some("r-1".to_owned()),
            operation: Some(OperationId(Uuid::from_u128(2))),
            action: "contact.updated".to_owned(),
            subject_kind: "contact".to_owned(),
            subject_id: "7".to_owned(),
            customer: Some(CustomerId(Uuid::from_u128(3))),
            before: Some(Snapshot::of(&json!({"phone": null}))),
            after: Some(Snapshot::of(&json!({"phone": "+123456"}))),
        }
    }

    fn check(entries: &[AuditEntry], expected: Option<AuditHead>) -> Result<Option<AuditHead>, AuditFault> {
        let mut check = ChainCheck::new(expected);
        for entry in entries {
            check.next(entry)?;
        }
        check.finish()
    }

    fn head(entry: &AuditEntry) -> AuditHead {
        AuditHead { number: entry.number, hash: entry.hash.clone() }
    }

    #[test]
    fn a_chain_goes_on_where_it_ended() {
        let whole = seal(None, (1..=5).map(facts));
        let first = seal(None, (1..=2).map(facts));
        let rest = seal(Some(&head(&first[1])), (3..=5).map(facts));
        assert_eq!([first, rest].concat(), whole);
        assert_eq!(check(&whole, None), Ok(Some(head(&whole[4]))));
        assert_eq!(check(&[], None), Ok(None));
    }

    /// The form is a promise to those who keep heads elsewhere.
    #[test]
    fn the_hash_of_an_entry_never_changes() {
        let entry = &seal(None, [facts(1)])[0];
        assert_eq!(entry.hash, "fae22779817058dfa4af9abeaed36a587c2715a587fed8820e3c30e486ccd846");
    }

    #[test]
    fn whatever_is_changed_shows() {
        let changes: [fn(&mut AuditFacts); 13] = [
            |facts| facts.at += TimeDelta::microseconds(1),
            |facts| facts.actor = "program".to_owned(),
            |facts| facts.token = None,
            |facts| facts.user = None,
            |facts| facts.request_id = None,
            |facts| facts.operation = None,
            |facts| facts.action = "contact.created".to_owned(),
            |facts| facts.subject_kind = "user".to_owned(),
            |facts| facts.subject_id = "8".to_owned(),
            |facts| facts.customer = None,
            |facts| facts.before = None,
            |facts| std::mem::swap(&mut facts.before, &mut facts.after),
            // No field may flow into its neighbour.
            |facts| (facts.subject_kind, facts.subject_id) = ("contact7".to_owned(), String::new()),
        ];
        for change in changes {
            let mut entries = seal(None, (1..=3).map(facts));
            change(&mut entries[1].facts);
            assert_eq!(check(&entries, None), Err(AuditFault::Hash { number: 2 }));
        }
    }

    #[test]
    fn what_is_removed_exchanged_or_made_anew_shows() {
        let entries = seal(None, (1..=4).map(facts));
        let without = [&entries[..1], &entries[2..]].concat();
        assert_eq!(check(&without, None), Err(AuditFault::Missing { number: 2 }));
        assert_eq!(check(&entries[1..], None), Err(AuditFault::Missing { number: 1 }));

        let mut exchanged = entries.clone();
        exchanged.swap(1, 2);
        (exchanged[1].number, exchanged[2].number) = (2, 3);
        assert_eq!(check(&exchanged, None), Err(AuditFault::PreviousHash { number: 2 }));

        // Somebody knows the form and makes one entry fit; the next one tells.
        let mut forged = entries.clone();
        forged[1] = seal(Some(&head(&entries[0])), [facts(9)])[0].clone();
        assert_eq!(check(&forged, None), Err(AuditFault::PreviousHash { number: 3 }));
    }

    #[test]
    fn a_head_that_was_kept_shows_a_cut_and_a_whole_new_chain() {
        let entries = seal(None, (1..=4).map(facts));
        let kept = head(&entries[2]);
        assert_eq!(check(&entries, Some(kept.clone())), Ok(Some(head(&entries[3]))));
        assert_eq!(check(&entries[..2], Some(kept.clone())), Err(AuditFault::Missing { number: 3 }));
        assert_eq!(check(&[], Some(kept.clone())), Err(AuditFault::Missing { number: 1 }));
        let anew = seal(None, (11..=14).map(facts));
        assert_eq!(check(&anew, Some(kept)), Err(AuditFault::Unexpected { number: 3 }));
    }

    #[test]
    fn a_head_is_read_as_it_is_printed() {
        let kept = head(&seal(None, [facts(1)])[0]);
        assert_eq!(kept.to_string().parse(), Ok(kept.clone()));
        assert_eq!(kept.to_string().to_uppercase().parse(), Ok(kept.clone()));
        for text in ["", "1", "1:", "0:aa", ":aa", &format!("0:{}", kept.hash), &format!("1:{}0", kept.hash)]
        {
            assert_eq!(text.parse::<AuditHead>(), Err(InvalidHead), "{text}");
        }
    }
}
