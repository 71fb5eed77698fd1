//! What goes wrong with imports: rows that cannot be stored, files that cannot be read, requests that make no
//! sense.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, send};
use crate::bad_input::check;
use crate::imports::{CSV, completed, counts};
use crate::on_both_databases;

on_both_databases!(
    a_bad_row_does_not_stop_the_others,
    a_broken_line_does_not_stop_the_others,
    an_import_stops_when_it_is_to,
    failures_are_listed_page_by_page,
    a_file_that_cannot_be_used_fails_with_its_reason,
    zero_characters_break_no_import,
    a_request_that_makes_no_sense_is_refused,
);

const NDJSON: &str = "application/x-ndjson";

/// Line, field and message of each failure.
async fn failures(app: &TestApp, import: &Value) -> Vec<(u64, String, String)> {
    let path = format!("/imports/{}/errors?limit=200", import["id"].as_str().unwrap());
    let list = app.show(&path).await;
    assert_eq!(list["nextCursor"], Value::Null);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = list["errors"].as_array().unwrap().iter();
    errors.map(|one| (one["line"].as_u64().unwrap(), text(&one["field"]), text(&one["message"]))).collect()
}

pub(crate) async fn expect(app: &TestApp, import: &Value, expected: &[(u64, &str, &str)]) {
    let found = failures(app, import).await;
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((line, field, word), (found_line, found_field, message)) in expected.iter().zip(&found) {
        assert_eq!((line, *field), (found_line, found_field.as_str()), "{message}");
        assert!(message.contains(word), "{message}");
    }
}

async fn a_bad_row_does_not_stop_the_others(app: TestApp) {
    let long = format!("{}@x.example", "a".repeat(250));
    let missing = "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11";
    let file = format!(
        "email,Phone,country,website,userId,source\n\
         one@hillvalley.edu,\"(202)\n555-0143\",US,,,\n\
         guest,,Slovenia,,,\n\
         {long},,,,,\n\
         ,n/a,,,,\n\
         ,123456789012345678901234567890123,,,,\n\
         , ,US,,,\n\
         two@hillvalley.edu,,USA,javascript:x,,\n\
         two@hillvalley.edu,,,,42,\n\
         two@hillvalley.edu,,,,{missing},\n\
         two@hillvalley.edu,,,,,identify\n\
         9303 Lyon Drive, Lot 2,,,,,\n\
         two@hillvalley.edu\n\
         two@hillvalley.edu,,,,,\n"
    );
    let import = app.import(CSV, "", file).await;
    assert_eq!((&import["status"], &import["message"]), (&json!("completed"), &Value::Null));
    assert_eq!(counts(&import), [13, 2, 0, 0, 11]);
    let expected = [
        (4, "email", "@"),
        (4, "country", "two letters"),
        (5, "email", "254"),
        (6, "Phone", "digit"),
        (7, "Phone", "15 digits"),
        (8, "email, phone", "neither"),
        (9, "country", "two letters"),
        (9, "website", "web address"),
        (10, "userId", "no UUID"),
        (11, "userId", "no such user"),
        (12, "source", "one of order, auth"),
        (13, "row", "7 cells, the header has 6"),
        (14, "row", "1 cell, the header has 6"),
    ];
    expect(&app, &import, &expected).await;
    assert_eq!(app.contacts().await, 2);
    app.database.assert_invariants().await;
}

async fn a_broken_line_does_not_stop_the_others(app: TestApp) {
    let lines: [&[u8]; 11] = [
        br#"{"email":"one@hillvalley.edu"}"#,
        br#"{"email":"#,
        b"[1]",
        b"\"\xff\"",
        br#"{"email":"a@b.example","email":"c@d.example"}"#,
        br#"{"email":5}"#,
        br#"{"email":"\ud800@x.example"}"#,
        br#"{"phone":"123","address":"Main 1"}"#,
        br#"{"phone":"123","profile":{"nickname":"Calvin","country":"USA"}}"#,
        br#"{}"#,
        br#"{"phone":919191}"#,
    ];
    let import = app.import(NDJSON, "", lines.join(&b"\n"[..])).await;
    assert_eq!(counts(&import), [11, 2, 0, 0, 9]);
    let expected = [
        (2, "row", "column"),
        (3, "row", "not an object"),
        (4, "row", "UTF-8"),
        (5, "row", "same name"),
        (6, "email", "string"),
        (7, "email", "escape"),
        (8, "address", "object"),
        (9, "profile.country", "two letters"),
        (9, "profile.nickname", "no such member"),
        (10, "email, phone", "neither"),
    ];
    expect(&app, &import, &expected).await;

    let csv = b"email,notes\ntwo@hillvalley.edu,\xff\n\xc3\x28,x\nthree@hillvalley.edu,\"never\nclosed\n";
    let import = app.import(CSV, "", &csv[..]).await;
    let expected = [(2, "row", "UTF-8"), (3, "row", "UTF-8"), (4, "row", "never closes")];
    expect(&app, &import, &expected).await;
    assert_eq!(app.contacts().await, 2);
}

async fn an_import_stops_when_it_is_to(app: TestApp) {
    let file = "email\none@hillvalley.edu\nguest\ntwo@hillvalley.edu\nnull\n";
    let import = app.import(CSV, "onError=stop", file).await;
    assert_eq!(import["status"], "stopped");
    assert!(import["message"].as_str().unwrap().contains("first row that failed"), "{import}");
    assert_eq!(counts(&import), [2, 1, 0, 0, 1]);
    expect(&app, &import, &[(3, "email", "@")]).await;
    // It was not completed, so the rows that are left are none of an earlier file.
    let import = app.import(CSV, "", file).await;
    assert_eq!(counts(&import), [4, 1, 0, 1, 2]);
}

async fn failures_are_listed_page_by_page(app: TestApp) {
    let rows: String = (0..1_203).map(|_| "=guest\n").collect();
    let import = app.import(CSV, "", format!("email\n{rows}")).await;
    assert_eq!(counts(&import), [1_203, 0, 0, 0, 1_203]);
    let start = format!("/imports/{}/errors?limit=200", import["id"].as_str().unwrap());
    let (mut path, mut lines, mut pages) = (start.clone(), Vec::new(), 0);
    loop {
        let page = app.get(&path).await;
        let list = page.json();
        let errors = list["errors"].as_array().unwrap();
        lines.extend(errors.iter().map(|error| error["line"].as_u64().unwrap()));
        pages += 1;
        let Some(cursor) = list["nextCursor"].as_str() else { break };
        path = format!("{start}&cursor={cursor}");
        assert_eq!(page.header("link"), format!("<{path}>; rel=\"next\""));
    }
    assert_eq!((pages, lines), (7, (2..1_205).collect()));

    let plain = start.trim_end_matches("?limit=200");
    let csv = app.get(&format!("{plain}?format=csv")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"errors.csv\"");
    let mut lines = csv.body.split_terminator("\r\n");
    assert_eq!(lines.next(), Some("line,field,message"));
    assert_eq!(lines.next(), Some("2,email,The email has no @; write it as name@domain."));
    assert_eq!(lines.count(), 1_202);
    let asked = send(app.request(Method::GET, plain).header("Accept", "text/csv")).await;
    assert_eq!(asked.body, csv.body);
}

async fn a_file_that_cannot_be_used_fails_with_its_reason(app: TestApp) {
    for (query, file, word) in [
        ("", &b""[..], "no header"),
        ("", b"\n \n", "no header"),
        ("", b"name,city\nMarty,Hill Valley\n", "no column `email` or `phone`"),
        ("", b"marty@hillvalley.edu\ndoc@hillvalley.edu\n", "no column"),
        ("", b"email,email\na@b.example,c@d.example\n", "Columns 1 and 2"),
        ("", b"email,\"phone\n123\n", "quote"),
        ("", b"email,\xff\na@b.example,x\n", "UTF-8"),
        ("", b"email\rmarty@hillvalley.edu\r", "CR alone"),
        ("matchBy=userId", b"email\nmarty@hillvalley.edu\n", "no column `userId`"),
    ] {
        let import = app.import(CSV, query, file).await;
        assert_eq!(import["status"], "failed", "{import}");
        assert!(import["message"].as_str().unwrap().contains(word), "{word}: {import}");
        assert_eq!((counts(&import), failures(&app, &import).await.len()), ([0; 5], 0));
    }
    assert_eq!(completed(&app, NDJSON, "", "").await, [0; 5], "no header is missing here");
    assert_eq!(completed(&app, CSV, "", "email\n").await, [0; 5]);
    assert_eq!(app.contacts().await, 0);
}

async fn zero_characters_break_no_import(app: TestApp) {
    let file = concat!(
        r#"{"email":"one@hillvalley.edu","a\u0000b":"\u0000"}"#,
        "\n",
        r#"{"email":"two@hillvalley.edu","c\u0000":"\ud800"}"#,
        "\n",
        r#"{"email":"two@hillvalley.edu","profile":{"d\u0000":1}}"#,
        "\n",
        r#"{"email":"two@hillvalley.edu","firstName":"T\u0000"}"#,
        "\n",
    );
    let import = app.import(NDJSON, "", file).await;
    assert_eq!((&import["status"], counts(&import)), (&json!("completed"), [4, 1, 0, 0, 3]));
    let expected =
        [(2, "c\u{fffd}", "escape"), (3, "profile.d\u{fffd}", "no such"), (4, "firstName", "control")];
    expect(&app, &import, &expected).await;
    assert_eq!(app.show("/contacts/1").await["metadata"], json!({"a\u{0}b": "\u{0}"}));
    let file = "email,x\u{0},first_name\ntwo@hillvalley.edu,\u{0},Biff\nthree\u{0}@x.example,,\nfour@x.example,,\u{0}a\n";
    let import = app.import(CSV, "", file).await;
    assert_eq!((&import["status"], counts(&import)), (&json!("completed"), [3, 1, 0, 0, 2]));
    expect(&app, &import, &[(3, "email", "control"), (4, "first_name", "control")]).await;
    assert_eq!(app.show("/contacts/2").await["metadata"], json!({"x\u{0}": "\u{0}"}));
}

async fn a_request_that_makes_no_sense_is_refused(app: TestApp) {
    let post = |query: &str, media_type: &str| {
        let request = app.request(Method::POST, &format!("/contacts/import?{query}"));
        send(request.header("Content-Type", media_type).body("email\nmarty@hillvalley.edu\n"))
    };
    for (query, field, word) in [
        ("matchBy=email", "matchBy", "value, userId"),
        ("dryRun=yes", "dryRun", "true, false"),
        ("onError=ignore", "onError", "continue, stop"),
        ("dry_run=true", "dry_run", "known are matchBy, dryRun, onError"),
    ] {
        let problem = check(&post(query, CSV).await, 422, "invalid_request");
        assert!(problem["errors"][field][0].as_str().unwrap().contains(word), "{problem}");
    }
    for media_type in ["", "application/json", "text/plain", "multipart/form-data", "text/csvx"] {
        let problem = check(&post("", media_type).await, 415, "unsupported_media_type");
        assert!(problem["detail"].as_str().unwrap().contains("text/csv"), "{problem}");
    }
    check(&app.get("/contacts/import").await, 405, "method_not_allowed");
    let unknown = "/imports/0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11";
    check(&app.get(unknown).await, 404, "unknown_import");
    check(&app.get(&format!("{unknown}/errors")).await, 404, "unknown_import");
    check(&app.get("/imports/7").await, 422, "invalid_request");
    for query in ["limit=0", "limit=201", "cursor=x", "format=xml", "page=2"] {
        check(&app.get(&format!("{unknown}/errors?{query}")).await, 422, "invalid_request");
    }
    assert_eq!(app.database.count("SELECT COUNT(*) FROM import_run").await, 0);
}
