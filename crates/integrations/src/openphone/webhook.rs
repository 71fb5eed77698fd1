//! What OpenPhone reports by itself. Two kinds of webhooks are in use, and each signs in a way of its own; which it is,
//! the headers say. Bodies are verified byte by byte before they are read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use onefold_sync::events::{InvalidEvent, PartnerEvent, PartnerEventKind, PartnerEventReader};
use onefold_sync::partner::PartnerId;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use super::config::Config;
use super::setting::WebhookKey;

/// The longest time between signing and arriving; the newer kind names it, for the older it is our choice.
const WINDOW: TimeDelta = TimeDelta::minutes(5);

/// A moment with more digits counts milliseconds.
const LARGEST_SECONDS: i64 = 100_000_000_000;

/// Verifies and reads reports.
#[derive(Clone, Debug)]
pub struct Webhook {
    keys: Vec<WebhookKey>,
}

impl Webhook {
    /// `None` without a key: reports are not taken then.
    #[must_use]
    pub fn new(config: &Config) -> Option<Self> {
        let keys = config.webhook_keys.clone();
        (!keys.is_empty()).then_some(Self { keys })
    }

    /// Whether one of the digests is that of the text under one of the keys. The comparison takes the same time
    /// wherever they differ.
    fn is_signed(&self, signed: &[&[u8]], digests: &[&str]) -> bool {
        let digests: Vec<_> = digests.iter().filter_map(|text| STANDARD.decode(text).ok()).collect();
        self.keys.iter().any(|key| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose()) else { return false };
            for part in signed {
                mac.update(part);
            }
            digests.iter().any(|digest| mac.clone().verify_slice(digest).is_ok())
        })
    }

    /// `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<digest> v1,<digest>`. Returns the delivery's name.
    fn verify_standard(
        &self,
        header: &dyn Fn(&str) -> Option<String>,
        signatures: &str,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<String, InvalidEvent> {
        let id = header("webhook-id").ok_or(InvalidEvent::Unsigned)?;
        let moment = header("webhook-timestamp").ok_or(InvalidEvent::Unsigned)?;
        let digests: Vec<_> = signatures.split(' ').filter_map(|one| one.strip_prefix("v1,")).collect();
        let signed = [id.as_bytes(), b".", moment.as_bytes(), b".", body];
        if !self.is_signed(&signed, &digests) {
            return Err(InvalidEvent::Forged);
        }
        is_recent(&moment, now).then_some(id).ok_or(InvalidEvent::Expired)
    }

    /// `openphone-signature: hmac;1;<milliseconds>;<digest>`, of which there may be several, with commas between.
    fn verify_older(&self, signatures: &str, body: &[u8], now: DateTime<Utc>) -> Result<(), InvalidEvent> {
        let mut verdict = InvalidEvent::Forged;
        for signature in signatures.split(',') {
            let parts: Vec<_> = signature.trim().split(';').collect();
            let ["hmac", "1", moment, digest] = parts[..] else { continue };
            // Of the bytes that arrived. By the vendor's words it is signed without blanks, and so it arrives. To take them
            // out here would let a body pass that nobody signed.
            if self.is_signed(&[moment.as_bytes(), b".", body], &[digest]) {
                if is_recent(moment, now) {
                    return Ok(());
                }
                verdict = InvalidEvent::Expired;
            }
        }
        Err(verdict)
    }
}

impl PartnerEventReader for Webhook {
    fn read(
        &self,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<PartnerEvent>, InvalidEvent> {
        let delivery = match (header("webhook-signature"), header("openphone-signature")) {
            (Some(signatures), _) => Some(self.verify_standard(header, &signatures, body, now)?),
            (None, Some(signatures)) => {
                self.verify_older(&signatures, body, now)?;
                None
            }
            (None, None) => return Err(InvalidEvent::Unsigned),
        };
        read(body, delivery)
    }
}

/// `delivery` is its name in the headers; without one the envelope has it.
fn read(body: &[u8], delivery: Option<String>) -> Result<Option<PartnerEvent>, InvalidEvent> {
    let event: Envelope = serde_json::from_slice(body).map_err(|_| InvalidEvent::Malformed("no JSON"))?;
    let kind = match event.kind.as_str() {
        "contact.updated" => PartnerEventKind::Updated,
        "contact.deleted" => PartnerEventKind::Deleted,
        _ => return Ok(None),
    };
    let delivery = delivery.or(event.id).filter(|id| !id.is_empty() && id.len() <= 200);
    let delivery = delivery.ok_or(InvalidEvent::Malformed("no id"))?;
    // The newer envelope calls it the resource, the older one the object.
    let members = ["resource", "object"].map(|name| &event.data[name]);
    let resource = members.into_iter().find(|member| member.is_object());
    let resource = resource.ok_or(InvalidEvent::Malformed("no contact"))?;
    let id = resource["id"].as_str().and_then(|id| PartnerId::parse(id).ok());
    let partner = id.ok_or(InvalidEvent::Malformed("no id of the contact"))?;
    let changed_at = resource["updatedAt"].as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let changed_at = changed_at.map(|moment| moment.with_timezone(&Utc));
    Ok(Some(PartnerEvent { delivery, kind, partner, changed_at }))
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
}

fn is_recent(moment: &str, now: DateTime<Utc>) -> bool {
    let Ok(moment) = moment.parse::<i64>() else { return false };
    let signed = match moment {
        seconds if seconds.abs() < LARGEST_SECONDS => DateTime::from_timestamp(seconds, 0),
        milliseconds => DateTime::from_timestamp_millis(milliseconds),
    };
    signed.is_some_and(|signed| (now - signed).abs() <= WINDOW)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const AT: i64 = 1_614_265_330;

    fn webhook(keys: &[&str]) -> Webhook {
        let config: Config = serde_json::from_value(json!({"webhook_keys": keys})).unwrap();
        Webhook::new(&config).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn read(
        webhook: &Webhook,
        headers: &[(&str, &str)],
        body: &str,
        now: i64,
    ) -> Result<Option<PartnerEvent>, InvalidEvent> {
        let header = |name: &str| {
            headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        webhook.read(&header, body.as_bytes(), at(now))
    }

    fn digest(signed: &str) -> String {
        let key = STANDARD.decode(&SECRET[6..]).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(signed.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    fn event(kind: &str, member: &str) -> String {
        let contact = json!({"id": "65f0a1", "updatedAt": "2026-03-04T05:06:07.890Z"});
        json!({"id": "EV1", "type": kind, "data": {member: contact}}).to_string()
    }

    /// The vector that the specification of Standard Webhooks gives.
    #[test]
    fn the_vector_of_the_specification_is_verified() {
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let body = r#"{"test": 2432232314}"#;
        let signatures = "v2,abc v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let headers =
            [("webhook-id", id), ("webhook-timestamp", "1614265330"), ("webhook-signature", signatures)];
        let webhook = webhook(&["c2Vjb25k", SECRET]);
        // It is no event, so it is believed and then not read.
        let malformed = Err(InvalidEvent::Malformed("no JSON"));
        assert_eq!(read(&webhook, &headers, body, AT + 300), malformed);
        assert_eq!(read(&webhook, &headers, body, AT - 300), malformed);
        assert_eq!(read(&webhook, &headers, body, AT + 301), Err(InvalidEvent::Expired));
        assert_eq!(read(&webhook, &headers, body, AT - 301), Err(InvalidEvent::Expired));
        assert_eq!(read(&webhook, &headers, r#"{"test":2432232314}"#, AT), Err(InvalidEvent::Forged));
        assert_eq!(read(&webhook, &headers[1..], body, AT), Err(InvalidEvent::Unsigned));
        assert_eq!(read(&webhook, &headers[..2], body, AT), Err(InvalidEvent::Unsigned));
    }

    #[test]
    fn both_kinds_of_webhooks_are_read() {
        let webhook = webhook(&[SECRET]);
        for (kind, expected) in
            [("contact.updated", PartnerEventKind::Updated), ("contact.deleted", PartnerEventKind::Deleted)]
        {
            let body = event(kind, "resource");
            let signature = format!("v1,{}", digest(&format!("msg_1.{AT}.{body}")));
            let moment = AT.to_string();
            let headers =
                [("webhook-id", "msg_1"), ("webhook-timestamp", &moment), ("webhook-signature", &signature)];
            let standard = read(&webhook, &headers, &body, AT).unwrap().unwrap();
            assert_eq!((standard.delivery.as_str(), standard.kind), ("msg_1", expected));
            assert_eq!(standard.changed_at.unwrap().to_rfc3339(), "2026-03-04T05:06:07.890+00:00");

            let body = event(kind, "object");
            let millis = AT * 1_000;
            let signature = format!("hmac;1;1;AAAA,hmac;1;{millis};{}", digest(&format!("{millis}.{body}")));
            let headers = [("openphone-signature", signature.as_str())];
            let older = read(&webhook, &headers, &body, AT).unwrap().unwrap();
            assert_eq!((older.delivery.as_str(), older.partner.as_str()), ("EV1", "65f0a1"));
            assert_eq!(read(&webhook, &headers, &body, AT + 301), Err(InvalidEvent::Expired));
            let changed = body.replace("65f0a1", "65f0a2");
            assert_eq!(read(&webhook, &headers, &changed, AT), Err(InvalidEvent::Forged));
        }
    }

    #[test]
    fn blanks_that_nobody_signed_do_not_pass() {
        let compact = r#"{"id":"E \" V","type":"call.completed","data":{}}"#;
        let signature = format!("hmac;1;{AT}000;{}", digest(&format!("{AT}000.{compact}")));
        let headers = [("openphone-signature", signature.as_str())];
        let webhook = webhook(&[SECRET]);
        assert_eq!(read(&webhook, &headers, compact, AT), Ok(None), "not about a contact");
        let added = [
            format!("{compact}\n"),
            format!(" {compact}"),
            compact.replace(",\"type", ", \"type"),
            compact.replace("{}", "{ }"),
        ];
        for body in added {
            assert_eq!(read(&webhook, &headers, &body, AT), Err(InvalidEvent::Forged), "{body:?}");
        }
    }

    #[test]
    fn blanks_that_were_signed_belong_to_the_body() {
        let body = "{ \"type\": \"call.completed\" }\n";
        let signature = format!("hmac;1;{AT}000;{}", digest(&format!("{AT}000.{body}")));
        let headers = [("openphone-signature", signature.as_str())];
        assert_eq!(read(&webhook(&[SECRET]), &headers, body, AT), Ok(None));
        assert_eq!(read(&webhook(&[SECRET]), &headers, body.trim(), AT), Err(InvalidEvent::Forged));
    }

    #[test]
    fn a_key_does_not_print_and_neither_does_a_wrong_one() {
        let wrong = serde_json::from_value::<Config>(json!({"webhook_keys": ["s3cret!"]}));
        let message = wrong.unwrap_err().to_string();
        assert!(message.contains("whsec_") && !message.contains("s3cret"), "{message}");
        assert!(!format!("{:?}", webhook(&[SECRET])).contains("Mf"));
        assert!(Webhook::new(&Config::default()).is_none());
    }
}
