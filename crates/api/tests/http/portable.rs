//! What one server exports, another one imports.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::imports::{CSV, NDJSON};
use crate::on_both_databases;
use onefold_persistence::testing::TestDatabase;

on_both_databases!(
    an_export_comes_back_as_it_was,
    an_export_of_an_older_version_can_be_imported,
    a_row_that_is_none_of_ours_is_told,
);

/// A history with everything that an export must not lose, hostile values among it.
async fn live(app: &TestApp) {
    let user = json!({"externalId": "user_456", "profile": {"firstName": "Ann", "notes": "'=1"}});
    let user = app.create("/users", user).await["id"].as_str().unwrap().to_owned();
    app.create("/users", json!({"externalId": " "})).await;
    let long = "x".repeat(15_000);
    for body in [
        json!({"kind": "email", "value": "Doc@HillValley.edu", "source": "order", "metadata": {"orderId": "order_1"}}),
        json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order", "metadata": {"orderId": "order_2"}}),
        json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order", "metadata": {"orderId": long}}),
        json!({"kind": "email", "value": "=cmd@hillvalley.edu", "source": "signup_form", "isVerified": true,
               "profile": {"firstName": "=cmd|' /C calc'!A0", "lastName": "'=1", "name": "''=1", "notes": "a \"b\"\r\nc,d;e\tf",
                           "companyName": "-1+1", "tags": ["VIP", "=1"], "address": {"city": "\u{ff1d}1", "street": "@x"}}}),
        json!({"kind": "phone", "value": "'+1 202 555 0143", "source": "auth", "channel": "whatsapp", "userId": user,
               "isPrimary": true, "isVerified": true, "metadata": {"nested": {"a": [1, null, "'=1"]}, "=1": "\n"}}),
        json!({"kind": "phone", "value": "040 123 456", "source": "manual", "profile": {"name": "'quoted'"}}),
        json!({"kind": "phone", "value": "+1 202 555 0143", "source": "import"}),
    ] {
        app.create("/contacts", body).await;
    }
    app.identify(json!({"email": "emmett@hillvalley.edu", "phoneNumber": "123456"})).await;
    // Two known values, and no contact that says so.
    app.identify(json!({"email": "doc@hillvalley.edu", "phoneNumber": "123456"})).await;
    let patch = json!({"profile": {"notes": null, "role": "owner"}});
    assert_eq!(app.call(Method::PATCH, "/customers/1", &patch).await.status, 200);
    app.call(Method::DELETE, "/contacts/2", &Value::Null).await;
}

async fn an_export_comes_back_as_it_was(app: TestApp) {
    live(&app).await;
    for (format, media_type) in [("ndjson", NDJSON), ("csv", CSV)] {
        let file =
            async |app: &TestApp, of: &str| app.get(&format!("/{of}/export?format={format}")).await.body;
        let (users, contacts) = (file(&app, "users").await, file(&app, "contacts").await);
        // One whose region would read `040123456` as another number.
        let region = onefold_domain::phone::Region::parse("SI").unwrap();
        let other = TestApp::start(TestDatabase::sqlite(), Some(region)).await;
        for (rows, file) in [(9, &contacts), (2, &users)] {
            let done = other.import(media_type, "", file.clone()).await;
            let counts = ["created", "updated", "failed"].map(|name| done[name].as_u64().unwrap());
            assert_eq!((counts[0] + counts[1], counts[2]), (rows, 0), "{format}: {done}");
        }
        assert_eq!(without_ids(&file(&other, "contacts").await, format), without_ids(&contacts, format));
        assert_eq!(without_hub(&file(&other, "users").await), without_hub(&users), "{format}");
        assert_eq!(grouping(&other).await, grouping(&app).await, "{format}");
        for app in [&app, &other] {
            let done = app.import(media_type, "", contacts.clone()).await;
            assert_eq!((&done["unchanged"], &done["failed"]), (&json!(9), &json!(0)), "{format}: {done}");
            let done = app.import(media_type, "", users.clone()).await;
            assert_eq!((&done["unchanged"], &done["failed"]), (&json!(2), &json!(0)), "{format}: {done}");
        }
        other.database.assert_invariants().await;
    }
}

async fn an_export_of_an_older_version_can_be_imported(app: TestApp) {
    let file = "id,kind,email,phone,channel,source,userId,isPrimary,isVerified,verifiedAt,metadata,firstName,customerId,\
                linkPrecedence,linkedId,createdAt,updatedAt\r\n\
                7,email,doc@hillvalley.edu,,email,identify,,false,true,2026-01-01T00:00:00Z,\"{\"\"a\"\":1}\",'=1,x,primary,,y,z\r\n";
    for expected in [json!(1), json!(0)] {
        assert_eq!(app.import(CSV, "", file).await["created"], expected);
    }
    let contact = app.show("/contacts/1").await;
    assert_eq!((&contact["source"], &contact["metadata"]), (&json!("identify"), &json!({"a": 1})));
    assert_eq!((&contact["profile"]["firstName"], &contact["isVerified"]), (&json!("=1"), &json!(true)));
}

async fn a_row_that_is_none_of_ours_is_told(app: TestApp) {
    app.create("/contacts", json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order"})).await;
    let line = app.get("/contacts/export").await.body;
    let row: Value = serde_json::from_str(&line).unwrap();
    let broken = [
        ("originHub", json!("x"), "originHub"),
        ("originId", json!(0), "originId"),
        ("createdAt", json!(null), "createdAt"),
        ("createdAt", json!("9999-01-01T00:00:00Z"), "createdAt"),
        ("updatedAt", json!("yesterday"), "updatedAt"),
        ("source", json!("elsewhere"), "source"),
    ];
    let rows = broken.iter().map(|(name, value, _)| {
        let mut row = row.clone();
        row[*name] = value.clone();
        format!("{row}\n")
    });
    let file: String = rows.collect();
    let done = app.import(NDJSON, "", file).await;
    assert_eq!((&done["failed"], &done["created"]), (&json!(broken.len()), &json!(0)), "{done}");
    let errors = app.show(&format!("/imports/{}/errors", done["id"].as_str().unwrap())).await;
    let fields: Vec<_> = errors["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    let expected: Vec<_> = broken.iter().map(|(.., field)| *field).collect();
    assert_eq!(fields, expected, "{errors}");
    let done = app.import(NDJSON, "matchBy=userId", line).await;
    assert_eq!(done["failed"], 1, "{done}");
    let join = json!({"kind": "join", "email": "a@x.example", "phone": "101", "originId": 1,
        "originHub": row["originHub"], "createdAt": row["createdAt"]});
    assert_eq!(app.import(NDJSON, "", join.to_string()).await["failed"], 1, "nobody is known by it");
    assert_eq!(app.contacts().await, 1);
}

/// The rows of an export without what is made anew.
fn without_ids(file: &str, format: &str) -> Vec<String> {
    let anew = ["id", "customerId", "linkedId"];
    if format == "ndjson" {
        let lines = file.lines().map(|line| {
            let mut row: Value = serde_json::from_str(line).unwrap();
            anew.iter().for_each(|name| drop(row.as_object_mut().unwrap().remove(*name)));
            row.to_string()
        });
        return lines.collect();
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let kept = |index: &usize| !anew.contains(&&rows[0][*index]);
    rows.iter()
        .map(|row| (0..row.len()).filter(kept).map(|index| &row[index]).collect::<Vec<_>>().join("\u{1}"))
        .collect()
}

/// A file of users names the database that wrote it.
fn without_hub(file: &str) -> Vec<String> {
    let is_hub = |part: &&str| part.len() == 36 && part.matches('-').count() == 4;
    let plain = |line: &str| {
        let mut parts: Vec<&str> = line.split(['"', ',', ':', '}']).collect();
        let last = parts.iter().rposition(is_hub);
        if let Some(index) = last {
            parts.remove(index);
        }
        parts.join("|")
    };
    file.lines().map(plain).collect()
}

/// The places of all contacts' primaries.
async fn grouping(app: &TestApp) -> Vec<usize> {
    let page = app.show("/contacts?limit=200").await;
    let contacts = page["contacts"].as_array().unwrap();
    let primary = |contact: &Value| contact["linkedId"].as_i64().or(contact["id"].as_i64());
    let place = |contact: &Value| contacts.iter().position(|other| other["id"].as_i64() == primary(contact));
    contacts.iter().map(|contact| place(contact).unwrap()).collect()
}
