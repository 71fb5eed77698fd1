//! `GET /contacts/export`: everything, or what a filter names, in a form that others can read.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, send};
use crate::bad_input::check;
use crate::imports::{CSV, completed};
use crate::on_both_databases;

on_both_databases!(
    every_contact_is_exported_once_as_it_is_shown,
    a_table_has_a_column_for_everything,
    an_export_holds_what_is_asked_for,
);

async fn every_contact_is_exported_once_as_it_is_shown(app: TestApp) {
    let line = |number: u32| format!("doc{number}@hillvalley.edu,Emmett {number}\n");
    let file: String = (0..1_500).map(line).collect();
    assert_eq!(completed(&app, CSV, "", &format!("email,first_name\n{file}")).await, [1_500, 1_500, 0, 0, 0]);
    let export = app.get("/contacts/export").await;
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    assert_eq!(export.header("content-disposition"), "attachment; filename=\"contacts.ndjson\"");
    let mut contacts: Vec<Value> =
        export.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(contacts.iter().map(|contact| contact["id"].as_i64().unwrap()).eq(1..=1_500));
    // Beside what is shown it says what a way back needs.
    let line = contacts[1_200].as_object_mut().unwrap();
    let mut beside = |name: &str| line.remove(name).unwrap();
    assert_eq!(
        (beside("originId"), beside("receivedEmail")),
        (json!(1_201), json!("doc1200@hillvalley.edu"))
    );
    assert_eq!((beside("receivedPhone"), beside("userExternalId")), (Value::Null, Value::Null));
    assert!(beside("originHub").is_string());
    assert_eq!(contacts[1_200], app.show("/contacts/1201").await);
    let table = app.get("/contacts/export?format=csv").await;
    let ids = table.body.split_terminator("\r\n").skip(1).map(|row| row.split(',').next().unwrap());
    assert!(ids.map(|id| id.parse::<i64>().unwrap()).eq(1..=1_500), "the header stands once");
}

async fn a_table_has_a_column_for_everything(app: TestApp) {
    let user = app.user().await;
    let body = json!({"kind": "phone", "value": "+1 202 555 0143", "source": "auth", "userId": user, "isPrimary": true,
        "isVerified": true, "metadata": {"a": "b,c"}, "profile": {"name": "=HYPERLINK(\"x\")", "notes": "@x", "country": "US",
        "companyName": "-1+1", "role": "\u{ff1d}1", "address": {"city": "+A1", "postalCode": "095420"}}});
    let phone = app.create("/contacts", body).await;
    app.identify(json!({"email": "-doc@hillvalley.edu", "phoneNumber": "+12025550143"})).await;
    let both = app.show("/contacts/2").await;
    let table = app.get("/contacts/export?format=csv").await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(table.header("content-disposition"), "attachment; filename=\"contacts.csv\"");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line: Value =
        serde_json::from_str(app.get("/contacts/export").await.body.lines().next().unwrap()).unwrap();
    let hub = text(&line["originHub"]);
    let (customer, created, updated) =
        (text(&phone["customerId"]), text(&phone["createdAt"]), text(&both["createdAt"]));
    let expected = [
        "id,kind,email,phone,channel,source,userId,isPrimary,isVerified,verifiedAt,metadata,firstName,lastName,name,\
         companyName,role,country,taxNumber,notes,website,tags,address.street,address.city,address.postalCode,address.region,\
         customerId,linkPrecedence,linkedId,createdAt,updatedAt,originHub,originId,receivedEmail,receivedPhone,userExternalId,\
         profileNone,selfStated,claimedBy,profileSet,besideEmail,besidePhone"
            .to_owned(),
        format!(
            "1,phone,,+12025550143,telephone,auth,{user},true,true,{created},\"{{\"\"a\"\":\"\"b,c\"\"}}\",,,\
             \"'=HYPERLINK(\"\"x\"\")\",'-1+1,'\u{ff1d}1,US,,'@x,,,,'+A1,095420,,{customer},primary,,{created},{created},{hub},1,,'+1 202 555 0143,,,,,,,"
        ),
        format!(
            "2,both,'-doc@hillvalley.edu,+12025550143,,identify,,false,false,,,,,,,,,,,,,,,,,{customer},secondary,1,{updated},{updated},{hub},2,'-doc@hillvalley.edu,+12025550143,,,,,,,"
        ),
    ];
    let rows: Vec<_> = table.body.split_terminator("\r\n").collect();
    assert_eq!(rows, expected);
    let asked = send(app.request(Method::GET, "/contacts/export").header("Accept", "text/csv")).await;
    assert_eq!(asked.body, table.body);
}

async fn an_export_holds_what_is_asked_for(app: TestApp) {
    for (kind, value, source) in [
        ("email", "marty@hillvalley.edu", "order"),
        ("phone", "919191", "order"),
        ("email", "marty@hillvalley.edu", "auth"),
    ] {
        app.create("/contacts", json!({"kind": kind, "value": value, "source": source})).await;
    }
    app.create("/contacts", json!({"kind": "phone", "value": "717171", "source": "order"})).await;
    app.call(Method::DELETE, "/contacts/4", &Value::Null).await;
    let customer = app.show("/contacts/1").await["customerId"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("", &[1, 2, 3][..]),
        ("format=ndjson&kind=email", &[1, 3]),
        ("source=order&value=", &[1, 2]),
        ("value=MARTY@hillvalley.edu&source=auth", &[3]),
        (&format!("customerId={customer}"), &[1, 3]),
        ("kind=both", &[]),
    ] {
        let export = app.get(&format!("/contacts/export?{query}")).await;
        let lines = export.body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let ids: Vec<_> = lines.map(|contact| contact["id"].as_i64().unwrap()).collect();
        assert_eq!((export.status, ids.as_slice()), (200, expected), "{query}");
    }
    let empty = app.get("/contacts/export?format=csv&kind=both").await;
    assert_eq!(empty.body.lines().count(), 1, "the header is there all the same");
    for query in ["format=xml", "kind=fax", "limit=5", "value=guest"] {
        check(&app.get(&format!("/contacts/export?{query}")).await, 422, "invalid_request");
    }
    check(&app.post("/contacts/export", "{}").await, 405, "method_not_allowed");
}
