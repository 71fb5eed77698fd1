//! What can go wrong between us and another company's system, by what a caller does about it.

use std::fmt;
use std::time::Duration;

use crate::partner::PartnerField;
use onefold_service::store::Source;

/// Why a call to a directory of partners did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum PartnerError {
    /// Settings are missing; no call was made. Nothing but these settings helps.
    #[error("the connection is not configured: set {}", missing.join(" and "))]
    NotConfigured { missing: Vec<&'static str> },
    /// The other system knows no such partner. It says nothing of whether there ever was one.
    #[error("the other system knows no such partner")]
    NotFound,
    /// The values cannot be sent; no call was made.
    #[error("the values cannot be sent: {}", describe(.0))]
    Invalid(Vec<PartnerFault>),
    /// The other system does not want this. Sending the same again ends the same way.
    #[error("the other system refused (code {code})")]
    Rejected { code: String, said: RemoteMessage },
    /// The other system does not accept our credentials or our address. A person has to mend that.
    #[error("the other system does not let us in")]
    AccessDenied { said: RemoteMessage },
    /// Too many calls; `retry_after` is what the other system asks for, if it says so.
    #[error("the other system's quota of calls is used up")]
    QuotaExceeded { retry_after: Option<Duration> },
    /// It failed so often in a row that no call is made for a while.
    #[error("the other system failed repeatedly; no call is made for {} s", retry_after.as_secs())]
    CircuitOpen { retry_after: Duration },
    /// No connection, or an answer of something that stands before it. Repeating is harmless.
    #[error("the other system cannot be reached")]
    Unreachable(#[source] Source),
    /// No answer in time. Repeating is harmless.
    #[error("the other system gave no answer in time")]
    TimedOut,
    /// A partner was to be created, and nobody knows whether it was. Look it up before trying again.
    #[error("the other system may or may not have created the partner")]
    Uncertain(#[source] Source),
    /// An answer that the contract does not have: a defect on one of the two sides.
    #[error("the other system's answer cannot be understood")]
    Unexpected(#[source] Source),
}

/// A field that keeps a partner from being sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartnerFault {
    pub field: PartnerField,
    pub reason: PartnerFaultReason,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartnerFaultReason {
    /// The other system takes no record without this field.
    Missing,
    /// It would be cut off or refused there; `most` characters fit.
    TooLong { most: usize },
}

impl fmt::Display for PartnerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.as_str();
        match self.reason {
            PartnerFaultReason::Missing => write!(f, "{field} is missing"),
            PartnerFaultReason::TooLong { most } => write!(f, "{field} has more than {most} characters"),
        }
    }
}

fn describe(faults: &[PartnerFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What the other system said, meant for people. It may repeat what we sent, so it does not print; at most
/// [`Self::MAX_LENGTH`] characters of it are kept.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RemoteMessage(String);

impl RemoteMessage {
    /// The most characters.
    pub const MAX_LENGTH: usize = 500;

    /// Takes a text as it came.
    #[must_use]
    pub fn new(said: &str) -> Self {
        let readable = said.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
        Self(readable.take(Self::MAX_LENGTH).collect::<String>().trim().to_owned())
    }

    /// The text, for whoever may see the partner.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RemoteMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteMessage({} characters)", self.0.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_tell_fields_and_settings_but_not_what_was_said() {
        let fault = |field, reason| PartnerFault { field, reason };
        let invalid = PartnerError::Invalid(vec![
            fault(PartnerField::Street, PartnerFaultReason::Missing),
            fault(PartnerField::PostalCode, PartnerFaultReason::TooLong { most: 20 }),
        ]);
        assert_eq!(
            invalid.to_string(),
            "the values cannot be sent: street is missing, postalCode has more than 20 characters"
        );
        let said = RemoteMessage::new(&format!("ann@example.com\n{}", "x".repeat(600)));
        assert_eq!(said.as_str().chars().count(), RemoteMessage::MAX_LENGTH);
        let rejected = PartnerError::Rejected { code: "6".to_owned(), said };
        assert!(!format!("{rejected} {rejected:?}").contains("ann"));
    }
}
