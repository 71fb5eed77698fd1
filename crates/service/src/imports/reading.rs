//! What the cells or members of one row add up to.

mod posted;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::columns::Target;
use super::exported::ExportCells;
use super::parse::{BY_ORIGIN, FileRow, ImportRow, Parsed, RowParser, RowUser};
use super::undefused::undefused;
use crate::contacts::ContactRequest;
use crate::import::{MatchBy, RowFailure};
use crate::user::ExternalId;
use onefold_domain::contact::{Channel, Received, Statement};
use onefold_domain::email::{EmailAddress, InvalidEmail};
use onefold_domain::exact_json::{InexactJson, JsonFault, read_exactly};
use onefold_domain::metadata::Metadata;
use onefold_domain::phone::{InvalidPhone, PhoneNumber, Region};
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;

/// Sources that a row may name. The others are what requests and other systems leave behind, and only an export
/// repeats those.
const SOURCES: [ContactSource; 5] = [
    ContactSource::Order,
    ContactSource::Auth,
    ContactSource::SignupForm,
    ContactSource::Manual,
    ContactSource::Import,
];

/// The most characters of a name that a failure repeats.
const MAX_FIELD: usize = 200;

/// What has been read of a row so far.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) line: u64,
    /// What only a row that we wrote has; `None` for that of anybody else.
    pub(super) export: Option<Box<ExportCells>>,
    /// Whether it is in the form of the API: what `POST /contacts` takes.
    posted: bool,
    email: Option<Named>,
    phone: Option<Named>,
    user: Option<Named>,
    source: Option<Named>,
    kind: Option<Named>,
    value: Option<Named>,
    channel: Option<Named>,
    is_verified: bool,
    is_primary: Option<bool>,
    /// Column, path and text of the profile's parts.
    profile: Vec<(String, &'static str, String)>,
    profile_objects: Vec<(String, Map<String, Value>)>,
    metadata: Map<String, Value>,
    pub(super) failures: Vec<RowFailure>,
}

/// A text with the column it stood in.
pub(super) struct Named {
    pub(super) column: String,
    pub(super) text: String,
}

/// What an export has was accepted once, by rules that may have been wider than today's.
pub(super) fn email(text: &str, is_exported: bool) -> Result<EmailAddress, InvalidEmail> {
    EmailAddress::parse(text).or_else(|error| match is_exported {
        true => EmailAddress::parse_rfc5322(text),
        false => Err(error),
    })
}

pub(super) fn phone(
    text: &str,
    region: Option<Region>,
    is_exported: bool,
) -> Result<PhoneNumber, InvalidPhone> {
    if is_exported { PhoneNumber::parse_long(text, region) } else { PhoneNumber::parse(text, region) }
}

impl Reading {
    pub(super) fn of(line: u64) -> Self {
        Self { line, ..Self::default() }
    }

    /// Says whether the row is one that we wrote, or in the form of the API, which decides what its columns mean.
    pub(super) fn begin(&mut self, exported: bool, posted: bool) {
        self.export = exported.then(Box::default);
        self.posted = posted;
    }

    pub(super) fn fail(&mut self, field: &str, message: String) {
        // Columns and members bear any name; not every store keeps every letter, or names of any length.
        let shown = |letter: char| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
        let field = field.chars().take(MAX_FIELD).map(shown).collect();
        self.failures.push(RowFailure { line: self.line, field, message });
    }

    /// A cell of a CSV file; an empty one says nothing.
    pub(super) fn cell(&mut self, column: &str, target: &Target, text: String) {
        let exported = self.export.is_some();
        // Not even a blank, unless an export wrote it: it may be all of an external id.
        let is_empty = if exported { text.is_empty() } else { text.trim().is_empty() };
        if is_empty {
            return;
        }
        let text = if exported { undefused(text) } else { text };
        match target {
            Target::WholeMetadata if exported => match read_exactly(&text, Metadata::MAX_DEPTH) {
                Ok(Value::Object(object)) => self.keep_all(column, object),
                Err(error) if error.fault != JsonFault::Malformed => self.inexact(column, &error),
                _ => self.fail(column, "The metadata is no JSON object.".to_owned()),
            },
            Target::Metadata | Target::WholeMetadata => {
                if !column.is_empty() {
                    self.keep(column, column, Value::String(text));
                }
            }
            // A whole address in one cell is its first line.
            Target::WholeAddress => self.profile.push((column.to_owned(), "address.street", text)),
            Target::WholeProfile => self.keep(column, column, Value::String(text)),
            _ => self.text(column, target, text),
        }
    }

    /// A member of a JSON object; null says nothing.
    pub(super) fn member(&mut self, name: &str, value: &RawValue) {
        let ours = self.export.is_some() || self.posted;
        let target = if ours { Target::of_export(name) } else { Target::of(name) };
        match (&target, value.get().as_bytes().first()) {
            (_, Some(b'n')) | (Target::PassedOver, _) => {}
            (Target::IsVerified | Target::IsPrimary | Target::SelfStated, Some(b't' | b'f')) => {
                self.text(name, &target, value.get().to_owned());
            }
            (Target::IsVerified | Target::IsPrimary, _) if self.posted => {
                self.fail(name, "Send true or false.".to_owned());
            }
            (Target::Metadata, _) => match read_exactly(value.get(), Metadata::MAX_DEPTH) {
                Ok(value) => self.keep(name, name, value),
                Err(error) => self.inexact(name, &error),
            },
            (Target::WholeProfile | Target::WholeAddress | Target::WholeMetadata, _) => {
                self.object(name, &target, value);
            }
            // As text, which is how a table has it.
            (Target::ProfileSet, Some(b'{')) => self.text(name, &target, value.get().to_owned()),
            (_, Some(b'"')) => match serde_json::from_str::<String>(value.get()) {
                Ok(text) if text.trim().is_empty() && self.export.is_none() => {}
                Ok(text) => self.text(name, &target, text),
                Err(_) => self.fail(name, "The text holds an invalid escape sequence.".to_owned()),
            },
            // Digits are kept as they stand, however many there are.
            (Target::Phone | Target::Value | Target::Id | Target::OriginId, Some(b'0'..=b'9'))
                if value.get().bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                self.text(name, &target, value.get().to_owned());
            }
            _ => self.fail(name, "Send a string or null.".to_owned()),
        }
    }

    fn object(&mut self, name: &str, target: &Target, value: &RawValue) {
        match (read_exactly(value.get(), Metadata::MAX_DEPTH), target) {
            (Ok(Value::Object(object)), Target::WholeMetadata) => self.keep_all(name, object),
            (Ok(Value::Object(object)), Target::WholeAddress) => {
                let address = Map::from_iter([("address".to_owned(), Value::Object(object))]);
                self.profile_objects.push((name.to_owned(), address));
            }
            (Ok(Value::Object(object)), _) => {
                if let Some(export) = &mut self.export {
                    export.note_nones(&object);
                }
                self.profile_objects.push((name.to_owned(), object));
            }
            (Ok(_), _) => self.fail(name, "Send a JSON object or null.".to_owned()),
            (Err(error), _) => self.inexact(name, &error),
        }
    }

    /// A member of the metadata. A column of its own and the object `metadata` may both have one of this name, and
    /// neither is to be lost without a word.
    fn keep(&mut self, field: &str, name: &str, value: Value) {
        if self.metadata.insert(name.to_owned(), value).is_some() {
            self.fail(field, JsonFault::Doubled.to_string());
        }
    }

    fn keep_all(&mut self, column: &str, object: Map<String, Value>) {
        for (name, value) in object {
            self.keep(&format!("{column}.{name}"), &name, value);
        }
    }

    fn inexact(&mut self, column: &str, error: &InexactJson) {
        let way = if error.path.is_empty() { "" } else { "." };
        self.fail(&format!("{column}{way}{}", error.path), error.to_string());
    }

    fn text(&mut self, column: &str, target: &Target, text: String) {
        let named = Named { column: column.to_owned(), text };
        let named = match &mut self.export {
            Some(export) => export.take(target, named),
            None => Some(named),
        };
        match target {
            Target::Email => self.email = named,
            Target::Phone => self.phone = named,
            Target::UserId => self.user = named,
            Target::Source => self.source = named,
            Target::Kind => self.kind = named,
            Target::Value => self.value = named,
            Target::Channel => self.channel = named,
            Target::IsVerified => self.is_verified = named.is_some_and(|named| named.text == "true"),
            Target::IsPrimary if self.posted => {
                self.is_primary = named.map(|named| named.text.trim() == "true");
            }
            Target::Profile(path) => {
                if let Some(Named { column, text }) = named {
                    self.profile.push((column, path, text));
                }
            }
            _ => {}
        }
    }

    pub(super) fn finish(mut self, parser: &RowParser) -> Parsed {
        // A row that could not be split has one fault, and its values are not known.
        if self.failures.iter().any(|failure| failure.field == "row") {
            return Err(self.failures);
        }
        let has_origin = self.export.as_ref().is_some_and(|export| export.has_origin());
        if has_origin && parser.match_by == MatchBy::UserId {
            self.fail("row", BY_ORIGIN.to_owned());
            return Err(self.failures);
        }
        match self.kind.as_ref().map(|kind| kind.text.as_str()).filter(|_| has_origin) {
            Some("user") => self.user_row(parser),
            Some("join") => self.join_row(parser),
            _ => self.contact_row(parser),
        }
    }

    fn contact_row(mut self, parser: &RowParser) -> Parsed {
        self.take_value();
        let user = self.user(parser.match_by);
        let kept = self.kept(parser);
        let statement = self.statement(parser, user.as_ref());
        let source = self.source();
        let channel = self.channel();
        let profile = self.profile();
        let profile = self.with_nones(profile);
        let profile = self.with_attributions(profile, parser);
        let metadata = Metadata::parse(&Value::Object(std::mem::take(&mut self.metadata)));
        let metadata = metadata.unwrap_or_else(|error| {
            self.fail("metadata", error.to_string());
            Metadata::default()
        });
        let states_phone = statement.as_ref().is_some_and(|statement| statement.phone().is_some());
        let received = match kept {
            Some(_) => self.received(),
            None => Received {
                email: self.email.take().map(|named| named.text),
                phone: self.phone.take().filter(|_| states_phone).map(|named| named.text),
            },
        };
        match statement {
            Some(statement) if self.failures.is_empty() => {
                let mut request =
                    ContactRequest::new(statement, received, source.unwrap_or(ContactSource::Import));
                request.metadata = metadata;
                request.profile = profile;
                request.channel = channel;
                request.is_verified = self.is_verified.then_some(true);
                request.is_primary = if kept.is_some() { Some(self.is_primary()) } else { self.is_primary };
                let names_source = source.is_some();
                Ok(FileRow::Contact(ImportRow { line: self.line, request, names_source, user, kept }))
            }
            _ => Err(self.failures),
        }
    }

    pub(super) fn statement(&mut self, parser: &RowParser, user: Option<&RowUser>) -> Option<Statement> {
        // What an export has is canonical: read in a region, a number without a country would become another one.
        let has_origin = self.export.as_ref().is_some_and(|export| export.has_origin());
        let region = parser.region.filter(|_| !has_origin);
        let email = self.email.as_ref().map(|named| (named.column.clone(), email(&named.text, has_origin)));
        // A program that fills in the calling code and was told no number says nothing.
        let is_told = |number: &Result<PhoneNumber, InvalidPhone>| {
            has_origin || !number.as_ref().is_ok_and(PhoneNumber::is_calling_code)
        };
        let phone =
            self.phone.as_ref().map(|named| (named.column.clone(), phone(&named.text, region, has_origin)));
        let phone = phone.filter(|(_, number)| is_told(number));
        if email.is_none() && phone.is_none() && self.failures.is_empty() {
            let message = "The row has neither an email nor a phone; give at least one of them.";
            self.fail("email, phone", message.to_owned());
        }
        let email = email.and_then(|(column, email)| self.read(&column, email));
        let phone = phone.and_then(|(column, phone)| self.read(&column, phone));
        let statement = Statement::new(email, phone)?;
        // Whoever is named in another way is looked up with all the others of the batch.
        Some(match user.and_then(RowUser::id) {
            Some(user) => statement.of_user(user),
            None => statement,
        })
    }

    pub(super) fn user(&mut self, match_by: MatchBy) -> Option<RowUser> {
        let Some(named) = self.user.take() else {
            if match_by == MatchBy::UserId {
                self.fail("userId", "Rows are matched by user, and this one names none.".to_owned());
            }
            return None;
        };
        let external_id = self.user_external_id();
        let text = self.read(&named.column, ExternalId::parse(named.text.trim()))?;
        Some(RowUser { column: named.column, text, external_id })
    }

    pub(super) fn source(&mut self) -> Option<ContactSource> {
        let named = self.source.take()?;
        // What an export shows comes back, whoever said it.
        let known: &[ContactSource] = if self.export.is_some() { &ContactSource::ALL } else { &SOURCES };
        let source = known.iter().copied().find(|source| source.as_str() == named.text.trim());
        if source.is_none() {
            let known = SOURCES.map(ContactSource::as_str).join(", ");
            self.fail(&named.column, format!("The source must be one of {known}."));
        }
        source
    }

    /// How a phone is reached; of an email a channel says nothing.
    fn channel(&mut self) -> Option<Channel> {
        let named = self.channel.take()?;
        let channel = Channel::parse(&named.text);
        if channel.is_none() {
            self.fail(&named.column, "There is no such channel.".to_owned());
        }
        channel.filter(|channel| *channel != Channel::Email)
    }

    pub(super) fn profile(&mut self) -> Option<Profile> {
        let parts = std::mem::take(&mut self.profile);
        let texts: Vec<(&str, &str)> = parts.iter().map(|(_, path, text)| (*path, text.as_str())).collect();
        let mut profile = Profile::from_texts(&texts).unwrap_or_else(|faults| {
            for fault in faults {
                // The caller knows the column, not our path.
                let column = parts.iter().find(|(_, path, _)| *path == fault.path).map(|(column, ..)| column);
                let column = column.unwrap_or(&fault.path).clone();
                self.fail(&column, fault.reason.to_string());
            }
            Profile::default()
        });
        for (column, object) in std::mem::take(&mut self.profile_objects) {
            match Profile::parse(&object) {
                Ok(stated) => profile = profile.overlay(&stated),
                Err(faults) => {
                    for fault in faults {
                        self.fail(&format!("{column}.{}", fault.path), fault.reason.to_string());
                    }
                }
            }
        }
        (!profile.is_empty()).then_some(profile)
    }

    pub(super) fn read<T, E: ToString>(&mut self, column: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.fail(column, error.to_string())).ok()
    }
}
