//! Which email addresses are accepted: what the old system's check lets through (RFC 5322 with the
//! letters of RFC 6531, no look-up), as far as it is one address to this service as well.

use onefold_domain::email::EmailAddress;

use super::input::is_invisible;

/// The most bytes between two full stops of a domain (RFC 1035, 2.3.4).
const MAX_LABEL: usize = 63;
const MAX_DOMAIN: usize = 253;

/// Whether the text is an email address to both the contract and the domain.
pub(super) fn is_email(text: &str) -> bool {
    // The domain drops marks without a glyph from within; the old system takes them for a mistake.
    if text.chars().any(|letter| letter != ' ' && (is_invisible(letter) || is_direction_mark(letter))) {
        return false;
    }
    let (Some((mailbox, domain)), Ok(address)) = (text.rsplit_once('@'), EmailAddress::parse_rfc5322(text))
    else {
        return false;
    };
    is_mailbox(mailbox) && !domain.ends_with(is_full_stop) && is_domain(address.domain())
}

fn is_direction_mark(letter: char) -> bool {
    matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The full stops of a domain (UTS 46, 2.3). The service drops the last one, the contract refuses it.
fn is_full_stop(letter: char) -> bool {
    matches!(letter, '.' | '\u{3002}' | '\u{FF0E}' | '\u{FF61}')
}

/// One quoted string, or words between full stops and perhaps a comment behind them.
fn is_mailbox(mailbox: &str) -> bool {
    if mailbox.starts_with('"') {
        return is_quoted_string(mailbox);
    }
    let (words, comment) = mailbox.split_at(mailbox.find('(').unwrap_or(mailbox.len()));
    words.split('.').all(is_word) && (comment.is_empty() || is_comment(comment))
}

/// Everything may stand in quotes but control characters, which the domain has refused.
fn is_quoted_string(text: &str) -> bool {
    let mut letters = text.chars().skip(1);
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return letters.next().is_none(),
            // Whatever follows is meant literally.
            '\\' => {
                letters.next();
            }
            _ => {}
        }
    }
    false
}

fn is_word(word: &str) -> bool {
    let special = |letter| "()<>[]:;@\\,.\"".contains(letter);
    !word.is_empty() && !word.contains(|letter: char| special(letter) || letter.is_whitespace())
}

/// Parentheses that close at the very end and not before.
fn is_comment(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 1 => return letters.peek().is_none(),
            ')' => depth -= 1,
            _ => {}
        }
    }
    false
}

/// Takes the domain in ASCII. Hyphens at the beginning of a later label are let through, as ever.
fn is_domain(domain: &str) -> bool {
    if domain.starts_with('[') {
        return true;
    }
    let is_label = |label: &str| {
        label.len() <= MAX_LABEL
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    domain.len() <= MAX_DOMAIN && !domain.starts_with('-') && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusual_addresses_are_accepted() {
        for text in [
            "ana@example.com",
            "user@localhost",
            "o'hara+tag@example.co.uk",
            "first.last@example.com",
            "a!#$%&'*+-/=?^_`{|}~b@example.com",
            "инфо@письмо.рф",
            "müller@möller.de",
            "1500111@профи-инвест.рф",
            "\"user name\"@example.com",
            "\"user@name\"@example.com",
            "\"user\\\"name\"@example.com",
            "\"a..b.\"@example.com",
            "\"\"@example.com",
            "name(comment)@example.com",
            "name((nested))@example.com",
            "a@[127.0.0.1]",
            "a@[IPv6:2001:db8::1]",
            "a@b--c.example",
            "ANA@EXAMPLE.COM",
        ] {
            assert!(is_email(text), "{text}");
        }
        // More than 64 characters before the @ are but a warning there.
        assert!(is_email(&format!("{}@example.com", "a".repeat(100))));
        assert!(is_email(&format!("a@{}.com", "b".repeat(63))));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "@",
            "ana",
            "ana@",
            "@example.com",
            "ana@@example.com",
            "ana@b@example.com",
            "a@example.com, b@example.com",
            "ana@example.com test",
            "user name@example.com",
            ".ana@example.com",
            "ana.@example.com",
            "ana..b@example.com",
            "ana@.example.com",
            "ana@example..com",
            "ana@example.com.",
            "ana@example.com\u{3002}",
            "ana@-example.com",
            "ana@example-.com",
            "ana@example-",
            "ana@exam_ple.com",
            "ana@exam`ple.com",
            "ana@example.com'",
            "ana@example/com",
            "ana@foo;bar.com",
            "ana@example(comment).com",
            "test;123@example.com",
            "usern,ame@example.com",
            "user[na]me@example.com",
            "<ana>@example.com",
            "ex\\ample@example.com",
            "\"@example.com",
            "\"\"\"@example.com",
            "\"\\\"@example.com",
            "\"test\"test@example.com",
            "\"test\".\"test\"@example.com",
            "exa\"mple@example.com",
            "(comment@example.com",
            "(comment)@example.com",
            "comment)name@example.com",
            "name(comment))@example.com",
            "name(a)(b)@example.com",
            "name(comment)name@example.com",
            "ana\r\n@example.com",
            "ana@example.com\r\nBcc: b@example.com",
            "\"a\tb\"@example.com",
            "a\u{200B}na@example.com",
            "ana@exam\u{AD}ple.com",
            "a\u{202E}na@example.com",
        ] {
            assert!(!is_email(text), "{text}");
        }
        assert!(!is_email(&format!("{}@example.com", "a".repeat(288))));
        assert!(!is_email(&format!("a@{}.com", "b".repeat(64))));
        assert!(!is_email(&format!("a@{}.com", "ъ".repeat(60))));
    }
}
