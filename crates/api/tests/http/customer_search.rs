//! `GET /customers?query=`: finding people by what one remembers of them.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::bad_input::check;
use crate::on_both_databases;

on_both_databases!(
    people_are_found_by_what_is_known_of_them,
    letters_with_a_meaning_for_databases_are_letters,
    pages_show_each_customer_once,
    without_a_search_all_are_listed,
    a_search_that_cannot_be_made_is_refused,
);

/// The oldest contacts of the customers that were found.
async fn found(app: &TestApp, query: &str) -> Vec<i64> {
    let list = app.show(&format!("/customers?query={query}")).await;
    assert_eq!(list["nextCursor"], Value::Null);
    let customers = list["customers"].as_array().unwrap();
    customers.iter().map(|customer| customer["primaryContactId"].as_i64().unwrap()).collect()
}

async fn person(app: &TestApp, value: &str, profile: Value) {
    let kind = if value.contains('@') { "email" } else { "phone" };
    let body = json!({"kind": kind, "value": value, "source": "order", "profile": profile});
    app.create("/contacts", body).await;
}

async fn people_are_found_by_what_is_known_of_them(app: TestApp) {
    person(&app, "marty@hillvalley.edu", json!({"firstName": "Marty", "lastName": "McFly"})).await;
    person(&app, "+1 202 555 0143", json!({"name": "Dr. Emmett Brown"})).await;
    person(&app, "renée@société.example", json!({"firstName": "Renée", "companyName": "Société Öl"})).await;
    person(&app, "+386 30 199 513", json!({"role": "Bully", "notes": "Biff"})).await;
    for (query, expected) in [
        ("marty", &[1][..]),
        ("MARTY%20mcfly", &[1]),
        ("mcf", &[1]),
        ("arty", &[1]),
        ("hillvalley.edu", &[1]),
        ("brown%20dr", &[2]),
        ("bro%20d", &[2]),
        ("marty%20brown", &[]),
        ("2025550143", &[2]),
        ("%2B1%20(202)%20555-0143", &[2]),
        ("5550", &[2]),
        ("199513", &[4]),
        ("renee", &[3]),
        ("RENÉE", &[3]),
        ("societe%20ol", &[3]),
        ("biff", &[]),
        ("nobody", &[]),
    ] {
        assert_eq!(found(&app, query).await, expected, "{query}");
    }
    let list = app.show("/customers?query=marty").await;
    let mut whole = app.show("/customers/1").await;
    for left_out in ["contacts", "mappings"] {
        whole.as_object_mut().unwrap().remove(left_out);
    }
    assert_eq!(list["customers"][0], whole, "as it is shown, without what each would have to be asked for");
}

async fn letters_with_a_meaning_for_databases_are_letters(app: TestApp) {
    person(&app, "a_b@hillvalley.edu", json!({"companyName": "100% \"Clocks\" (O'Hara) \\ Co"})).await;
    person(&app, "axb@hillvalley.edu", json!({"companyName": "100 Clocks OHara"})).await;
    for (query, expected) in [
        ("a_b%40", &[1][..]),
        ("100%25", &[1]),
        ("%22clocks%22", &[1]),
        ("o'hara", &[1]),
        ("%5C%20clocks", &[1]),
        ("%25%25%25", &[]),
        ("___", &[]),
        ("***", &[]),
        ("hill*", &[]),
        ("100%20OR%20clocks", &[]),
        ("hara)", &[1]),
    ] {
        assert_eq!(found(&app, query).await, expected, "{query}");
    }
}

async fn pages_show_each_customer_once(app: TestApp) {
    // Each has two contacts that match, and they are far apart.
    for _ in 0..2 {
        for number in 0..5 {
            person(&app, &format!("91919{number}"), json!({"lastName": "Tannen"})).await;
        }
    }
    let mut seen = Vec::new();
    let mut path = "/customers?limit=2&query=tannen".to_owned();
    loop {
        let page = app.get(&path).await;
        let list = page.json();
        let customers = list["customers"].as_array().unwrap();
        assert!(customers.len() <= 2);
        seen.extend(customers.iter().map(|customer| customer["primaryContactId"].as_i64().unwrap()));
        let Some(cursor) = list["nextCursor"].as_str() else { break };
        path = format!("/customers?limit=2&query=tannen&cursor={cursor}");
        assert_eq!(page.header("link"), format!("<{path}>; rel=\"next\""));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
}

async fn without_a_search_all_are_listed(app: TestApp) {
    for number in 0..5 {
        person(&app, &format!("91919{number}"), json!({"lastName": "Tannen"})).await;
    }
    // The third belongs to the first, and shows nowhere by itself.
    app.identify(json!({"email": "biff@hillvalley.edu", "phoneNumber": "919190"})).await;
    app.identify(json!({"email": "biff@hillvalley.edu", "phoneNumber": "919192"})).await;
    let mut seen = Vec::new();
    let mut path = "/customers?limit=2".to_owned();
    loop {
        let page = app.get(&path).await;
        let list = page.json();
        let customers = list["customers"].as_array().unwrap();
        assert!(customers.len() <= 2 && customers.iter().all(|customer| customer.get("contacts").is_none()));
        seen.extend(customers.iter().map(|customer| customer["primaryContactId"].as_i64().unwrap()));
        let Some(cursor) = list["nextCursor"].as_str() else { break };
        path = format!("/customers?limit=2&cursor={cursor}");
        assert_eq!(page.header("link"), format!("<{path}>; rel=\"next\""));
    }
    assert_eq!(seen, [1, 2, 4, 5]);
    assert_eq!(app.show("/customers?query=").await["customers"].as_array().map(Vec::len), Some(4));
}

async fn a_search_that_cannot_be_made_is_refused(app: TestApp) {
    for (query, field, word) in [
        ("query=ab%20cd", "query", "at least 3"),
        (&format!("query={}", "x".repeat(201)), "query", "200"),
        ("query=mar%00ty", "query", "control"),
        ("query=%00%00%00", "query", "control"),
        ("query=marty&limit=101", "limit", "from 1 to 100"),
        ("query=marty&limit=0", "limit", "from 1 to 100"),
        ("query=marty&cursor=x", "cursor", "nextCursor"),
        ("query=marty&query=doc", "query", "twice"),
        ("query=marty&name=doc", "name", "known are query, limit, cursor"),
    ] {
        let problem = check(&app.get(&format!("/customers?{query}")).await, 422, "invalid_request");
        assert_eq!(problem["errors"].as_object().unwrap().len(), 1, "{query}: {problem}");
        assert!(problem["errors"][field][0].as_str().unwrap().contains(word), "{query}: {problem}");
    }
}
