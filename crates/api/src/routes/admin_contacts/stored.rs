//! A stored contact as the admin contract sees it, and back.

use onefold_domain::contact::{Channel, ContactKind, ContactRecord};
use onefold_domain::phone::{PhoneNumber, Region};
use onefold_service::contacts::{ContactChange, NewValue};

use crate::laravel::{Errors, Point, Stored};

use super::statement;

/// The parts of a contact. A number without a known country, as other sources may leave it, has none here.
pub(super) fn of(record: &ContactRecord) -> Stored {
    let statement = &record.statement;
    let email = statement.email().map(|email| match &record.received.email {
        Some(received) => received.trim().to_owned(),
        None => email.as_str().to_owned(),
    });
    let (country_code, number) = match statement.phone() {
        None => (None, None),
        Some(phone) => parts(record.received.phone.as_deref(), phone),
    };
    Stored { channel: record.channel().unwrap_or(Channel::Email), email, country_code, number }
}

/// As it was written here before; otherwise as the number itself tells.
fn parts(received: Option<&str>, phone: &PhoneNumber) -> (Option<String>, Option<String>) {
    let written = received.and_then(|text| text.split_once(' ')).filter(|(country_code, number)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        country_code.strip_prefix('+').is_some_and(digits) && digits(number)
    });
    if let Some((country_code, number)) = written {
        return (Some(country_code.to_owned()), Some(number.to_owned()));
    }
    match phone.country_and_number() {
        Some((country_code, number)) => {
            let number = match phone.extension() {
                Some(extension) => format!("{number};ext={extension}"),
                None => number.to_owned(),
            };
            (Some(format!("+{country_code}")), Some(number))
        }
        None => (None, Some(phone.as_str().to_owned())),
    }
}

/// What has to change for a contact to be at this point. A contact that holds an email and a phone keeps the
/// one that the point is not about.
pub(super) fn change(
    record: &ContactRecord,
    point: &Point,
    region: Option<Region>,
) -> Result<ContactChange, Errors> {
    let (stated, received) = statement(point, region)?;
    let value = match (record.kind(), stated.email().cloned(), stated.phone().cloned()) {
        (ContactKind::Both, Some(value), _) => {
            NewValue::Email { value, received: received.email.unwrap_or_default() }
        }
        (ContactKind::Both, _, Some(value)) => {
            NewValue::Phone { value, received: received.phone.unwrap_or_default() }
        }
        _ => NewValue::Instead { statement: stated, received },
    };
    Ok(ContactChange { value: Some(value), channel: Some(point.channel()), ..ContactChange::default() })
}
