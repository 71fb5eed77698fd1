//! What a token permits.

use std::collections::BTreeSet;
use std::fmt;

/// One thing that a token may permit. Names are matched as a whole: nothing is part of anything else,
/// `*` excepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ability {
    /// `*`: all of the others, also those that a later version adds.
    Everything,
    Identify,
    ContactsRead,
    ContactsWrite,
    CustomersRead,
    CustomersWrite,
    AdminContacts,
    SyncRead,
    SyncRun,
    TokensManage,
    /// The trail: who did what to what, and when. What it was before and after is shown to those who may read it
    /// elsewhere.
    AuditRead,
}

impl Ability {
    pub const ALL: [Self; 11] = [
        Self::Everything,
        Self::Identify,
        Self::ContactsRead,
        Self::ContactsWrite,
        Self::CustomersRead,
        Self::CustomersWrite,
        Self::AdminContacts,
        Self::SyncRead,
        Self::SyncRun,
        Self::TokensManage,
        Self::AuditRead,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Everything => "*",
            Self::Identify => "identify",
            Self::ContactsRead => "contacts:read",
            Self::ContactsWrite => "contacts:write",
            Self::CustomersRead => "customers:read",
            Self::CustomersWrite => "customers:write",
            Self::AdminContacts => "admin:contacts",
            Self::SyncRead => "sync:read",
            Self::SyncRun => "sync:run",
            Self::TokensManage => "tokens:manage",
            Self::AuditRead => "audit:read",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ability| ability.as_str() == text)
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one token permits, in a fixed order. It may be nothing: a token with names that this version does
/// not know permits nothing by them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Abilities(BTreeSet<Ability>);

impl Abilities {
    pub fn everything() -> Self {
        Self::from_iter([Ability::Everything])
    }

    pub fn permit(&self, ability: Ability) -> bool {
        self.0.contains(&Ability::Everything) || self.0.contains(&ability)
    }

    /// Whether everything that `others` permit is permitted here, too: nobody can give what they do not have.
    pub fn cover(&self, others: &Self) -> bool {
        others.iter().all(|ability| self.permit(ability))
    }

    pub fn iter(&self) -> impl Iterator<Item = Ability> + '_ {
        self.0.iter().copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Ability> for Abilities {
    fn from_iter<I: IntoIterator<Item = Ability>>(abilities: I) -> Self {
        Self(abilities.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for ability in Ability::ALL {
            assert_eq!(Ability::parse(ability.as_str()), Some(ability));
        }
        for text in ["", "contacts", "contacts:", "Identify", "contacts:read ", "contacts:*"] {
            assert_eq!(Ability::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_the_star_stands_for_others() {
        let all = Abilities::everything();
        let read = Abilities::from_iter([Ability::ContactsRead]);
        for ability in Ability::ALL {
            assert!(all.permit(ability));
            assert_eq!(read.permit(ability), ability == Ability::ContactsRead);
            assert!(!Abilities::default().permit(ability));
        }
        assert!(all.cover(&read) && !read.cover(&all) && read.cover(&Abilities::default()));
    }
}
