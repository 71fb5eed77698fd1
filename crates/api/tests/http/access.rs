//! Who may call what. The routes are taken from the document, which takes them from the table: a route that
//! states no access is not in it, and one that is not in it is found by the first test.

use std::collections::BTreeSet;

use onefold_service::token::Ability;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};
use crate::on_both_databases;

on_both_databases!(
    every_route_asks_for_its_ability,
    a_token_is_sent_in_many_ways,
    what_is_revoked_or_expired_is_worth_nothing,
);

/// A route with values in its path that exist.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// `None` where everybody is let in or proves itself in another way.
    ability: Option<Ability>,
    open_on_loopback: bool,
}

impl Route {
    /// One of which nothing is asked but where it is.
    pub(crate) fn unchecked(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), ability: None, open_on_loopback: false }
    }
}

pub(crate) async fn routes(app: &TestApp) -> Vec<Route> {
    let document: Value = app.get("/openapi.json").await.json();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // By the contract of the admin routes a contact that is not there is told first, so each has one.
            let contact = json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order"});
            let id = app.create("/contacts", contact).await["id"].to_string();
            let security = operation["security"].as_array().cloned().unwrap_or_default();
            let ability = security.first().and_then(|needed| needed["token"][0].as_str());
            routes.push(Route {
                method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
                path: path.replace("{id}", &id).replace("{contact}", &id),
                ability: ability.map(|name| Ability::parse(name).unwrap()),
                open_on_loopback: security.contains(&json!({})),
            });
        }
    }
    routes
}

async fn call(app: &TestApp, route: &Route, token: Option<&str>) -> Answer {
    let request = app.bare_request(route.method.clone(), &route.path);
    send(match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    })
    .await
}

async fn every_route_asks_for_its_ability(app: TestApp) {
    let expired = app.expired_token().await;
    let mut asked = BTreeSet::new();
    for route in routes(&app).await {
        let name = format!("{} {}", route.method, route.path);
        let Some(ability) = route.ability else { continue };
        asked.insert(ability);
        let without = call(&app, &route, None).await;
        assert_eq!(without.status == 401, !route.open_on_loopback, "{name}: {without:?}");
        for wrong in ["1|onefold_wrong", "onefold_wrong", "|", "x|y", &expired] {
            let answer = call(&app, &route, Some(wrong)).await;
            assert_eq!(answer.status, 401, "{name} with {wrong:?}: {answer:?}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{name}");
        }
        let others = Ability::ALL.into_iter().filter(|other| ![ability, Ability::Everything].contains(other));
        let others: Vec<_> = others.map(Ability::as_str).collect();
        let lacking = app.token_for(&others, None).await;
        let answer = call(&app, &route, Some(&lacking)).await;
        assert_eq!(answer.status, 403, "{name}: {answer:?}");
        for enough in [ability.as_str(), "*"] {
            let token = app.token_for(&[enough], None).await;
            let answer = call(&app, &route, Some(&token)).await;
            assert!(![401, 403].contains(&answer.status), "{name} with {enough}: {answer:?}");
        }
    }
    assert!(asked.len() >= 7, "{asked:?}");
}

/// Everything that the server answers to is in the table, or is answered as if it were not there.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_reached_around_the_table() {
    let app = TestApp::sqlite().await;
    app.create("/contacts", json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order"})).await;
    for path in
        ["/%63ontacts", "/contacts%2F1", "//contacts", "/contacts/", "/contacts/1/", "/contacts/../contacts"]
    {
        let answer = raw_get(&app, path).await;
        assert!(answer.starts_with("HTTP/1.1 401") || answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    let unknown = send(app.bare_request(Method::GET, "/nothing")).await;
    assert_eq!((unknown.status, unknown.json()["code"].as_str()), (404, Some("unknown_path")));
    let method = send(app.bare_request(Method::DELETE, "/contacts")).await;
    assert_eq!(
        (method.status, method.header("allow")),
        (405, "GET, HEAD, POST, PUT"),
        "the route comes first"
    );
    let unknown = send(app.bare_request(Method::GET, "/ia/nothing")).await;
    assert_eq!((unknown.status, unknown.body.as_str()), (404, r#"{"message":"Not Found"}"#));
}

/// As it stands: a client would tidy the path up.
async fn raw_get(app: &TestApp, path: &str) -> String {
    let host = app.address.trim_start_matches("http://");
    raw(app, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await
}

/// Sends bytes that no client would send, up to an answer that ends with the connection.
pub(crate) async fn raw(app: &TestApp, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(app.address.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn a_token_is_sent_in_many_ways(app: TestApp) {
    let token = app.token_for(&["contacts:read"], None).await;
    let secret = token.split_once('|').unwrap().1;
    for (header, status) in [
        (format!("Bearer {token}"), 200),
        (format!("bearer   {token}  "), 200),
        (format!("Bearer {secret}"), 200),
        (format!("Basic eA==, Bearer {token}"), 200),
        (format!("Bearer {token}, Basic eA=="), 200),
        (token.clone(), 401),
        (format!("Basic {token}"), 401),
        (format!("Bearer 999|{secret}"), 401),
        (format!("Bearer {token}x"), 401),
    ] {
        let request = app.bare_request(Method::GET, "/contacts").header("Authorization", &header);
        assert_eq!(send(request).await.status, status, "{}", header.replace(secret, "…"));
    }
    let in_query = format!("/contacts?access_token={token}");
    assert_eq!(send(app.bare_request(Method::GET, &in_query)).await.status, 401);
}

async fn what_is_revoked_or_expired_is_worth_nothing(app: TestApp) {
    let token = app.token_for(&["contacts:read"], None).await;
    let read = async || send(app.bare_request(Method::GET, "/contacts").bearer_auth(&token)).await;
    assert_eq!(read().await.status, 200);
    let id = token.split_once('|').unwrap().0;
    assert_eq!(app.call(Method::DELETE, &format!("/tokens/{id}"), &Value::Null).await.status, 204);
    let refused = read().await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (401, Some("unauthenticated")));
    let bare = token.split_once('|').unwrap().1;
    let bare = send(app.bare_request(Method::GET, "/contacts").bearer_auth(bare)).await;
    assert_eq!(bare.status, 401);
    let again = app.call(Method::DELETE, &format!("/tokens/{id}"), &Value::Null).await;
    assert_eq!(again.status, 404);
}
