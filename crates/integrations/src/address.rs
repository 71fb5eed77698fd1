//! Where another company's system is.

use url::{Host, Url};

use crate::reach::is_local_name;

/// An address that no calls can be made to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidBaseUrl {
    #[error("must be an address that begins with https://")]
    NoAddress,
    #[error("must begin with https://, since the key is in every request; http:// is for this machine only")]
    Open,
    #[error("must have no user, password, `?` or `#`")]
    Extras,
}

/// The address of a server or of its calls: what is missing of the path is added.
///
/// # Errors
/// As of [`safe_address`].
pub(crate) fn base_address(text: &str, path: &str) -> Result<Url, InvalidBaseUrl> {
    let mut url = safe_address(text)?;
    match url.path() {
        "/" => url.set_path(path),
        path if path.ends_with('/') => {}
        path => url.set_path(&format!("{path}/")),
    }
    Ok(url)
}

/// # Errors
/// No address, or one that would send the key where anybody can read it.
fn safe_address(text: &str) -> Result<Url, InvalidBaseUrl> {
    let url = Url::parse(text.trim()).map_err(|_| InvalidBaseUrl::NoAddress)?;
    let is_here = match url.host() {
        None => return Err(InvalidBaseUrl::NoAddress),
        Some(Host::Domain(name)) => is_local_name(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
    };
    match url.scheme() {
        "https" => {}
        "http" if is_here => {}
        "http" => return Err(InvalidBaseUrl::Open),
        _ => return Err(InvalidBaseUrl::NoAddress),
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.query().is_some() || url.fragment().is_some() {
        return Err(InvalidBaseUrl::Extras);
    }
    Ok(url)
}
