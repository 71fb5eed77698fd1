//! Doubles of other companies' systems for tests and demonstrations: real HTTP servers on loopback that
//! keep state and speak the wire contract, oddities included. Behind the feature `testing`; no program
//! that serves people has them. Everything here panics when it cannot do its work.

#![expect(clippy::expect_used, reason = "a test that lacks its double should say so and fail")]

mod metakocka;
pub mod openphone;
mod orders;

pub use metakocka::{
    CallCounts, DoubleAddress, DoubleCall, DoubleChange, DoubleContact, DoublePartner, Habits,
    MetaKockaDouble, RecordedCall, Trouble,
};
pub use orders::Lasting;
