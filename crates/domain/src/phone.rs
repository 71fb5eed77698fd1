//! stub
use std::borrow::Cow;
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct PhoneNumber(Box<str>);
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region;
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidPhone { #[error("bad")] Empty }
impl Region { pub fn parse(_c: &str) -> Result<Self, InvalidPhone> { Ok(Self) } }
impl PhoneNumber {
    pub fn parse(t: &str, _r: Option<Region>) -> Result<Self, InvalidPhone> { let d: String = t.chars().filter(|c| c.is_ascii_digit()).collect(); if d.is_empty() {Err(InvalidPhone::Empty)} else {Ok(Self(d.into()))} }
    pub fn from_canonical(v: String) -> Self { Self(v.into()) }
    pub fn as_str(&self) -> &str { &self.0 }
    pub fn match_key(&self) -> Cow<'_, str> { Cow::Borrowed(&self.0) }
}
