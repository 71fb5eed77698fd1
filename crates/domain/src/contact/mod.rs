//! The contact: one statement by one source. What it says of who belongs together is judged in
//! `linking`; this module only gives it its types.

mod details;
mod record;

pub use details::{ContactDetails, ContactKind};
pub use record::ContactRecord;

use std::fmt;

use crate::block::BlockRule;
use crate::email::EmailAddress;
use crate::id::{ContactId, ImportId, UserId};
use crate::origin::Origin;
use crate::phone::PhoneNumber;
use crate::source::ContactSource;

/// The way on which a contact is reached.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Channel {
    Email,
    Telephone,
    Whatsapp,
    Telegram,
}

impl Channel {
    pub const ALL: [Self; 4] = [Self::Email, Self::Telephone, Self::Whatsapp, Self::Telegram];

    /// The name under which a store and the API know this channel.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Telephone => "telephone",
            Self::Whatsapp => "whatsapp",
            Self::Telegram => "telegram",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text)
    }
}

/// What somebody states: these values belong together. At least one value is there, which the
/// constructors see to, so a statement about nothing cannot exist.
///
/// ```
/// use onefold_domain::contact::Statement;
/// use onefold_domain::email::EmailAddress;
/// use onefold_domain::phone::PhoneNumber;
///
/// let email = EmailAddress::parse("Lorraine@HillValley.edu")?;
/// let phone = PhoneNumber::parse("123456", None)?;
/// let statement = Statement::new(Some(email), Some(phone)).ok_or("both were missing")?;
/// assert_eq!(statement.email().map(EmailAddress::as_str), Some("lorraine@hillvalley.edu"));
/// assert!(Statement::new(None, None).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Statement {
    email: Option<EmailAddress>,
    phone: Option<PhoneNumber>,
    user: Option<UserId>,
    self_stated: bool,
}

impl Statement {
    /// A guest's statement; `None` when it would state nothing.
    pub fn new(email: Option<EmailAddress>, phone: Option<PhoneNumber>) -> Option<Self> {
        (email.is_some() || phone.is_some()).then_some(Self { email, phone, user: None, self_stated: false })
    }

    /// This statement as one about a user's account, made by somebody who is trusted with it.
    #[must_use]
    pub fn of_user(self, user: UserId) -> Self {
        Self { user: Some(user), self_stated: false, ..self }
    }

    /// This statement as one for which there is only the user's own word. Its values link nobody until the user
    /// has verified them.
    ///
    /// ```
    /// use onefold_domain::block::{Block, BlockRule, Part};
    /// use onefold_domain::contact::Statement;
    /// use onefold_domain::email::EmailAddress;
    /// use onefold_domain::id::UserId;
    /// use onefold_domain::linking::{Candidates, decide};
    /// use onefold_domain::policy::LinkPolicy;
    ///
    /// let email = EmailAddress::parse("mcfly@hillvalley.edu")?;
    /// let user = UserId(uuid::Uuid::from_u128(1));
    /// let statement = Statement::new(Some(email), None).ok_or("nothing stated")?.stated_by(user);
    /// let plan = decide(&statement, &Candidates::default(), &LinkPolicy::shipped());
    /// assert_eq!(plan.blocked, [Block { part: Part::Email, rule: BlockRule::Unverified }]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stated_by(self, user: UserId) -> Self {
        Self { user: Some(user), self_stated: true, ..self }
    }

    /// The values of this statement as a guest's, about no user's account.
    #[must_use]
    pub fn of_guest(self) -> Self {
        Self { user: None, self_stated: false, ..self }
    }

    pub fn email(&self) -> Option<&EmailAddress> {
        self.email.as_ref()
    }

    pub fn phone(&self) -> Option<&PhoneNumber> {
        self.phone.as_ref()
    }

    pub fn user(&self) -> Option<UserId> {
        self.user
    }

    /// Whether there is only the user's own word for it.
    pub fn is_self_stated(&self) -> bool {
        self.self_stated
    }

    /// Whether both name the same values and the same user, whoever says so.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.email == other.email && self.phone == other.phone && self.user == other.user
    }
}

/// The part of a stored contact that linking and answers need.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownContact {
    pub id: ContactId,
    /// Its place among all evidence; the smaller, the older.
    pub order: EvidenceOrder,
    pub email: Option<EmailAddress>,
    pub phone: Option<PhoneNumber>,
    pub user: Option<UserId>,
    /// Whether its user has verified the values.
    pub is_verified: bool,
}

/// The place of a statement among all others: the number of its contact, or, if its values were changed, a later
/// number of the same sequence, which the change got. So a value that is put into an old contact takes nothing from
/// those who had it before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EvidenceOrder(pub i64);

/// On whose word a guest's contact became a user's. Until the user has verified it, it goes back to the guests when
/// another user verifies its value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClaimedBy {
    /// The person registered with the same values. A registration proves nothing.
    Registration,
    /// A trusted caller said so.
    Caller,
}

impl ClaimedBy {
    pub const ALL: [Self; 2] = [Self::Registration, Self::Caller];

    /// The name under which a store knows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Caller => "caller",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == name)
    }
}

/// A contact that is about to be stored.
#[derive(Clone, PartialEq, Debug)]
pub struct ContactDraft {
    pub statement: Statement,
    /// How it became its user's, if it was a guest's.
    pub claimed_by: Option<ClaimedBy>,
    /// The rule for which the email does not link; `None` when it does, or when there is none.
    pub email_blocked_by: Option<BlockRule>,
    /// The rule for which the phone does not link; `None` when it does, or when there is none.
    pub phone_blocked_by: Option<BlockRule>,
    pub source: ContactSource,
    pub details: ContactDetails,
    pub received: Received,
    /// The import that brings it.
    pub import: Option<ImportId>,
    /// Where it was made, if that was elsewhere.
    pub origin: Option<Origin>,
}

impl ContactDraft {
    pub fn kind(&self) -> ContactKind {
        ContactKind::of(&self.statement)
    }
}

/// The values as the caller wrote them, kept beside the canonical ones as evidence.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Received {
    pub email: Option<String>,
    pub phone: Option<String>,
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Personal data: only whether it is there may be printed.
        f.debug_struct("Received")
            .field("email", &self.email.is_some())
            .field("phone", &self.phone.is_some())
            .finish()
    }
}
