//! Email addresses in canonical form. What may be an address says the rule of HTML forms (WHATWG), widened by what
//! exists beside it: domains and letters of all scripts, and underscores in a domain. Which addresses never link is
//! the policy's business.

mod clinging;
#[cfg(test)]
mod tests;

use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

use crate::text::visible;

/// An email address: without what clings to it, in lower case, composed (NFC), its domain in ASCII (IDNA).
///
/// At most 254 characters, the most that a mail server has to take (RFC 5321, 4.5.3.1.3 less the
/// angle brackets). Equal addresses are equal letter by letter; dots and plus tags are kept.
///
/// ```
/// use onefold_domain::email::{EmailAddress, InvalidEmail};
///
/// let email = EmailAddress::parse(" Zoë+shop@BÜCHER.example ")?;
/// assert_eq!(email.as_str(), "zoë+shop@xn--bcher-kva.example");
/// assert_eq!(EmailAddress::parse("Zoë <mailto:zoë@x.example>;")?.as_str(), "zoë@x.example");
/// assert_eq!(EmailAddress::parse("guest"), Err(InvalidEmail::MissingAt));
/// # Ok::<(), InvalidEmail>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(Box<str>);

/// Why a text is no email address. The messages never repeat the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidEmail {
    #[error("The email is empty; leave it out or send null if there is none.")]
    Empty,
    #[error("The email has more than 254 characters.")]
    TooLong,
    #[error("The email holds a control character; remove it.")]
    ControlCharacter,
    #[error("The email has no @; write it as name@domain.")]
    MissingAt,
    #[error("The email has more than one @; send one address only.")]
    SeveralAts,
    #[error("The email has nothing before the @.")]
    MissingMailbox,
    #[error("The email has nothing after the @.")]
    MissingDomain,
    #[error("The email has a blank inside; send one address without blanks.")]
    Blank,
    #[error("The part of the email before the @ holds a sign that no address has there.")]
    Mailbox,
    #[error("The part of the email after the @ is no possible domain.")]
    Domain,
}

impl EmailAddress {
    /// The most characters, as received and in canonical form.
    pub const MAX_LENGTH: usize = 254;

    /// The most characters of a text in which several addresses may stand.
    const MAX_TEXT: usize = 2_048;

    /// # Errors
    /// A text that cannot be meant as one address; [`InvalidEmail`] lists the reasons.
    pub fn parse(received: &str) -> Result<Self, InvalidEmail> {
        let text = visible(received);
        if text.is_empty() {
            return Err(InvalidEmail::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidEmail::ControlCharacter);
        }
        Self::parse_visible(clinging::without(&text))
    }

    /// Reads all addresses of a text in which several may stand, at least one, each once, in their order.
    ///
    /// ```
    /// use onefold_domain::email::{EmailAddress, InvalidEmail};
    ///
    /// let both = EmailAddress::parse_all("Ann <a@x.example>; b@x.example")?;
    /// assert_eq!(both.iter().map(EmailAddress::as_str).collect::<Vec<_>>(), ["a@x.example", "b@x.example"]);
    /// # Ok::<(), InvalidEmail>(())
    /// ```
    ///
    /// # Errors
    /// As [`parse`](Self::parse), of the whole text if it cannot be parted, otherwise of the first part that is none.
    pub fn parse_all(received: &str) -> Result<Vec<Self>, InvalidEmail> {
        let whole = match Self::parse(received) {
            Ok(email) => return Ok(vec![email]),
            Err(error) => error,
        };
        let text = visible(received);
        if text.chars().count() > Self::MAX_TEXT {
            return Err(InvalidEmail::TooLong);
        }
        let parts = text.split([';', ',', '|', '\n', '\r', '\t', ' ']).filter(|part| part.contains('@'));
        let mut emails: Vec<Self> = Vec::new();
        for part in parts {
            let email = Self::parse(part)?;
            if !emails.contains(&email) {
                emails.push(email);
            }
        }
        if emails.len() > 1 { Ok(emails) } else { Err(whole) }
    }

    /// Reads what is an address by RFC 5322 as well: quoted strings and comments before the @, an IP address behind it.
    /// Nothing is taken off. It is there for a contract that takes these; whoever types one otherwise mistypes.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_rfc5322(received: &str) -> Result<Self, InvalidEmail> {
        let text = visible(received);
        if text.chars().any(char::is_control) {
            return Err(InvalidEmail::ControlCharacter);
        }
        let (mailbox, domain) = split(&text)?;
        let rest = if is_quoted(mailbox) { "quoted" } else { mailbox };
        match check_mailbox(rest) {
            Ok(()) | Err(InvalidEmail::Mailbox) => {}
            Err(error) => return Err(error),
        }
        let literal = is_address_literal(domain).then(|| domain.to_ascii_lowercase());
        Self::of_parts(mailbox, &literal.map_or_else(|| canonical_domain(domain), Ok)?)
    }

    fn parse_visible(text: &str) -> Result<Self, InvalidEmail> {
        let (mailbox, domain) = split(text)?;
        check_mailbox(mailbox)?;
        let domain = canonical_domain(domain)?;
        if !domain.split('.').all(is_label) {
            return Err(InvalidEmail::Domain);
        }
        Self::of_parts(mailbox, &domain)
    }

    fn of_parts(mailbox: &str, domain: &str) -> Result<Self, InvalidEmail> {
        let canonical = format!("{}@{domain}", fold(mailbox));
        // The ASCII form of a domain is longer than what was typed.
        if canonical.chars().count() > Self::MAX_LENGTH {
            return Err(InvalidEmail::TooLong);
        }
        Ok(Self(canonical.into()))
    }

    /// A value that `parse` made before, read back from where it was stored. It is not checked again.
    #[must_use]
    pub fn from_canonical(value: String) -> Self {
        Self(value.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the last @.
    pub fn mailbox(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(mailbox, _)| mailbox)
    }

    /// The part after the last @.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// Shows the first letter and the last part of the domain: enough to tell two apart in a log.
impl EmailAddress {
    /// For logs: enough to tell two people apart who are looked for, and no address.
    pub fn masked(&self) -> String {
        let first = self.0.chars().next().unwrap_or('…');
        let last = self.domain().rsplit_once('.').map_or("", |(_, last)| last);
        format!("{first}…@….{last}")
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({})", self.masked())
    }
}

/// What is before the last @ and behind it.
fn split(text: &str) -> Result<(&str, &str), InvalidEmail> {
    if text.chars().count() > EmailAddress::MAX_LENGTH {
        return Err(InvalidEmail::TooLong);
    }
    text.rsplit_once('@').ok_or(InvalidEmail::MissingAt)
}

fn check_mailbox(mailbox: &str) -> Result<(), InvalidEmail> {
    if mailbox.trim().is_empty() {
        Err(InvalidEmail::MissingMailbox)
    } else if mailbox.contains('@') {
        Err(InvalidEmail::SeveralAts)
    } else if mailbox.contains(char::is_whitespace) {
        Err(InvalidEmail::Blank)
    } else if mailbox.chars().all(is_of_mailbox) {
        Ok(())
    } else {
        Err(InvalidEmail::Mailbox)
    }
}

/// What WHATWG allows before the @, and letters, their marks and digits of all scripts.
fn is_of_mailbox(letter: char) -> bool {
    if letter.is_ascii() {
        letter.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(letter)
    } else {
        letter.is_alphanumeric() || unicode_normalization::char::is_combining_mark(letter)
    }
}

fn canonical_domain(domain: &str) -> Result<String, InvalidEmail> {
    // Underscores exist. Whatever else is no letter, digit or hyphen is refused here, since full-width letters map to
    // it as well.
    const DENIED: AsciiDenyList = AsciiDenyList::new(true, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~");
    if domain.is_empty() {
        return Err(InvalidEmail::MissingDomain);
    }
    if domain.contains(char::is_whitespace) {
        return Err(InvalidEmail::Blank);
    }
    let ascii = Uts46::new()
        .to_ascii(domain.as_bytes(), DENIED, Hyphens::Allow, DnsLength::Ignore)
        .map_err(|_| InvalidEmail::Domain)?;
    // `example.com.` is the same domain (RFC 1034, 3.1), and a full stop after an address is common.
    let ascii = ascii.trim_end_matches('.');
    if ascii.is_empty() {
        return Err(InvalidEmail::MissingDomain);
    }
    // Nothing between two full stops, or before the first: no resolver takes that (RFC 1034, 3.5).
    if ascii.split('.').any(str::is_empty) { Err(InvalidEmail::Domain) } else { Ok(ascii.to_owned()) }
}

/// A label of a domain (RFC 1034, 3.5), which no hyphen begins or ends.
fn is_label(label: &str) -> bool {
    label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
}

/// One quoted string, and not two addresses in quotes.
fn is_quoted(mailbox: &str) -> bool {
    let inside = mailbox.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.is_some_and(|inside| {
        let mut escaped = false;
        let closed_early = inside.chars().any(|letter| {
            let closes = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            closes
        });
        !closed_early && !escaped
    })
}

/// An IP address in brackets (RFC 5321, 4.1.3).
fn is_address_literal(domain: &str) -> bool {
    let inside = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inside.is_some_and(|inside| {
        !inside.is_empty()
            && inside.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-".contains(&byte))
    })
}

/// Lower case, composed. Composed first: a capital with a separate accent must meet its other spelling.
fn fold(mailbox: &str) -> String {
    mailbox.nfc().collect::<String>().to_lowercase().nfc().collect()
}
