//! Calling back: what changed is told to those who subscribed, signed in either of the two ways that are in
//! use. The older envelope of a contact was never seen in full, so both carry the newer body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::tls;

/// When the first event happens, in seconds; each is a second later.
const START: i64 = 1_790_000_000;

/// What happened to a contact. One that is new is `Updated`, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    Updated,
    Deleted,
}

/// How deliveries are signed. The keys are the bytes, before they are put in base64.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventSignature {
    /// `openphone-signature: hmac;1;<milliseconds>;<digest>`
    Older(Vec<u8>),
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`
    Standard(Vec<u8>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    pub url: String,
    pub signature: EventSignature,
    /// When deliveries say that they were sent, in seconds; `None` for when the event happened.
    pub sent_at: Option<i64>,
}

/// What became of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Of the message; the same when it is sent again.
    pub id: String,
    pub kind: EventKind,
    /// `None` when there was no answer.
    pub status: Option<u16>,
}

#[derive(Debug, Default)]
pub(super) struct Events {
    subscription: Option<Subscription>,
    waiting: Vec<Event>,
    count: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Event {
    id: String,
    kind: EventKind,
    body: String,
    sent_at: i64,
    subscription: Subscription,
}

impl EventKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "contact.updated",
            Self::Deleted => "contact.deleted",
        }
    }
}

impl Delivery {
    pub fn is_accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl EventSignature {
    /// The headers of a delivery.
    pub fn headers(&self, id: &str, sent_at: i64, body: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::Older(key) => {
                let moment = sent_at * 1_000;
                let digest = digest(key, &format!("{moment}.{body}"));
                vec![("openphone-signature", format!("hmac;1;{moment};{digest}"))]
            }
            Self::Standard(key) => {
                let digest = digest(key, &format!("{id}.{sent_at}.{body}"));
                vec![
                    ("webhook-id", id.to_owned()),
                    ("webhook-timestamp", sent_at.to_string()),
                    ("webhook-signature", format!("v1,{digest}")),
                ]
            }
        }
    }
}

impl Events {
    pub(super) fn subscribe(&mut self, subscription: Subscription) {
        self.subscription = Some(subscription);
    }

    pub(super) fn happened(&mut self, kind: EventKind, contact: &Value) {
        self.count += 1;
        let Some(subscription) = &self.subscription else { return };
        let body = json!({
            "id": format!("EV{}", self.count), "apiVersion": "2026-03-30", "createdAt": contact["updatedAt"],
            "type": kind.as_str(),
            "data": {"resource": resource(contact), "context": {"orgId": "ORdouble"}, "links": {"quo": null}},
        });
        self.waiting.push(Event {
            id: format!("msg_{}", self.count),
            kind,
            body: body.to_string(),
            sent_at: subscription.sent_at.unwrap_or(START + self.count),
            subscription: subscription.clone(),
        });
    }

    pub(super) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.waiting)
    }

    pub(super) fn again(&mut self, event: Event) {
        self.waiting.push(event);
    }
}

impl Event {
    pub(super) async fn send(&self) -> Delivery {
        let client = tls::client_builder().expect("safe connections").build().expect("a client");
        let Subscription { url, signature, .. } = &self.subscription;
        let mut request = client.post(url).header("content-type", "application/json").body(self.body.clone());
        for (name, value) in signature.headers(&self.id, self.sent_at, &self.body) {
            request = request.header(name, value);
        }
        let status = request.send().await.ok().map(|answer| answer.status().as_u16());
        Delivery { id: self.id.clone(), kind: self.kind, status }
    }
}

/// Names and values on one level; labels and ids of emails and phones are left out there.
fn resource(contact: &Value) -> Value {
    let fields = &contact["defaultFields"];
    let items = |name: &str, kind: &str| -> Value {
        let items = fields[name].as_array().into_iter().flatten();
        items.map(|item| json!({"value": item["value"], "type": kind})).collect()
    };
    json!({
        "id": contact["id"], "firstName": fields["firstName"], "lastName": fields["lastName"],
        "company": fields["company"], "role": fields["role"], "location": null,
        "source": contact["source"], "externalId": contact["externalId"],
        "emails": items("emails", "email"), "phoneNumbers": items("phoneNumbers", "phone-number"),
        "customFields": contact["customFields"],
        "createdAt": contact["createdAt"], "updatedAt": contact["updatedAt"],
    })
}

fn digest(key: &[u8], signed: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the specification of Standard Webhooks gives.
    #[test]
    fn the_standard_signature_is_the_one_of_the_specification() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = EventSignature::Standard(key);
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let headers = signature.headers(id, 1_614_265_330, r#"{"test": 2432232314}"#);
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(headers[2], ("webhook-signature", expected.to_owned()));
    }
}
