//! Why a call to another system led to nothing, and what that means for whoever asked. Which answer is which of these is
//! the matter of each connector; what follows from it is the same for all.

use std::time::Duration;

use onefold_sync::partner::{PartnerError, RemoteMessage};
use reqwest::StatusCode;

use crate::gate::Closed;
use crate::http::{HttpError, Source};

#[derive(Debug)]
pub(crate) enum CallError {
    /// The call was not made.
    Closed(Closed),
    Http(HttpError),
    /// A page for people, or no answer of the contract: something stands before the system, or the address is wrong.
    Page(StatusCode),
    /// An answer in a shape that the contract does not have.
    Unreadable(Source),
    /// There is no such thing, or nothing was found.
    NotFound {
        code: &'static str,
        said: RemoteMessage,
    },
    /// A name that must be unique is taken.
    Conflict {
        code: &'static str,
        said: RemoteMessage,
    },
    Denied(RemoteMessage),
    Quota(Option<Duration>),
    /// Their own failure, with nothing to say of it.
    Internal,
    Refused {
        code: String,
        said: RemoteMessage,
    },
}

impl CallError {
    /// Whether the system is not there, in contrast to one that has an answer.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Http(HttpError::TooLarge { .. }) => false,
            Self::Http(_) | Self::Page(_) => true,
            Self::Closed(_)
            | Self::Unreadable(_)
            | Self::NotFound { .. }
            | Self::Conflict { .. }
            | Self::Denied(_)
            | Self::Quota(_)
            | Self::Internal
            | Self::Refused { .. } => false,
        }
    }

    /// A word for the log, which says nothing of anybody's data.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Closed(_) => "not made",
            Self::Http(_) => "no answer",
            Self::Page(_) => "not of the contract",
            Self::Unreadable(_) => "unreadable",
            Self::NotFound { .. } => "nothing found",
            Self::Conflict { .. } => "conflict",
            Self::Denied(_) => "denied",
            Self::Quota(_) => "too many calls",
            Self::Internal => "internal error",
            Self::Refused { .. } => "refused",
        }
    }

    /// What it means for a call that may be repeated.
    pub(crate) fn into_partner_error(self) -> PartnerError {
        match self {
            Self::Closed(Closed::Open { retry_after }) => PartnerError::CircuitOpen { retry_after },
            Self::Closed(Closed::Busy) | Self::Http(HttpError::TimedOut) => PartnerError::TimedOut,
            Self::Http(error @ HttpError::TooLarge { .. }) => PartnerError::Unexpected(error.into()),
            Self::Http(error) => PartnerError::Unreachable(error.into()),
            Self::Page(status) => PartnerError::Unreachable(
                format!("no answer of the contract, with HTTP status {}", status.as_u16()).into(),
            ),
            Self::Internal => PartnerError::Unreachable("an internal error is reported".into()),
            Self::Unreadable(source) => PartnerError::Unexpected(source),
            Self::NotFound { .. } => PartnerError::NotFound,
            Self::Conflict { code, said } => PartnerError::Rejected { code: code.to_owned(), said },
            Self::Denied(said) => PartnerError::AccessDenied { said },
            Self::Quota(retry_after) => PartnerError::QuotaExceeded { retry_after },
            Self::Refused { code, said } => PartnerError::Rejected { code, said },
        }
    }

    /// What it means for a call that creates: only a call that was not made, or that the system itself refused, has
    /// certainly created nothing.
    pub(crate) fn into_creation_error(self) -> PartnerError {
        match self {
            Self::Http(HttpError::NotSent(_)) | Self::Closed(_) => self.into_partner_error(),
            // No such call at this address, so nobody carried it out.
            Self::Page(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) => self.into_partner_error(),
            Self::Http(error) => PartnerError::Uncertain(error.into()),
            Self::Page(_) | Self::Internal | Self::Unreadable(_) => match self.into_partner_error() {
                PartnerError::Unreachable(source) | PartnerError::Unexpected(source) => {
                    PartnerError::Uncertain(source)
                }
                other => other,
            },
            // The call was there, and what it refers to was not.
            Self::NotFound { code, said } => PartnerError::Rejected { code: code.to_owned(), said },
            Self::Conflict { .. } | Self::Denied(_) | Self::Quota(_) | Self::Refused { .. } => {
                self.into_partner_error()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<CallError> {
        vec![
            CallError::Closed(Closed::Busy),
            CallError::Page(StatusCode::BAD_GATEWAY),
            CallError::Unreadable("no".into()),
            CallError::NotFound { code: "404", said: RemoteMessage::default() },
            CallError::Conflict { code: "409", said: RemoteMessage::default() },
            CallError::Denied(RemoteMessage::default()),
            CallError::Quota(None),
            CallError::Internal,
            CallError::Refused { code: "7".to_owned(), said: RemoteMessage::default() },
        ]
    }

    #[test]
    fn what_may_have_been_created_is_uncertain_and_nothing_else() {
        let uncertain: Vec<_> = all()
            .into_iter()
            .map(|error| (error.kind(), matches!(error.into_creation_error(), PartnerError::Uncertain(_))))
            .filter_map(|(kind, is_uncertain)| is_uncertain.then_some(kind))
            .collect();
        assert_eq!(uncertain, ["not of the contract", "unreadable", "internal error"]);
    }

    #[test]
    fn a_call_that_creates_never_says_that_the_record_is_gone() {
        for error in all() {
            let kind = error.kind();
            assert!(!matches!(error.into_creation_error(), PartnerError::NotFound), "{kind}");
        }
    }
}
