//! stub
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EmailAddress(Box<str>);
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidEmail { #[error("bad")] Empty }
impl EmailAddress {
    pub fn parse(t: &str) -> Result<Self, InvalidEmail> { if t.contains('@') { Ok(Self(t.trim().to_lowercase().into())) } else { Err(InvalidEmail::Empty) } }
    pub fn from_canonical(v: String) -> Self { Self(v.into()) }
    pub fn as_str(&self) -> &str { &self.0 }
    pub fn mailbox(&self) -> &str { self.0.rsplit_once('@').map_or("", |p| p.0) }
    pub fn domain(&self) -> &str { self.0.rsplit_once('@').map_or("", |p| p.1) }
}
