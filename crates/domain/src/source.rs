//! Who says something: the sources of contacts.

/// Who made the statement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ContactSource {
    Order,
    Auth,
    SignupForm,
    Manual,
    Import,
    Identify,
    MetaKocka,
    OpenPhone,
}

impl ContactSource {
    pub const ALL: [Self; 8] = [
        Self::Order,
        Self::Auth,
        Self::SignupForm,
        Self::Manual,
        Self::Import,
        Self::Identify,
        Self::MetaKocka,
        Self::OpenPhone,
    ];

    /// The name under which a store and the API know this source.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Auth => "auth",
            Self::SignupForm => "signup_form",
            Self::Manual => "manual",
            Self::Import => "import",
            Self::Identify => "identify",
            Self::MetaKocka => "metakocka",
            Self::OpenPhone => "openphone",
        }
    }

    /// The source of that name, written as `as_str` gives it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_known_by_their_names() {
        for source in ContactSource::ALL {
            assert_eq!(ContactSource::parse(source.as_str()), Some(source));
        }
        assert_eq!(ContactSource::parse("Order"), None);
    }
}
