//! A profile as columns of a table.

use std::collections::BTreeMap;

use onefold_domain::profile::{Address, Profile, ProfileField};

/// The parts of the address with the columns that they have.
const ADDRESS: [(&str, &str); 4] = [
    ("street", "address.street"),
    ("city", "address.city"),
    ("postalCode", "address.postalCode"),
    ("region", "address.region"),
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    texts().map(ProfileField::as_str).chain(ADDRESS.map(|(_, column)| column))
}

/// The cells under these names.
pub(super) fn cells(profile: Option<&Profile>) -> impl Iterator<Item = &str> {
    let address = profile.and_then(Profile::address);
    let address: BTreeMap<_, _> = address.into_iter().flat_map(Address::parts).collect();
    let address = ADDRESS.map(|(part, _)| address.get(part).copied().unwrap_or_default());
    let text = move |field| profile.and_then(|profile| profile.text(field)).unwrap_or_default();
    texts().map(text).chain(address)
}

/// The fields of which it states that there is no value: an empty cell says nothing.
pub(super) fn nones(profile: Option<&Profile>) -> String {
    let stated = profile.into_iter().flat_map(Profile::iter);
    let none = stated.filter(|(_, value)| value.is_none()).map(|(field, _)| field.as_str());
    none.collect::<Vec<_>>().join(",")
}

fn texts() -> impl Iterator<Item = ProfileField> {
    ProfileField::ALL.into_iter().filter(|field| *field != ProfileField::Address)
}
