//! Which machines a connector may call. Its key and what it tells of people go to whoever answers under its address, and
//! whoever can set that address must not reach by it what only this network can: routers, databases, the metadata of a
//! cloud's machine. So private addresses are refused unless a setting names their host. This machine stays open, since
//! doubles run there.
//!
//! An address is looked at twice: as it is written, and again when its name has been resolved, for each connection anew,
//! since a name may lead elsewhere the second time. Redirects stay with the host that was meant (see `http`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;
use url::{Host, Url};

/// A host that calls may go to although it has a private address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AllowedHost(Host);

/// No name and no address of a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("must be names or addresses of hosts without a port, such as \"erp.internal\" or \"10.0.0.5\"")]
pub struct InvalidHost;

impl TryFrom<String> for AllowedHost {
    type Error = InvalidHost;

    fn try_from(text: String) -> Result<Self, InvalidHost> {
        let text = text.trim();
        // In a URL it stands in brackets, and in a setting people leave them out.
        let written = if text.parse::<Ipv6Addr>().is_ok() { format!("[{text}]") } else { text.to_owned() };
        Host::parse(&written).map(|host| Self(plain(host))).map_err(|_| InvalidHost)
    }
}

/// A host in a network of the operator's own, which no setting names.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "leads to {place}, which is in a private network; if that is meant, name the host in `allow_private_hosts`"
)]
pub struct PrivateHost {
    place: String,
}

/// Where one connector may go.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    host: Option<Host>,
    is_allowed: bool,
}

/// What an address is to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// This machine.
    Here,
    Private,
    Public,
}

impl Reach {
    /// # Errors
    /// A private address that is not among the hosts that are allowed. A name is judged when it is resolved.
    pub(crate) fn of(url: &Url, allowed: &[AllowedHost]) -> Result<Self, PrivateHost> {
        let host = url.host().map(|host| plain(host.to_owned()));
        let is_allowed = host.as_ref().is_some_and(|host| allowed.iter().any(|allowed| allowed.0 == *host));
        let address = match &host {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(*address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(*address)),
            Some(Host::Domain(_)) | None => None,
        };
        match address {
            Some(address) if !is_allowed && Place::of(address) == Place::Private => {
                Err(PrivateHost { place: address.to_string() })
            }
            _ => Ok(Self { host, is_allowed }),
        }
    }

    /// Of the addresses of a name the ones that may be called.
    fn choose(&self, name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, PrivateHost> {
        let is_meant = matches!(&self.host, Some(Host::Domain(host)) if host == without_dot(name));
        // Only a proxy that the machine's environment names is another one: its operator chose it, and it resolves the
        // names of others by itself.
        if !is_meant || self.is_allowed {
            return Ok(found);
        }
        // A key goes to this machine in the open, so that its name must lead nowhere else.
        let wanted = if is_local_name(without_dot(name)) { Place::Here } else { Place::Public };
        let (chosen, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|address| Place::of(address.ip()) == wanted);
        match others.first() {
            Some(other) if chosen.is_empty() => {
                Err(PrivateHost { place: format!("{name} at {}", other.ip()) })
            }
            _ => Ok(chosen),
        }
    }
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.clone();
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await?.collect();
            let chosen: Addrs = Box::new(reach.choose(name.as_str(), found)?.into_iter());
            Ok(chosen)
        })
    }
}

impl Place {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) if address.is_loopback() => Self::Here,
            IpAddr::V6(address) => match embedded(address) {
                Some(inner) => Self::of_v4(inner).unless_here(),
                None if is_private_v6(address) => Self::Private,
                None => Self::Public,
            },
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        if address.is_loopback() {
            Self::Here
        } else if is_private_v4(address) {
            Self::Private
        } else {
            Self::Public
        }
    }

    /// A translator that is asked for this machine is asked for its own.
    fn unless_here(self) -> Self {
        if self == Self::Here { Self::Private } else { self }
    }
}

/// By the registries of special addresses of IANA (RFC 6890), the documentation's excepted, which lead nowhere.
fn is_private_v4(address: Ipv4Addr) -> bool {
    /// Azure's machines are told their metadata here, in the midst of public addresses.
    const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address == AZURE
        // "This network", the unspecified address among it.
        || a == 0
        // Between a provider and its customers (RFC 6598).
        || (a == 100 && b & 0xc0 == 64)
        || (a, b, c) == (192, 0, 0)
        // Benchmarks.
        || (a == 198 && b & 0xfe == 18)
        // Reserved, with broadcast.
        || a >= 240
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        // Site-local, which is given out no longer and routed where it was.
        || first & 0xffc0 == 0xfec0
        // Translation within one network (RFC 8215), and Teredo.
        || (first, second, address.segments()[2]) == (0x64, 0xff9b, 1)
        || (first, second) == (0x2001, 0)
}

/// The address of version 4 that an address of version 6 is a way to write, or is translated to.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let words = address.segments();
    let inner = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match words {
        // Compatible (RFC 4291), out of use, and NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(inner(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(inner(high, low)),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => Some(inner(high, low)),
        _ => None,
    }
}

/// One form for all ways in which a host is written. The library has read odd numbers and letters by now.
fn plain(host: Host) -> Host {
    match host {
        Host::Domain(name) => Host::Domain(without_dot(&name).to_ascii_lowercase()),
        Host::Ipv6(address) => match IpAddr::V6(address).to_canonical() {
            IpAddr::V4(address) => Host::Ipv4(address),
            IpAddr::V6(address) => Host::Ipv6(address),
        },
        host @ Host::Ipv4(_) => host,
    }
}

/// The dot behind a name says that it is whole.
fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether a name means this machine wherever it is said (RFC 6761).
pub(crate) fn is_local_name(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(hosts: &[&str]) -> Vec<AllowedHost> {
        hosts.iter().map(|host| AllowedHost::try_from((*host).to_owned()).unwrap()).collect()
    }

    fn reach(host: &str, hosts: &[&str]) -> Result<Reach, PrivateHost> {
        Reach::of(&Url::parse(&format!("https://{host}/v1/")).unwrap(), &allowed(hosts))
    }

    fn chosen(host: &str, hosts: &[&str], found: &[&str]) -> Option<Vec<String>> {
        let found = found.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect();
        let chosen = reach(host, hosts).unwrap().choose(host, found).ok()?;
        Some(chosen.iter().map(|address| address.ip().to_string()).collect())
    }

    const PRIVATE: [&str; 43] = [
        "10.0.0.1",
        "10.255.255.255",
        "172.16.0.1",
        "172.31.255.254",
        "192.168.1.1",
        "169.254.169.254",
        "169.254.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "100.64.0.1",
        "100.127.255.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[febf::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[::ffff:10.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::10.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::1]",
        "[2002:a00:1::]",
        "[2002:7f00:1::]",
        "[2001::1]",
        // Other ways to write some of them.
        "167772161",
        "0x0a000001",
        "012.0.0.1",
        "10.1",
        "0xa9.0xfe.0xa9.0xfe",
        "2852039166",
        "169.254.169.254.",
        "１０.0.0.1",
    ];

    #[test]
    fn private_addresses_are_refused_however_they_are_written() {
        for host in PRIVATE {
            let refused = reach(host, &[]).map(|_| host).expect_err(host);
            assert!(refused.to_string().contains("`allow_private_hosts`"), "{refused}");
            assert!(reach(host, &["erp.internal", "10.9.9.9"]).is_err(), "{host}");
        }
    }

    #[test]
    fn this_machine_and_public_addresses_are_reached() {
        for host in [
            "127.0.0.1",
            "127.9.9.9",
            "2130706433",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "api.quo.com",
            "93.184.216.34",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "169.253.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "[2606:4700::1111]",
            "[64:ff9b::8.8.8.8]",
            "[2002:808:808::]",
        ] {
            assert!(reach(host, &[]).is_ok(), "{host}");
        }
    }

    #[test]
    fn what_is_named_is_allowed_however_it_is_written() {
        for (host, named) in [
            ("10.0.0.5", "10.0.0.5"),
            ("167772165", "10.0.0.5"),
            ("10.0.0.5", "0x0a000005"),
            ("[::ffff:10.0.0.5]", "10.0.0.5"),
            ("[fd00::5]", "fd00::5"),
            ("[fd00::5]", "[fd00:0::5]"),
        ] {
            assert!(reach(host, &[named]).is_ok(), "{host} {named}");
        }
        for (host, named) in [("erp.internal", "ERP.internal."), ("ERP.Internal.", "erp.internal")] {
            assert_eq!(chosen(host, &[named], &["10.0.0.5"]), Some(vec!["10.0.0.5".to_owned()]), "{host}");
        }
        for text in ["", " ", "erp:8080", "http://erp", "a b", "10.0.0.0/8", "[::1"] {
            assert_eq!(AllowedHost::try_from(text.to_owned()), Err(InvalidHost), "{text}");
        }
    }

    #[test]
    fn a_name_is_judged_by_where_it_leads() {
        let public = "93.184.216.34";
        assert_eq!(chosen("api.example", &[], &[public]), Some(vec![public.to_owned()]));
        assert_eq!(chosen("api.example", &[], &["10.0.0.1", public, "::1"]), Some(vec![public.to_owned()]));
        for found in ["10.0.0.1", "127.0.0.1", "169.254.169.254", "fd00::1", "::ffff:192.168.0.1"] {
            assert_eq!(chosen("api.example", &[], &[found]), None, "{found}");
            assert_eq!(chosen("api.example.", &[], &[found]), None, "{found}");
            assert_eq!(chosen("api.example", &["other.example"], &[found]), None, "{found}");
            assert!(chosen("api.example", &["api.example"], &[found]).is_some(), "{found}");
        }
        assert_eq!(chosen("api.example", &[], &[]), Some(vec![]), "nothing is known of it");
    }

    #[test]
    fn the_name_of_this_machine_leads_nowhere_else() {
        assert_eq!(chosen("localhost", &[], &["127.0.0.1", "10.0.0.1"]), Some(vec!["127.0.0.1".to_owned()]));
        assert_eq!(chosen("mk.localhost", &[], &["::1"]), Some(vec!["::1".to_owned()]));
        assert_eq!(chosen("localhost", &[], &["93.184.216.34"]), None);
    }

    /// The library asks for the addresses of names only, and follows what is chosen.
    #[tokio::test]
    async fn a_name_that_leads_here_is_not_called() {
        let name: Name = "localhost".parse().unwrap();
        let mut reach = reach("localhost", &[]).unwrap();
        assert!(reach.resolve(name).await.unwrap().all(|address| address.ip().is_loopback()));
        // As if the resolver of the machine led another name here.
        reach.host = Some(Host::Domain("api.example".to_owned()));
        let found = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        let refused = reach.choose("api.example", found).unwrap_err().to_string();
        assert!(refused.contains("api.example at 127.0.0.1"), "{refused}");
    }
}
