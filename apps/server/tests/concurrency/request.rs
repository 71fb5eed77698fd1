//! What a client asks: an email, a phone number, or both, in canonical form. And the keys by which
//! requests belong together, written from the rules and without the service's code.

use std::fmt;

use serde_json::{Value, json};

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Request {
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
}

/// Two requests with a key in common are one customer's.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Key {
    Email(String),
    Phone(String),
    /// Both values as they are, of a request of which nothing links.
    Exact(String),
}

impl Request {
    /// Values that link, or else the request as a whole: never empty.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let email = self.email.as_ref().filter(|email| !email.starts_with(NO_MAILBOX));
        let phone = self.phone.as_ref().filter(|phone| !is_one_digit(phone));
        let keys: Vec<_> =
            email.cloned().map(Key::Email).into_iter().chain(phone.cloned().map(Key::Phone)).collect();
        if keys.is_empty() { vec![self.exact()] } else { keys }
    }

    /// The body of this request. The same values can be written in several ways; `spelling` picks one.
    pub(crate) fn body(&self, spelling: usize) -> Value {
        let email = self.email.as_ref().map(|email| match spelling % 3 {
            0 => email.to_uppercase(),
            _ => email.clone(),
        });
        let phone = self.phone.as_ref().map(|phone| match phone.parse::<u64>() {
            // As a number it would lose its zeros.
            Ok(number) if spelling.is_multiple_of(2) && !phone.starts_with('0') => json!(number),
            _ => json!(phone),
        });
        json!({ "email": email, "phoneNumber": phone })
    }

    fn exact(&self) -> Key {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        Key::Exact(format!("{}\t{}", text(&self.email), text(&self.phone)))
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        write!(f, "({}, {})", text(&self.email), text(&self.phone))
    }
}

/// A mailbox that the shipped policy lets nobody be known by.
pub(crate) const NO_MAILBOX: &str = "noemail@";

fn is_one_digit(phone: &str) -> bool {
    phone.len() >= 3 && phone.bytes().all(|digit| digit == phone.as_bytes()[0])
}
