//! The link policy: which values may join people, and how far. It is data (`data/link-policy.toml`
//! is the one that ships); this module reads it and answers questions about single values.

use std::borrow::Cow;

use hashbrown::{HashMap, HashSet};
use serde::Deserialize;

use crate::contact::Statement;
use crate::email::{EmailAddress, InvalidEmail};
use crate::phone::{InvalidPhone, PhoneNumber};

/// The policy that ships with the crate, as text with its comments.
pub const SHIPPED_POLICY: &str = include_str!("../data/link-policy.toml");

/// What may link, and how far.
///
/// ```
/// use onefold_domain::email::EmailAddress;
/// use onefold_domain::phone::PhoneNumber;
/// use onefold_domain::policy::LinkPolicy;
///
/// let policy = LinkPolicy::shipped();
/// assert!(policy.never_links_phone(&PhoneNumber::parse("000-000 0000", None)?));
/// assert!(!policy.never_links_phone(&PhoneNumber::parse("123456", None)?));
/// assert!(policy.never_links_email(&EmailAddress::parse("NoReply+7@shop.example")?));
///
/// let strict = LinkPolicy::from_toml("max_contact_points = 50\n[never_link]\nmailboxes = ['info']")?;
/// assert_eq!(strict.max_contact_points(), 50);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LinkPolicy {
    max_contact_points: usize,
    repeated_digit_phones_from: usize,
    /// Match keys: spellings that lead to one customer must be judged alike, whichever was listed.
    phones: HashSet<String>,
    emails: HashSet<String>,
    mailboxes: HashSet<String>,
    providers: HashMap<String, ProviderRule>,
}

/// A policy text that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPolicy {
    #[error("the link policy is not valid TOML or has an unknown entry")]
    Syntax(#[source] Box<toml::de::Error>),
    #[error("`{list}` of the link policy, entry {entry}: not an email address")]
    Email { list: &'static str, entry: usize, source: InvalidEmail },
    #[error("`{list}` of the link policy, entry {entry}: not a phone number")]
    Phone { list: &'static str, entry: usize, source: InvalidPhone },
    #[error("`max_contact_points` of the link policy must be at least 2, an email and a phone")]
    Cap,
    #[error("`email_provider` of the link policy, entry {entry}: `domains` must name at least one domain")]
    Provider { entry: usize },
}

impl LinkPolicy {
    /// The policy in `data/link-policy.toml`.
    ///
    /// # Panics
    /// Never in a released version: a test parses the file.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the text is part of the crate and parsed by a test")]
    pub fn shipped() -> Self {
        Self::from_toml(SHIPPED_POLICY).expect("the shipped policy is valid")
    }

    /// Reads a policy in the format of the shipped one. What the text leaves out is off, the cap
    /// excepted, which is then that of the shipped policy.
    ///
    /// # Errors
    /// Text that is no TOML, entries that are unknown, or a listed value that is none.
    pub fn from_toml(text: &str) -> Result<Self, InvalidPolicy> {
        let file: PolicyFile =
            toml::from_str(text).map_err(|error| InvalidPolicy::Syntax(Box::new(error)))?;
        // A request carries up to two values; a smaller cap could place none of them.
        if file.max_contact_points < 2 {
            return Err(InvalidPolicy::Cap);
        }
        let never = file.never_link;
        let phones = never.phones.iter().enumerate().map(|(index, text)| {
            PhoneNumber::parse(text, None).map_err(|source| InvalidPolicy::Phone {
                list: "never_link.phones",
                entry: index + 1,
                source,
            })
        });
        let emails = never.emails.iter().enumerate().map(|(index, text)| {
            EmailAddress::parse(text).map_err(|source| InvalidPolicy::Email {
                list: "never_link.emails",
                entry: index + 1,
                source,
            })
        });
        let mut policy = Self {
            max_contact_points: file.max_contact_points,
            repeated_digit_phones_from: never.repeated_digit_phones_from,
            phones: HashSet::new(),
            emails: HashSet::new(),
            mailboxes: never.mailboxes.iter().map(|mailbox| mailbox.to_lowercase()).collect(),
            providers: providers(file.email_provider)?,
        };
        for phone in phones {
            policy.phones.insert(phone?.match_key().into_owned());
        }
        for email in emails {
            let key = policy.email_match_key(&email?).into_owned();
            policy.emails.insert(key);
        }
        Ok(policy)
    }

    /// This policy with another cap of contact points; at least 2.
    #[must_use]
    pub fn with_max_contact_points(self, most: usize) -> Self {
        Self { max_contact_points: most.max(2), ..self }
    }

    /// The most contact points (distinct emails and phones) that linking may gather in a customer.
    pub fn max_contact_points(&self) -> usize {
        self.max_contact_points
    }

    /// Whether this address joins nobody.
    pub fn never_links_email(&self, email: &EmailAddress) -> bool {
        let key = self.email_match_key(email);
        let mailbox = key.rsplit_once('@').map_or("", |(mailbox, _)| mailbox);
        let mailbox = mailbox.split_once('+').map_or(mailbox, |(before, _)| before);
        self.mailboxes.contains(mailbox) || (!self.emails.is_empty() && self.emails.contains(&*key))
    }

    /// Whether this number joins nobody.
    pub fn never_links_phone(&self, phone: &PhoneNumber) -> bool {
        // An extension of a number that joins nobody joins nobody either.
        let key = phone.number_key();
        let digits = key.trim_start_matches('+').as_bytes();
        let repeated = digits.windows(2).all(|pair| pair[0] == pair[1]);
        phone.means_nobody()
            || (repeated
                && self.repeated_digit_phones_from > 0
                && digits.len() >= self.repeated_digit_phones_from)
            || (!self.phones.is_empty()
                && (self.phones.contains(&*key) || self.phones.contains(&*phone.match_key())))
    }

    /// Whether no value of the statement is one that joins nobody.
    pub fn may_link(&self, statement: &Statement) -> bool {
        !statement.email().is_some_and(|email| self.never_links_email(email))
            && !statement.phone().is_some_and(|phone| self.never_links_phone(phone))
    }

    /// What two spellings of one mail box have in common: the address itself, unless a provider
    /// rule is configured for its domain.
    pub fn email_match_key<'a>(&self, email: &'a EmailAddress) -> Cow<'a, str> {
        if self.providers.is_empty() {
            return Cow::Borrowed(email.as_str());
        }
        let Some(rule) = self.providers.get(email.domain()) else {
            return Cow::Borrowed(email.as_str());
        };
        let mut mailbox = email.mailbox();
        if rule.ignore_tags {
            mailbox = mailbox.split_once('+').map_or(mailbox, |(before, _)| before);
        }
        let mut mailbox = mailbox.to_owned();
        if rule.ignore_dots {
            mailbox.retain(|letter| letter != '.');
        }
        Cow::Owned(format!("{mailbox}@{}", rule.domain))
    }
}

impl LinkPolicy {
    /// The domains whose addresses may be another spelling of one at this domain; none where every spelling is an
    /// address of its own.
    pub fn domains_like(&self, domain: &str) -> impl Iterator<Item = &str> {
        let rule = self.providers.get(domain);
        let alike = move |other: &ProviderRule| rule.is_some_and(|rule| rule.domain == other.domain);
        self.providers.iter().filter(move |(_, other)| alike(other)).map(|(domain, _)| domain.as_str())
    }
}

/// How one provider reads the part before the @; `domain` stands for all of its domains.
#[derive(Clone, Debug)]
struct ProviderRule {
    domain: String,
    ignore_dots: bool,
    ignore_tags: bool,
}

fn providers(entries: Vec<ProviderEntry>) -> Result<HashMap<String, ProviderRule>, InvalidPolicy> {
    let mut rules = HashMap::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let Some(domain) = entry.domains.first().map(|domain| domain.to_lowercase()) else {
            return Err(InvalidPolicy::Provider { entry: index + 1 });
        };
        let rule = ProviderRule { domain, ignore_dots: entry.ignore_dots, ignore_tags: entry.ignore_tags };
        for domain in &entry.domains {
            rules.insert(domain.to_lowercase(), rule.clone());
        }
    }
    Ok(rules)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    #[serde(default = "default_cap")]
    max_contact_points: usize,
    #[serde(default)]
    never_link: NeverLink,
    #[serde(default)]
    email_provider: Vec<ProviderEntry>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct NeverLink {
    repeated_digit_phones_from: usize,
    phones: Vec<String>,
    emails: Vec<String>,
    mailboxes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderEntry {
    domains: Vec<String>,
    #[serde(default)]
    ignore_dots: bool,
    #[serde(default)]
    ignore_tags: bool,
}

fn default_cap() -> usize {
    20_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    fn phone(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text, None).unwrap()
    }

    #[test]
    fn shipped_policy_blocks_what_shops_type_for_nobody() {
        let policy = LinkPolicy::shipped();
        for blocked in [
            "0000000000",
            "+0000000000",
            "000 000 0000",
            "1111",
            "999",
            "+1 000 000 0000",
            "00",
            "7",
            "77",
            "+386",
        ] {
            assert!(policy.never_links_phone(&phone(blocked)), "{blocked}");
        }
        for free in ["123456", "+1 202 555 0143", "0000000001", "+1234567890", "112"] {
            assert!(!policy.never_links_phone(&phone(free)), "{free}");
        }
        for blocked in ["noemail@shop.example", "NONE@x.org", "null@null.null", "noreply@a.b"] {
            assert!(policy.never_links_email(&email(blocked)), "{blocked}");
        }
        for free in ["nora@example.com", "test@example.com", "info@none.example"] {
            assert!(!policy.never_links_email(&email(free)), "{free}");
        }
        assert_eq!(policy.max_contact_points(), default_cap());
    }

    #[test]
    fn provider_rules_apply_only_where_they_are_listed() {
        let address = email("Jo.Do+news@googlemail.com");
        let off = LinkPolicy::shipped();
        assert_eq!(off.email_match_key(&address), "jo.do+news@googlemail.com");

        let on = LinkPolicy::from_toml(
            "[[email_provider]]\ndomains = ['gmail.com', 'googlemail.com']\nignore_dots = true\nignore_tags = true",
        )
        .unwrap();
        assert_eq!(on.email_match_key(&address), "jodo@gmail.com");
        assert_eq!(on.email_match_key(&email("a.b@example.com")), "a.b@example.com");
    }

    #[test]
    fn spellings_with_one_key_are_judged_alike() {
        let policy = LinkPolicy::from_toml(
            "[never_link]\nrepeated_digit_phones_from = 3\nphones = ['+55 11 99123-4567']\nemails = ['a.b@gmail.com']\n\
             [[email_provider]]\ndomains = ['gmail.com']\nignore_dots = true",
        )
        .unwrap();
        for number in ["+55 11 99123-4567", "+55 11 9123-4567", "11111111", "0011111111"] {
            assert!(policy.never_links_phone(&phone(number)), "{number}");
        }
        for address in ["a.b@gmail.com", "ab@gmail.com"] {
            assert!(policy.never_links_email(&email(address)), "{address}");
        }
        assert!(!policy.never_links_email(&email("ab@example.com")));
    }

    #[test]
    fn a_policy_that_cannot_be_meant_is_refused_with_its_place() {
        let refused = |text: &str| LinkPolicy::from_toml(text).unwrap_err().to_string();
        assert!(refused("max_points = 3").contains("unknown entry"));
        assert!(refused("max_contact_points = 1").contains("at least 2"));
        assert!(refused("[never_link]\nphones = ['123', 'none']").contains("entry 2"));
        assert!(refused("[never_link]\nemails = ['none']").contains("never_link.emails"));
        assert!(refused("[[email_provider]]\ndomains = []").contains("at least one domain"));
    }
}
