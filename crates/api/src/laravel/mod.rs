//! The wire conventions of Laravel, which the contract of the admin contact API was written against.
//! Pure functions: bytes become `Input`, `Input` becomes a request or `Errors`, and those an answer.

pub(crate) mod answer;
mod email;
mod errors;
mod input;
mod language;
mod messages;
mod point;
mod rules;
mod validate;

#[cfg(test)]
mod tests;

pub(crate) use errors::Errors;
pub(crate) use input::Input;
pub(crate) use language::Language;
pub(crate) use point::{Point, Stored, full};
pub(crate) use validate::{ChangeContact, CreateContact};
