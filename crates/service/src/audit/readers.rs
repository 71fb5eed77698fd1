//! Who may read what the trail says of a change beyond who did what to what, and when.

use super::{AuditAction, AuditFacts};
use crate::token::{Abilities, Ability};

impl AuditAction {
    /// The abilities that show elsewhere what an entry of this kind holds as states before and after. Whoever lacks one of
    /// them would read by way of the trail what they may not read where it stands.
    pub fn states_need(self) -> &'static [Ability] {
        match self {
            Self::ContactCreated | Self::ContactUpdated | Self::ContactClaimed | Self::ContactWithdrawn => {
                &[Ability::ContactsRead]
            }
            Self::CustomersMerged | Self::CustomersSplit => &[Ability::CustomersRead],
            Self::UserCreated | Self::UserUpdated => &[Ability::ContactsRead],
            // The second of them holds the contacts that were changed.
            Self::ImportReceived | Self::ImportUpdated => &[Ability::ContactsRead],
            Self::TokenCreated | Self::TokenRevoked => &[Ability::TokensManage],
            Self::SyncRulesChanged => &[Ability::SyncRead],
            // It holds values of a customer, here and there.
            Self::ConflictResolved => &[Ability::SyncRead, Ability::CustomersRead],
        }
    }
}

impl AuditFacts {
    /// The abilities that a reader of these states lacks; empty if they may be shown. What only a later version can have
    /// written is shown to those who may see everything.
    pub fn states_withheld_from(&self, reader: &Abilities) -> Vec<Ability> {
        let needed =
            AuditAction::parse(&self.action).map_or(&[Ability::Everything][..], AuditAction::states_need);
        needed.iter().copied().filter(|ability| !reader.permit(*ability)).collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn facts(action: &str) -> AuditFacts {
        AuditFacts {
            at: DateTime::UNIX_EPOCH,
            actor: "token".to_owned(),
            token: None,
            user: None,
            request_id: None,
            operation: None,
            action: action.to_owned(),
            subject_kind: "contact".to_owned(),
            subject_id: "7".to_owned(),
            customer: None,
            before: None,
            after: None,
        }
    }

    #[test]
    fn states_are_for_those_who_read_them_elsewhere() {
        for action in AuditAction::ALL {
            let (facts, needed) = (facts(action.as_str()), action.states_need());
            assert!(!needed.is_empty() && !needed.contains(&Ability::AuditRead), "{action:?}");
            assert!(facts.states_withheld_from(&Abilities::everything()).is_empty());
            assert!(facts.states_withheld_from(&needed.iter().copied().collect()).is_empty(), "{action:?}");
            let others = Ability::ALL.into_iter().filter(|other| *other != Ability::Everything);
            let others = others.filter(|other| !needed.contains(other)).collect();
            assert_eq!(facts.states_withheld_from(&others), needed, "{action:?}");
            assert_eq!(facts.states_withheld_from(&Abilities::default()), needed, "{action:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_for_those_who_may_see_everything() {
        for action in ["", "contact", "contact.cloned", "Contact.created"] {
            let named: Abilities =
                Ability::ALL.into_iter().filter(|one| *one != Ability::Everything).collect();
            assert_eq!(facts(action).states_withheld_from(&named), [Ability::Everything]);
            assert!(facts(action).states_withheld_from(&Abilities::everything()).is_empty());
        }
    }
}
