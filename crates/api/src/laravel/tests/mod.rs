//! Requests from bytes to sentences: every row of the contract's tables, and the oddities.

mod post;
mod put;

use super::point::PhoneChannel;
use super::*;
use crate::laravel::messages::message;

const USER: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";

const UUID_REQUIRED: (&str, &str) = ("uuid", "The uuid field is required.");
const UUID_INVALID: (&str, &str) = ("uuid", "The uuid field must be a valid UUID.");
const UUID_PROHIBITED: (&str, &str) = ("uuid", "The uuid field is prohibited.");
const TYPE_REQUIRED: (&str, &str) = ("type", "The type field is required.");
const TYPE_INVALID: (&str, &str) = ("type", "The selected type is invalid.");
const TYPE_WITH_NUMBER: (&str, &str) =
    ("type", "The type field is required when country code / number is present.");
const TYPE_WITH_EMAIL: (&str, &str) = ("type", "The type field is required when email is present.");
const EMAIL_REQUIRED: (&str, &str) = ("email", "The email field is required when type is email.");
const EMAIL_STRING: (&str, &str) = ("email", "The email field must be a string.");
const EMAIL_INVALID: (&str, &str) = ("email", "The email must be a valid email address.");
const CODE_REQUIRED: (&str, &str) =
    ("country_code", "The country code field is required when type is not email.");
const CODE_STRING: (&str, &str) = ("country_code", "The country code field must be a string.");
const CODE_LONG: (&str, &str) =
    ("country_code", "The country code field must not be greater than 10 characters.");
const CODE_FORMAT: (&str, &str) = ("country_code", "The country code field format is invalid.");
const NUMBER_REQUIRED: (&str, &str) = ("number", "The number field is required when type is not email.");
const NUMBER_STRING: (&str, &str) = ("number", "The number field must be a string.");
const NUMBER_LONG: (&str, &str) = ("number", "The number field must not be greater than 20 characters.");
const NUMBER_FORMAT: (&str, &str) = ("number", "The number field format is invalid.");

fn input(body: &str) -> Input {
    Input::read(body.as_bytes(), Some("application/json"), "").unwrap()
}

fn listed(errors: &Errors) -> Vec<(&'static str, String)> {
    let sentences = |(field, faults): (errors::Field, &[errors::Fault])| {
        let faults = faults.to_vec();
        faults.into_iter().map(move |fault| (field.name(), message(field, fault, Language::English)))
    };
    errors.iter().flat_map(sentences).collect()
}

fn expected(errors: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    errors.iter().map(|(field, message)| (*field, (*message).to_owned())).collect()
}

fn email(text: &str) -> Point {
    Point::Email(text.to_owned())
}

fn phone(channel: PhoneChannel, country_code: &str, number: &str) -> Point {
    Point::Phone { channel, country_code: country_code.to_owned(), number: number.to_owned() }
}

fn whatsapp() -> Point {
    phone(PhoneChannel::Whatsapp, "+55", "11912345678")
}
