//! Looking for contacts that show a value and do not link by it. No key leads to them.

use crate::{EmailAddress, KeyKind, LinkKey, LinkPolicy, PhoneNumber};

/// Values in every spelling that a store may have.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct BlockedValues {
    pub emails: Vec<EmailAddress>,
    /// Domains of providers that deliver several spellings to one mail box: any address there may be meant.
    pub email_domains: Vec<String>,
    pub phones: Vec<PhoneNumber>,
}

impl BlockedValues {
    /// The values that these keys stand for; other keys stand for none.
    pub(crate) fn of(keys: &[LinkKey], policy: &LinkPolicy) -> Self {
        let mut values = Self::default();
        for key in keys {
            match key.kind {
                KeyKind::Email => {
                    let email = EmailAddress::from_canonical(key.value.clone());
                    values.email_domains.extend(policy.domains_like(email.domain()).map(str::to_owned));
                    values.emails.push(email);
                }
                KeyKind::Phone => values.phones.extend(PhoneNumber::spellings_of(&key.value)),
                KeyKind::User | KeyKind::Exact | KeyKind::Contact => {}
            }
        }
        values.email_domains.sort_unstable();
        values.email_domains.dedup();
        values
    }

    /// There is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.emails.is_empty() && self.phones.is_empty()
    }

    /// Whether an address is one of those that are looked for, or may be.
    pub fn has_email(&self, email: &EmailAddress) -> bool {
        self.emails.contains(email) || self.email_domains.iter().any(|domain| domain == email.domain())
    }
}
