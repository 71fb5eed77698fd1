//! What the double tells those who subscribed.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use onefold_integrations::testing::openphone::{EventKind, EventSignature, OpenPhoneDouble, Subscription};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::person;

/// Takes every request and answers with the next status, then 204.
struct Receiver {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn start(statuses: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let arrived = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut statuses = statuses.iter();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut text = Vec::new();
                while !is_whole(&text) {
                    let mut part = [0; 4096];
                    match stream.read(&mut part).await {
                        Ok(read) if read > 0 => text.extend_from_slice(&part[..read]),
                        _ => break,
                    }
                }
                arrived.lock().unwrap().push(String::from_utf8(text).unwrap());
                let status = statuses.next().unwrap_or(&"204 No Content");
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.ok();
            }
        });
        Self { url, requests }
    }

    /// Head and body of each.
    fn requests(&self) -> Vec<(String, String)> {
        let parts = |text: &String| {
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            (head.to_owned(), body.to_owned())
        };
        self.requests.lock().unwrap().iter().map(parts).collect()
    }
}

fn is_whole(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    header(head, "content-length").is_some_and(|length| length.parse() == Ok(body.len()))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn digest(key: &[u8], signed: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn changes_are_told_in_order_signed_in_either_way() {
    let key = vec![0x80, 0xff, 0x00, 0x41];
    for signature in [EventSignature::Older(key.clone()), EventSignature::Standard(key.clone())] {
        let receiver = Receiver::start(&[]).await;
        let double = OpenPhoneDouble::start().await;
        double.insert(person("Eva", "before@example.com"));
        let subscription = Subscription {
            url: receiver.url.clone(),
            signature: signature.clone(),
            sent_at: Some(1_800_000_000),
        };
        double.subscribe(subscription);
        let ann = double.insert(person("Ann", "ann@example.com"));
        double.edit(ann["id"].as_str().unwrap(), |contact| contact["defaultFields"]["role"] = "Buyer".into());
        double.remove(ann["id"].as_str().unwrap());
        let kinds: Vec<_> = double.deliver().await.into_iter().map(|delivery| delivery.kind).collect();
        assert_eq!(kinds, [EventKind::Updated, EventKind::Updated, EventKind::Deleted]);
        let requests = receiver.requests();
        for (head, body) in &requests {
            match signature {
                EventSignature::Older(_) => {
                    let digest = digest(&key, &format!("1800000000000.{body}"));
                    let expected = format!("hmac;1;1800000000000;{digest}");
                    assert_eq!(header(head, "openphone-signature"), Some(expected.as_str()));
                }
                EventSignature::Standard(_) => {
                    let id = header(head, "webhook-id").unwrap();
                    let expected = format!("v1,{}", digest(&key, &format!("{id}.1800000000.{body}")));
                    assert_eq!(header(head, "webhook-signature"), Some(expected.as_str()));
                }
            }
        }
        let event: Value = serde_json::from_str(&requests[2].1).unwrap();
        assert_eq!(
            (&event["type"], &event["data"]["resource"]["id"]),
            (&"contact.deleted".into(), &ann["id"])
        );
        assert_eq!(event["data"]["resource"]["emails"][0].get("name"), None, "labels are not told");
    }
}

#[tokio::test]
async fn what_was_not_accepted_comes_again_under_its_id() {
    let receiver = Receiver::start(&["500 Oops"]).await;
    let double = OpenPhoneDouble::start().await;
    let signature = EventSignature::Standard(vec![1]);
    double.subscribe(Subscription { url: receiver.url.clone(), signature, sent_at: None });
    double.insert(person("Ann", "ann@example.com"));
    let first = double.deliver().await.remove(0);
    let second = double.deliver().await.remove(0);
    assert_eq!((first.status, second.status, first.id), (Some(500), Some(204), second.id));
    assert!(double.deliver().await.is_empty());
}
