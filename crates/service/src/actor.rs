//! Who acts: what the audit trail says of every change beside the change itself.

use std::sync::Arc;

use crate::operation::OperationId;
use crate::token::TokenId;
use onefold_domain::id::UserId;

/// On whose behalf something is done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Actor {
    /// The program itself, or the one that embeds this crate.
    #[default]
    Program,
    /// An operator at a shell of the machine.
    CommandLine,
    /// Somebody who did not have to say who it is: the server is open on loopback.
    Anonymous,
    /// Whoever holds the token; the user if the token is a user's.
    Token { id: TokenId, user: Option<UserId> },
    /// Another system that reports by a webhook, by its name.
    Webhook(&'static str),
}

impl Actor {
    /// The stable name under which the audit trail keeps this kind of actor, such as `webhook:kratos`.
    pub fn name(self) -> String {
        match self {
            Self::Program => "program".to_owned(),
            Self::CommandLine => "command_line".to_owned(),
            Self::Anonymous => "anonymous".to_owned(),
            Self::Token { .. } => "token".to_owned(),
            Self::Webhook(system) => format!("webhook:{system}"),
        }
    }

    pub fn token(self) -> Option<TokenId> {
        match self {
            Self::Token { id, .. } => Some(id),
            _ => None,
        }
    }

    pub fn user(self) -> Option<UserId> {
        match self {
            Self::Token { user, .. } => user,
            _ => None,
        }
    }
}

/// Who acts, and in the course of what.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Acting {
    pub actor: Actor,
    /// The request, by the id that logs and answers name, or the import.
    pub request_id: Option<Arc<str>>,
    pub operation: Option<OperationId>,
}

impl Acting {
    /// Acting by itself, with no request that asked for it.
    pub fn of(actor: Actor) -> Self {
        Self { actor, ..Self::default() }
    }
}
