//! Which tokens somebody may make, see and take back.

use chrono::{DateTime, Utc};

use super::{Abilities, AccessToken, NewToken};

/// On whose word tokens are managed. Whoever could take back or make a token that permits more than their own would in the
/// end have what they were not given: they could lock its holder out, or be its holder.
///
/// ```
/// use onefold_service::token::{Abilities, Ability, TokenAuthority};
///
/// let keeper = TokenAuthority::Holder { abilities: Abilities::from_iter([Ability::TokensManage]), ends: None };
/// assert!(!keeper.covers(&Abilities::everything()));
/// assert!(TokenAuthority::Operator.covers(&Abilities::everything()));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenAuthority {
    /// Somebody at a shell of the machine, who has the database, too.
    Operator,
    /// The holder of a token.
    Holder {
        abilities: Abilities,
        /// When that token ends.
        ends: Option<DateTime<Utc>>,
    },
}

/// Why a token is not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotYours {
    /// It would permit what the token of its maker does not.
    #[error("a token can be given only abilities that the token which makes it has")]
    Abilities,
    /// It would be good for longer than the token of its maker, whose end would be none.
    #[error("a token cannot outlive the token which makes it")]
    Outlives {
        /// When the token of its maker ends.
        end: DateTime<Utc>,
    },
}

impl TokenAuthority {
    pub fn of(token: &AccessToken) -> Self {
        Self::Holder { abilities: token.abilities.clone(), ends: token.expires_at }
    }

    /// Whether a token with these abilities is theirs to see and take back. Its end does not matter there.
    pub fn covers(&self, abilities: &Abilities) -> bool {
        match self {
            Self::Operator => true,
            Self::Holder { abilities: held, .. } => held.cover(abilities),
        }
    }

    /// # Errors
    /// The token would permit more than its maker's, or for longer.
    pub fn may_make(&self, new: &NewToken) -> Result<(), NotYours> {
        if !self.covers(&new.abilities) {
            return Err(NotYours::Abilities);
        }
        match self {
            Self::Holder { ends: Some(end), .. } if new.expires_at.is_none_or(|new| new.moment() > *end) => {
                Err(NotYours::Outlives { end: *end })
            }
            Self::Holder { .. } | Self::Operator => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::token::{Ability, TokenExpiry, TokenName};

    fn new(abilities: &[Ability], seconds: Option<u64>) -> NewToken {
        NewToken {
            name: TokenName::parse("x").unwrap(),
            abilities: abilities.iter().copied().collect(),
            user: None,
            expires_at: seconds
                .map(|seconds| TokenExpiry::after(DateTime::UNIX_EPOCH, Duration::from_secs(seconds))),
        }
    }

    fn holder(abilities: &[Ability], seconds: Option<i64>) -> TokenAuthority {
        let ends = seconds.map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap());
        TokenAuthority::Holder { abilities: abilities.iter().copied().collect(), ends }
    }

    #[test]
    fn nobody_gives_what_they_do_not_have() {
        use Ability::{AuditRead, ContactsRead, Everything, TokensManage};
        let keeper = holder(&[TokensManage, ContactsRead], None);
        for (abilities, expected) in [
            (&[ContactsRead][..], Ok(())),
            (&[TokensManage, ContactsRead], Ok(())),
            (&[], Ok(())),
            (&[AuditRead], Err(NotYours::Abilities)),
            (&[ContactsRead, AuditRead], Err(NotYours::Abilities)),
            (&[Everything], Err(NotYours::Abilities)),
        ] {
            assert_eq!(keeper.may_make(&new(abilities, None)), expected, "{abilities:?}");
            assert_eq!(
                keeper.covers(&abilities.iter().copied().collect()),
                expected.is_ok(),
                "{abilities:?}"
            );
        }
        // Whoever has each of them by name lacks those that are to come.
        let named: Vec<_> = Ability::ALL.into_iter().filter(|ability| *ability != Everything).collect();
        assert_eq!(holder(&named, None).may_make(&new(&[Everything], None)), Err(NotYours::Abilities));
        assert_eq!(holder(&[Everything], None).may_make(&new(&Ability::ALL, None)), Ok(()));
        assert_eq!(TokenAuthority::Operator.may_make(&new(&[Everything], None)), Ok(()));
    }

    #[test]
    fn nobody_outlives_their_own_end() {
        let brief = holder(&[Ability::Everything], Some(60));
        let end = DateTime::from_timestamp(60, 0).unwrap();
        assert_eq!(brief.may_make(&new(&[], Some(60))), Ok(()));
        for seconds in [Some(61), None] {
            assert_eq!(brief.may_make(&new(&[], seconds)), Err(NotYours::Outlives { end }), "{seconds:?}");
        }
        assert_eq!(holder(&[Ability::Everything], None).may_make(&new(&[], Some(61))), Ok(()));
        assert_eq!(TokenAuthority::Operator.may_make(&new(&[], None)), Ok(()));
    }
}
