//! What an admin contact is about: an email address, or a number on a channel.

use std::fmt;

use onefold_domain::contact::Channel;

/// A way to reach somebody.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Point {
    /// As received, less what is around it.
    Email(String),
    Phone {
        channel: PhoneChannel,
        /// Digits behind one `+`.
        country_code: String,
        /// Digits only.
        number: String,
    },
}

impl Point {
    pub(crate) fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Phone { channel, .. } => channel.channel(),
        }
    }
}

/// Personal data: only the channel may be printed.
impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Point({}…)", self.channel().as_str())
    }
}

/// A number with its country, as people write it: `+55 11912345678`.
pub(crate) fn full(country_code: &str, number: &str) -> String {
    format!("{country_code} {number}")
}

/// A channel that needs a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PhoneChannel {
    Telephone,
    Whatsapp,
    Telegram,
}

impl PhoneChannel {
    /// `None` for email.
    pub(crate) fn of(channel: Channel) -> Option<Self> {
        match channel {
            Channel::Email => None,
            Channel::Telephone => Some(Self::Telephone),
            Channel::Whatsapp => Some(Self::Whatsapp),
            Channel::Telegram => Some(Self::Telegram),
        }
    }

    pub(crate) fn channel(self) -> Channel {
        match self {
            Self::Telephone => Channel::Telephone,
            Self::Whatsapp => Channel::Whatsapp,
            Self::Telegram => Channel::Telegram,
        }
    }
}

/// The state of a contact that is to be changed: what a request leaves out is taken from here. A contact
/// that came on another way may have an email and a number, or a number without its country.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) channel: Channel,
    pub(crate) email: Option<String>,
    pub(crate) country_code: Option<String>,
    pub(crate) number: Option<String>,
}

impl Stored {
    /// Where it is; `None` if a part is missing.
    pub(crate) fn into_point(self) -> Option<Point> {
        match PhoneChannel::of(self.channel) {
            None => self.email.map(Point::Email),
            Some(channel) => {
                Some(Point::Phone { channel, country_code: self.country_code?, number: self.number? })
            }
        }
    }

    /// Whether the contact is there already, to the letter.
    pub(crate) fn is_at(&self, point: &Point) -> bool {
        self.channel == point.channel()
            && match point {
                Point::Email(email) => self.email.as_ref() == Some(email),
                Point::Phone { country_code, number, .. } => {
                    self.country_code.as_ref() == Some(country_code) && self.number.as_ref() == Some(number)
                }
            }
    }
}

impl From<Point> for Stored {
    fn from(point: Point) -> Self {
        let channel = point.channel();
        match point {
            Point::Email(email) => Self { channel, email: Some(email), country_code: None, number: None },
            Point::Phone { country_code, number, .. } => {
                Self { channel, email: None, country_code: Some(country_code), number: Some(number) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_but_email_needs_a_number() {
        for channel in Channel::ALL {
            assert_eq!(
                PhoneChannel::of(channel).map(PhoneChannel::channel),
                match channel {
                    Channel::Email => None,
                    other => Some(other),
                }
            );
        }
    }

    #[test]
    fn debug_shows_no_personal_data() {
        let email = Point::Email("ana@example.com".to_owned());
        assert_eq!(format!("{email:?}"), "Point(email…)");
        let phone = Point::Phone {
            channel: PhoneChannel::Telegram,
            country_code: "+55".to_owned(),
            number: "11912345678".to_owned(),
        };
        assert_eq!(format!("{phone:?}"), "Point(telegram…)");
    }
}
