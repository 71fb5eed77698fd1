//! The transformer: a customer and a partner as views that can be compared, and back again. Pure functions.

use serde_json::{Map, Value};

use crate::mapping::Mapping;
use crate::partner::{NameParts, PartnerAbilities, PartnerField, PartnerFields, PartnerKind, RemotePartner};
use crate::view::{SyncText, SyncView};
use onefold_domain::block::BlockRule;
use onefold_domain::contact::{ContactRecord, Statement};
use onefold_domain::customer::CustomerView;
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::{ProfileField, split_name};

/// What the customer would be as a partner. Of several emails and phones it shows the one that `theirs` or
/// `base` has, so that having more of them is no difference; else the first choice, one that is verified, the
/// oldest.
pub(crate) fn fields_of(
    customer: &CustomerView,
    partner: Option<&RemotePartner>,
    base: &SyncView,
) -> PartnerFields {
    let profile = &customer.profile;
    let text = |field| profile.text(field).map(ToOwned::to_owned);
    let address = profile.address();
    let theirs = partner.map(|partner| &partner.fields);
    // What stands in a row of another of its people stays there.
    let is_free = |value: Option<Statement>| {
        partner.zip(value).is_none_or(|(partner, value)| !partner.is_others(&value))
    };
    let emails = customer.contacts.iter().filter_map(email);
    let emails: Vec<_> =
        emails.filter(|one| is_free(Statement::new(Some(one.value.clone()), None))).collect();
    let phones = customer.contacts.iter().filter_map(phone);
    let phones: Vec<_> =
        phones.filter(|one| is_free(Statement::new(None, Some(one.value.clone())))).collect();
    let told = |field| base.get(&field).and_then(Option::as_ref).map(SyncText::as_str);
    PartnerFields {
        name: customer.full_name(),
        name_parts: name_parts(customer),
        kind: Some(PartnerKind::of_company_name(profile.text(ProfileField::CompanyName).is_some())),
        company_name: text(ProfileField::CompanyName),
        email: preferred(&emails, |email| {
            [
                theirs.is_some_and(|theirs| theirs.email.as_ref() == Some(email)),
                told(PartnerField::Email) == Some(email.as_str()),
            ]
        }),
        phone: preferred(&phones, |phone: &PhoneNumber| {
            let same = |known: &PhoneNumber| known.match_key() == phone.match_key();
            [
                theirs.is_some_and(|theirs| theirs.phone.as_ref().is_some_and(same)),
                told(PartnerField::Phone) == Some(phone.as_str()),
            ]
        }),
        street: address.and_then(|address| address.street.clone()),
        city: address.and_then(|address| address.city.clone()),
        postal_code: address.and_then(|address| address.postal_code.clone()),
        country: profile
            .text(ProfileField::Country)
            .and_then(|code| onefold_domain::country::CountryCode::parse(code).ok()),
        tax_number: profile
            .text(ProfileField::TaxNumber)
            .and_then(|number| crate::partner::TaxNumber::parse(number).ok()),
        tags: profile.tags().cloned(),
    }
}

fn name_parts(customer: &CustomerView) -> Option<NameParts> {
    let text = |field| customer.profile.text(field).map(ToOwned::to_owned);
    let first = text(ProfileField::FirstName).filter(|_| customer.name_in_parts)?;
    Some(NameParts { first, last: text(ProfileField::LastName) })
}

fn email(contact: &ContactRecord) -> Option<Known<'_, EmailAddress>> {
    let value = contact.statement.email()?;
    Some(Known { contact, value, is_theirs: is_theirs(contact.email_blocked_by) })
}

fn phone(contact: &ContactRecord) -> Option<Known<'_, PhoneNumber>> {
    let value = contact.statement.phone()?;
    Some(Known { contact, value, is_theirs: is_theirs(contact.phone_blocked_by) })
}

/// A value and the contact that shows it.
struct Known<'a, V> {
    contact: &'a ContactRecord,
    value: &'a V,
    is_theirs: bool,
}

/// A placeholder is nobody's address. A number that a family shares links nobody either, and is each one's all the same.
fn is_theirs(blocked_by: Option<BlockRule>) -> bool {
    blocked_by != Some(BlockRule::NeverLinks)
}

/// The best of the values; the contacts come oldest first, and of equals the first stays.
fn preferred<V: Clone>(values: &[Known<'_, V>], known: impl Fn(&V) -> [bool; 2]) -> Option<V> {
    let usable = values.iter().filter(|one| one.is_theirs || known(one.value).contains(&true));
    let rank = |one: &&Known<'_, V>| {
        let [theirs, base] = known(one.value);
        let details = &one.contact.details;
        std::cmp::Reverse((theirs, base, details.is_primary, details.verified_at.is_some()))
    };
    usable.min_by_key(rank).map(|one| one.value.clone())
}

/// The fields that the other system carries, each with its text or none.
pub(crate) fn view_of(fields: &PartnerFields, abilities: &PartnerAbilities) -> SyncView {
    let text = |field: &PartnerField| (*field, fields.text(*field).and_then(SyncText::new));
    abilities.fields.iter().map(text).collect()
}

/// The partner as it stands beside its base. A field that holds there what is no value here is left out: it is
/// not empty. An email or phone that is gone there counts as it was: sync never takes a contact point away.
pub(super) fn theirs(partner: &RemotePartner, mapping: &Mapping, abilities: &PartnerAbilities) -> Theirs {
    let mut view = view_of(&partner.fields, abilities);
    view.retain(|field, _| !partner.unreadable.contains(field));
    let mut base = mapping.base.clone();
    if abilities.fields.contains(&PartnerField::Kind) {
        // Of two that never agreed on it the one that names a company knows more.
        let kind = agreed_kind(&base).unwrap_or(PartnerKind::Person);
        base.entry(PartnerField::Kind).or_insert_with(|| SyncText::new(kind.as_str()));
    }
    // Our own write, found there: they have not changed it, whatever became of us after the call.
    for (field, sent) in &mapping.sent {
        if view.get(field) == Some(sent) {
            base.insert(*field, sent.clone());
        }
    }
    // What the other system keeps in a form of its own is what was sent, and no change of theirs.
    for (field, kept) in &mapping.kept {
        if view.get(field) == Some(kept) {
            view.insert(*field, base.get(field).cloned().flatten());
        }
    }
    for field in [PartnerField::Email, PartnerField::Phone] {
        if view.get(&field) == Some(&None) {
            view.insert(field, base.get(&field).cloned().flatten());
        }
    }
    same_number(&mut view, &base);
    Theirs { view, base }
}

/// The other side, with what both last agreed on.
pub(super) struct Theirs {
    pub(super) view: SyncView,
    pub(super) base: SyncView,
}

/// The customer as it stands beside the partner. What cannot be cleared there counts as it was when it is gone
/// here: trying again on every run would end the same way. So does an email or a phone: whoever takes one back here has
/// no need to take it from those who call.
pub(super) fn ours(fields: &PartnerFields, theirs: &Theirs, abilities: &PartnerAbilities) -> SyncView {
    let mut view = view_of(fields, abilities);
    for (field, value) in &mut view {
        let stays = !abilities.clears || matches!(field, PartnerField::Email | PartnerField::Phone);
        if value.is_none() && stays {
            value.clone_from(theirs.base.get(field).unwrap_or(&None));
        }
    }
    let is_company = view.get(&PartnerField::CompanyName).is_some_and(Option::is_some);
    if let Some(kind) = view.get_mut(&PartnerField::Kind) {
        *kind = SyncText::new(PartnerKind::of_company_name(is_company).as_str());
    }
    same_number(&mut view, &theirs.base);
    same_number(&mut view, &theirs.view);
    view
}

/// What both sides last agreed that the partner is, or what it was when it was sent there.
pub(crate) fn kind_of(mapping: &Mapping) -> Option<PartnerKind> {
    agreed_kind(&mapping.base).or_else(|| agreed_kind(&mapping.sent))
}

/// Bases of older releases tell it by the company's name.
fn agreed_kind(base: &SyncView) -> Option<PartnerKind> {
    let told = base.get(&PartnerField::Kind).and_then(Option::as_ref);
    let told = told.and_then(|text| PartnerKind::parse(text.as_str()));
    let by_name = || {
        let is_company = base.get(&PartnerField::CompanyName)?.is_some();
        Some(PartnerKind::of_company_name(is_company))
    };
    told.or_else(by_name)
}

/// A tax number that differs in its spelling only is shown as the other one spells it.
fn same_number(view: &mut SyncView, other: &SyncView) {
    let number = |view: &SyncView| {
        let text = view.get(&PartnerField::TaxNumber)?.as_ref()?;
        crate::partner::TaxNumber::parse(text.as_str()).ok()
    };
    if let (Some(one), Some(spelt)) = (number(view), number(other))
        && one == spelt
    {
        view.insert(PartnerField::TaxNumber, other[&PartnerField::TaxNumber].clone());
    }
}

/// Where a field is in the profile of this customer; emails and phones are contacts of their own.
pub(super) fn profile_fields(customer: &CustomerView, field: PartnerField) -> &'static [ProfileField] {
    match field {
        PartnerField::Email | PartnerField::Phone | PartnerField::Kind => &[],
        PartnerField::Street | PartnerField::City | PartnerField::PostalCode => &[ProfileField::Address],
        PartnerField::Name if customer.name_in_parts => &[ProfileField::FirstName, ProfileField::LastName],
        PartnerField::Name => &[ProfileField::Name],
        PartnerField::CompanyName => &[ProfileField::CompanyName],
        PartnerField::Country => &[ProfileField::Country],
        PartnerField::TaxNumber => &[ProfileField::TaxNumber],
        PartnerField::Tags => &[ProfileField::Tags],
    }
}

/// A merge patch of the profile that says what these fields are there. Nothing of emails and phones, which are
/// contacts of their own. Who is known by first and last name here stays so.
pub(crate) fn profile_patch(
    customer: &CustomerView,
    theirs: &PartnerFields,
    changed: &[PartnerField],
) -> Map<String, Value> {
    let mut patch = Map::new();
    let mut address = Map::new();
    for field in changed {
        let value = theirs.text(*field).map_or(Value::Null, Value::from);
        match field {
            PartnerField::Email | PartnerField::Phone | PartnerField::Kind => {}
            PartnerField::Street | PartnerField::City | PartnerField::PostalCode => {
                address.insert(field.as_str().to_owned(), value);
            }
            PartnerField::Name if customer.name_in_parts => {
                let known = |field| customer.profile.text(field);
                let known = (known(ProfileField::FirstName), known(ProfileField::LastName));
                let parts = theirs.name.as_ref().map(|name| split_name(name, known));
                let (first, last) = parts.map_or((None, None), |(first, last)| (Some(first), last));
                patch.insert(ProfileField::FirstName.as_str().to_owned(), first.into());
                patch.insert(ProfileField::LastName.as_str().to_owned(), last.into());
            }
            PartnerField::Name
            | PartnerField::CompanyName
            | PartnerField::Country
            | PartnerField::TaxNumber
            | PartnerField::Tags => {
                patch.insert(field.as_str().to_owned(), value);
            }
        }
    }
    if !address.is_empty() {
        patch.insert(ProfileField::Address.as_str().to_owned(), address.into());
    }
    patch
}
