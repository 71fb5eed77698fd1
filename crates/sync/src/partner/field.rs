//! The fields of a customer that a directory of partners can carry.

use std::fmt;

use crate::partner::TaxNumber;
use onefold_domain::country::CountryCode;
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::Tags;

/// A field that both sides know; not every directory has a place for each. Notes and the website are not among them: no
/// directory so far has a place for them, so they stay here and their absence there says nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum PartnerField {
    Name,
    CompanyName,
    /// Whether it is a person or a company. Here that follows from the company's name.
    Kind,
    Email,
    Phone,
    Street,
    City,
    PostalCode,
    Country,
    TaxNumber,
    /// The customer's tags, all of them.
    Tags,
}

/// What is known of a partner, or what it shall be. `None` says nothing: it never clears a value.
///
/// ```
/// use onefold_domain::country::CountryCode;
/// use onefold_sync::partner::{PartnerField, PartnerFields};
///
/// let ours = PartnerFields {
///     name: Some("Ann Lee".to_owned()),
///     country: CountryCode::parse("SI").ok(),
///     ..PartnerFields::default()
/// };
/// let theirs = PartnerFields { country: None, city: Some("Bled".to_owned()), ..ours.clone() };
/// assert_eq!(ours.differing(&theirs), [PartnerField::Country]);
/// assert_eq!(format!("{theirs:?}"), "PartnerFields {Name, City}");
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct PartnerFields {
    /// The person; of a company its contact person.
    pub name: Option<String>,
    /// How the name is put together, where that is known and the directory has a place for its parts. No value of its own:
    /// two that differ in nothing else do not differ.
    pub name_parts: Option<NameParts>,
    pub company_name: Option<String>,
    pub kind: Option<PartnerKind>,
    pub email: Option<EmailAddress>,
    pub phone: Option<PhoneNumber>,
    /// Street, house and unit; may have several lines.
    pub street: Option<String>,
    pub city: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<CountryCode>,
    pub tax_number: Option<TaxNumber>,
    pub tags: Option<Tags>,
}

/// What a partner is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PartnerKind {
    Person,
    Company,
}

impl PartnerKind {
    pub const ALL: [Self; 2] = [Self::Person, Self::Company];

    /// The name in JSON and in stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whoever has a company's name is a company.
    pub(crate) fn of_company_name(is_there: bool) -> Self {
        if is_there { Self::Company } else { Self::Person }
    }
}

/// First and last name, which make the name with a blank between.
#[derive(Clone, PartialEq, Eq)]
pub struct NameParts {
    pub first: String,
    pub last: Option<String>,
}

/// Personal data.
impl fmt::Debug for NameParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameParts(…)")
    }
}

impl PartnerField {
    pub const ALL: [Self; 11] = [
        Self::Name,
        Self::CompanyName,
        Self::Kind,
        Self::Email,
        Self::Phone,
        Self::Street,
        Self::City,
        Self::PostalCode,
        Self::Country,
        Self::TaxNumber,
        Self::Tags,
    ];

    /// Whether it is a contact point, of which a customer may have several: each is a contact of its own.
    pub fn is_point(self) -> bool {
        matches!(self, Self::Email | Self::Phone)
    }

    /// Whether two sides can differ in it, so that a rule decides. What a partner is goes by the company's name.
    pub fn has_rule(self) -> bool {
        self != Self::Kind
    }

    /// The name in JSON and in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::CompanyName => "companyName",
            Self::Kind => "kind",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Street => "street",
            Self::City => "city",
            Self::PostalCode => "postalCode",
            Self::Country => "country",
            Self::TaxNumber => "taxNumber",
            Self::Tags => "tags",
        }
    }

    /// The field of that name, written as `as_str` gives it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

impl PartnerFields {
    /// The value as text; `None` when nothing is said.
    pub fn text(&self, field: PartnerField) -> Option<&str> {
        match field {
            PartnerField::Name => self.name.as_deref(),
            PartnerField::CompanyName => self.company_name.as_deref(),
            PartnerField::Kind => self.kind.map(PartnerKind::as_str),
            PartnerField::Email => self.email.as_ref().map(EmailAddress::as_str),
            PartnerField::Phone => self.phone.as_ref().map(PhoneNumber::as_str),
            PartnerField::Street => self.street.as_deref(),
            PartnerField::City => self.city.as_deref(),
            PartnerField::PostalCode => self.postal_code.as_deref(),
            PartnerField::Country => self.country.map(CountryCode::as_str),
            PartnerField::TaxNumber => self.tax_number.as_ref().map(TaxNumber::as_str),
            PartnerField::Tags => self.tags.as_ref().map(Tags::as_str),
        }
    }

    /// The fields that say something, in their order.
    pub fn stated(&self) -> impl Iterator<Item = PartnerField> {
        PartnerField::ALL.into_iter().filter(|field| self.text(*field).is_some())
    }

    /// A copy that states only these fields.
    #[must_use]
    pub fn only(&self, fields: &[PartnerField]) -> Self {
        let mut some = self.clone();
        for field in PartnerField::ALL.into_iter().filter(|field| !fields.contains(field)) {
            some.clear(field);
        }
        some
    }

    fn clear(&mut self, field: PartnerField) {
        match field {
            PartnerField::Name => (self.name, self.name_parts) = (None, None),
            PartnerField::CompanyName => self.company_name = None,
            PartnerField::Kind => self.kind = None,
            PartnerField::Email => self.email = None,
            PartnerField::Phone => self.phone = None,
            PartnerField::Street => self.street = None,
            PartnerField::City => self.city = None,
            PartnerField::PostalCode => self.postal_code = None,
            PartnerField::Country => self.country = None,
            PartnerField::TaxNumber => self.tax_number = None,
            PartnerField::Tags => self.tags = None,
        }
    }

    /// The fields that this states and `other` has otherwise or not at all.
    pub fn differing(&self, other: &Self) -> Vec<PartnerField> {
        self.stated().filter(|field| !self.agrees(other, *field)).collect()
    }

    fn agrees(&self, other: &Self, field: PartnerField) -> bool {
        match field {
            PartnerField::TaxNumber => self.tax_number == other.tax_number,
            field => self.text(field) == other.text(field),
        }
    }
}

/// Personal data: only which fields are stated may be printed.
impl fmt::Debug for PartnerFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartnerFields ")?;
        f.debug_set().entries(self.stated()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_listed_once_in_order_and_has_its_name() {
        assert!(PartnerField::ALL.is_sorted_by(|one, next| one < next));
        for field in PartnerField::ALL {
            assert_eq!(PartnerField::parse(field.as_str()), Some(field));
        }
    }

    #[test]
    fn a_prefix_of_the_tax_number_is_no_difference_and_a_missing_value_is() {
        let fields = |tax: &str| PartnerFields {
            tax_number: TaxNumber::parse(tax).ok(),
            city: Some("Bled".to_owned()),
            ..PartnerFields::default()
        };
        assert!(fields("SI12345678").differing(&fields("1234 5678")).is_empty());
        assert_eq!(fields("12345678").differing(&fields("12345679")), [PartnerField::TaxNumber]);
        let nothing = PartnerFields::default();
        assert_eq!(fields("1").differing(&nothing), [PartnerField::City, PartnerField::TaxNumber]);
        assert!(nothing.differing(&fields("1")).is_empty());
    }
}
