//! Answers as they are kept: readable only for whoever sends the same token and the same key again. The database
//! has neither; of a token it has a hash, and the new secret that `POST /tokens` shows once must not be in it.

use actix_web::web::Bytes;
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use onefold_service::operation::{IdempotencyKey, OperationId, SealedAnswer};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const NONCE: usize = 24;

/// What is kept of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    pub(super) head: Head,
    pub(super) body: Bytes,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// SHA-256 of a body that was not known yet when its request was looked up.
    pub(super) received: Option<[u8; 32]>,
}

/// Seals and opens the answers to one caller's key.
pub(super) struct SealingKey(XChaCha20Poly1305);

impl SealingKey {
    /// Without a token, as for an open `/identify`, the key alone has to do. It stands in the database too, so such
    /// an answer is kept from a glance only; but whoever has no token may ask for the same data anyway.
    pub(super) fn derive(token: Option<&[u8]>, key: &IdempotencyKey) -> Self {
        let token = token.unwrap_or_default();
        let mut hash = Sha256::new();
        hash.update(b"onefold idempotency 1");
        // No token ends where another key begins.
        hash.update((token.len() as u64).to_be_bytes());
        hash.update(token);
        hash.update(key.as_str());
        Self(XChaCha20Poly1305::new(&hash.finalize()))
    }

    /// `None` only for an answer beyond all limits.
    pub(super) fn seal(&self, operation: OperationId, answer: &Answer) -> Option<SealedAnswer> {
        let mut plain = serde_json::to_vec(&answer.head).ok()?;
        // JSON on one line has no line break.
        plain.push(b'\n');
        plain.extend_from_slice(&answer.body);
        // An attempt answers once, and its id is nobody else's, so no nonce is used twice.
        let mut nonce = [0; NONCE];
        nonce[..16].copy_from_slice(operation.0.as_bytes());
        let secret = self.0.encrypt(&XNonce::from(nonce), plain.as_slice()).ok()?;
        Some(SealedAnswer([&nonce[..], &secret].concat()))
    }

    /// `None` if it was sealed for another token or key, or changed since.
    pub(super) fn open(&self, sealed: &SealedAnswer) -> Option<Answer> {
        let (nonce, secret) = sealed.0.split_first_chunk::<NONCE>()?;
        let plain = Bytes::from(self.0.decrypt(&XNonce::from(*nonce), secret).ok()?);
        let end = plain.iter().position(|byte| *byte == b'\n')?;
        let head = serde_json::from_slice(&plain[..end]).ok()?;
        Some(Answer { head, body: plain.slice(end + 1..) })
    }
}

#[cfg(test)]
mod tests {
    use onefold_service::operation::SealedAnswer;
    use uuid::Uuid;

    use super::*;

    const TOKEN: &[u8] = b"onefold_secret";

    fn key(text: &str) -> IdempotencyKey {
        IdempotencyKey::parse(text).unwrap()
    }

    fn answer() -> Answer {
        let headers = vec![("location".to_owned(), "/tokens/7".to_owned())];
        let body = Bytes::from_static(b"{\"token\":\n\"onefold_new\"}");
        Answer { head: Head { status: 201, headers, received: Some([7; 32]) }, body }
    }

    fn sealed(number: u128) -> SealedAnswer {
        let sealing = SealingKey::derive(Some(TOKEN), &key("a"));
        sealing.seal(OperationId(Uuid::from_u128(number)), &answer()).unwrap()
    }

    #[test]
    fn who_has_token_and_key_reads_it() {
        assert_eq!(SealingKey::derive(Some(TOKEN), &key("a")).open(&sealed(1)), Some(answer()));
        let open = SealingKey::derive(None, &key("a"));
        let by_key = open.seal(OperationId(Uuid::from_u128(1)), &answer()).unwrap();
        assert_eq!(open.open(&by_key), Some(answer()));
    }

    #[test]
    fn nobody_else_does() {
        let sealed = sealed(1);
        for (token, name) in [
            (None, "a"),
            (Some(TOKEN), "b"),
            (Some(&b"onefold_other"[..]), "a"),
            (Some(&b"onefold_secre"[..]), "ta"),
            (None, "onefold_secreta"),
        ] {
            assert_eq!(SealingKey::derive(token, &key(name)).open(&sealed), None, "{name}");
        }
        let text = String::from_utf8_lossy(&sealed.0);
        assert!(!text.contains("onefold") && !text.contains("tokens"), "{text}");
    }

    #[test]
    fn what_was_changed_is_not_read() {
        let sealing = SealingKey::derive(Some(TOKEN), &key("a"));
        let sealed = sealed(1);
        for place in 0..sealed.0.len() {
            let mut changed = sealed.clone();
            changed.0[place] ^= 1;
            assert_eq!(sealing.open(&changed), None, "{place}");
        }
        for length in [0, 10, NONCE, sealed.0.len() - 1] {
            assert_eq!(sealing.open(&SealedAnswer(sealed.0[..length].to_vec())), None, "{length}");
        }
    }

    #[test]
    fn no_two_attempts_seal_alike() {
        assert_ne!(sealed(1), sealed(2));
    }
}
