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
        ("a@X.example.", "a@x.example"),
        ("a@x\u{3002}example\u{3002}", "a@x.example"),
        ("o'hara+tag@x.example", "o'hara+tag@x.example"),
        (".a..b.@x.example", ".a..b.@x.example"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ("हिन्दी@x.example", "हिन्दी@x.example"),
        ("<a@x.example>", "a@x.example"),
        ("Ann Example <a@x.example>", "a@x.example"),
        ("\"Example, Ann\" <a@x.example>;", "a@x.example"),
        ("a@x.example (work)", "a@x.example"),
        ("mailto:a@x.example?subject=x@y&body=z", "a@x.example"),
        ("mailto://a@x.example", "a@x.example"),
        ("E-Mail: a@x.example", "a@x.example"),
        ("\"a@x.example\"", "a@x.example"),
        ("`a@x.example`", "a@x.example"),
        ("„a@x.example“", "a@x.example"),
        ("('a@x.example'),", "a@x.example"),
        ("[a@x.example](mailto:a@x.example)", "a@x.example"),
        ("{a@x.example}", "a@x.example"),
        ("a@x.example...", "a@x.example"),
        ("a@x.example!?", "a@x.example"),
        ("'o'hara@x.example'", "o'hara@x.example"),
        ("a/b=c?d|e@x.example", "a/b=c?d|e@x.example"),
    ] {
        let read = EmailAddress::parse(received);
        assert_eq!(read.as_ref().map(EmailAddress::as_str), Ok(canonical), "{received:?}");
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
        ("Ann <a@x.example>, <b@x.example>", E::SeveralAts),
        ("\"a\", \"b\"@x.example", E::Blank),
        ("a;b@x.example", E::Mailbox),
        ("\"a\"b@x.example", E::Mailbox),
        ("a☎@x.example", E::Mailbox),
        ("a@[10.0.0.1]", E::Domain),
        ("a@x!y.example", E::Domain),
        ("a@-x.example", E::Domain),
        ("a@x-.example", E::Domain),
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
fn a_contract_may_take_what_mail_servers_take() {
    for (received, canonical) in [
        ("\"a b@c\"@X.example", "\"a b@c\"@x.example"),
        ("\"a\\\"b@c\"@x.example", "\"a\\\"b@c\"@x.example"),
        ("\"\"@x.example", "\"\"@x.example"),
        ("a(comment)@x.example", "a(comment)@x.example"),
        ("a@[10.0.0.1]", "a@[10.0.0.1]"),
        ("a@B.example", "a@b.example"),
    ] {
        let read = EmailAddress::parse_rfc5322(received);
        assert_eq!(read.as_ref().map(EmailAddress::as_str), Ok(canonical), "{received:?}");
        assert_eq!(EmailAddress::parse(received).is_ok(), canonical == "a@b.example", "{received:?}");
    }
    for text in
        ["a b@x.example", "a@b@x.example", "\"a\"@b, \"c\"@x.example", "a@x.example'", "a@x..example", ""]
    {
        assert!(EmailAddress::parse_rfc5322(text).is_err(), "{text:?}");
    }
}

#[test]
fn several_addresses_are_told_apart() {
    let all = |text| {
        let all = EmailAddress::parse_all(text)?;
        Ok(all.into_iter().map(|email| email.as_str().to_owned()).collect::<Vec<_>>().join(" "))
    };
    for text in
        ["a@x.example; b@x.example", "a@x.example,b@x.example,", "a@x.example b@x.example a@x.example"]
    {
        assert_eq!(all(text), Ok("a@x.example b@x.example".to_owned()), "{text}");
    }
    assert_eq!(all("Ann <a@x.example>, Bob <b@x.example>"), Ok("a@x.example b@x.example".to_owned()));
    assert_eq!(all("a@x.example"), Ok("a@x.example".to_owned()));
    assert_eq!(all("a;b@x.example"), Err(InvalidEmail::Mailbox));
    assert_eq!(all("a@x.example; b@"), Err(InvalidEmail::MissingDomain));
    assert_eq!(all("nobody"), Err(InvalidEmail::MissingAt));
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
