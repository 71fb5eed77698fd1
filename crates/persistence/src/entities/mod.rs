//! The tables as sea-orm sees them. Private to this crate: rows become domain values beside the
//! repository that reads them.

pub(crate) mod contact;
pub(crate) mod contact_point;
pub(crate) mod customer;
pub(crate) mod link;
