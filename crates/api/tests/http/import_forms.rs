//! Rows in the form of the API, what of their metadata would be lost, and that the form of others stays theirs.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::import_faults::expect;
use crate::imports::{CSV, completed, counts};
use crate::on_both_databases;

on_both_databases!(
    a_row_may_be_what_a_post_takes,
    a_row_may_be_what_a_get_shows,
    of_a_users_contacts_the_last_that_is_said_to_be_is_primary,
    a_row_is_refused_for_what_a_post_is_refused_for,
    kind_and_value_beside_an_email_are_metadata,
    a_table_may_have_a_kind_and_a_value,
    metadata_of_a_row_is_never_changed_without_a_word,
);

const NDJSON: &str = "application/x-ndjson";

/// Without what is made anew.
fn plain(mut contact: Value) -> Value {
    for name in ["id", "customerId", "linkPrecedence", "linkedId", "createdAt", "updatedAt", "verifiedAt"] {
        contact.as_object_mut().unwrap().remove(name);
    }
    contact
}

async fn a_row_may_be_what_a_post_takes(app: TestApp) {
    let user = app.user().await;
    let bodies = [
        json!({"kind": "email", "value": "Marty@HillValley.edu", "source": "order", "metadata": {"orderId": "1", "n": {"a": [1, 2.5]}},
            "profile": {"firstName": "Marty", "address": {"city": "Hill Valley"}, "tags": ["VIP"]}}),
        json!({"kind": "phone", "value": "+1 202 555 0143", "source": "signup_form", "channel": "whatsapp", "isVerified": true}),
        json!({"kind": "phone", "value": 919_191, "source": "auth", "userId": user, "isVerified": false}),
        json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "manual", "channel": "email", "userId": null,
            "metadata": null, "profile": null}),
    ];
    let rows: Vec<_> = bodies.iter().map(Value::to_string).collect();
    assert_eq!(completed(&app, NDJSON, "", &rows.join("\n")).await, [4, 4, 0, 0, 0]);
    for (body, number) in bodies.iter().zip(1..) {
        let posted = app.create("/contacts", body.clone()).await;
        let imported = app.show(&format!("/contacts/{number}")).await;
        assert_eq!(plain(imported), plain(posted), "{body}");
    }
}

async fn a_row_may_be_what_a_get_shows(app: TestApp) {
    app.create(
        "/contacts",
        json!({"kind": "phone", "value": "919191", "source": "order", "channel": "telegram"}),
    )
    .await;
    app.identify(json!({"email": "george@hillvalley.edu", "phoneNumber": "919191"})).await;
    let shown = app.show("/contacts").await["contacts"].take();
    let rows: Vec<_> = shown.as_array().unwrap().iter().map(Value::to_string).collect();
    let other = TestApp::sqlite().await;
    assert_eq!(completed(&other, NDJSON, "", &rows.join("\n")).await, [2, 2, 0, 0, 0]);
    let again = other.show("/contacts").await["contacts"].take();
    for (one, two) in shown.as_array().unwrap().iter().zip(again.as_array().unwrap()) {
        assert_eq!(plain(one.clone()), plain(two.clone()));
    }
}

async fn of_a_users_contacts_the_last_that_is_said_to_be_is_primary(app: TestApp) {
    let user = app.user().await;
    let row = |value: &str, is_primary: bool| {
        json!({"kind": "email", "value": value, "source": "auth", "userId": user, "isPrimary": is_primary})
            .to_string()
    };
    app.create("/contacts", serde_json::from_str(&row("stored@x.example", true)).unwrap()).await;
    app.create(
        "/contacts",
        json!({"kind": "phone", "value": "919191", "source": "auth", "userId": user, "isPrimary": true}),
    )
    .await;
    let file = [row("a@x.example", true), row("b@x.example", true), row("c@x.example", false)].join("\n");
    assert_eq!(completed(&app, NDJSON, "", &file).await, [3, 3, 0, 0, 0]);
    let primaries = async || {
        let contacts = app.show("/contacts").await["contacts"].take();
        let primaries = contacts.as_array().unwrap().iter().filter(|contact| contact["isPrimary"] == true);
        primaries.map(|contact| contact["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(primaries().await, ["919191", "b@x.example"]);
    // Among stored ones, one of which is in the file as well.
    let file = [row("b@x.example", true), row("stored@x.example", true)].join("\n");
    assert_eq!(completed(&app, NDJSON, "", &file).await, [2, 0, 1, 1, 0]);
    assert_eq!(primaries().await, ["stored@x.example", "919191"]);
    assert_eq!(completed(&app, NDJSON, "matchBy=userId", &row("c@x.example", true)).await, [1, 0, 1, 0, 0]);
    assert_eq!(primaries().await, ["919191", "c@x.example"]);
    app.database.assert_invariants().await;
}

async fn a_row_is_refused_for_what_a_post_is_refused_for(app: TestApp) {
    let rows = [
        r#"{"kind":"fax","value":"marty@hillvalley.edu"}"#,
        r#"{"value":"marty@hillvalley.edu"}"#,
        r#"{"kind":"email","source":"order"}"#,
        r#"{"kind":"email","value":"guest"}"#,
        r#"{"kind":"phone","value":"n/a"}"#,
        r#"{"kind":"email","value":"marty@hillvalley.edu","channel":"whatsapp"}"#,
        r#"{"kind":"phone","value":"919191","channel":"email"}"#,
        r#"{"kind":"phone","value":1.5}"#,
        r#"{"kind":"email","value":"marty@hillvalley.edu","isVerified":"yes"}"#,
        r#"{"kind":"email","value":"marty@hillvalley.edu","source":"identify"}"#,
        r#"{"kind":"email","value":"marty@hillvalley.edu","metadata":[]}"#,
        r#"{"kind":"email","value":"marty@hillvalley.edu","profile":{"town":"X"}}"#,
    ];
    let import = app.import(NDJSON, "", rows.join("\n")).await;
    assert_eq!(counts(&import), [12, 0, 0, 0, 12]);
    let expected = [
        (1, "kind", "one of email, phone"),
        (2, "kind", "email or phone"),
        (3, "value", "the email address"),
        (4, "value", "@"),
        (5, "value", "digit"),
        (6, "channel", "one of email"),
        (7, "channel", "telephone, whatsapp, telegram"),
        (8, "value", "string"),
        (9, "isVerified", "true or false"),
        (10, "source", "one of order"),
        (11, "metadata", "object"),
        (12, "profile.town", "no such member"),
    ];
    expect(&app, &import, &expected).await;
}

async fn kind_and_value_beside_an_email_are_metadata(app: TestApp) {
    let row =
        r#"{"mail":"marty@hillvalley.edu","kind":"lead","value":100,"channel":"web","isVerified":"no"}"#;
    assert_eq!(completed(&app, NDJSON, "", row).await, [1, 1, 0, 0, 0]);
    let contact = app.show("/contacts/1").await;
    assert_eq!(
        contact["metadata"],
        json!({"kind": "lead", "value": 100, "channel": "web", "isVerified": "no"})
    );
    assert_eq!(contact["isVerified"], false);
}

async fn a_table_may_have_a_kind_and_a_value(app: TestApp) {
    let file = "kind,value,source,tier\nemail,marty@hillvalley.edu,order,gold\nphone,919191,,\nfax,1,,\n";
    let import = app.import(CSV, "", file).await;
    assert_eq!(counts(&import), [3, 2, 0, 0, 1]);
    expect(&app, &import, &[(4, "kind", "one of email, phone")]).await;
    let contact = app.show("/contacts/1").await;
    assert_eq!(
        (&contact["value"], &contact["metadata"]),
        (&json!("marty@hillvalley.edu"), &json!({"tier": "gold"}))
    );
    assert_eq!(app.show("/contacts/2").await["value"], "919191");
}

async fn metadata_of_a_row_is_never_changed_without_a_word(app: TestApp) {
    let rows = [
        r#"{"email":"a@x.example","id":18446744073709551616}"#,
        r#"{"email":"a@x.example","metadata":{"a":{"b":[0,-9223372036854775809]}}}"#,
        r#"{"email":"a@x.example","tier":{"a":1,"a":1}}"#,
        r#"{"email":"a@x.example","metadata":{"a":1,"a":2}}"#,
        r#"{"email":"a@x.example","metadata":{"tier":"gold"},"tier":"silver"}"#,
        r#"{"email":"a@x.example","profile":{"name":"A","name":"B"}}"#,
        r#"{"email":"a@x.example","address":{"city":"A","city":"B"}}"#,
        r#"{"email":"a@x.example","total":0.1234567890123456789}"#,
        r#"{"email":"a@x.example","tier":"a","tier":"b"}"#,
        r#"{"email":"b@x.example","large":18446744073709551615,"total":1.50}"#,
    ];
    let import = app.import(NDJSON, "", rows.join("\n")).await;
    assert_eq!(counts(&import), [10, 1, 0, 0, 9]);
    let expected = [
        (1, "id", "string"),
        (2, "metadata.a.b.1", "string"),
        (3, "tier.a", "twice"),
        (4, "metadata.a", "twice"),
        (5, "tier", "twice"),
        (6, "profile.name", "twice"),
        (7, "address.city", "twice"),
        (8, "total", "string"),
        (9, "row", "same name"),
    ];
    expect(&app, &import, &expected).await;
    let kept = app.get("/contacts/1").await.body;
    assert!(kept.contains(r#""metadata":{"large":18446744073709551615,"total":1.5}"#), "{kept}");
    // A table's cells are texts, but for the metadata of a table of ours.
    let header = "email,metadata,tier,linkPrecedence";
    let file = format!(
        "{header}\nc@x.example,\"{{\"\"a\"\":1,\"\"a\"\":2}}\",,\nc@x.example,\"{{\"\"tier\"\":1}}\",gold,\n"
    );
    let import = app.import(CSV, "", file).await;
    assert_eq!(counts(&import), [2, 0, 0, 0, 2]);
    expect(&app, &import, &[(2, "metadata.a", "twice"), (3, "tier", "twice")]).await;
}
