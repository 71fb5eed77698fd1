//! Where contacts and joins were made. A file that one Onefold exports and another one imports names each of
//! them by its origin, so that it is itself there, is found again when the file comes twice, and is known when
//! it comes back.

use uuid::Uuid;

/// One database among others, named when it first exports something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct HubId(pub Uuid);

/// The number that a contact, or a join, got where it was made. Contacts and joins are numbered by themselves.
///
/// The number alone is not enough: a copy of a database, and one that was restored from a backup, go on
/// counting under the name of the first. So two of one origin are the same only if they were made at the same
/// moment.
///
/// ```
/// use onefold_domain::origin::{HubId, Origin};
/// # use uuid::Uuid;
///
/// let hub = HubId(Uuid::from_u128(1));
/// assert_ne!(Origin { hub, number: 7 }, Origin { hub: HubId(Uuid::from_u128(2)), number: 7 });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Origin {
    pub hub: HubId,
    pub number: i64,
}
