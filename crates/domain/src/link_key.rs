//! The key under which a store finds a customer, and whose uniqueness there is the lock that makes
//! `identify` safe under concurrency.

use std::fmt;

use crate::contact::Statement;
use crate::id::{ContactId, UserId};
use crate::policy::LinkPolicy;

/// What a link key stands for. The numbers are stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum KeyKind {
    Email = 1,
    Phone = 2,
    User = 3,
    /// Both values together: for a statement that was kept from a customer, so that its repetition
    /// still finds it.
    Exact = 4,
    /// The number of a contact. Older releases kept one for a contact whose value was changed; nobody claims it
    /// any more, and those that are left go when their customer is laid anew.
    Contact = 5,
}

impl KeyKind {
    pub const ALL: [Self; 5] = [Self::Email, Self::Phone, Self::User, Self::Exact, Self::Contact];
}

/// Leads to one customer at most. Two statements with a key in common belong together.
///
/// The order (kind, then value) is the order in which every writer claims keys, which is why no two
/// of them can wait for each other.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkKey {
    pub kind: KeyKind,
    pub value: String,
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value is personal data.
        write!(f, "LinkKey({:?}, …)", self.kind)
    }
}

/// The keys of one statement, each in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatementKeys {
    pub email: Option<LinkKey>,
    pub phone: Option<LinkKey>,
    pub user: Option<LinkKey>,
    pub exact: LinkKey,
}

impl StatementKeys {
    /// Every key that the statement could be found under, values that never link included: they
    /// lead nowhere, since nobody claims them.
    pub fn of(statement: &Statement, policy: &LinkPolicy) -> Self {
        let email = statement.email().map(|email| policy.email_match_key(email).into_owned());
        let phone = statement.phone().map(|phone| phone.match_key().into_owned());
        // A control character cannot be part of either value, so no two pairs look alike.
        let exact = format!("{}\t{}", email.as_deref().unwrap_or(""), phone.as_deref().unwrap_or(""));
        Self {
            email: email.map(|value| LinkKey { kind: KeyKind::Email, value }),
            phone: phone.map(|value| LinkKey { kind: KeyKind::Phone, value }),
            user: statement.user().map(LinkKey::of_user),
            exact: LinkKey { kind: KeyKind::Exact, value: exact },
        }
    }

    /// The keys of a join, in the places of an email and a phone: a join may say of two emails, or of two phones, that they
    /// are one customer's.
    pub(crate) fn of_join(statement: &Statement, beside: Option<&Statement>, policy: &LinkPolicy) -> Self {
        let (one, Some(other)) = (Self::of(statement, policy), beside) else {
            return Self::of(statement, policy);
        };
        let other = Self::of(other, policy);
        // No statement has these values together, so that none is found by them.
        let exact = LinkKey { value: format!("{}\t\t{}", one.exact.value, other.exact.value), ..one.exact };
        Self { email: one.email.or(one.phone), phone: other.email.or(other.phone), user: one.user, exact }
    }

    /// The keys of the email and of the phone.
    pub fn values(&self) -> impl Iterator<Item = &LinkKey> {
        [&self.email, &self.phone].into_iter().flatten()
    }

    /// All keys, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &LinkKey> {
        [&self.email, &self.phone, &self.user].into_iter().flatten().chain([&self.exact])
    }

    /// All keys, ascending.
    pub fn to_vec(&self) -> Vec<LinkKey> {
        self.iter().cloned().collect()
    }
}

impl LinkKey {
    pub fn of_contact(contact: ContactId) -> Self {
        Self { kind: KeyKind::Contact, value: contact.0.to_string() }
    }

    pub fn of_user(user: UserId) -> Self {
        Self { kind: KeyKind::User, value: user.0.hyphenated().to_string() }
    }
}
