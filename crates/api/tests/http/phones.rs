//! Phones and emails as people really write them, through every door that takes one.

use onefold_domain::phone::Region;
use onefold_persistence::testing::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::on_both_databases;

on_both_databases!(
    reported_emails_are_answered_as_wanted,
    an_extension_is_shown_beside_its_number,
    a_number_without_a_plan_keeps_its_plus,
    files_are_read_by_the_same_reader,
    what_was_exported_comes_back,
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reported_phones_are_answered_as_wanted_on_sqlite() {
    for region in REGIONS {
        let app = TestApp::start(TestDatabase::sqlite(), Region::parse(region).ok()).await;
        reported_phones_are_answered_as_wanted(&app, region).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reported_phones_are_answered_as_wanted_on_postgres() {
    for region in REGIONS {
        let app = TestApp::start(TestDatabase::postgres().await, Region::parse(region).ok()).await;
        reported_phones_are_answered_as_wanted(&app, region).await;
    }
}

/// Those of the table; a server has one.
const REGIONS: [&str; 6] = ["-", "DE", "SI", "AT", "US", "MX"];

async fn reported_phones_are_answered_as_wanted(app: &TestApp, region: &str) {
    let lines = include_str!("../../../domain/tests/data/phones.tsv").lines();
    let rows: Vec<Vec<&str>> =
        lines.filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 30);
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row[1] == region) {
        let (typed, wanted) = (row[0], row[3]);
        let ask = |email: String| json!({"email": email, "phoneNumber": typed}).to_string();
        let one = app.post("/identify", ask(format!("one{at}@x.example"))).await;
        if one.status == 400 {
            assert!(wanted.contains("refused"), "{typed}: {one:?}");
            assert!(one.json()["errors"]["phoneNumber"][0].is_string());
            continue;
        }
        let shown = one.json()["contact"]["phoneNumbers"][0].as_str().unwrap().to_owned();
        let other = app.post("/identify", ask(format!("other{at}@x.example"))).await.json();
        let joins = |answer: &Value| {
            let emails = answer["contact"]["emails"].as_array().unwrap();
            emails.contains(&json!(format!("one{at}@x.example")))
        };
        let links = joins(&other);
        let is_met = match wanted {
            wanted if wanted.contains("links nobody") => !links,
            "one match key" => {
                let new = app.identify(json!({"phoneNumber": "+2290197123456"})).await;
                joins(&new)
            }
            wanted => links && wanted.starts_with(&shown),
        };
        assert!(is_met, "{typed}: {shown}, {other}");
    }
}

async fn reported_emails_are_answered_as_wanted(app: TestApp) {
    let lines = include_str!("../../../domain/tests/data/emails.tsv").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let [typed, _, wanted] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let body = json!({"kind": "email", "value": typed, "source": "order"});
        let identified = app.post("/identify", json!({"email": typed}).to_string()).await;
        let upserted = app.call(Method::PUT, "/contacts", &body).await;
        if wanted.starts_with("refused") {
            assert_eq!((identified.status, upserted.status), (400, 422), "{line}");
        } else {
            assert_eq!(identified.json()["contact"]["emails"], json!([wanted]), "{line}");
            assert_eq!(upserted.json()["value"], wanted, "{line}: {upserted:?}");
        }
    }
}

async fn an_extension_is_shown_beside_its_number(app: TestApp) {
    let phone = |value: &str| json!({"kind": "phone", "value": value, "source": "order"});
    let desk = app.create("/contacts", phone("+1 202 555 0143 ext. 12")).await;
    assert_eq!((&desk["value"], &desk["ext"]), (&json!("+12025550143;ext=12"), &json!("12")));
    let other = app.create("/contacts", phone("(001) 202-555-0143 x34 (work)")).await;
    let main = app.create("/contacts", phone("+1 202 555 0143")).await;
    assert_eq!(main.get("ext"), None);
    let customers = [&desk, &other, &main].map(|contact| contact["customerId"].as_str().unwrap());
    assert!(customers[0] != customers[1] && customers[1] != customers[2] && customers[0] != customers[2]);
    let listed = app.show("/contacts?value=%2B12025550143%3Bext%3D12&kind=phone").await;
    assert_eq!(listed["contacts"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["contacts"][0]["id"], desk["id"]);
    let both = app.identify(json!({"email": "ann@x.example", "phoneNumber": "+12025550143;ext=12"})).await;
    assert_eq!(both["contact"]["phoneNumbers"], json!(["+12025550143;ext=12"]));
    let id = both["contact"]["secondaryContactIds"][0].as_i64().unwrap();
    let shown = app.show(&format!("/contacts/{id}")).await;
    assert_eq!((&shown["phone"], &shown["ext"]), (&json!("+12025550143;ext=12"), &json!("12")));
}

async fn a_number_without_a_plan_keeps_its_plus(app: TestApp) {
    let ask = |phone: &str| json!({"phoneNumber": phone});
    let first = app.identify(ask("+1234567890")).await;
    assert_eq!(first["contact"]["phoneNumbers"], json!(["+1234567890"]));
    assert_eq!(app.identify(ask("001 234 567 890")).await, first);
    let digits = app.identify(ask("1234567890")).await;
    assert_eq!(digits["contact"]["phoneNumbers"], json!(["+1234567890", "1234567890"]));
}

async fn files_are_read_by_the_same_reader(app: TestApp) {
    let file = "email,phone\n\
        ann@x.example,+49 30 23125756 (home)\n\
        mailto:bob@x.example,+386\n\
        cat@x.example,call after 5pm\n\
        dan@x.example,2025550143 / 2025550187\n\
        ,+1 202 555 0143 x12\n";
    let done = app.import("text/csv", "", file).await;
    assert_eq!(done["created"], 3, "{done}");
    assert_eq!(done["failed"], 2, "{done}");
    let listed = app.show("/contacts").await;
    let values: Vec<_> = listed["contacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            [&one["value"], &one["email"], &one["phone"]].map(|text| text.as_str().unwrap_or_default())
        })
        .collect();
    assert_eq!(
        values,
        [["", "ann@x.example", "+493023125756"], ["bob@x.example", "", ""], ["+12025550143;ext=12", "", ""]]
    );
}

/// An export has what was accepted by whichever rule, and is read without a region.
async fn what_was_exported_comes_back(app: TestApp) {
    let user = app.user().await;
    let number = json!({"type": "telephone", "country_code": "1234567890", "number": "12345678901234567890"});
    for mut body in [json!({"type": "email", "email": "\"a b\"@x.example"}), number] {
        body["uuid"] = json!(user);
        assert_eq!(app.call(Method::POST, "/ia/admin/contacts", &body).await.status, 200);
    }
    for phone in ["+1234567890", "1234567890 x7", "+1 202 555 0143 x12", "00"] {
        app.identify(json!({"phoneNumber": phone})).await;
    }
    let export = app.get("/contacts/export").await;
    assert_eq!(export.status, 200, "{export:?}");
    let elsewhere = TestApp::start(TestDatabase::sqlite(), Region::parse("DE").ok()).await;
    let done = elsewhere.import("application/x-ndjson", "", export.body).await;
    assert_eq!(done["failed"], 0, "{done}");
    let values = |listed: Value| -> Vec<Value> {
        listed["contacts"].as_array().unwrap().iter().map(|one| one["value"].clone()).collect()
    };
    assert_eq!(values(elsewhere.show("/contacts").await), values(app.show("/contacts").await));
}
