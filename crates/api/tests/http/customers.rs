//! `/customers` as a caller sees it: what contacts add up to, the search, and a person's corrections.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, send};
use crate::contacts::{create, register};
use crate::on_both_databases;

on_both_databases!(
    a_customer_is_what_its_contacts_say,
    an_absorbed_customer_answers_as_its_survivor,
    customers_are_found_by_any_piece,
    a_search_is_read_page_by_page,
    a_correction_outranks_and_can_be_taken_back,
);

const USER: &str = "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11";

async fn correct(app: &TestApp, path: &str, profile: Value) -> Value {
    let answer = send(app.request(Method::PATCH, path).json(&json!({"profile": profile}))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn a_customer_is_what_its_contacts_say(app: TestApp) {
    register(&app).await;
    let values = [
        json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order",
            "profile": {"firstName": "Emmet", "companyName": "Garage"}}),
        json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "auth", "userId": USER, "isVerified": true,
            "isPrimary": true, "profile": {"firstName": "Emmett"}}),
        json!({"kind": "phone", "value": "123456", "source": "signup_form", "userId": USER, "channel": "whatsapp"}),
    ];
    for value in values {
        create(&app, value).await;
    }
    let customer = app.get("/customers/3").await.json();
    assert_eq!(customer["profile"], json!({"firstName": "Emmett", "companyName": "Garage"}));
    assert_eq!(customer["profileSources"], json!({"firstName": 2, "companyName": 1}));
    assert_eq!((&customer["primaryContactId"], &customer["contactCount"]), (&json!(1), &json!(3)));
    assert_eq!((&customer["users"], &customer["mappings"]), (&json!([USER]), &json!([])));
    assert_eq!(customer["contacts"][2], app.get("/contacts/3").await.json());
    let [email, phone] = &customer["contactPoints"].as_array().unwrap()[..] else { panic!("{customer}") };
    assert_eq!(
        (&email["value"], &email["sources"]),
        (&json!("doc@hillvalley.edu"), &json!(["order", "auth"]))
    );
    assert_eq!((&email["isVerified"], &email["isPrimary"]), (&json!(true), &json!(true)));
    assert_eq!((&phone["isVerified"], &phone["verifiedAt"]), (&json!(false), &Value::Null));
    assert!(email["firstSeenAt"].is_string() && email["lastSeenAt"].is_string());
    let id = customer["id"].as_str().unwrap();
    assert_eq!(app.get(&format!("/customers/{id}")).await.json(), customer);
}

async fn an_absorbed_customer_answers_as_its_survivor(app: TestApp) {
    app.identify(json!({"email": "doc@hillvalley.edu"})).await;
    app.identify(json!({"phoneNumber": "123456"})).await;
    let younger = app.get("/customers/2").await.json()["id"].as_str().unwrap().to_owned();
    app.identify(json!({"email": "doc@hillvalley.edu", "phoneNumber": "123456"})).await;
    let survivor = app.get("/customers/1").await.json();
    assert_eq!(app.get(&format!("/customers/{younger}")).await.json(), survivor);
    assert_ne!(survivor["id"], younger);
}

async fn customers_are_found_by_any_piece(app: TestApp) {
    let doc = json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order",
        "profile": {"firstName": "Zoë", "lastName": "Brown", "companyName": "Flux & Söhne"}});
    create(&app, doc).await;
    create(&app, json!({"kind": "phone", "value": "+1 202 555 0143", "source": "order"})).await;
    for (query, found) in [
        ("brown", vec![1]),
        ("BRO", vec![1]),
        ("row", vec![1]),
        ("zoe%20brown", vec![1]),
        ("zo%C3%AB", vec![1]),
        ("flux", vec![1]),
        ("sohne", vec![1]),
        ("hillvalley.edu", vec![1]),
        ("oc@hill", vec![1]),
        ("%2B12025550143", vec![2]),
        ("555-0143", vec![2]),
        ("2025", vec![2]),
        ("brown%20555", vec![]),
        ("marty", vec![]),
        ("100%25", vec![]),
        ("%22or%22", vec![]),
    ] {
        let page = app.get(&format!("/customers?query={query}")).await.json();
        let customers = page["customers"].as_array().unwrap();
        let primaries: Vec<_> =
            customers.iter().map(|customer| customer["primaryContactId"].as_i64().unwrap()).collect();
        assert_eq!(primaries, found, "{query}: {page}");
    }
}

async fn a_search_is_read_page_by_page(app: TestApp) {
    for number in 0..5 {
        // Each is found by two contacts, and shown once.
        for _ in 0..2 {
            create(
                &app,
                json!({"kind": "email", "value": format!("m{number}@hillvalley.edu"), "source": "order"}),
            )
            .await;
        }
    }
    let (mut seen, mut path) = (Vec::new(), "/customers?query=hillvalley&limit=2".to_owned());
    while !path.is_empty() {
        let answer = app.get(&path).await;
        let page = answer.json();
        let customers = page["customers"].as_array().unwrap();
        assert!(customers.len() <= 2 && customers.iter().all(|customer| customer["contacts"].is_null()));
        seen.extend(customers.iter().map(|customer| customer["primaryContactId"].as_i64().unwrap()));
        let link = answer.header("link").trim_start_matches('<');
        path = link.split_once('>').map_or(String::new(), |(next, _)| next.to_owned());
    }
    assert_eq!(seen, [1, 3, 5, 7, 9]);
}

async fn a_correction_outranks_and_can_be_taken_back(app: TestApp) {
    let verified = json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "auth", "isVerified": true,
        "profile": {"name": "Doc", "address": {"street": "1646 Riverside", "city": "Hill Valley"}, "notes": "late"}});
    create(&app, verified).await;
    let before = app.get("/customers/1").await.json()["profile"].clone();
    let ruled = correct(
        &app,
        "/customers/1",
        json!({"name": "Emmett Brown", "notes": null, "address": {"city": "Bled"}}),
    )
    .await;
    let address = json!({"street": "1646 Riverside", "city": "Bled"});
    assert_eq!(ruled["profile"], json!({"name": "Emmett Brown", "address": address}));
    assert_eq!(ruled["contacts"][1]["source"], "manual");
    // Later news of another source do not outrank it.
    let news = json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "auth", "isVerified": true,
        "profile": {"name": "D.", "notes": "early"}});
    create(&app, news).await;
    assert_eq!(app.get("/customers/1").await.json()["profile"], ruled["profile"]);
    assert_eq!(send(app.request(Method::DELETE, "/contacts/3")).await.status, 204);
    assert_eq!(send(app.request(Method::DELETE, "/contacts/2")).await.status, 204);
    assert_eq!(app.get("/customers/1").await.json()["profile"], before);
}
