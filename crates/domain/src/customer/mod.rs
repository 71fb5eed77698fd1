//! The customer: what a set of linked contacts resolves to, and how it is shown.

mod record;
mod view;

pub use record::CustomerRecord;
pub use view::{CustomerView, PointView};

use std::collections::HashSet;

use crate::contact::KnownContact;
use crate::email::EmailAddress;
use crate::id::{ContactId, CustomerId};
use crate::phone::PhoneNumber;

/// A customer as a store gave it, with all contacts that resolve to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownCustomer {
    /// The root: the customer that all the others it absorbed now lead to.
    pub id: CustomerId,
    /// Raised by every change; a writer that saw an older version must start over.
    pub version: i64,
    /// In ascending order of their ids, never empty.
    pub contacts: Vec<KnownContact>,
}

impl KnownCustomer {
    /// The oldest contact; `None` only for a customer without contacts, which no store returns.
    pub fn primary(&self) -> Option<ContactId> {
        self.contacts.first().map(|contact| contact.id)
    }

    /// What callers are shown: the primary's values first, then the others by age, none twice.
    ///
    /// ```
    /// use onefold_domain::contact::{EvidenceOrder, KnownContact};
    /// use onefold_domain::customer::KnownCustomer;
    /// use onefold_domain::email::EmailAddress;
    /// use onefold_domain::id::{ContactId, CustomerId};
    ///
    /// let email = EmailAddress::parse("doc@hillvalley.edu")?;
    /// let contact = KnownContact {
    ///     id: ContactId(7),
    ///     order: EvidenceOrder(7),
    ///     email: Some(email),
    ///     phone: None,
    ///     user: None,
    ///     is_verified: false,
    /// };
    /// let customer = KnownCustomer {
    ///     id: CustomerId(uuid::Uuid::nil()),
    ///     version: 1,
    ///     contacts: vec![contact.clone(), KnownContact { id: ContactId(9), ..contact }],
    /// };
    /// let summary = customer.summary();
    /// assert_eq!(summary.primary, Some(ContactId(7)));
    /// assert_eq!(summary.emails.len(), 1);
    /// assert_eq!(summary.secondaries, [ContactId(9)]);
    /// # Ok::<(), onefold_domain::email::InvalidEmail>(())
    /// ```
    pub fn summary(&self) -> CustomerSummary<'_> {
        let mut seen_emails = HashSet::new();
        let mut seen_phones = HashSet::new();
        let contacts = || self.contacts.iter();
        CustomerSummary {
            primary: self.primary(),
            emails: contacts()
                .filter_map(|contact| contact.email.as_ref())
                .filter(|email| seen_emails.insert(*email))
                .collect(),
            phones: contacts()
                .filter_map(|contact| contact.phone.as_ref())
                .filter(|phone| seen_phones.insert(*phone))
                .collect(),
            secondaries: contacts().skip(1).map(|contact| contact.id).collect(),
        }
    }
}

/// A customer in the order in which it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomerSummary<'a> {
    pub primary: Option<ContactId>,
    pub emails: Vec<&'a EmailAddress>,
    pub phones: Vec<&'a PhoneNumber>,
    pub secondaries: Vec<ContactId>,
}
