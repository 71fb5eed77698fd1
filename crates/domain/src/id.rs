//! Numbers and names by which things are known. Each has a type of its own, so that none is taken for another.

use uuid::Uuid;

/// The number of a contact. Ascending: of two contacts the smaller number is the older.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ContactId(pub i64);

/// An account, registered here or known from an identity provider.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct UserId(pub Uuid);

/// An import, by which its contacts are known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ImportId(pub Uuid);

/// The permanent name of a customer, a UUID of version 7. It stays valid after a merge: it then
/// leads to the survivor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct CustomerId(pub Uuid);

/// The number of a record of a merge.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LinkId(pub i64);
