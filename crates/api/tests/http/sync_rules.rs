//! `/sync/rules`: what they are, how they are changed, and what is refused.

use onefold_integrations::testing::DoubleChange;
use reqwest::Method;
use serde_json::{Value, json};

use crate::bad_input::check;
use crate::sync_scene::{SyncScene, on_both_connected};

on_both_connected!(
    rules_are_read_and_put,
    rules_of_several_systems_are_put_at_once,
    rules_decide,
    faults_name_their_path,
);

fn all(rule: impl Fn(&str) -> &'static str) -> Value {
    let fields =
        ["name", "companyName", "email", "phone", "street", "city", "postalCode", "country", "taxNumber"];
    let rules: serde_json::Map<_, _> =
        fields.iter().map(|field| ((*field).to_owned(), json!(rule(field)))).collect();
    rules.into()
}

fn shipped_for_one() -> Value {
    all(|field| match field {
        "email" | "phone" => "union",
        "taxNumber" | "companyName" => "remote",
        _ => "ask",
    })
}

/// OpenPhone has a place for these fields only.
fn shipped_for_openphone() -> Value {
    json!({"name": "ask", "companyName": "remote", "email": "union", "phone": "union"})
}

fn shipped() -> Value {
    json!({"metakocka": shipped_for_one(), "openphone": shipped_for_openphone()})
}

async fn rules_are_read_and_put(scene: SyncScene) {
    let app = &scene.app;
    assert_eq!(app.show("/sync/rules").await, shipped());
    let put = app.call(Method::PUT, "/sync/rules", &json!({})).await;
    assert_eq!((put.status, put.json()), (200, shipped()), "a system that is left out keeps its rules");
    let rules = json!({"metakocka": {"city": "newest", "email": "local"}});
    let put = app.call(Method::PUT, "/sync/rules", &rules).await;
    let changed = all(|field| match field {
        "city" => "newest",
        "email" => "local",
        _ => "ask",
    });
    let expected = json!({"metakocka": changed, "openphone": shipped_for_openphone()});
    assert_eq!((put.status, put.json()), (200, expected.clone()));
    assert_eq!(app.show("/sync/rules").await, expected);
    let put = app.call(Method::PUT, "/sync/rules", &expected).await;
    assert_eq!(put.json(), expected, "what was read can be put");
    let audit = app.show("/audit?action=sync_rules.changed").await;
    assert!(!audit["entries"].as_array().unwrap().is_empty());
    assert_eq!(audit["entries"][0]["actor"]["kind"], "token");
}

async fn rules_of_several_systems_are_put_at_once(scene: SyncScene) {
    let (city, name) = (json!({"city": "local"}), json!({"name": "remote"}));
    let put = async |rules: Value| scene.app.call(Method::PUT, "/sync/rules", &rules).await;
    let answer = put(json!({"metakocka": city, "openphone": name})).await;
    let rules = answer.json();
    assert_eq!((answer.status, &rules["metakocka"]["city"]), (200, &json!("local")), "{answer:?}");
    assert_eq!(rules["openphone"]["name"], "remote");
    assert_eq!((&rules["metakocka"]["name"], &rules["openphone"]["email"]), (&json!("ask"), &json!("ask")));
    // A fault of one keeps the rules of the other as they are, whichever comes first.
    for (body, path) in [
        (json!({"metakocka": {}, "openphone": {"name": "first"}}), "openphone.name"),
        (json!({"metakocka": {"city": "first"}, "openphone": {}}), "metakocka.city"),
    ] {
        let problem = check(&put(body).await, 422, "invalid_request");
        assert_eq!(problem["errors"].as_object().unwrap().keys().collect::<Vec<_>>(), [path]);
    }
    assert_eq!(scene.app.show("/sync/rules").await, rules);
}

async fn rules_decide(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let record = scene.synced(&ann).await;
    scene.app.call(Method::PUT, "/sync/rules", &json!({"metakocka": {"city": "local"}})).await;
    scene.moves_to(&ann, "Bled").await;
    let change = DoubleChange { city: Some("Kranj".to_owned()), ..DoubleChange::default() };
    scene.double.change(&record, &change).unwrap();
    scene.synced(&ann).await;
    assert_eq!(scene.double.partner(&record).unwrap().addresses[0].city, "Bled");
}

async fn faults_name_their_path(scene: SyncScene) {
    for (body, path, word) in [
        (json!({"hubspot": {}}), "hubspot", "metakocka, openphone"),
        (json!({"metakocka": null}), "metakocka", "object"),
        (json!({"metakocka": []}), "metakocka", "object"),
        (json!({"metakocka": {"mail": "ask"}}), "metakocka.mail", "email"),
        (json!({"metakocka": {"email": "first"}}), "metakocka.email", "union"),
        (json!({"metakocka": {"email": null}}), "metakocka.email", "union"),
        (json!({"metakocka": {"email": 1}}), "metakocka.email", "union"),
        (json!({"metakocka": {"city": "union", "name": "local"}}), "metakocka.city", "one city"),
    ] {
        let problem = check(&scene.app.call(Method::PUT, "/sync/rules", &body).await, 422, "invalid_request");
        let errors = problem["errors"].as_object().unwrap();
        assert_eq!(errors.keys().collect::<Vec<_>>(), [path], "{body}: {problem}");
        assert!(errors[path][0].as_str().unwrap().contains(word), "{body}: {problem}");
    }
    let several = json!({"metakocka": {"mail": "ask", "city": "first"}});
    let problem = check(&scene.app.call(Method::PUT, "/sync/rules", &several).await, 422, "invalid_request");
    assert_eq!(problem["errors"].as_object().unwrap().len(), 2);
    check(&scene.app.call(Method::PUT, "/sync/rules", &json!([])).await, 400, "not_an_object");
    assert_eq!(scene.app.show("/sync/rules").await, shipped(), "nothing of it is stored");
}
