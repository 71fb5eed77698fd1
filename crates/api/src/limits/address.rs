//! Whose request it is, by address: the peer's, or what a proxy says that we trust.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, X_FORWARDED_FOR};
use ipnet::IpNet;

/// The networks whose word on the address of a caller is taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

/// The address that a request is counted under. A part of every request, put there by [`TrustedProxies::note`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl TrustedProxies {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Finds out whose request it is, and remembers it in the request.
    pub(super) fn note(&self, request: &ServiceRequest) -> ClientAddress {
        // Without a peer there is no connection, as in a unit test.
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.ip());
        let address = ClientAddress(self.client(peer, request.headers()));
        request.extensions_mut().insert(address);
        address
    }

    /// The last address of `X-Forwarded-For` that is no trusted proxy: each proxy appends whom it was called
    /// by, so what stands further left may be the caller's invention. `Forwarded` is not read: a proxy that
    /// writes the one hands on what a caller wrote into the other.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
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

    /// The client by the lines of the header, called by `peer`.
    fn client(trusted: &[&str], peer: &str, lines: &[&str]) -> String {
        let proxies = TrustedProxies(trusted.iter().map(|network| network.parse().unwrap()).collect());
        let mut request = TestRequest::default().peer_addr(SocketAddr::new(peer.parse().unwrap(), 1));
        for line in lines {
            request = request.append_header((X_FORWARDED_FOR, *line));
        }
        let request = request.to_srv_request();
        let noted = proxies.note(&request);
        assert_eq!(ClientAddress::of(&request), Some(noted));
        noted.0.to_string()
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
