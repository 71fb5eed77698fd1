//! What a caller calls an operation.

/// The name that a caller gives to an operation: 1 to 255 visible ASCII characters.
///
/// ```
/// use onefold_service::operation::IdempotencyKey;
///
/// assert!(IdempotencyKey::parse("order-42").is_ok());
/// assert!(IdempotencyKey::parse("order 42").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IdempotencyKey(Box<str>);

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Send one key of 1 to 255 visible ASCII characters, such as a UUID.")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    pub const MAX_LENGTH: usize = 255;

    /// # Errors
    /// A text that is empty, too long, or holds blanks or anything beyond ASCII.
    pub fn parse(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let fit =
            (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fit { Ok(Self(text.into())) } else { Err(InvalidIdempotencyKey) }
    }

    /// A value that `parse` made before, read back from where it was stored.
    #[must_use]
    pub fn from_stored(value: String) -> Self {
        Self(value.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose keys they are. The same key of two callers names two operations.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IdempotencyScope(Box<str>);

impl IdempotencyScope {
    /// The scope of a bearer token.
    #[must_use]
    pub fn of_token(id: i64) -> Self {
        Self(format!("token:{id}").into())
    }

    /// The scope that all share who need no token.
    #[must_use]
    pub fn anonymous() -> Self {
        Self("anonymous".into())
    }

    /// A scope read back from where it was stored.
    #[must_use]
    pub fn from_stored(value: String) -> Self {
        Self(value.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_and_has_an_end() {
        for text in ["a", "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11", "\"quoted\"", "~!", &"x".repeat(255)] {
            assert_eq!(IdempotencyKey::parse(text).unwrap().as_str(), text);
        }
        for text in ["", " ", "a b", "a\t", "ä", "a\u{7f}", &"x".repeat(256)] {
            assert_eq!(IdempotencyKey::parse(text), Err(InvalidIdempotencyKey), "{text}");
        }
    }
}
