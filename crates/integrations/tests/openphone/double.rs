//! The double itself: it is worth what it refuses.

use onefold_integrations::testing::openphone::{Habits, OpenPhoneDouble};
use onefold_integrations::tls;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

struct Caller {
    double: OpenPhoneDouble,
    client: Client,
}

impl Caller {
    async fn new() -> Self {
        let client = tls::client_builder().unwrap().build().unwrap();
        Self { double: OpenPhoneDouble::start().await, client }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        self.call_as(OpenPhoneDouble::API_KEY, method, path, body).await
    }

    async fn call_as(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.double.base_url());
        let mut request = self.client.request(method, url).header("authorization", key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }
}

#[tokio::test]
async fn bodies_that_break_the_contract_are_refused_with_the_member() {
    let caller = Caller::new().await;
    let first = json!({"firstName": "Ann"});
    for (body, path) in [
        (json!({}), "/defaultFields"),
        (json!({"defaultFields": {"lastName": "Lee"}}), "/defaultFields/firstName"),
        (json!({"defaultFields": {"firstName": 1}}), "/defaultFields/firstName"),
        (json!({"defaultFields": {"firstName": "A", "notes": "x"}}), "/defaultFields/notes"),
        (
            json!({"defaultFields": {"firstName": "A", "emails": [{"value": "a@b.c"}]}}),
            "/defaultFields/emails/0/name",
        ),
        (json!({"defaultFields": {"firstName": "A", "emails": ["a@b.c"]}}), "/defaultFields/emails/0"),
        (
            json!({"defaultFields": {"firstName": "A", "phoneNumbers": [{"id": "1", "name": "x", "value": null}]}}),
            "/defaultFields/phoneNumbers/0/id",
        ),
        (json!({"defaultFields": first, "externalId": ""}), "/externalId"),
        (json!({"defaultFields": first, "externalId": "x".repeat(76)}), "/externalId"),
        (json!({"defaultFields": first, "source": null}), "/source"),
        (json!({"defaultFields": first, "source": "x".repeat(73)}), "/source"),
        (json!({"defaultFields": first, "source": "csv-2"}), "/source"),
        (json!({"defaultFields": first, "sourceUrl": "nowhere"}), "/sourceUrl"),
        (json!({"defaultFields": first, "createdByUserId": "ann"}), "/createdByUserId"),
        (json!({"defaultFields": first, "customFields": {"a": 1}}), "/customFields"),
        (json!({"defaultFields": first, "customFields": [{"key": "a"}]}), "/customFields/0/value"),
        (json!({"defaultFields": first, "tags": []}), "/tags"),
    ] {
        let (status, said) = caller.call(Method::POST, "/contacts", Some(&body)).await;
        assert_eq!((status, &said["errors"][0]["path"]), (StatusCode::BAD_REQUEST, &json!(path)), "{body}");
    }
    assert!(caller.double.contacts().is_empty());
}

#[tokio::test]
async fn a_change_may_say_what_a_creation_may_not_and_the_other_way_round() {
    let caller = Caller::new().await;
    let body = json!({"defaultFields": {"firstName": "Ann"}});
    let (_, created) = caller.call(Method::POST, "/contacts", Some(&body)).await;
    let path = format!("/contacts/{}", created["data"]["id"].as_str().unwrap());
    for (body, fault) in [
        (json!({}), None),
        (json!({"source": null, "sourceUrl": null, "externalId": null}), None),
        (json!({"defaultFields": {"emails": [{"id": "1", "name": "a", "value": null}]}}), None),
        (json!({"createdByUserId": "USann"}), Some("/createdByUserId")),
        (json!({"source": "x".repeat(76)}), Some("/source")),
        (json!({"customFields": [{"key": "a", "name": "A", "value": 1}]}), Some("/customFields/0/name")),
        (json!({"customFields": [{"key": "a", "value": [1]}]}), Some("/customFields/0/value/0")),
    ] {
        let (status, said) = caller.call(Method::PATCH, &path, Some(&body)).await;
        assert_eq!(
            (status.is_success(), said["errors"][0]["path"].as_str()),
            (fault.is_none(), fault),
            "{body}"
        );
    }
}

#[tokio::test]
async fn lists_are_asked_for_as_the_contract_says() {
    let caller = Caller::new().await;
    let ids = |count: usize| format!("/contacts?maxResults=5{}", "&externalIds=a".repeat(count));
    for (path, status) in [
        ("/contacts".to_owned(), StatusCode::BAD_REQUEST),
        ("/contacts?maxResults=0".to_owned(), StatusCode::BAD_REQUEST),
        ("/contacts?maxResults=51".to_owned(), StatusCode::BAD_REQUEST),
        ("/contacts?maxResults=5&email=a@b.c".to_owned(), StatusCode::BAD_REQUEST),
        ("/contacts?maxResults=5&pageToken=x".to_owned(), StatusCode::BAD_REQUEST),
        ("/contacts?maxResults=5&maxResults=5".to_owned(), StatusCode::BAD_REQUEST),
        ("/contacts?maxResults=five".to_owned(), StatusCode::BAD_REQUEST),
        ("/contacts?maxResults=5&sources=".to_owned(), StatusCode::BAD_REQUEST),
        ("/contacts/1?maxResults=5".to_owned(), StatusCode::BAD_REQUEST),
        ("/contact-custom-fields?maxResults=5".to_owned(), StatusCode::BAD_REQUEST),
        (ids(21), StatusCode::BAD_REQUEST),
        (ids(20), StatusCode::OK),
    ] {
        assert_eq!(caller.call(Method::GET, &path, None).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn a_change_takes_away_what_it_does_not_say() {
    let caller = Caller::new().await;
    let body = json!({"defaultFields": {
        "firstName": "Ann", "company": "Lee", "emails": [{"name": "a", "value": "a@b.c"}],
    }});
    let (_, created) = caller.call(Method::POST, "/contacts", Some(&body)).await;
    let path = format!("/contacts/{}", created["data"]["id"].as_str().unwrap());
    let only = json!({"defaultFields": {"firstName": "Eva"}});
    let (status, changed) = caller.call(Method::PATCH, &path, Some(&only)).await;
    let fields = &changed["data"]["defaultFields"];
    assert_eq!((status, &fields["firstName"]), (StatusCode::OK, &json!("Eva")));
    assert_eq!((&fields["company"], &fields["emails"]), (&Value::Null, &json!([])));
    assert_eq!(caller.call(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(caller.call(Method::GET, &path, None).await.1["code"], "0800404");
}

#[tokio::test]
async fn keys_routes_and_references_are_guarded() {
    let caller = Caller::new().await;
    let bearer = format!("Bearer {}", OpenPhoneDouble::API_KEY);
    let (status, said) = caller.call_as(&bearer, Method::GET, "/contacts?maxResults=1", None).await;
    assert_eq!((status, &said["error"]["key"]), (StatusCode::UNAUTHORIZED, &json!("Unauthorized")));
    assert_eq!(caller.call(Method::GET, "/people", None).await, (StatusCode::NOT_FOUND, Value::Null));
    let body = json!({"defaultFields": {"firstName": "Ann"}, "externalId": "1", "source": "a"});
    assert_eq!(caller.call(Method::POST, "/contacts", Some(&body)).await.0, StatusCode::CREATED);
    let (status, said) = caller.call(Method::POST, "/contacts", Some(&body)).await;
    assert_eq!((status, &said["code"]), (StatusCode::CONFLICT, &json!("0800409")));
    let other = json!({"defaultFields": {"firstName": "Ann"}, "externalId": "1", "source": "b"});
    assert_eq!(caller.call(Method::POST, "/contacts", Some(&other)).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn a_burst_is_refused_when_told() {
    let caller = Caller::new().await;
    caller.double.behave(|habits| *habits = Habits { per_second: Some(3), ..Habits::default() });
    let mut refused = 0;
    for _ in 0..5 {
        let (status, _) = caller.call(Method::GET, "/contact-custom-fields", None).await;
        refused += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 2);
}
