//! The other companies' systems that customers are kept the same in.

use std::fmt;

use onefold_domain::source::ContactSource;

/// Another system. What it can do is not told here but by its connector.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum SyncSystem {
    MetaKocka,
    OpenPhone,
}

impl SyncSystem {
    pub const ALL: [Self; 2] = [Self::MetaKocka, Self::OpenPhone];

    /// The name in rules, in stores and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MetaKocka => "metakocka",
            Self::OpenPhone => "openphone",
        }
    }

    /// The system of that name, written as `as_str` gives it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.as_str() == name)
    }

    /// How people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::MetaKocka => "MetaKocka",
            Self::OpenPhone => "OpenPhone",
        }
    }

    /// The source of the contacts that it brings.
    pub fn source(self) -> ContactSource {
        match self {
            Self::MetaKocka => ContactSource::MetaKocka,
            Self::OpenPhone => ContactSource::OpenPhone,
        }
    }

    /// What a record is called there.
    pub fn record_type(self) -> &'static str {
        match self {
            Self::MetaKocka => "partner",
            Self::OpenPhone => "contact",
        }
    }
}

impl fmt::Display for SyncSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
