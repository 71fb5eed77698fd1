//! A token that belongs to a user sees and changes that user's data and nothing else.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};
use crate::on_both_databases;

on_both_databases!(
    a_user_sees_their_own_contacts,
    a_user_changes_their_own_contacts,
    a_user_vouches_for_nothing,
    a_users_word_links_nobody_and_the_owner_gets_the_address,
    what_belongs_to_everybody_is_closed,
    a_user_is_named_by_what_other_systems_call_them,
);

/// Two users with a contact each, a guest's contact, and a token of the first user that permits everything.
struct Scene {
    app: TestApp,
    user: String,
    other: String,
    token: String,
    own: i64,
    foreign: i64,
    guest: i64,
}

impl Scene {
    async fn on(app: TestApp) -> Self {
        let (user, other) = (app.user().await, app.user().await);
        let contact = async |value: &str, user: Option<&str>| {
            let body = json!({"kind": "email", "value": value, "source": "auth", "userId": user});
            app.create("/contacts", body).await["id"].as_i64().unwrap()
        };
        let own = contact("ann@example.com", Some(&user)).await;
        let foreign = contact("bob@example.com", Some(&other)).await;
        let guest = contact("guest@example.com", None).await;
        let token = app.token_for(&["*"], Some(&user)).await;
        Self { app, user, other, token, own, foreign, guest }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.app.bare_request(method, path).bearer_auth(&self.token);
        send(match body {
            Some(body) => request.header("Content-Type", "application/json").body(body.to_string()),
            None => request,
        })
        .await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }
}

async fn a_user_sees_their_own_contacts(app: TestApp) {
    let scene = Scene::on(app).await;
    let listed = scene.get("/contacts").await.json();
    let ids: Vec<_> = listed["contacts"].as_array().unwrap().iter().map(|one| one["id"].as_i64()).collect();
    assert_eq!(ids, [Some(scene.own)]);
    assert_eq!(scene.get("/contacts?value=bob@example.com").await.json()["contacts"], json!([]));
    for (path, status) in [
        (format!("/contacts/{}", scene.own), 200),
        (format!("/contacts/{}", scene.foreign), 404),
        (format!("/contacts/{}", scene.guest), 404),
        (format!("/contacts?userId={}", scene.user), 200),
        (format!("/contacts?userId={}", scene.other), 404),
        (format!("/users/{}", scene.user), 200),
        (format!("/users/{}/contacts", scene.user), 200),
        (format!("/users/{}", scene.other), 404),
        (format!("/users/{}/contacts", scene.other), 404),
    ] {
        assert_eq!(scene.get(&path).await.status, status, "{path}");
    }
}

async fn a_user_changes_their_own_contacts(app: TestApp) {
    let scene = Scene::on(app).await;
    let body = json!({"kind": "phone", "value": "+38631123456", "source": "signup_form"});
    let made = scene.call(Method::POST, "/contacts", Some(body.clone())).await;
    assert_eq!((made.status, made.json()["userId"].as_str()), (201, Some(scene.user.as_str())));
    let mut for_other = body.clone();
    for_other["userId"] = json!(scene.other);
    assert_eq!(scene.call(Method::POST, "/contacts", Some(for_other)).await.status, 403);
    let note = json!({"metadata": {"note": "mine"}});
    for (id, status) in [(scene.own, 200), (scene.foreign, 404), (scene.guest, 404)] {
        let path = format!("/contacts/{id}");
        assert_eq!(scene.call(Method::PATCH, &path, Some(note.clone())).await.status, status, "{id}");
    }
    for (id, status) in [(scene.foreign, 404), (scene.guest, 404), (scene.own, 204)] {
        assert_eq!(scene.call(Method::DELETE, &format!("/contacts/{id}"), None).await.status, status, "{id}");
    }
    assert_eq!(scene.app.show("/contacts").await["contacts"].as_array().unwrap().len(), 3);
}

async fn a_user_vouches_for_nothing(app: TestApp) {
    let scene = Scene::on(app).await;
    let verified =
        json!({"kind": "email", "value": "guest@example.com", "source": "auth", "isVerified": true});
    assert_eq!(scene.call(Method::POST, "/contacts", Some(verified)).await.status, 403);
    let path = format!("/contacts/{}", scene.own);
    for change in
        [json!({"isVerified": true}), json!({"value": "guest@example.com"}), json!({"source": "manual"})]
    {
        let answer = scene.call(Method::PATCH, &path, Some(change.clone())).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("user_token")), "{change}");
    }
}

/// Somebody states a stranger's address, and the stranger proves it later.
async fn a_users_word_links_nobody_and_the_owner_gets_the_address(app: TestApp) {
    let scene = Scene::on(app).await;
    let customer_of = async |id: i64| {
        scene.app.show(&format!("/contacts/{id}")).await["customerId"].as_str().unwrap().to_owned()
    };
    let guests = customer_of(scene.guest).await;
    let body = json!({"kind": "email", "value": "guest@example.com", "source": "signup_form",
        "profile": {"name": "Mallory"}});
    let made = scene.call(Method::POST, "/contacts", Some(body)).await;
    assert_eq!((made.status, made.header("onefold-blocked")), (201, "value;rule=unverified"));
    assert_eq!(made.json()["blockedBy"], "unverified");
    assert_ne!(made.json()["customerId"].as_str(), Some(guests.as_str()));
    assert!(!scene.app.show(&format!("/customers/{guests}")).await.to_string().contains("Mallory"));
    let number = json!({"uuid": scene.user, "type": "email", "email": "guest@example.com"});
    let admin = scene.call(Method::POST, "/ia/admin/contacts", Some(number)).await;
    assert!(admin.status < 300, "{admin:?}");
    assert_eq!(customer_of(scene.guest).await, guests);

    // A trusted caller says that it is hers; then the owner turns up.
    let claim =
        json!({"kind": "email", "value": "guest@example.com", "source": "order", "userId": scene.user});
    assert_eq!(scene.app.call(Method::PUT, "/contacts", &claim).await.status, 200);
    let owned = json!({"kind": "email", "value": "guest@example.com", "source": "auth", "userId": scene.other,
        "isVerified": true});
    let owned = scene.app.create("/contacts", owned).await;
    assert_eq!(
        (customer_of(scene.guest).await.as_str(), owned["blockedBy"].as_str()),
        (owned["customerId"].as_str().unwrap(), None)
    );
    let said = scene.get(&format!("/contacts/{}", made.json()["id"])).await.json();
    assert_eq!(said["blockedBy"], "verified_elsewhere");
}

async fn what_belongs_to_everybody_is_closed(app: TestApp) {
    let scene = Scene::on(app).await;
    let customer = scene.app.show(&format!("/contacts/{}", scene.own)).await["customerId"].clone();
    let customer = format!("/customers/{}", customer.as_str().unwrap());
    for (method, path) in [
        (Method::POST, "/identify"),
        (Method::PUT, "/contacts"),
        (Method::GET, "/contacts/export"),
        (Method::GET, "/users/export"),
        (Method::POST, "/contacts/import"),
        (Method::GET, "/customers?query=guest"),
        (Method::GET, customer.as_str()),
        (Method::PATCH, customer.as_str()),
        (Method::POST, "/users"),
        (Method::GET, "/tokens"),
        (Method::POST, "/tokens"),
        (Method::DELETE, "/tokens/1"),
        (Method::GET, "/sync/rules"),
        (Method::PUT, "/sync/rules"),
        (Method::GET, "/sync/conflicts"),
        (Method::POST, "/sync/conflicts/1/resolve"),
        (Method::GET, "/sync/runs"),
        (Method::POST, "/sync/runs"),
        (Method::GET, "/sync/jobs"),
        (Method::DELETE, "/sync/jobs/1"),
        (Method::GET, "/sync/log"),
        (Method::GET, "/metrics"),
    ] {
        let answer = scene.call(method.clone(), path, None).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (403, Some("user_token")),
            "{method} {path}"
        );
    }
}

async fn a_user_is_named_by_what_other_systems_call_them(app: TestApp) {
    let named =
        app.create("/users", json!({"externalId": "user_456"})).await["id"].as_str().unwrap().to_owned();
    let other =
        app.create("/users", json!({"externalId": "user_457"})).await["id"].as_str().unwrap().to_owned();
    let token = app.token_for(&["*"], Some(&named)).await;
    let call = async |method: Method, path: &str, body: Value| {
        let request = app.bare_request(method, path).bearer_auth(&token);
        send(request.header("Content-Type", "application/json").body(body.to_string())).await
    };
    let contact =
        |user: &str| json!({"kind": "phone", "value": "919191", "source": "signup_form", "userId": user});
    let made = call(Method::POST, "/contacts", contact("user_456")).await;
    assert_eq!((made.status, made.json()["userId"].as_str()), (201, Some(named.as_str())));
    // Whether somebody else exists is not told.
    for (stranger, stated, asked) in
        [("user_457", 422, 422), ("user_458", 422, 422), (other.as_str(), 403, 404)]
    {
        assert_eq!(call(Method::POST, "/contacts", contact(stranger)).await.status, stated, "{stranger}");
        let path = format!("/contacts?userId={stranger}");
        assert_eq!(call(Method::GET, &path, Value::Null).await.status, asked, "{stranger}");
        let path = format!("/users?externalId={stranger}");
        assert_eq!(call(Method::GET, &path, Value::Null).await.json()["users"], json!([]), "{stranger}");
    }
    let own = call(Method::GET, "/contacts?userId=user_456", Value::Null).await.json();
    assert_eq!(own["contacts"][0]["userId"], named.as_str());
    for path in ["/users", "/users?externalId=user_456"] {
        let listed = call(Method::GET, path, Value::Null).await.json();
        assert_eq!(
            (listed["users"].as_array().unwrap().len(), &listed["users"][0]["id"]),
            (1, &json!(named))
        );
    }
}
