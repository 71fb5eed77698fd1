//! What one server exports, another one imports.

use serde_json::{Value, json};

use crate::app::{TestApp, send};
use crate::on_both_databases;
use onefold_domain::Imports;
use onefold_persistence::testing::TestDatabase;
use reqwest::Method;

on_both_databases!(an_export_can_be_imported);

async fn an_export_can_be_imported(app: TestApp) {
    for body in [
        json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "signup_form", "isVerified": true,
               "profile": {"firstName": "=1+1", "address": {"city": "Hill Valley"}}}),
        json!({"kind": "phone", "value": "+12025550143", "source": "order", "channel": "whatsapp",
               "metadata": {"tier": "gold", "nested": {"a": [1, null]}}}),
        json!({"kind": "phone", "value": "123456", "source": "manual", "profile": {"name": "'quoted'"}}),
    ] {
        assert_eq!(app.post("/contacts", body.to_string()).await.status, 201);
    }
    app.identify(json!({"email": "emmett@hillvalley.edu", "phoneNumber": "123456"})).await;
    let before = contacts(&app).await;
    for (format, media_type) in [("ndjson", "application/x-ndjson"), ("csv", "text/csv")] {
        let file = app.get(&format!("/contacts/export?format={format}")).await.body;
        let mut imports = None;
        let other = TestApp::start_with(TestDatabase::sqlite(), None, |app| {
            imports = Some(app.imports.clone());
            app
        })
        .await;
        let imports: Imports = imports.unwrap();
        let request = other.request(Method::POST, "/contacts/import").header("Content-Type", media_type);
        assert_eq!(send(request.body(file)).await.status, 202);
        while imports.next().await.unwrap() {}
        assert_eq!(contacts(&other).await, before, "{format}");
    }
}

/// All contacts without what is made anew.
async fn contacts(app: &TestApp) -> Vec<Value> {
    let mut page = app.get("/contacts").await.json();
    let contacts = page["contacts"].as_array_mut().unwrap();
    for contact in contacts.iter_mut() {
        for name in ["customerId", "createdAt", "updatedAt", "verifiedAt"] {
            contact[name].take();
        }
    }
    std::mem::take(contacts)
}
