//! Which requests come from this machine, so far as what they say of it goes. Everything else is refused: a page in a browser
//! can be made to call this machine under a name of its own, and a proxy passes on what came from afar.

use std::net::{IpAddr, SocketAddr};

use actix_web::dev::RequestHead;
use actix_web::http::header::HOST;
use actix_web::http::uri::Authority;

/// What a proxy adds to a request. Whoever calls from here directly has no use for them.
const FORWARDED: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Whether the request calls this machine by a name that nobody else can have, and by no other beside it, and no proxy has
/// left its mark on it. HTTP/1.0 needs no `Host`; a request without one calls nobody by name.
pub(super) fn names_this_machine(head: &RequestHead) -> bool {
    let mut hosts = head.headers().get_all(HOST);
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    // A target in absolute form outdoes the header (RFC 9112, 3.2.2). Here both have to say so.
    let target = head.uri.authority().map(Authority::as_str);
    let named = host.to_str().is_ok_and(is_own_name) && target.is_none_or(is_own_name);
    named && !FORWARDED.iter().any(|name| head.headers().contains_key(*name))
}

fn is_own_name(authority: &str) -> bool {
    if let Ok(address) = authority.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => authority,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn named(target: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = TestRequest::post().uri(target);
        for header in headers {
            request = request.append_header(*header);
        }
        names_this_machine(request.to_srv_request().head())
    }

    #[test]
    fn names_that_nobody_else_can_have_are_ours() {
        for host in [
            "localhost",
            "LOCALHOST:3000",
            "localhost:",
            "127.0.0.1:3000",
            "127.9.9.9",
            "[::1]:3000",
            "[::1]",
        ] {
            assert!(named("/identify", &[("Host", host)]), "{host}");
            assert!(named(&format!("http://{host}/identify"), &[("Host", host)]), "{host}");
        }
    }

    #[test]
    fn no_name_and_every_other_one_is_not() {
        for host in [
            "",
            " ",
            ":80",
            "example.com",
            "localhost.example.com:3000",
            "localhost.",
            "evil-localhost",
            "127.0.0.1.example.com",
            "10.0.0.1:3000",
            "0.0.0.0",
            "2130706433",
            "0x7f.1",
            "127.1",
            "[::2]:3000",
            "[::]",
            "[localhost]",
            "[[::1]]",
            "127.0.0.1]",
            "localhost@example.com",
            "localhost:80@example.com",
            "localhost, example.com",
        ] {
            assert!(!named("/identify", &[("Host", host)]), "{host}");
        }
        assert!(!named("/identify", &[]), "HTTP/1.0");
        assert!(!named("/identify", &[("Host", "localhost"), ("Host", "localhost")]));
        assert!(!named("/identify", &[("Host", "localhost"), ("Host", "example.com")]));
        assert!(!named("http://example.com/identify", &[("Host", "localhost")]));
        assert!(!named("http://localhost/identify", &[("Host", "example.com")]));
        assert!(!named("http://localhost/identify", &[]));
    }

    #[test]
    fn what_a_proxy_has_passed_on_does_not_come_from_here() {
        for name in FORWARDED {
            for value in ["127.0.0.1", "for=127.0.0.1", ""] {
                assert!(!named("/identify", &[("Host", "localhost"), (name, value)]), "{name}: {value}");
            }
        }
    }
}
