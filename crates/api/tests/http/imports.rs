//! `POST /contacts/import` and what becomes of files, and `GET /contacts/export`.

use onefold_domain::Imports;
use onefold_persistence::testing::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};
use crate::record_faults::refused;

/// A server whose background work is done when a test says so.
struct Desk {
    app: TestApp,
    imports: Imports,
}

const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

impl Desk {
    async fn open(database: TestDatabase) -> Self {
        let mut imports = None;
        let app = TestApp::start_with(database, None, |app| {
            imports = Some(app.imports.clone());
            app
        })
        .await;
        Self { app, imports: imports.unwrap() }
    }

    async fn send(&self, media_type: &str, query: &str, body: impl Into<reqwest::Body>) -> Answer {
        let path = format!("/contacts/import{query}");
        send(self.app.request(Method::POST, &path).header("Content-Type", media_type).body(body)).await
    }

    /// The import when it is done.
    async fn import(&self, media_type: &str, query: &str, body: impl Into<reqwest::Body>) -> Value {
        let accepted = self.send(media_type, query, body).await;
        assert_eq!(accepted.status, 202, "{accepted:?}");
        assert_eq!(accepted.json()["status"], "queued");
        while self.imports.next().await.unwrap() {}
        self.app.get(accepted.header("location")).await.json()
    }

    async fn failures(&self, import: &Value) -> Value {
        let path = format!("/imports/{}/errors", import["id"].as_str().unwrap());
        self.app.get(&path).await.json()["errors"].clone()
    }
}

/// Rows read, created, updated, unchanged, failed.
fn counts(import: &Value) -> [u64; 5] {
    ["rowsRead", "created", "updated", "unchanged", "failed"].map(|name| import[name].as_u64().unwrap())
}

macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() { super::$case(super::Desk::open(super::TestDatabase::sqlite()).await).await; })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() { super::$case(super::Desk::open(super::TestDatabase::postgres().await).await).await; })+
        }
    };
}

on_both!(
    a_bad_row_does_not_stop_the_others,
    the_same_file_again_changes_nothing,
    ndjson_is_read_line_by_line,
    a_trial_changes_nothing,
    it_stops_at_a_fault_when_asked_to,
    rows_may_be_matched_by_user,
    what_cannot_be_imported_is_told,
    exports_are_streamed_page_by_page,
);

const FILE: &[u8] = b"\xEF\xBB\xBFEmail;Phone Number;First Name;Country;Loyalty Tier;Source\r\n\
    doc@hillvalley.edu;+1 202 555 0143;\"Emmett\r\n\"\"Doc\"\"\";us;gold;order\r\n\
    guest;;;;;\r\n\
    marty@hillvalley.edu;none;Marty;Hill Valley;;shop\r\n\
    ;;Einstein;;;\r\n\
    \xff@hillvalley.edu;;;;;\r\n\
    one;two\r\n\
    lorraine@hillvalley.edu;;Lorraine;US;;\r\n";

async fn a_bad_row_does_not_stop_the_others(desk: Desk) {
    let import = desk.import("text/csv; charset=utf-8", "", FILE).await;
    assert_eq!((counts(&import), &import["status"]), ([7, 2, 0, 0, 5], &json!("completed")), "{import}");
    assert_eq!(import["bytesRead"], import["bytes"]);
    let errors = desk.failures(&import).await;
    let places: Vec<_> =
        errors.as_array().unwrap().iter().map(|error| json!([error["line"], error["field"]])).collect();
    let expected = json!([
        [4, "Email"],
        [5, "Phone Number"],
        [5, "Source"],
        [5, "Country"],
        [6, "email, phone"],
        [7, "row"],
        [8, "row"]
    ]);
    assert_eq!(json!(places), expected, "{errors:#}");
    let doc = desk.app.get("/contacts/1").await.json();
    assert_eq!(doc["profile"], json!({"firstName": "Emmett \"Doc\"", "country": "US"}));
    assert_eq!((&doc["metadata"], &doc["source"]), (&json!({"Loyalty Tier": "gold"}), &json!("order")));
    assert_eq!(desk.app.get("/contacts/2").await.json()["source"], "import");

    let path = format!("/imports/{}/errors", import["id"].as_str().unwrap());
    let page = desk.app.get(&format!("{path}?limit=4")).await;
    let rest = desk
        .app
        .get(&format!("{path}?limit=4&cursor={}", page.json()["nextCursor"].as_str().unwrap()))
        .await
        .json();
    assert_eq!((rest["errors"].as_array().unwrap().len(), &rest["nextCursor"]), (3, &Value::Null));
    let table = send(desk.app.request(Method::GET, &path).header("Accept", "text/csv")).await;
    assert!(table.header("content-type").starts_with("text/csv"), "{table:?}");
    assert!(table.body.starts_with("line,field,message\r\n4,Email,The email has no @"), "{table:?}");
    assert_eq!(table.body.lines().count(), 8);
}

async fn the_same_file_again_changes_nothing(desk: Desk) {
    // Rows of one value overwrite each other, so that row by row the repetition would write.
    let file = "email,name\ndoc@hillvalley.edu,Doc\ndoc@hillvalley.edu,Emmett\n";
    assert_eq!(counts(&desk.import(CSV, "", file).await), [2, 1, 1, 0, 0]);
    let before = desk.app.get("/contacts").await.body;
    assert_eq!(counts(&desk.import(CSV, "", file).await), [2, 0, 0, 2, 0]);
    assert_eq!(desk.app.get("/contacts").await.body, before);
    assert_eq!(
        counts(&desk.import(CSV, "", "email,name\ndoc@hillvalley.edu,E. Brown\n").await),
        [1, 0, 1, 0, 0]
    );
    assert_eq!(desk.app.get("/contacts/1").await.json()["profile"], json!({"name": "E. Brown"}));
}

async fn ndjson_is_read_line_by_line(desk: Desk) {
    let file = [
        json!({"email": "doc@hillvalley.edu", "phone": 123_456, "profile": {"name": "Doc"}, "metadata": {"a": 1}, "tags": ["x"]}).to_string(),
        "{\"email\":".to_owned(),
        "[1]".to_owned(),
        json!({"email": 5}).to_string(),
        json!({"phone": "123456", "userId": "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11"}).to_string(),
        json!({"email": "marty@hillvalley.edu", "profile": {"nickname": "M"}}).to_string(),
    ];
    let import = desk.import(NDJSON, "", file.join("\n")).await;
    assert_eq!(counts(&import), [6, 1, 0, 0, 5], "{import}");
    let errors = desk.failures(&import).await;
    let places: Vec<_> =
        errors.as_array().unwrap().iter().map(|error| json!([error["line"], error["field"]])).collect();
    assert_eq!(
        json!(places),
        json!([[2, "row"], [3, "row"], [4, "email"], [5, "userId"], [6, "profile.nickname"]]),
        "{errors:#}"
    );
    let doc = desk.app.get("/contacts/1").await.json();
    assert_eq!((&doc["kind"], &doc["phone"]), (&json!("both"), &json!("123456")));
    assert_eq!(doc["metadata"], json!({"a": 1, "tags": ["x"]}));
}

async fn a_trial_changes_nothing(desk: Desk) {
    let import = desk.import(CSV, "?dryRun=true", "email\ndoc@hillvalley.edu\nguest\n").await;
    assert_eq!((counts(&import), &import["dryRun"]), ([2, 1, 0, 0, 1], &json!(true)));
    assert_eq!(desk.app.contacts().await, 0);
    assert_eq!(desk.failures(&import).await[0]["line"], 3);
}

async fn it_stops_at_a_fault_when_asked_to(desk: Desk) {
    let import =
        desk.import(CSV, "?onError=stop", "email\ndoc@hillvalley.edu\nguest\nmarty@hillvalley.edu\n").await;
    assert_eq!((counts(&import), &import["status"]), ([2, 1, 0, 0, 1], &json!("stopped")));
    assert!(import["message"].is_string() && import["finishedAt"].is_string());
    assert_eq!(desk.app.contacts().await, 1, "what came before stays");
}

async fn rows_may_be_matched_by_user(desk: Desk) {
    let user = "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11";
    desk.app.post("/users", json!({"id": user}).to_string()).await;
    let row = |email: &str| format!("userId,email\n{user},{email}\n");
    assert_eq!(
        counts(&desk.import(CSV, "?matchBy=userId", row("doc@hillvalley.edu")).await),
        [1, 1, 0, 0, 0]
    );
    assert_eq!(
        counts(&desk.import(CSV, "?matchBy=userId", row("emmett@hillvalley.edu")).await),
        [1, 0, 1, 0, 0]
    );
    assert_eq!(desk.app.get("/contacts/1").await.json()["value"], "emmett@hillvalley.edu");
    assert_eq!(desk.app.contacts().await, 1);
    let nobody = desk.import(CSV, "?matchBy=userId", "email,userId\nmarty@hillvalley.edu,\n").await;
    assert_eq!(desk.failures(&nobody).await[0]["field"], "userId");
}

async fn what_cannot_be_imported_is_told(desk: Desk) {
    refused(&desk.send("application/json", "", "{}").await, 415, "unsupported_media_type");
    for (query, field) in [
        ("?dryrun=true", "dryrun"),
        ("?dryRun=yes", "dryRun"),
        ("?onError=skip", "onError"),
        ("?matchBy=id", "matchBy"),
    ] {
        let problem = refused(&desk.send(CSV, query, "email\n").await, 422, "invalid_request");
        assert!(problem["errors"][field].is_array(), "{problem}");
    }
    for (query, file, word) in [
        ("", "name,city\nDoc,Hill Valley\n", "`email` or `phone`"),
        ("?matchBy=userId", "email\ndoc@hillvalley.edu\n", "`userId`"),
        ("", "", "header"),
        ("", "email,email\na@b.example,c@d.example\n", "same name"),
    ] {
        let import = desk.import(CSV, query, file).await;
        assert_eq!(import["status"], "failed", "{file}: {import}");
        assert!(import["message"].as_str().unwrap().contains(word), "{import}");
    }
    assert_eq!(desk.app.contacts().await, 0);
}

async fn exports_are_streamed_page_by_page(desk: Desk) {
    use std::fmt::Write as _;
    let mut file = "email,name\n".to_owned();
    for number in 0..2_300 {
        let _ = writeln!(file, "m{number}@hillvalley.edu,=SUM({number})");
    }
    assert_eq!(desk.import(CSV, "", file).await["created"], 2_300);
    let lines = desk.app.get("/contacts/export").await;
    assert_eq!((lines.header("content-type"), lines.body.lines().count()), (NDJSON, 2_300));
    let first: Value = serde_json::from_str(lines.body.lines().next().unwrap()).unwrap();
    assert_eq!(first, desk.app.get("/contacts/1").await.json());
    let table = desk.app.get("/contacts/export?format=csv").await.body;
    assert_eq!(table.lines().count(), 2_301);
    assert!(table.contains(",'=SUM(7),"), "formulas are defused");
    let one = desk.app.get("/contacts/export?value=m7@hillvalley.edu").await;
    assert_eq!(one.body.lines().count(), 1);
}
