//! What is wrong with a request, not yet in words.

use std::collections::BTreeMap;

/// A field of the contract. Its order is that of the contract's table, and so of the errors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Field {
    Uuid,
    Type,
    Email,
    CountryCode,
    Number,
}

impl Field {
    #[cfg(test)]
    pub(super) const ALL: [Self; 5] = [Self::Uuid, Self::Type, Self::Email, Self::CountryCode, Self::Number];

    /// As it stands in requests and in the keys of `errors`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Type => "type",
            Self::Email => "email",
            Self::CountryCode => "country_code",
            Self::Number => "number",
        }
    }
}

/// A rule that a value breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    Required,
    /// Needed, since the type is email.
    RequiredForEmail,
    /// Needed, since the type is another one than email.
    RequiredForPhone,
    /// Needed, since the request has fields of a number and the contact is an email.
    RequiredWithNumber,
    /// Needed, since the request has an email and the contact is a number.
    RequiredWithEmail,
    Uuid,
    NotInList,
    NotAString,
    Email,
    Format,
    TooLong {
        most: usize,
    },
    Prohibited,
}

impl Fault {
    #[cfg(test)]
    pub(super) const ALL: [Self; 12] = [
        Self::Required,
        Self::RequiredForEmail,
        Self::RequiredForPhone,
        Self::RequiredWithNumber,
        Self::RequiredWithEmail,
        Self::Uuid,
        Self::NotInList,
        Self::NotAString,
        Self::Email,
        Self::Format,
        Self::TooLong { most: 20 },
        Self::Prohibited,
    ];

    /// The rule as Laravel calls it.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::RequiredForEmail => "required_if",
            Self::RequiredForPhone => "required_unless",
            Self::RequiredWithNumber | Self::RequiredWithEmail => "required_with",
            Self::Uuid => "uuid",
            Self::NotInList => "in",
            Self::NotAString => "string",
            Self::Email => "email",
            Self::Format => "regex",
            Self::TooLong { .. } => "max.string",
            Self::Prohibited => "prohibited",
        }
    }
}

impl Fault {
    /// The fields whose presence makes another one required.
    pub(super) fn fields(self) -> &'static [Field] {
        match self {
            Self::RequiredWithNumber => &[Field::CountryCode, Field::Number],
            Self::RequiredWithEmail => &[Field::Email],
            _ => &[],
        }
    }
}

/// Every fault of a request, field by field in the order of the contract's table, and in the order of
/// the rules within a field.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Errors(BTreeMap<Field, Vec<Fault>>);

impl Errors {
    /// For an address that the rule of Laravel takes and that cannot be kept, such as one of 300 letters.
    pub(crate) fn email() -> Self {
        Self(BTreeMap::from([(Field::Email, vec![Fault::Email])]))
    }

    /// For a phone number that the rule of Laravel takes and that cannot be kept.
    pub(crate) fn number() -> Self {
        Self(BTreeMap::from([(Field::Number, vec![Fault::Format])]))
    }

    pub(super) fn add(&mut self, field: Field, fault: Fault) {
        self.0.entry(field).or_default().push(fault);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (Field, &[Fault])> {
        self.0.iter().map(|(field, faults)| (*field, faults.as_slice()))
    }
}
