//! The fields of a profile and the names under which the world knows them.

/// A field of a profile. The order of the variants is the order in which profiles are shown.
///
/// ```
/// use onefold_domain::profile::ProfileField;
///
/// assert_eq!(ProfileField::parse("taxNumber"), Some(ProfileField::TaxNumber));
/// assert_eq!(ProfileField::parse("tax_number"), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ProfileField {
    FirstName,
    LastName,
    /// The name as a whole, where a source does not tell its parts apart.
    Name,
    CompanyName,
    /// What the person does at the company.
    Role,
    Address,
    /// ISO 3166-1 alpha-2.
    Country,
    TaxNumber,
    Notes,
    Website,
    /// Words by which people sort their customers.
    Tags,
}

impl ProfileField {
    pub const ALL: [Self; 11] = [
        Self::FirstName,
        Self::LastName,
        Self::Name,
        Self::CompanyName,
        Self::Role,
        Self::Address,
        Self::Country,
        Self::TaxNumber,
        Self::Notes,
        Self::Website,
        Self::Tags,
    ];

    /// The name in JSON, in rules and in stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstName => "firstName",
            Self::LastName => "lastName",
            Self::Name => "name",
            Self::CompanyName => "companyName",
            Self::Role => "role",
            Self::Address => "address",
            Self::Country => "country",
            Self::TaxNumber => "taxNumber",
            Self::Notes => "notes",
            Self::Website => "website",
            Self::Tags => "tags",
        }
    }

    /// The field of that name, written as `as_str` gives it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_listed_once_in_order_and_has_its_name() {
        assert!(ProfileField::ALL.is_sorted_by(|one, next| one < next));
        for field in ProfileField::ALL {
            assert_eq!(ProfileField::parse(field.as_str()), Some(field));
        }
    }
}
