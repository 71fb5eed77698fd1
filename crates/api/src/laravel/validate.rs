//! The two requests of the contract. Rules, in the order in which their faults are listed:
//!
//! | field | POST | PUT |
//! | --- | --- | --- |
//! | `uuid` | required, uuid | prohibited |
//! | `type` | required, in | in, required with fields that the contact has no place for |
//! | `email` | required if the type is email, string, email | the same |
//! | `country_code` | required unless the type is email, string, max 10, has digits | the same |
//! | `number` | required unless the type is email, string, max 20, a number without an extension | the same |
//!
//! None is `nullable`: present and null is another thing than absent, and breaks the other rules.
//! `value` stands in for an `email` that is absent or null while the type is email; its faults are told
//! of `email`, and with another type it is ignored like every unknown field.
//!
//! What a PUT leaves out comes from the stored contact. A new type of the same structure (WhatsApp to
//! Telegram) keeps the number; one of the other structure needs its own fields, and misses them with the
//! messages of a POST. Without a type, fields of the structure that the contact does not have would be lost without a
//! word, so that they ask for one; beside a type that has no use for them they are judged and ignored.

use std::fmt;

use onefold_domain::contact::Channel;
use serde_json::Value;
use uuid::Uuid;

use super::email::is_email;
use super::errors::{Errors, Fault, Field};
use super::input::Input;
use super::point::{PhoneChannel, Point, Stored};
use super::rules;

/// Together with the blank between them as many characters as a phone number may have here.
const MAX_COUNTRY_CODE: usize = 10;
const MAX_NUMBER: usize = 20;

/// A POST that breaks no rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CreateContact {
    pub(crate) user: Uuid,
    pub(crate) point: Point,
}

impl CreateContact {
    /// The user that the request names, whatever else is wrong with it.
    pub(crate) fn user(input: &Input) -> Option<Uuid> {
        rules::uuid(input.get(Field::Uuid.name())?)
    }

    pub(crate) fn validate(input: &Input) -> Result<Self, Errors> {
        let mut checks = Checks { input, errors: Errors::default() };
        let user = checks.required(Field::Uuid, Fault::Uuid, rules::uuid);
        let channel = checks.required(Field::Type, Fault::NotInList, rules::channel);
        let is_email = channel == Some(Channel::Email);
        // Anything else than email asks for a number, an unknown type and none as well.
        let need = |active| Need { active, lent: false };
        let given = checks.point_fields(is_email, need(is_email), need(!is_email), need(!is_email));
        let point = channel.and_then(|channel| given.into_point(channel));
        match (user, point) {
            (Some(user), Some(point)) if checks.errors.is_empty() => Ok(Self { user, point }),
            _ => Err(checks.errors),
        }
    }
}

/// A PUT that breaks no rule: what it gives, and nothing of what is stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ChangeContact {
    pub(crate) channel: Option<Channel>,
    given: Given,
}

impl ChangeContact {
    pub(crate) fn validate(input: &Input, stored: &Stored) -> Result<Self, Errors> {
        let mut checks = Checks { input, errors: Errors::default() };
        if input.get(Field::Uuid.name()).is_some_and(|value| !rules::is_empty(value)) {
            checks.errors.add(Field::Uuid, Fault::Prohibited);
        }
        let is_typed = input.get(Field::Type.name()).is_some();
        let channel = checks.optional(Field::Type, Fault::NotInList, rules::channel);
        if !is_typed {
            checks.type_for_others(stored.channel);
        }
        // With a type that nobody knows, nobody knows what is missing.
        let effective = if is_typed { channel } else { Some(stored.channel) };
        let is_email = effective == Some(Channel::Email);
        let is_phone = effective.is_some_and(|channel| channel != Channel::Email);
        let given = checks.point_fields(
            is_email,
            // `required_if` looks at the request's type only, `required_unless` at its absence as well.
            Need { active: is_email && (is_typed || stored.email.is_none()), lent: stored.email.is_some() },
            Need { active: is_phone, lent: stored.country_code.is_some() },
            Need { active: is_phone, lent: stored.number.is_some() },
        );
        if checks.errors.is_empty() { Ok(Self { channel, given }) } else { Err(checks.errors) }
    }

    /// The contact as it is to be. Fails if what is stored is no longer what the request was judged by.
    pub(crate) fn complete(self, stored: Stored) -> Result<Point, Errors> {
        let channel = self.channel.unwrap_or(stored.channel);
        let whole = Given {
            email: self.given.email.or(stored.email),
            country_code: self.given.country_code.or(stored.country_code),
            number: self.given.number.or(stored.number),
        };
        let missing = whole.missing(channel);
        whole.into_point(channel).ok_or(missing)
    }
}

/// Personal data: only which fields are there may be printed.
impl fmt::Debug for ChangeContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeContact")
            .field("channel", &self.channel)
            .field("email", &self.given.email.is_some())
            .field("country_code", &self.given.country_code.is_some())
            .field("number", &self.given.number.is_some())
            .finish()
    }
}

/// The parts of a point that are there.
#[derive(Clone, PartialEq, Eq)]
struct Given {
    email: Option<String>,
    country_code: Option<String>,
    number: Option<String>,
}

impl Given {
    fn into_point(self, channel: Channel) -> Option<Point> {
        match PhoneChannel::of(channel) {
            None => self.email.map(Point::Email),
            Some(channel) => {
                Some(Point::Phone { channel, country_code: self.country_code?, number: self.number? })
            }
        }
    }

    fn missing(&self, channel: Channel) -> Errors {
        let mut errors = Errors::default();
        if channel == Channel::Email {
            if self.email.is_none() {
                errors.add(Field::Email, Fault::RequiredForEmail);
            }
            return errors;
        }
        for (field, value) in [(Field::CountryCode, &self.country_code), (Field::Number, &self.number)] {
            if value.is_none() {
                errors.add(field, Fault::RequiredForPhone);
            }
        }
        errors
    }
}

/// Whether a field is required.
#[derive(Clone, Copy)]
struct Need {
    /// The type asks for it.
    active: bool,
    /// The stored contact has one, so it may be absent.
    lent: bool,
}

impl Need {
    fn is_missed_by(self, value: Option<&Value>) -> bool {
        self.active && value.map_or(!self.lent, rules::is_empty)
    }
}

struct Checks<'a> {
    input: &'a Input,
    errors: Errors,
}

impl Checks<'_> {
    fn required<T>(&mut self, field: Field, fault: Fault, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        if self.input.get(field.name()).is_none_or(rules::is_empty) {
            self.errors.add(field, Fault::Required);
            return None;
        }
        self.optional(field, fault, read)
    }

    fn optional<T>(&mut self, field: Field, fault: Fault, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = read(self.input.get(field.name())?);
        if value.is_none() {
            self.errors.add(field, fault);
        }
        value
    }

    /// Fields of another structure than the contact's mean another type, which is not for us to guess.
    fn type_for_others(&mut self, stored: Channel) {
        let is_email = stored == Channel::Email;
        let fault = if is_email { Fault::RequiredWithNumber } else { Fault::RequiredWithEmail };
        let is_given =
            |field: &Field| self.input.get(field.name()).is_some_and(|value| !rules::is_empty(value));
        if fault.fields().iter().any(is_given) {
            self.errors.add(Field::Type, fault);
        }
    }

    fn point_fields(&mut self, is_email: bool, email: Need, country_code: Need, number: Need) -> Given {
        Given {
            email: self.email(is_email, email),
            country_code: self
                .digits(Field::CountryCode, MAX_COUNTRY_CODE, country_code)
                .map(|digits| format!("+{digits}")),
            number: self.digits(Field::Number, MAX_NUMBER, number),
        }
    }

    fn email(&mut self, with_alternative: bool, need: Need) -> Option<String> {
        let of = |name| self.input.get(name);
        let alternative = of("value").filter(|value| with_alternative && !value.is_null());
        let value = match of(Field::Email.name()) {
            None | Some(Value::Null) => alternative.or(of(Field::Email.name())),
            given => given,
        };
        if need.is_missed_by(value) {
            self.errors.add(Field::Email, Fault::RequiredForEmail);
            return None;
        }
        let text = value?.as_str();
        if text.is_none() {
            self.errors.add(Field::Email, Fault::NotAString);
        }
        let accepted = text.filter(|text| is_email(text));
        if accepted.is_none() {
            self.errors.add(Field::Email, Fault::Email);
        }
        accepted.map(str::to_owned)
    }

    fn digits(&mut self, field: Field, most: usize, need: Need) -> Option<String> {
        let value = self.input.get(field.name());
        if need.is_missed_by(value) {
            self.errors.add(field, Fault::RequiredForPhone);
            return None;
        }
        let value = value?;
        let is_another = field == Field::Number && !rules::keeps_its_digits(value);
        // All rules are tried, whatever the ones before said.
        let faults = [
            (!value.is_string(), Fault::NotAString),
            (rules::size(value) > most, Fault::TooLong { most }),
            (!rules::has_digits(value) || is_another, Fault::Format),
        ];
        for (_, fault) in faults.into_iter().filter(|(is_broken, _)| *is_broken) {
            self.errors.add(field, fault);
        }
        value.as_str().map(rules::digits)
    }
}
