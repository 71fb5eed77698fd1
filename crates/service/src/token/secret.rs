//! Secrets of tokens: how they are made, told apart and kept. The form is that of Laravel Sanctum, so
//! that tools which look for leaked secrets, and people, know it: `id|secret`, where the secret is a prefix, 40 letters
//! and digits, and their CRC-32 in hexadecimal. The checksum is for such tools; it is never checked here,
//! and neither are length and prefix, so that tokens made elsewhere can be taken over.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::TokenId;
use crate::clock::{NoRandomness, Randomness};

/// Before every secret, for those who search code and logs for secrets.
const PREFIX: &str = "onefold_";

const LENGTH: usize = 40;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What is kept of a secret: its SHA-256. Salt and slowness would protect passwords; 238 random bits need
/// neither. Comparing takes the same time whatever differs.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// 64 hexadecimal digits in lower case.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads back what [`Self::to_hex`] wrote.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 64 {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, digits) in hash.iter_mut().zip(bytes.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// A secret that was just made. Nothing else ever shows it.
pub(crate) struct Secret(SecretString);

impl Secret {
    pub(crate) fn generate(randomness: &dyn Randomness) -> Result<Self, NoRandomness> {
        let mut random = [0; LENGTH * 8];
        randomness.fill(&mut random)?;
        let mut text = String::with_capacity(PREFIX.len() + LENGTH + 8);
        text.push_str(PREFIX);
        // A remainder of 64 bits: the first letters of the alphabet come up more often by one part in 10^17.
        for bytes in random.as_chunks::<8>().0 {
            let letter = u64::from_le_bytes(*bytes) % ALPHABET.len() as u64;
            text.push(char::from(ALPHABET[letter as usize]));
        }
        let checksum = crc32fast::hash(&text.as_bytes()[PREFIX.len()..]);
        text.push_str(&format!("{checksum:08x}"));
        Ok(Self(text.into()))
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::of(self.0.expose_secret())
    }

    pub(crate) fn of_token(&self, id: TokenId) -> PlainToken {
        PlainToken(format!("{}|{}", id.0, self.0.expose_secret()).into())
    }
}

/// A new token as its holder sends it: `12|onefold_…`. Shown once, and never printed by accident.
#[derive(Clone)]
pub struct PlainToken(SecretString);

impl PlainToken {
    /// The token itself, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainToken(…)")
    }
}

/// What a caller sent as a token. Of the secret only the hash is kept.
#[derive(Clone, Debug)]
pub struct PresentedToken {
    /// `None` for a bare secret, which is found by its hash.
    pub(crate) id: Option<TokenId>,
    pub(crate) hash: TokenHash,
}

impl PresentedToken {
    /// `None` for what can be no token: nothing at all, or an id that is not digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = match text.split_once('|') {
            None => (None, text),
            Some((id, secret)) if id.bytes().all(|byte| byte.is_ascii_digit()) => {
                (Some(TokenId(id.parse().ok()?)), secret)
            }
            Some(_) => return None,
        };
        (!secret.is_empty()).then(|| Self { id, hash: TokenHash::of(secret) })
    }

    /// The hash of the secret in hexadecimal, by which it is told from others without being known.
    pub fn fingerprint(&self) -> String {
        self.hash.to_hex()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandomness;

    const LETTERS: &str = "0123456789abcdefghijABCDEFGHIJ0123456789";

    #[test]
    fn hashes_are_those_of_sanctum() {
        let plain = format!("{LETTERS}fcca43d2");
        let hash = TokenHash::of(&plain);
        assert_eq!(hash.to_hex(), "db161edd9efc0fa65d8f1da3fd83a0fe62ef7a37e09ecec3164b38a81e77b4ed");
        assert_eq!(TokenHash::from_hex(&hash.to_hex()), Some(hash));
        assert_eq!(crc32fast::hash(LETTERS.as_bytes()), 0xfcca_43d2);
        assert_eq!(
            TokenHash::of(&format!("hub_{plain}")).to_hex(),
            "3ce0e53b97948674d0367f1622b6de394f76f432c63aba0dbe73654c0c9cf484"
        );
        assert_eq!(TokenHash::from_hex("db16"), None);
        assert_eq!(TokenHash::from_hex(&"é".repeat(32)), None);
    }

    #[test]
    fn a_new_secret_has_the_form() {
        let first = Secret::generate(&SystemRandomness).unwrap();
        let second = Secret::generate(&SystemRandomness).unwrap();
        assert_ne!(first.hash(), second.hash());
        let plain = first.of_token(TokenId(12));
        let (id, secret) = plain.expose().split_once('|').unwrap();
        let (letters, checksum) = secret.strip_prefix(PREFIX).unwrap().split_at(LENGTH);
        assert_eq!(id, "12");
        assert!(letters.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(checksum, format!("{:08x}", crc32fast::hash(letters.as_bytes())));
        assert!(!format!("{plain:?}").contains(letters));
    }

    #[test]
    fn what_callers_send_is_read_as_sanctum_reads_it() {
        let parsed = |text| PresentedToken::parse(text).map(|token| (token.id, token.hash));
        assert_eq!(parsed("12|abc"), Some((Some(TokenId(12)), TokenHash::of("abc"))));
        assert_eq!(parsed("12|a|c"), Some((Some(TokenId(12)), TokenHash::of("a|c"))), "split at the first");
        assert_eq!(parsed("abc"), Some((None, TokenHash::of("abc"))));
        for text in ["", "|abc", "12|", "x|abc", "-1|abc", "+1|abc", "99999999999999999999|abc"] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }
}
