//! `POST /contacts/import`: what becomes of the rows of a file, and how that is told.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, send};
use crate::on_both_databases;

on_both_databases!(
    a_csv_file_becomes_contacts,
    an_ndjson_file_becomes_contacts,
    the_same_file_twice_changes_nothing,
    a_newer_file_updates_what_it_names,
    a_dry_run_counts_and_changes_nothing,
    rows_are_matched_by_user,
    a_guest_is_claimed_by_a_row_of_the_user,
    files_of_many_programs_are_read,
    an_import_tells_where_it_is,
);

pub(crate) const CSV: &str = "text/csv";
pub(crate) const NDJSON: &str = "application/x-ndjson";

/// Rows read, created, updated, unchanged, failed.
pub(crate) fn counts(import: &Value) -> [u64; 5] {
    ["rowsRead", "created", "updated", "unchanged", "failed"].map(|name| import[name].as_u64().unwrap())
}

/// An import that came to its end.
pub(crate) async fn completed(app: &TestApp, media_type: &str, query: &str, file: &str) -> [u64; 5] {
    let import = app.import(media_type, query, file.to_owned()).await;
    assert_eq!(import["status"], "completed", "{import}");
    counts(&import)
}

/// As older systems export them: other names, empty cells, quotes, a line break inside a cell, a repetition.
const CUSTOMERS: &str = "\
Email,phone_number,first_name,last_name,company,street,city,postal code,Country,tax_number,notes,loyalty_tier\r
Marty@HillValley.edu,+1 202-555-0143,Marty,McFly,,,,,us,,\"likes \"\"vests\"\"\",gold\r
,919191,George,McFly,,\"9303 Lyon Drive, Lot 2\",Hill Valley,095420,US,,\"writes\r\nstories\",\r
doc@hillvalley.edu,,Emmett,Brown,Brown & Co,,,,,US-1,=1+1,silver\r
DOC@hillvalley.edu,,,,,,,,,,,platinum\r
";

async fn a_csv_file_becomes_contacts(app: TestApp) {
    let import = app.import(CSV, "", CUSTOMERS).await;
    assert_eq!((&import["status"], &import["message"]), (&json!("completed"), &Value::Null));
    assert_eq!(counts(&import), [4, 3, 1, 0, 0]);
    let marty = app.show("/contacts/1").await;
    assert_eq!(
        marty,
        json!({
            "id": 1, "kind": "both", "email": "marty@hillvalley.edu", "phone": "+12025550143", "channel": null,
            "source": "import", "userId": null, "isPrimary": false, "isVerified": false, "verifiedAt": null,
            "metadata": {"loyalty_tier": "gold"},
            "profile": {"firstName": "Marty", "lastName": "McFly", "country": "US", "notes": "likes \"vests\""},
            "customerId": marty["customerId"], "linkPrecedence": "primary", "linkedId": null,
            "createdAt": marty["createdAt"], "updatedAt": marty["createdAt"],
        })
    );
    let george = app.show("/contacts/2").await;
    let address = json!({"street": "9303 Lyon Drive, Lot 2", "city": "Hill Valley", "postalCode": "095420"});
    assert_eq!((&george["value"], &george["metadata"]), (&json!("919191"), &json!({})));
    assert_eq!(
        (&george["profile"]["address"], &george["profile"]["notes"]),
        (&address, &json!("writes\r\nstories"))
    );
    let doc = app.show("/contacts/3").await;
    assert_eq!(doc["metadata"], json!({"loyalty_tier": "platinum"}));
    let known = json!({"firstName": "Emmett", "lastName": "Brown", "companyName": "Brown & Co", "taxNumber": "US-1", "notes": "=1+1"});
    assert_eq!(doc["profile"], known, "empty cells take nothing away");
    app.database.assert_invariants().await;
}

async fn an_ndjson_file_becomes_contacts(app: TestApp) {
    app.identify(json!({"phoneNumber": "717171"})).await;
    let file = [
        json!({"email": "lorraine@hillvalley.edu", "phone": 717_171, "source": "signup_form", "firstName": "Lorraine",
            "address": {"city": "Hill Valley"}, "orders": [1, 2], "metadata": {"tier": "gold"}}),
        json!({"email": null, "phoneNumber": "+12025550143", "profile": {"lastName": "Tannen", "country": "us"}}),
    ];
    let file: String = file.iter().map(|line| format!("{line}\n\n")).collect();
    assert_eq!(completed(&app, NDJSON, "", &file).await, [2, 2, 0, 0, 0]);
    let lorraine = app.show("/contacts/2").await;
    assert_eq!(lorraine["linkedId"], 1, "rows link as requests do");
    assert_eq!((&lorraine["phone"], &lorraine["source"]), (&json!("717171"), &json!("signup_form")));
    assert_eq!(lorraine["metadata"], json!({"orders": [1, 2], "tier": "gold"}));
    assert_eq!(lorraine["profile"], json!({"firstName": "Lorraine", "address": {"city": "Hill Valley"}}));
    assert_eq!(app.show("/contacts/3").await["profile"], json!({"lastName": "Tannen", "country": "US"}));
    app.database.assert_invariants().await;
}

async fn the_same_file_twice_changes_nothing(app: TestApp) {
    completed(&app, CSV, "", CUSTOMERS).await;
    let before = app.get("/contacts").await;
    let customer = app.get("/customers/3").await;
    for query in ["", "dryRun=true", ""] {
        assert_eq!(completed(&app, CSV, query, CUSTOMERS).await, [4, 0, 0, 4, 0], "{query}");
    }
    assert_eq!(app.get("/contacts").await.body, before.body, "not even a moment");
    assert_eq!(app.get("/customers/3").await.header("etag"), customer.header("etag"));
    // What was changed since is not changed back by what was imported before.
    app.call(Method::PATCH, "/contacts/1", &json!({"metadata": {"loyalty_tier": "none"}})).await;
    assert_eq!(completed(&app, CSV, "", "email\ndoc@hillvalley.edu\n").await, [1, 0, 0, 1, 0]);
}

async fn a_newer_file_updates_what_it_names(app: TestApp) {
    completed(&app, CSV, "", CUSTOMERS).await;
    app.create("/contacts", json!({"kind": "email", "value": "biff@hillvalley.edu", "source": "manual"}))
        .await;
    let file = "email,phone,first_name,loyalty_tier,source\n\
                marty@hillvalley.edu,+12025550143,Martin,,order\n\
                doc@hillvalley.edu,,Emmett,platinum,\n\
                biff@hillvalley.edu,,Biff,,\n";
    assert_eq!(completed(&app, CSV, "", file).await, [3, 1, 1, 1, 0]);
    let marty = app.show("/contacts/1").await;
    assert_eq!((&marty["profile"]["firstName"], &marty["source"]), (&json!("Martin"), &json!("order")));
    assert_eq!(marty["profile"]["lastName"], "McFly");
    assert_eq!(marty["metadata"], json!({"loyalty_tier": "gold"}));
    assert!(marty["updatedAt"].as_str() > marty["createdAt"].as_str());
    assert_eq!(app.show("/contacts/4").await["profile"], Value::Null, "a person's word is left alone");
    assert_eq!(app.show("/contacts/5").await["linkedId"], 4);
}

async fn a_dry_run_counts_and_changes_nothing(app: TestApp) {
    let import = app.import(CSV, "dryRun=true", format!("{CUSTOMERS}guest,,,,,,,,,,,\r\n")).await;
    assert_eq!((&import["status"], &import["dryRun"]), (&json!("completed"), &json!(true)));
    assert_eq!(counts(&import), [5, 3, 1, 0, 1]);
    assert_eq!(app.contacts().await, 0);
    assert_eq!(app.database.count("SELECT COUNT(*) FROM customer").await, 0);
    let errors = app.show(&format!("/imports/{}/errors", import["id"].as_str().unwrap())).await;
    assert_eq!((&errors["errors"][0]["line"], &errors["errors"][0]["field"]), (&json!(7), &json!("Email")));
    assert_eq!(completed(&app, CSV, "", CUSTOMERS).await, [4, 3, 1, 0, 0], "as was foretold");
}

async fn rows_are_matched_by_user(app: TestApp) {
    let (user, other) = (app.user().await, app.user().await);
    let file = format!(
        "userId,email,phone,tier\n{user},marty@hillvalley.edu,,gold\n{other},,919191,\n,doc@hillvalley.edu,,\n{user},,,\n"
    );
    let import = app.import(CSV, "matchBy=userId", file.clone()).await;
    assert_eq!((counts(&import), &import["matchBy"]), ([4, 2, 0, 0, 2], &json!("userId")));
    let errors = app.show(&format!("/imports/{}/errors", import["id"].as_str().unwrap())).await;
    assert_eq!((&errors["errors"][0]["line"], &errors["errors"][0]["field"]), (&json!(4), &json!("userId")));
    assert_eq!(
        (&errors["errors"][1]["line"], &errors["errors"][1]["field"]),
        (&json!(5), &json!("email, phone"))
    );
    assert_eq!(counts(&app.import(CSV, "matchBy=userId", file).await), [4, 0, 0, 2, 2]);

    let moved = format!("userId,email\n{user},martin@hillvalley.edu\n");
    assert_eq!(completed(&app, CSV, "matchBy=userId", &moved).await, [1, 0, 1, 0, 0]);
    let marty = app.show("/contacts/1").await;
    assert_eq!((&marty["value"], &marty["userId"]), (&json!("martin@hillvalley.edu"), &json!(user)));
    assert_eq!(marty["metadata"], json!({"tier": "gold"}));
    assert_eq!(app.contacts().await, 2);
    app.database.assert_invariants().await;
}

async fn a_guest_is_claimed_by_a_row_of_the_user(app: TestApp) {
    let guest = json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order", "metadata": {"orderId": "o1"}});
    app.create("/contacts", guest).await;
    let user = app.user().await;
    let file = format!("user_id,email,source,tier\n{user},marty@hillvalley.edu,auth,gold\n");
    assert_eq!(completed(&app, CSV, "", &file).await, [1, 0, 1, 0, 0]);
    let claimed = app.show("/contacts/1").await;
    assert_eq!((&claimed["userId"], &claimed["source"]), (&json!(user), &json!("auth")));
    assert_eq!(claimed["metadata"], json!({"orderId": "o1", "tier": "gold"}));
}

async fn files_of_many_programs_are_read(app: TestApp) {
    for (number, file) in [
        "\u{feff}email;company\nN@hillvalley.edu;\"Clocks; Co\"\n",
        "email\tcompany\r\nN@hillvalley.edu\tClocks; Co\r\n",
        "\n\n company , email\n\"Clocks; Co\",\" N@hillvalley.edu \"",
        "\"email\",company,\nN@hillvalley.edu,Clocks; Co,x\n\n\n",
    ]
    .into_iter()
    .enumerate()
    {
        let file = file.replace('N', &format!("n{number}"));
        assert_eq!(completed(&app, "text/csv; charset=utf-8", "", &file).await, [1, 1, 0, 0, 0], "{file:?}");
        let shown = app.show(&format!("/contacts?value=n{number}%40hillvalley.edu")).await;
        let contact = &shown["contacts"][0];
        assert_eq!(contact["profile"], json!({"companyName": "Clocks; Co"}), "{file:?}");
        assert_eq!(contact["metadata"], json!({}), "{file:?}");
    }
    let line = "\u{feff}{\"email\":\"n@hillvalley.edu\"}\r\n";
    assert_eq!(completed(&app, "application/jsonl", "", line).await, [1, 1, 0, 0, 0]);
}

async fn an_import_tells_where_it_is(app: TestApp) {
    let request = app.request(Method::POST, "/contacts/import?onError=stop&dryRun=false&matchBy=value");
    let answer = send(request.header("Content-Type", CSV).body(CUSTOMERS)).await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!((answer.status, answer.json()), (202, json!({"id": id, "status": "queued"})));
    assert_eq!(answer.header("location"), format!("/imports/{id}"));
    let waiting = app.show(&format!("/imports/{id}")).await;
    let mut expected = json!({
        "id": id, "status": "queued", "format": "csv", "matchBy": "value", "dryRun": false, "onError": "stop",
        "bytes": CUSTOMERS.len(), "bytesRead": 0, "rowsRead": 0, "created": 0, "updated": 0, "unchanged": 0,
        "failed": 0, "rate": null, "remainingSeconds": null, "message": null,
        "createdAt": waiting["createdAt"], "startedAt": null, "finishedAt": null,
    });
    assert_eq!(waiting, expected);
    // The next file has its turn after the one that waits.
    app.import(CSV, "", "email\nmarty@hillvalley.edu\n").await;
    let done = app.show(&format!("/imports/{id}")).await;
    expected["status"] = json!("completed");
    (expected["bytesRead"], expected["rowsRead"]) = (json!(CUSTOMERS.len()), json!(4));
    (expected["created"], expected["updated"]) = (json!(3), json!(1));
    for name in ["rate", "startedAt", "finishedAt"] {
        assert!(!done[name].is_null(), "{name}: {done}");
        expected[name] = done[name].clone();
    }
    assert_eq!(done, expected);
    assert!(done["finishedAt"].as_str() > done["startedAt"].as_str());
}
