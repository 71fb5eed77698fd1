//! `Content-Encoding`: what is packed is unpacked while it comes, and no further than a route takes it.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use reqwest::Method;
use serde_json::{Value, json};

use crate::access::{Route, routes};
use crate::app::{Answer, TestApp, send};
use crate::bad_input::check;
use crate::imports::{CSV, counts};
use crate::on_both_databases;

on_both_databases!(
    what_is_packed_is_taken_as_what_it_is,
    an_unknown_coding_is_refused_on_every_route,
    a_bomb_goes_off_on_no_route,
    what_does_not_unpack_is_refused,
    a_packed_file_is_imported,
    the_same_request_is_known_in_another_wrapping,
);

/// What a few KiB unpack to.
const BOMB: usize = 62 << 20;

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn packed(app: &TestApp, (method, path): (Method, &str), coding: &str, body: Vec<u8>) -> Answer {
    let request = app.request(method, path).header("Content-Type", "application/json");
    send(request.header("Content-Encoding", coding).body(body)).await
}

/// A refusal in the form of its route's family.
fn refused(answer: &Answer, route: &Route, status: u16, code: &str) {
    let Route { method, path, .. } = route;
    assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    if path.starts_with("/ia/") {
        assert!(answer.json()["message"].is_string() && answer.json()["code"].is_null(), "{answer:?}");
    } else if path.starts_with("/api/") {
        assert_eq!(answer.json()["success"], false, "{answer:?}");
        assert_eq!(answer.json()["error"]["code"], code, "{answer:?}");
    } else {
        check(answer, status, code);
    }
}

async fn what_is_packed_is_taken_as_what_it_is(app: TestApp) {
    let body = |name: &str| json!({"email": format!("{name}@hillvalley.edu")}).to_string().into_bytes();
    for (coding, body) in [
        ("gzip", gzip(&body("one"))),
        ("GZIP", gzip(&body("two"))),
        ("x-gzip", gzip(&body("three"))),
        ("identity, gzip", gzip(&body("four"))),
        ("deflate", deflate(&body("five"))),
        ("identity", body("six")),
        ("", body("seven")),
        ("gzip", [gzip(b"{\"email\":"), gzip(b"\"eight@hillvalley.edu\"}")].concat()),
    ] {
        let answer = packed(&app, (Method::POST, "/identify"), coding, body).await;
        assert_eq!(answer.status, 200, "{coding}: {answer:?}");
    }
    assert_eq!(app.contacts().await, 8);
    let admin = json!({"uuid": app.user().await, "type": "email", "email": "doc@hillvalley.edu"}).to_string();
    let answer = packed(&app, (Method::POST, "/ia/admin/contacts"), "gzip", gzip(admin.as_bytes())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let person =
        json!({"email": "biff@hillvalley.edu", "firstName": "Biff", "lastName": "Tannen"}).to_string();
    let answer = packed(&app, (Method::POST, "/api/register"), "gzip", gzip(person.as_bytes())).await;
    assert!([200, 201].contains(&answer.status), "{answer:?}");
}

async fn an_unknown_coding_is_refused_on_every_route(app: TestApp) {
    for route in routes(&app).await {
        let mut codings =
            vec!["br", "zstd", "compress", "gzip, gzip", "deflate, gzip", "gzip;q=1", "*", "gzip gzip"];
        let is_signed = route.path.starts_with("/webhooks/");
        if is_signed {
            codings.extend(["gzip", "deflate", "GZIP"]);
        }
        for coding in codings {
            let answer = packed(&app, (route.method.clone(), &route.path), coding, gzip(b"{}")).await;
            refused(&answer, &route, 415, "unsupported_encoding");
            let taken = if is_signed { "identity" } else { "gzip, deflate" };
            assert_eq!(answer.header("accept-encoding"), taken, "{} {}", route.method, route.path);
        }
    }
    let answer = packed(&app, (Method::POST, "/nothing"), "br", gzip(b"{}")).await;
    check(&answer, 404, "unknown_path");
    let bare = app.bare_request(Method::POST, "/contacts").header("Content-Encoding", "br").body("{}");
    check(&send(bare).await, 401, "unauthenticated");
    let get = send(app.request(Method::GET, "/contacts").header("Content-Encoding", "br")).await;
    assert_eq!(get.status, 200, "nothing is encoded");
}

async fn a_bomb_goes_off_on_no_route(app: TestApp) {
    let (gzip, deflate) = (gzip(&vec![b' '; BOMB]), deflate(&vec![b' '; BOMB]));
    let mut refusals = 0;
    for route in routes(&app).await {
        if route.method == Method::GET
            || route.method == Method::DELETE
            || route.path.starts_with("/webhooks/")
        {
            continue;
        }
        // A file may be as large.
        if route.path == "/contacts/import"
            || route.path.ends_with("/approve")
            || route.path.ends_with("/replay")
        {
            continue;
        }
        for (coding, bomb) in [("gzip", &gzip), ("deflate", &deflate)] {
            let answer = packed(&app, (route.method.clone(), &route.path), coding, bomb.clone()).await;
            refused(&answer, &route, 413, "body_too_large");
            refusals += 1;
        }
        if route.method == Method::POST {
            let request = app.request(Method::POST, &route.path).header("Content-Encoding", "gzip");
            let request =
                request.header("Content-Type", "application/json").header("Idempotency-Key", "once");
            refused(&send(request.body(gzip.clone())).await, &route, 413, "body_too_large");
        }
    }
    assert!(refusals > 30, "{refusals}");
}

async fn what_does_not_unpack_is_refused(app: TestApp) {
    let whole = gzip(br#"{"email":"doc@hillvalley.edu","userId":"0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11"}"#);
    let mut flipped = whole.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 0xff;
    let with_tail = [&whole[..], b"and more"].concat();
    for body in [&whole[..whole.len() - 1], &whole[..20], &whole[..4], &flipped, &with_tail, b"{}", b"\0"] {
        for path in
            ["/identify", "/contacts", "/users", "/ia/admin/contacts", "/api/register", "/contacts/import"]
        {
            for key in [None, Some("key")] {
                let request = app.request(Method::POST, path).header("Content-Encoding", "gzip");
                let media_type = if path.ends_with("import") { "text/csv" } else { "application/json" };
                let mut request = request.header("Content-Type", media_type).body(body.to_vec());
                if let Some(key) = key {
                    request = request.header("Idempotency-Key", key);
                }
                let answer = send(request).await;
                let route = Route::unchecked(Method::POST, path);
                refused(&answer, &route, 400, "malformed_encoding");
            }
        }
    }
    assert_eq!(app.contacts().await, 0);
    assert_eq!(app.database.count("SELECT COUNT(*) FROM import_run WHERE status <> 'receiving'").await, 0);
}

async fn a_packed_file_is_imported(app: TestApp) {
    let rows: String = (0..20_000).map(|row| format!("guest{row}@hillvalley.edu,US\n")).collect();
    let (head, tail) = rows.split_at(rows.len() / 2);
    let file = [gzip(format!("email,country\n{head}").as_bytes()), gzip(tail.as_bytes())].concat();
    let request = app.request(Method::POST, "/contacts/import").header("Content-Encoding", "gzip");
    let answer = send(request.header("Content-Type", CSV).body(file)).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let plain = app.import(CSV, "", format!("email,country\n{rows}")).await;
    let first = app.show(answer.header("location")).await;
    assert_eq!(counts(&first), [20_000, 20_000, 0, 0, 0], "{first}");
    assert_eq!(
        (&first["bytes"], &plain["unchanged"]),
        (&plain["bytes"], &json!(20_000)),
        "as if it were not packed"
    );
}

async fn the_same_request_is_known_in_another_wrapping(app: TestApp) {
    let sent = async |coding: &str, media_type: &str, path: &str, body: Vec<u8>| {
        let request = app.request(Method::POST, path).header("Content-Encoding", coding);
        let request =
            request.header("Content-Type", media_type).header("Idempotency-Key", format!("one-{path}"));
        send(request.body(body)).await
    };
    let contact =
        json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order"}).to_string().into_bytes();
    let file = b"email\nmarty@hillvalley.edu\n".to_vec();
    for (path, media_type, body, status) in
        [("/contacts", "application/json", contact, 201), ("/contacts/import", CSV, file, 202)]
    {
        let first = sent("gzip", media_type, path, gzip(&body)).await;
        assert_eq!((first.status, first.header("idempotency-replayed")), (status, ""), "{first:?}");
        for (coding, again) in
            [("identity", body.clone()), ("deflate", deflate(&body)), ("gzip", gzip(&body))]
        {
            let again = sent(coding, media_type, path, again).await;
            assert_eq!((again.status, again.header("idempotency-replayed")), (status, "true"), "{again:?}");
            assert_eq!(again.body, first.body);
        }
        let other = sent("gzip", media_type, path, gzip(b"{}")).await;
        assert_eq!(other.json()["code"], Value::from("idempotency_key_reused"), "{other:?}");
    }
}
