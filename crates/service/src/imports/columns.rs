//! What the columns of a file mean: names in several spellings lead to one field, and what is no field of
//! ours is kept as metadata under its own name.

use onefold_domain::profile::ProfileField;

/// Where the value of a column goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Target {
    Email,
    Phone,
    UserId,
    Source,
    /// A path of the profile, such as `firstName` or `address.city`.
    Profile(&'static str),
    /// A JSON object of its own; only rows that are objects have these.
    WholeProfile,
    WholeAddress,
    WholeMetadata,
    /// A key of the metadata.
    Metadata,
    /// Of an exported row: what it is, which for a contact says which of the two its `value` is.
    Kind,
    Value,
    Channel,
    IsVerified,
    IsPrimary,
    /// The id of a user; that of a contact is another one here.
    Id,
    VerifiedAt,
    CreatedAt,
    UpdatedAt,
    OriginHub,
    OriginId,
    ReceivedEmail,
    ReceivedPhone,
    /// The external id of the user that the row names.
    UserExternalId,
    /// The external id of the user that the row is.
    ExternalId,
    /// Whether there is only its user's word for the row.
    SelfStated,
    /// How a guest's contact became its user's.
    ClaimedBy,
    /// Who set the values of the profile, and when.
    ProfileSet,
    /// Of a join of two emails, or of two phones: the other one.
    BesideEmail,
    BesidePhone,
    /// The fields of which the profile states that there is no value, which no cell can say by being empty.
    ProfileNone,
    /// Of an exported contact: what is made anew.
    PassedOver,
}

/// The columns by which a file of ours is known; older ones have the first only. What an export adds to the
/// values would be metadata in the file of anybody else.
const EXPORTED: [&str; 2] = ["linkPrecedence", "originHub"];

/// Whether only files of ours have a column of this name.
pub(super) fn is_of_export(name: &str) -> bool {
    EXPORTED.contains(&name)
}

/// Whether members of these names make a row in the form of the API: its `value` is an email or a phone, as its `kind`
/// says. Beside an email or a phone the two are metadata, as they are in the file of anybody else.
pub(super) fn is_posted<'a>(mut names: impl Iterator<Item = &'a str> + Clone) -> bool {
    let is_value = |name: &str| matches!(Target::of(name), Target::Email | Target::Phone);
    names.clone().any(|name| matches!(name, "kind" | "value")) && !names.any(is_value)
}

/// The columns that only an export has, or a row in the form of the API.
const EXPORT_COLUMNS: [(&str, Target); 27] = [
    ("kind", Target::Kind),
    ("value", Target::Value),
    ("channel", Target::Channel),
    ("isVerified", Target::IsVerified),
    ("isPrimary", Target::IsPrimary),
    ("id", Target::Id),
    ("verifiedAt", Target::VerifiedAt),
    ("createdAt", Target::CreatedAt),
    ("updatedAt", Target::UpdatedAt),
    ("originHub", Target::OriginHub),
    ("originId", Target::OriginId),
    ("receivedEmail", Target::ReceivedEmail),
    ("receivedPhone", Target::ReceivedPhone),
    ("userExternalId", Target::UserExternalId),
    ("externalId", Target::ExternalId),
    ("profileNone", Target::ProfileNone),
    ("profileSet", Target::ProfileSet),
    ("besideEmail", Target::BesideEmail),
    ("besidePhone", Target::BesidePhone),
    ("selfStated", Target::SelfStated),
    ("claimedBy", Target::ClaimedBy),
    ("customerId", Target::PassedOver),
    ("linkPrecedence", Target::PassedOver),
    ("linkedId", Target::PassedOver),
    ("blockedBy", Target::PassedOver),
    ("emailBlockedBy", Target::PassedOver),
    ("phoneBlockedBy", Target::PassedOver),
];

/// Other names under which older systems export our fields, without capitals, blanks, `_` and `-`.
const SPELLINGS: [(&str, Target); 27] = [
    ("email", Target::Email),
    ("emailaddress", Target::Email),
    ("mail", Target::Email),
    ("phone", Target::Phone),
    ("phonenumber", Target::Phone),
    ("telephone", Target::Phone),
    ("mobile", Target::Phone),
    ("userid", Target::UserId),
    ("source", Target::Source),
    ("company", Target::Profile("companyName")),
    ("fullname", Target::Profile("name")),
    ("surname", Target::Profile("lastName")),
    ("street", Target::Profile("address.street")),
    ("addressstreet", Target::Profile("address.street")),
    ("city", Target::Profile("address.city")),
    ("addresscity", Target::Profile("address.city")),
    ("postalcode", Target::Profile("address.postalCode")),
    ("addresspostalcode", Target::Profile("address.postalCode")),
    ("zip", Target::Profile("address.postalCode")),
    ("postcode", Target::Profile("address.postalCode")),
    ("region", Target::Profile("address.region")),
    ("addressregion", Target::Profile("address.region")),
    ("vatnumber", Target::Profile("taxNumber")),
    ("url", Target::Profile("website")),
    ("profile", Target::WholeProfile),
    ("address", Target::WholeAddress),
    ("metadata", Target::WholeMetadata),
];

impl Target {
    /// What a column of this name means in a file of ours, or in the form of the API.
    pub(super) fn of_export(name: &str) -> Self {
        let known = EXPORT_COLUMNS.iter().find(|(column, _)| *column == name);
        known.map_or_else(|| Self::of(name), |(_, target)| target.clone())
    }

    /// What a column of this name means.
    pub(super) fn of(name: &str) -> Self {
        let plain: String = name
            .chars()
            .filter(|letter| !matches!(letter, ' ' | '_' | '-' | '.'))
            .flat_map(char::to_lowercase)
            .collect();
        let field = || ProfileField::ALL.into_iter().find(|field| field.as_str().to_lowercase() == plain);
        let known = SPELLINGS.iter().find(|(spelling, _)| *spelling == plain);
        match (known, field()) {
            (Some((_, target)), _) => target.clone(),
            (None, Some(field)) => Self::Profile(field.as_str()),
            (None, None) => Self::Metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_in_several_spellings() {
        for (name, target) in [
            ("Email", Target::Email),
            ("phone_number", Target::Phone),
            ("User ID", Target::UserId),
            ("first_name", Target::Profile("firstName")),
            ("taxNumber", Target::Profile("taxNumber")),
            ("postal code", Target::Profile("address.postalCode")),
            ("address.city", Target::Profile("address.city")),
            ("loyalty_tier", Target::Metadata),
            ("", Target::Metadata),
        ] {
            assert_eq!(Target::of(name), target, "{name}");
        }
    }
}
