//! The profile: what is known of a person beside the values that link. One contact states one; which
//! statement counts for the customer is decided in `survivorship`.

mod attribution;
mod field;
mod name;
mod parse;
#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};

use serde_json::{Map, Value};

pub use attribution::Attribution;
pub use field::ProfileField;
pub use name::split_name;
pub use parse::{InvalidProfile, ProfileFault};
pub use value::{Address, ProfileValue, Tags};

use attribution::{Attributions, all_from_json};
use parse::{noted, read_part, read_tags, read_text, read_value};

/// What one source, or all of them together, says of a person: any of the [`ProfileField`]s.
///
/// A field is stated, not known, or *stated as none*: a person ruled that there is no such value.
/// Only [`Self::ruling`] states a none.
///
/// Each value can have an [`Attribution`]; one without was set with the last change of the contact that states it. Two
/// profiles are equal if they say the same, whoever set it.
///
/// ```
/// use onefold_domain::profile::{Profile, ProfileField};
/// use serde_json::json;
///
/// let body = json!({"firstName": " Ann ", "country": "si", "notes": null, "address": {"city": "Bled"}});
/// let profile = Profile::parse(body.as_object().ok_or("no object")?).map_err(|_| "faulty")?;
/// assert_eq!(profile.text(ProfileField::FirstName), Some("Ann"));
/// assert_eq!(profile.text(ProfileField::Country), Some("SI"));
/// assert!(!profile.states(ProfileField::Notes));
///
/// let faulty = json!({"country": "Slovenia", "address": {"town": "Bled"}});
/// let faults = Profile::parse(faulty.as_object().ok_or("no object")?).unwrap_err();
/// assert_eq!([&faults[0].path, &faults[1].path], ["address.town", "country"]);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Default)]
pub struct Profile {
    values: Values,
    set: Attributions,
}

type Values = BTreeMap<ProfileField, Option<ProfileValue>>;

/// The member of a stored profile that holds who set its values. No field has this name.
const SET: &str = "_set";

impl Profile {
    /// Reads a profile as JSON: texts under the names of the fields, the address as an object with
    /// `street`, `city`, `postalCode` and `region`, tags as an array of texts or as one text with commas. Null and
    /// blank texts mean that it is not known.
    ///
    /// Texts are trimmed. Names, company, role and parts of the address have up to 200 characters, the
    /// postal code 32, the tax number 64, notes 10 000, the website 2 048; there are up to
    /// 50 tags of 64 characters, none with a comma.
    ///
    /// # Errors
    /// Every member that is unknown, of the wrong type, too long or no possible value.
    pub fn parse(members: &Map<String, Value>) -> Result<Self, Vec<InvalidProfile>> {
        let mut faults = Vec::new();
        let mut profile = Self::default();
        for (name, value) in members {
            let Some(field) = ProfileField::parse(name) else {
                noted(Err::<(), _>(ProfileFault::Unknown), name, &mut faults);
                continue;
            };
            if let Some(value) = read_value(field, value, &mut faults) {
                profile.values.insert(field, Some(value));
            }
        }
        if faults.is_empty() { Ok(profile) } else { Err(faults) }
    }

    /// Reads a profile from pairs of path and text, the way a table gives it: `firstName`, but
    /// `address.street`. Blank texts count as left out; of a path that comes twice the later text counts.
    ///
    /// # Errors
    /// As [`Self::parse`], in the order of the pairs.
    pub fn from_texts(texts: &[(&str, &str)]) -> Result<Self, Vec<InvalidProfile>> {
        let mut faults = Vec::new();
        let mut profile = Self::default();
        let mut address = Address::default();
        for (path, text) in texts {
            if let Some(part) = path.strip_prefix("address.") {
                noted(read_part(&mut address, part, text), path, &mut faults);
                continue;
            }
            let field = ProfileField::parse(path).filter(|field| *field != ProfileField::Address);
            let read = field.ok_or(ProfileFault::Unknown).and_then(|field| {
                let value = match field {
                    ProfileField::Tags => read_tags(text.split(','))?.map(ProfileValue::Tags),
                    field => read_text(field, text)?.map(ProfileValue::Text),
                };
                Ok(value.map(|value| (field, Some(value))))
            });
            profile.values.extend(noted(read, path, &mut faults));
        }
        if !address.is_empty() {
            profile.values.insert(ProfileField::Address, Some(ProfileValue::Address(address)));
        }
        if faults.is_empty() { Ok(profile) } else { Err(faults) }
    }

    /// What [`Self::to_stored`] gave, read back. It is not checked again; what this version does not know is passed
    /// over.
    ///
    /// # Errors
    /// A text that is no JSON object.
    pub fn from_stored(json: &str) -> Result<Self, serde_json::Error> {
        let mut members: Map<String, Value> = serde_json::from_str(json)?;
        let set = members.remove(SET);
        let known = members.into_iter().filter_map(|(name, value)| {
            let field = ProfileField::parse(&name)?;
            match value {
                Value::Null => Some((field, None)),
                value => ProfileValue::from_stored(field, value).map(|value| (field, Some(value))),
            }
        });
        let values: Values = known.collect();
        let mut set = set.as_ref().and_then(Value::as_object).map(all_from_json).unwrap_or_default();
        set.retain(|field, _| values.contains_key(field));
        Ok(Self { values, set })
    }

    /// As a store keeps it: the profile as JSON, with who set its values where that is not the contact itself.
    pub fn to_stored(&self) -> String {
        let mut members = self.to_json();
        if !self.set.is_empty() {
            members.insert(SET.to_owned(), self.attributions().into());
        }
        Value::Object(members).to_string()
    }

    /// What a person rules about a customer whose computed profile is `current`: exactly the fields that
    /// the patch names, with their values after the patch (RFC 7396). A patch of the city keeps the
    /// other parts of the address. What ends up without a value is stated as none.
    ///
    /// # Errors
    /// As [`Self::parse`], for the members of the patch.
    ///
    /// ```
    /// use onefold_domain::profile::{Profile, ProfileField};
    ///
    /// let current = Profile::from_texts(&[("name", "Ann"), ("role", "owner"), ("notes", "VIP")]);
    /// let patch = serde_json::json!({"role": "buyer", "notes": null});
    /// let ruling = Profile::ruling(&current.unwrap(), patch.as_object().unwrap()).unwrap();
    /// assert_eq!(ruling.text(ProfileField::Role), Some("buyer"));
    /// assert!(ruling.states(ProfileField::Notes) && ruling.get(ProfileField::Notes).is_none());
    /// assert!(!ruling.states(ProfileField::Name));
    /// ```
    pub fn ruling(current: &Self, patch: &Map<String, Value>) -> Result<Self, Vec<InvalidProfile>> {
        Ok(Self { values: current.patched(patch)?, set: Attributions::new() })
    }

    /// Applies a patch as RFC 7396 says: null removes a field or a part of the address. Fields that the
    /// patch does not name or that it leaves as they are keep their attributions.
    ///
    /// # Errors
    /// As [`Self::parse`], for the members of the patch.
    pub fn merge_patch(&self, patch: &Map<String, Value>) -> Result<Self, Vec<InvalidProfile>> {
        let mut result = self.clone();
        for (field, value) in self.patched(patch)? {
            match value {
                Some(value) => result.put(field, Some(value), None),
                None => result.remove(field),
            }
        }
        Ok(result)
    }

    /// This profile with all that `newer` states put over it, a stated none and the address as a whole. What says the
    /// same as before keeps its attribution: who repeats a value has not set it, and takes nothing from whoever
    /// corrected it meanwhile.
    #[must_use]
    pub fn overlay(&self, newer: &Self) -> Self {
        let mut result = self.clone();
        for (field, value) in &newer.values {
            result.put(*field, value.clone(), newer.set.get(field).copied());
        }
        result
    }

    fn put(&mut self, field: ProfileField, value: Option<ProfileValue>, set: Option<Attribution>) {
        if self.values.get(&field) == Some(&value) {
            return;
        }
        self.values.insert(field, value);
        match set {
            Some(set) => self.set.insert(field, set),
            None => self.set.remove(&field),
        };
    }

    fn remove(&mut self, field: ProfileField) {
        self.values.remove(&field);
        self.set.remove(&field);
    }

    /// This profile with these fields stated to have no value, whatever it said of them.
    pub fn without_values(mut self, fields: &[ProfileField]) -> Self {
        self.values.extend(fields.iter().map(|field| (*field, None)));
        self
    }

    /// The value, if there is one; `None` also for a stated none.
    pub fn get(&self, field: ProfileField) -> Option<&ProfileValue> {
        self.values.get(&field)?.as_ref()
    }

    /// The value of a field with a text, tags with commas between; `None` for the address.
    pub fn text(&self, field: ProfileField) -> Option<&str> {
        match self.get(field)? {
            ProfileValue::Text(text) => Some(text),
            ProfileValue::Tags(tags) => Some(tags.as_str()),
            ProfileValue::Address(_) => None,
        }
    }

    pub fn tags(&self) -> Option<&Tags> {
        match self.get(ProfileField::Tags)? {
            ProfileValue::Tags(tags) => Some(tags),
            ProfileValue::Text(_) | ProfileValue::Address(_) => None,
        }
    }

    pub fn address(&self) -> Option<&Address> {
        match self.get(ProfileField::Address)? {
            ProfileValue::Address(address) => Some(address),
            ProfileValue::Text(_) | ProfileValue::Tags(_) => None,
        }
    }

    /// Whether it says anything of the field; true also for a stated none.
    pub fn states(&self, field: ProfileField) -> bool {
        self.values.contains_key(&field)
    }

    /// Whether it states nothing at all, not even a none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All that is stated, in the order of the fields; `None` is a stated none.
    pub fn iter(&self) -> impl Iterator<Item = (ProfileField, Option<&ProfileValue>)> {
        self.values.iter().map(|(field, value)| (*field, value.as_ref()))
    }

    /// The profile as JSON, a stated none as null.
    pub fn to_json(&self) -> Map<String, Value> {
        self.iter()
            .map(|(field, value)| {
                (field.as_str().to_owned(), value.map_or(Value::Null, ProfileValue::to_json))
            })
            .collect()
    }

    /// A profile of these values, which come out of other profiles.
    pub(crate) fn of(values: impl IntoIterator<Item = (ProfileField, ProfileValue)>) -> Self {
        let values = values.into_iter().map(|(field, value)| (field, Some(value))).collect();
        Self { values, set: Attributions::new() }
    }

    /// The fields that the patch names, after it; `None` for those that are gone.
    fn patched(&self, patch: &Map<String, Value>) -> Result<Values, Vec<InvalidProfile>> {
        // On its own first: a misspelt member that is null would vanish in the merge.
        Self::parse(patch)?;
        let named: BTreeSet<_> = patch.keys().filter_map(|name| ProfileField::parse(name)).collect();
        // Only what is named is judged anew; a caller cannot mend faults of fields it did not send.
        let mut before = self.clone();
        before.values.retain(|field, _| named.contains(field));
        let mut merged = Value::Object(before.to_json());
        json_patch::merge(&mut merged, &Value::Object(patch.clone()));
        let mut after = Self::parse(merged.as_object().unwrap_or(patch))?;
        Ok(named.into_iter().map(|field| (field, after.values.remove(&field).flatten())).collect())
    }
}

impl PartialEq for Profile {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl Eq for Profile {}

impl Hash for Profile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values.hash(state);
    }
}

/// Personal data: only which fields are stated may be printed.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.values.iter().map(|(field, value)| (field, value.is_some()));
        f.write_str("Profile ")?;
        f.debug_map().entries(fields).finish()
    }
}
