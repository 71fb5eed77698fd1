//! Email addresses in canonical form. Syntax is judged generously: who types an unusual address means
//! it. Which addresses never link is the policy's business.

use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

use crate::text::visible;

/// An email address: trimmed, in lower case, composed (NFC), its domain in ASCII (IDNA).
///
/// At most 254 characters, the most that a mail server has to take (RFC 5321, 4.5.3.1.3 less the
/// angle brackets). Equal addresses are equal letter by letter; dots and plus tags are kept.
///
/// ```
/// use onefold_domain::email::{EmailAddress, InvalidEmail};
///
/// let email = EmailAddress::parse(" Zoë+shop@BÜCHER.example ")?;
/// assert_eq!(email.as_str(), "zoë+shop@xn--bcher-kva.example");
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
    #[error("The part of the email after the @ is no possible domain.")]
    Domain,
}

impl EmailAddress {
    /// The most characters, as received and in canonical form.
    pub const MAX_LENGTH: usize = 254;

    /// # Errors
    /// A text that cannot be meant as one address; [`InvalidEmail`] lists the reasons.
    pub fn parse(received: &str) -> Result<Self, InvalidEmail> {
        let text = visible(received);
        if text.is_empty() {
            return Err(InvalidEmail::Empty);
        }
        if text.chars().count() > Self::MAX_LENGTH {
            return Err(InvalidEmail::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidEmail::ControlCharacter);
        }
        let (mailbox, domain) = text.rsplit_once('@').ok_or(InvalidEmail::MissingAt)?;
        check_mailbox(mailbox)?;
        let canonical = format!("{}@{}", fold(mailbox), canonical_domain(domain)?);
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

fn check_mailbox(mailbox: &str) -> Result<(), InvalidEmail> {
    // In quotes everything is allowed before the @ (RFC 5322, 3.4.1): rare, but not wrong.
    let quoted = is_quoted(mailbox);
    if mailbox.trim().is_empty() {
        Err(InvalidEmail::MissingMailbox)
    } else if !quoted && mailbox.contains('@') {
        Err(InvalidEmail::SeveralAts)
    } else if !quoted && mailbox.contains(char::is_whitespace) {
        Err(InvalidEmail::Blank)
    } else {
        Ok(())
    }
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

fn canonical_domain(domain: &str) -> Result<String, InvalidEmail> {
    // Underscores, single labels and the like are unusual, not wrong. What would make the address
    // ambiguous is refused here as well, since full-width letters map to these.
    const DENIED: AsciiDenyList = AsciiDenyList::new(true, "@\"(),:;<>[\\]");
    if domain.is_empty() {
        return Err(InvalidEmail::MissingDomain);
    }
    if domain.contains(char::is_whitespace) {
        return Err(InvalidEmail::Blank);
    }
    if is_address_literal(domain) {
        return Ok(domain.to_ascii_lowercase());
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_address_are_equal() {
        for (received, canonical) in [
            ("Lorraine@HillValley.EDU", "lorraine@hillvalley.edu"),
            ("\t a@b.example \u{A0}", "a@b.example"),
            ("\u{202A}a@b.example\u{202C}", "a@b.example"),
            ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
            ("a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"),
            ("a@bu\u{308}cher.example", "a@xn--bcher-kva.example"),
            ("JOSE\u{301}@x.example", "josé@x.example"),
            ("root@localhost", "root@localhost"),
            ("a@my_host.example", "a@my_host.example"),
            ("a@[10.0.0.1]", "a@[10.0.0.1]"),
            ("a@X.example.", "a@x.example"),
            ("a@x\u{3002}example\u{3002}", "a@x.example"),
            ("\"a b@c\"@x.example", "\"a b@c\"@x.example"),
            ("\"a\\\"b@c\"@x.example", "\"a\\\"b@c\"@x.example"),
            ("o'hara+tag@x.example", "o'hara+tag@x.example"),
            (".a..b.@x.example", ".a..b.@x.example"),
        ] {
            assert_eq!(EmailAddress::parse(received).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        use InvalidEmail as E;
        for (received, reason) in [
            ("", E::Empty),
            (" \u{200B} ", E::Empty),
            ("guest", E::MissingAt),
            ("null", E::MissingAt),
            ("[object Object]", E::MissingAt),
            ("@x.example", E::MissingMailbox),
            ("a@", E::MissingDomain),
            ("a@.", E::MissingDomain),
            ("a@b@c.example", E::SeveralAts),
            ("a@x.example, b@x.example", E::SeveralAts),
            ("\"a\"@b, \"c\"@x.example", E::SeveralAts),
            ("\"a\", \"b\"@x.example", E::Blank),
            ("a b@x.example", E::Blank),
            ("a@x. example", E::Blank),
            ("a\0@x.example", E::ControlCharacter),
            ("a@x\u{FF20}y.example", E::Domain),
            ("a@x..example", E::Domain),
            ("a@.example", E::Domain),
        ] {
            assert_eq!(EmailAddress::parse(received), Err(reason), "{received:?}");
        }
        let long = format!("{}@x.example", "a".repeat(245));
        assert_eq!(EmailAddress::parse(&long), Err(E::TooLong));
        assert!(EmailAddress::parse(&long[1..]).is_ok());
    }

    #[test]
    fn debug_does_not_show_the_address() {
        let email = EmailAddress::parse("lorraine@hillvalley.edu").unwrap();
        assert_eq!(format!("{email:?}"), "EmailAddress(l…@….edu)");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn parsing_twice_is_parsing_once(mailbox in "\\PC{1,20}", domain in "\\PC{1,20}") {
            if let Ok(email) = EmailAddress::parse(&format!("{mailbox}@{domain}")) {
                prop_assert_eq!(EmailAddress::parse(email.as_str()), Ok(email));
            }
        }

        #[test]
        fn no_text_breaks_it(text in any::<String>()) {
            if let Ok(email) = EmailAddress::parse(&text) {
                prop_assert!(!email.as_str().contains('\0'));
            }
        }
    }
}
