//! Survivorship: of all that the contacts of a customer state, what the customer's profile shows. The
//! rules are data (`data/survivorship.toml` is what ships); this module reads and applies them.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::id::ContactId;
use crate::profile::{Attribution, Profile, ProfileField, ProfileValue};
use crate::source::ContactSource;

/// The rules that ship with the crate, as text with its comments.
pub const SHIPPED_SURVIVORSHIP: &str = include_str!("../../data/survivorship.toml");

/// Which of several statements about one field survives.
///
/// ```
/// use chrono::DateTime;
/// use onefold_domain::id::ContactId;
/// use onefold_domain::profile::{Profile, ProfileField};
/// use onefold_domain::source::ContactSource;
/// use onefold_domain::survivorship::{ProfileEvidence, SurvivorshipRules};
///
/// let typed = Profile::from_texts(&[("name", "Ann Lee")]).unwrap();
/// let ordered = Profile::from_texts(&[("name", "A. Lee"), ("country", "SI")]).unwrap();
/// let evidence = |contact, source, profile| ProfileEvidence {
///     contact: ContactId(contact),
///     source,
///     verified: false,
///     at: DateTime::UNIX_EPOCH,
///     profile,
/// };
///
/// let customer = SurvivorshipRules::shipped().survivors(&[
///     evidence(1, ContactSource::Manual, &typed),
///     evidence(2, ContactSource::Order, &ordered),
/// ]);
/// assert_eq!(customer.profile.text(ProfileField::Name), Some("Ann Lee"));
/// assert_eq!(customer.profile.text(ProfileField::Country), Some("SI"));
/// assert_eq!(customer.sources[&ProfileField::Country], ContactId(2));
/// ```
#[derive(Clone, Debug)]
pub struct SurvivorshipRules {
    order: Vec<Criterion>,
    /// The sources that are ranked, the most trusted first.
    sources: Vec<ContactSource>,
    /// Fields with an order of their own.
    fields: BTreeMap<ProfileField, Vec<Criterion>>,
}

/// Rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSurvivorship {
    #[error("the survivorship rules are not valid TOML or have an unknown entry")]
    Syntax(#[source] Box<toml::de::Error>),
    #[error("`sources` of the survivorship rules, entry {entry}: not a source of contacts")]
    UnknownSource { entry: usize },
    #[error("`sources` of the survivorship rules, entry {entry}: the source is listed before")]
    RepeatedSource { entry: usize },
    #[error("`fields` of the survivorship rules: `{name}` is not a field of the profile")]
    UnknownField { name: String },
}

/// The profile of one contact with all that the rules ask of it. A contact brings one. What its profile attributes to
/// nobody else was set by this source at this moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProfileEvidence<'a> {
    pub contact: ContactId,
    pub source: ContactSource,
    /// Whether an email or phone of the contact was verified.
    pub verified: bool,
    /// When the contact was changed last.
    pub at: DateTime<Utc>,
    pub profile: &'a Profile,
}

/// The computed profile of a customer, and which contact each field comes from.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CustomerProfile {
    pub profile: Profile,
    /// Has a field that `profile` has not when a contact stated that there is none, and won.
    pub sources: BTreeMap<ProfileField, ContactId>,
    /// Since when each field is what it is.
    pub set_at: BTreeMap<ProfileField, DateTime<Utc>>,
    /// Whether first and last name say better than `name` what the person is called: the statement that survives of
    /// either is held against that of the other.
    pub name_in_parts: bool,
}

impl SurvivorshipRules {
    /// The rules in `data/survivorship.toml`.
    ///
    /// # Panics
    /// Never in a released version: a test parses the file.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the text is part of the crate and parsed by a test")]
    pub fn shipped() -> Self {
        Self::from_toml(SHIPPED_SURVIVORSHIP).expect("the shipped rules are valid")
    }

    /// Reads rules in the format of the shipped ones. What the text leaves out has no say: without
    /// `order` the newest statement survives, without `sources` all of them rank alike.
    ///
    /// # Errors
    /// Text that is no TOML, entries that are unknown, or a source that is listed twice.
    pub fn from_toml(text: &str) -> Result<Self, InvalidSurvivorship> {
        let file: RulesFile =
            toml::from_str(text).map_err(|error| InvalidSurvivorship::Syntax(Box::new(error)))?;
        let mut sources = Vec::new();
        for (index, name) in file.sources.iter().enumerate() {
            let entry = index + 1;
            let source = ContactSource::parse(name).ok_or(InvalidSurvivorship::UnknownSource { entry })?;
            if sources.contains(&source) {
                return Err(InvalidSurvivorship::RepeatedSource { entry });
            }
            sources.push(source);
        }
        let mut fields = BTreeMap::new();
        for (name, order) in file.fields {
            let Some(field) = ProfileField::parse(&name) else {
                return Err(InvalidSurvivorship::UnknownField { name });
            };
            fields.insert(field, order);
        }
        Ok(Self { order: file.order, sources, fields })
    }

    /// The profile that the statements add up to. Every field goes to the best statement about it, the
    /// address as a whole. A correction outdoes all that had been set when it was made, by whomever; what was set later
    /// is held against it by the rules. The order of the evidence makes no difference.
    pub fn survivors(&self, evidence: &[ProfileEvidence<'_>]) -> CustomerProfile {
        let mut stated: BTreeMap<ProfileField, Vec<Stated<'_>>> = BTreeMap::new();
        for contact in evidence {
            for (field, value) in contact.profile.iter() {
                stated.entry(field).or_default().push(Stated::of(contact, field, value));
            }
        }
        let best: BTreeMap<ProfileField, Stated<'_>> = stated
            .into_iter()
            .filter_map(|(field, stated)| Some((field, self.best(field, stated)?)))
            .collect();
        let name_in_parts = self.names_in_parts(&best);
        let sources = best.iter().map(|(field, stated)| (*field, stated.contact)).collect();
        let set_at = best.iter().map(|(field, stated)| (*field, stated.set.at)).collect();
        let values = best.into_iter().filter_map(|(field, stated)| Some((field, stated.value?.clone())));
        CustomerProfile { profile: Profile::of(values), sources, set_at, name_in_parts }
    }

    fn names_in_parts(&self, best: &BTreeMap<ProfileField, Stated<'_>>) -> bool {
        let names = [ProfileField::FirstName, ProfileField::LastName, ProfileField::Name];
        let known = names.into_iter().filter_map(|field| Some((field, *best.get(&field)?)));
        let known = known.filter(|(_, stated)| stated.value.is_some());
        let known: Vec<_> = known.collect();
        let held = known.iter().map(|(_, stated)| *stated).collect();
        // One statement may say both; then the name as a whole is as good as its parts, and simpler.
        let winner = self.best(ProfileField::Name, held);
        let whole = known.iter().find(|(field, _)| *field == ProfileField::Name).map(|(_, stated)| *stated);
        match (winner, whole) {
            (Some(winner), Some(whole)) => self.compare(ProfileField::Name, &winner, &whole).is_ne(),
            (winner, None) => winner.is_some(),
            (None, Some(_)) => false,
        }
    }

    /// The best of what is said about a field. What is left out is only what a correction has outdone.
    fn best<'a>(&self, field: ProfileField, stated: Vec<Stated<'a>>) -> Option<Stated<'a>> {
        let corrections = stated.iter().filter(|stated| stated.set.is_correction);
        let corrected_at = corrections.map(|stated| stated.set.at).max();
        let stands = |one: &Stated<'_>| {
            corrected_at.is_none_or(|at| one.set.at > at || (one.set.is_correction && one.set.at == at))
        };
        stated.into_iter().filter(stands).max_by(|one, other| self.compare(field, one, other))
    }

    /// Which of two statements about a field is the better one: the greater.
    fn compare(&self, field: ProfileField, one: &Stated<'_>, other: &Stated<'_>) -> Ordering {
        let order = self.fields.get(&field).unwrap_or(&self.order);
        let is_manual = |stated: &Stated<'_>| stated.set.source == ContactSource::Manual;
        let by_rules = order.iter().map(|criterion| match criterion {
            Criterion::Manual => is_manual(one).cmp(&is_manual(other)),
            Criterion::Verified => one.verified.cmp(&other.verified),
            // The smaller rank is the better one.
            Criterion::Source => self.rank(other.set.source).cmp(&self.rank(one.set.source)),
            Criterion::Newest => one.set.said_at().cmp(&other.set.said_at()),
        });
        // The last word is the contact's number, which no two share: the outcome must be one only.
        by_rules
            .fold(Ordering::Equal, Ordering::then)
            .then(one.set.said_at().cmp(&other.set.said_at()))
            .then(one.contact.cmp(&other.contact))
    }

    fn rank(&self, source: ContactSource) -> usize {
        self.sources.iter().position(|listed| *listed == source).unwrap_or(self.sources.len())
    }
}

/// What a contact states of one field.
#[derive(Clone, Copy)]
struct Stated<'a> {
    contact: ContactId,
    verified: bool,
    set: Attribution,
    value: Option<&'a ProfileValue>,
}

impl<'a> Stated<'a> {
    fn of(contact: &ProfileEvidence<'a>, field: ProfileField, value: Option<&'a ProfileValue>) -> Self {
        let set = contact.profile.attribution(field);
        let set = set.unwrap_or_else(|| Attribution::statement(contact.source, contact.at));
        Self { contact: contact.contact, verified: contact.verified, set, value }
    }
}

/// What statements are compared by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Criterion {
    Manual,
    Verified,
    Source,
    Newest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    #[serde(default)]
    order: Vec<Criterion>,
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    fields: BTreeMap<String, Vec<Criterion>>,
}
