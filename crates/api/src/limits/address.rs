//! Whose request it is, by address: the peer's, or what a proxy says that we trust.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, X_FORWARDED_FOR};
use ipnet::IpNet;

/// The networks whose word on the address of a caller is taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

/// Whose request it is. A part of every request, put there by [`TrustedProxies::note`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ClientAddress {
    /// What the request is counted under.
    pub(crate) address: IpAddr,
    /// A program of this machine called, and no proxy that is known as one. Whatever a proxy says of its caller, or keeps
    /// to itself, nobody becomes this machine by it: one that names nobody, or something that is no address, would
    /// otherwise pass on everybody as if they sat here.
    pub(crate) is_this_machine: bool,
}

impl TrustedProxies {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Finds out whose request it is, and remembers it in the request.
    pub(crate) fn note(&self, request: &ServiceRequest) -> ClientAddress {
        // Without a peer there is no connection that could be from here, as in a unit test.
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let peer = peer.to_canonical();
        let client = ClientAddress {
            address: self.client(peer, request.headers()),
            is_this_machine: peer.is_loopback() && !self.trusts(peer),
        };
        request.extensions_mut().insert(client);
        client
    }

    /// The last address of `X-Forwarded-For` that is no trusted proxy: each proxy appends whom it was called
    /// by, so what stands further left may be the caller's invention. `Forwarded` is not read: a proxy that
    /// writes the one hands on what a caller wrote into the other.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        let lines: Vec<_> =
            headers.get_all(X_FORWARDED_FOR).map(|line| line.to_str().unwrap_or("?")).collect();
        let mut named = lines.iter().rev().flat_map(|line| line.rsplit(','));
        while self.trusts(client) {
            // Where a name stands instead of an address, the proxy that wrote it is the last that is known.
            let Some(address) = named.next().and_then(|name| parse(name.trim())) else { break };
            client = address.to_canonical();
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl ClientAddress {
    /// That of a request which passed `limit_address`.
    pub(crate) fn of(request: &impl HttpMessage) -> Option<Self> {
        request.extensions().get().copied()
    }
}

/// Some proxies append the port.
fn parse(name: &str) -> Option<IpAddr> {
    let address = name.parse().ok().or_else(|| name.parse().ok().map(|with_port: SocketAddr| with_port.ip()));
    address.or_else(|| name.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// Who called by the lines of the header, called by `peer`.
    fn noted(trusted: &[&str], peer: &str, lines: &[&str]) -> ClientAddress {
        let proxies = TrustedProxies(trusted.iter().map(|network| network.parse().unwrap()).collect());
        let mut request = TestRequest::default().peer_addr(SocketAddr::new(peer.parse().unwrap(), 1));
        for line in lines {
            request = request.append_header((X_FORWARDED_FOR, *line));
        }
        let request = request.to_srv_request();
        let noted = proxies.note(&request);
        assert_eq!(ClientAddress::of(&request), Some(noted));
        noted
    }

    fn client(trusted: &[&str], peer: &str, lines: &[&str]) -> String {
        noted(trusted, peer, lines).address.to_string()
    }

    fn is_this_machine(trusted: &[&str], peer: &str, lines: &[&str]) -> bool {
        noted(trusted, peer, lines).is_this_machine
    }

    #[test]
    fn who_comes_by_a_proxy_is_never_this_machine() {
        for peer in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(is_this_machine(&[], peer, &[]), "{peer}");
            assert!(is_this_machine(&["10.0.0.0/8"], peer, &["203.0.113.5"]), "{peer}");
        }
        let here = ["127.0.0.0/8", "::1/128"];
        for lines in [
            &[][..],
            &[""],
            &["unknown"],
            &["_hidden, 127.0.0.1:x"],
            &["127.0.0.1"],
            &["::1"],
            &["[::1]:80"],
            &["::ffff:127.0.0.1"],
            &["localhost"],
            &["fe80::1%lo"],
            &["203.0.113.5", "127.0.0.1"],
        ] {
            assert!(!is_this_machine(&here, "127.0.0.1", lines), "{lines:?}");
            assert!(!is_this_machine(&here, "::1", lines), "{lines:?}");
            assert!(!is_this_machine(&["127.0.0.1/32"], "127.0.0.1", lines), "{lines:?}");
        }
        // A proxy elsewhere that names its own machine does not name this one.
        assert!(!is_this_machine(&["10.0.0.0/8"], "10.1.2.3", &["127.0.0.1"]));
        assert!(!is_this_machine(&[], "198.51.100.7", &["127.0.0.1"]));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(client(&[], "198.51.100.7", &["203.0.113.5"]), "198.51.100.7");
        assert_eq!(client(&["10.0.0.0/8"], "198.51.100.7", &["203.0.113.5"]), "198.51.100.7");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &["203.0.113.5"]), "203.0.113.5");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &[]), "10.1.2.3");
        assert_eq!(client(&["::1/128"], "::1", &["2001:db8::7"]), "2001:db8::7");
        // A listener for both families shows IPv4 peers in the clothes of IPv6.
        assert_eq!(client(&["10.0.0.0/8"], "::ffff:10.1.2.3", &["203.0.113.5"]), "203.0.113.5");
    }

    #[test]
    fn what_a_caller_makes_up_stands_further_left() {
        let trusted = ["10.0.0.0/8", "127.0.0.0/8"];
        assert_eq!(client(&trusted, "127.0.0.1", &["8.8.8.8, 203.0.113.5"]), "203.0.113.5");
        assert_eq!(client(&trusted, "127.0.0.1", &["8.8.8.8", "203.0.113.5, 10.0.0.9"]), "203.0.113.5");
        assert_eq!(
            client(&trusted, "127.0.0.1", &["8.8.8.8, 203.0.113.5,10.0.0.9 , 10.0.0.8"]),
            "203.0.113.5"
        );
        assert_eq!(client(&trusted, "127.0.0.1", &["10.0.0.9"]), "10.0.0.9");
    }

    #[test]
    fn ports_are_left_out_and_names_end_the_search() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(client(&trusted, "10.0.0.1", &["203.0.113.5:4711"]), "203.0.113.5");
        assert_eq!(client(&trusted, "10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(client(&trusted, "10.0.0.1", &["[2001:db8::7]"]), "2001:db8::7");
        for name in ["unknown", "", "203.0.113.5, _hidden", "203.0.113.5,"] {
            assert_eq!(client(&trusted, "10.0.0.1", &[name]), "10.0.0.1", "{name}");
        }
    }
}
