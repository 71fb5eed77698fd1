//! Why a request does not reach its handler, and how each family of routes says so.

use std::borrow::Cow;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{HttpResponse, ResponseError};
use chrono::{DateTime, Utc};
use onefold_service::token::Ability;

use crate::envelope::Enveloped;
use crate::error::ApiError;
use crate::laravel::answer::ErrorResponse;
use crate::limits::{Decision, WindowDecision};
use crate::operations::Family;

#[derive(Debug)]
pub(crate) enum Rejection {
    UnknownPath,
    Method {
        method: String,
        path: String,
        /// The methods that the path takes.
        allow: String,
    },
    /// No token, or none that is good. Nobody is told which.
    Unauthenticated,
    Ability(Ability),
    /// The token belongs to a user, and the route is not limited to one.
    UserToken,
    TooMany {
        limit: u32,
        retry_after_s: u64,
        /// When the limit is whole again, if it is told so.
        resets_at: Option<DateTime<Utc>>,
    },
    Error(ApiError),
}

impl From<Decision> for Rejection {
    fn from(decision: Decision) -> Self {
        let retry_after_s = decision.retry_after_s.unwrap_or_default();
        Self::TooMany { limit: decision.limit, retry_after_s, resets_at: None }
    }
}

impl From<WindowDecision> for Rejection {
    fn from(decision: WindowDecision) -> Self {
        let retry_after_s = decision.retry_after_s.unwrap_or_default();
        Self::TooMany { limit: decision.limit, retry_after_s, resets_at: Some(decision.resets_at) }
    }
}

impl From<ApiError> for Rejection {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

impl Rejection {
    /// Answers in place of the handler, as the family of the path does.
    pub(crate) fn reject(self, request: ServiceRequest) -> ServiceResponse {
        let answer = self.answer(Family::of_path(request.path()));
        request.into_response(answer)
    }

    pub(crate) fn answer(self, family: Family) -> HttpResponse {
        match family {
            Family::Problem => self.into_problem().error_response(),
            Family::Laravel => self.into_laravel().answer(),
            Family::Enveloped => Enveloped::from(self.into_problem()).error_response(),
        }
    }

    fn into_problem(self) -> ApiError {
        match self {
            Self::UnknownPath => ApiError::UnknownPath,
            Self::Method { allow, .. } => ApiError::MethodNotAllowed { allow: Cow::Owned(allow) },
            Self::Unauthenticated => ApiError::Unauthenticated,
            Self::Ability(ability) => ApiError::AbilityMissing(ability),
            Self::UserToken => ApiError::UserTokenRefused,
            Self::TooMany { retry_after_s, .. } => ApiError::TooManyRequests { retry_after_s },
            Self::Error(error) => error,
        }
    }

    fn into_laravel(self) -> ErrorResponse {
        match self {
            Self::UnknownPath => ErrorResponse::NotFound,
            Self::Method { method, path, allow } => ErrorResponse::MethodNotAllowed { method, path, allow },
            Self::Unauthenticated => ErrorResponse::Unauthenticated,
            Self::Ability(_) | Self::UserToken => ErrorResponse::Forbidden,
            Self::TooMany { limit, retry_after_s, resets_at } => ErrorResponse::TooManyAttempts {
                limit,
                retry_after: retry_after_s,
                reset: resets_at.map(|at| at.timestamp()),
            },
            Self::Error(error) => ErrorResponse::from(error),
        }
    }
}
