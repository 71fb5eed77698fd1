//! The application under test, with counted ids and a clock that moves on by a second each time it is asked.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use metrics_exporter_prometheus::PrometheusBuilder;
use onefold_api::{App, Config, PoolGauge, serve};
use onefold_domain::id::UserId;
use onefold_domain::phone::Region;
use onefold_domain::policy::LinkPolicy;
use onefold_domain::survivorship::SurvivorshipRules;
use onefold_integrations::tls::client_builder;
use onefold_persistence::testing::TestDatabase;
use onefold_service::clock::{Clock, SystemRandomness};
use onefold_service::environment::Environment;
use onefold_service::imports::Imports;
use onefold_service::testing::{SeededRandomness, SteppingClock};
use onefold_service::token::{Ability, NewToken, TokenExpiry, TokenName};
use onefold_service::tokens::Tokens;
use onefold_sync::environment::SyncEnvironment;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// A server of one test. It stops with the test's runtime.
pub(crate) struct TestApp {
    pub(crate) database: TestDatabase,
    pub(crate) address: String,
    /// With everything permitted; sent with each request that does not say otherwise.
    token: String,
    client: Client,
    imports: Imports,
    tokens: Tokens,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl TestApp {
    pub(crate) async fn sqlite() -> Self {
        Self::start(TestDatabase::sqlite(), None).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::start(TestDatabase::postgres().await, None).await
    }

    pub(crate) async fn start(database: TestDatabase, default_region: Option<Region>) -> Self {
        Self::start_with(database, default_region, |app| app).await
    }

    /// With what a test adds to the application.
    pub(crate) async fn start_with(
        database: TestDatabase,
        default_region: Option<Region>,
        configure: impl FnOnce(App) -> App,
    ) -> Self {
        let clock = Arc::new(SteppingClock::new(TimeDelta::seconds(1)));
        Self::serve(database, default_region, clock, configure, Config::default()).await
    }

    /// With another clock and the server's own configuration.
    pub(crate) async fn serve(
        database: TestDatabase,
        default_region: Option<Region>,
        clock: Arc<dyn Clock>,
        configure: impl FnOnce(App) -> App,
        config: Config,
    ) -> Self {
        // Servers may share a database, so their ids must differ.
        static SERVERS: AtomicU64 = AtomicU64::new(1);
        let store = database.store().await;
        let env = SyncEnvironment::new(
            Arc::new(store.clone()),
            Arc::new(LinkPolicy::shipped()),
            clock,
            Arc::new(SeededRandomness::new(SERVERS.fetch_add(1, Ordering::Relaxed))),
        );
        let pool: PoolGauge = Arc::new(move || {
            let status = store.pool_status();
            (status.open, status.idle)
        });
        // Not installed for the process: tests run side by side.
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let tokens = Tokens::new(
            // Of its own, so that the clock of the test starts with the test.
            Environment::new(
                Arc::clone(&env.base.store),
                Arc::clone(&env.base.policy),
                Arc::new(SteppingClock::fixed()),
                Arc::new(SystemRandomness),
            ),
        );
        let app = configure(App::new(env, SurvivorshipRules::shipped(), default_region, metrics, pool));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let imports = app.imports.clone();
        let server = serve(app, listener, &Config { workers: 2, ..config }).unwrap();
        tokio::spawn(server);
        let client = client_builder().unwrap().build().unwrap();
        let mut app = Self { database, address, token: String::new(), client, imports, tokens };
        app.token = app.token_for(&["*"], None).await;
        app
    }

    /// A token of its own, as its holder sends it.
    pub(crate) async fn token_for(&self, abilities: &[&str], user: Option<&str>) -> String {
        self.new_token(abilities, user, None).await
    }

    /// One that was good until the clock of the test had been looked at once.
    pub(crate) async fn expired_token(&self) -> String {
        let end = SteppingClock::fixed().now() + TimeDelta::microseconds(1);
        self.new_token(&["*"], None, Some(end)).await
    }

    /// One that ends.
    pub(crate) async fn token_until(&self, abilities: &[&str], end: DateTime<Utc>) -> String {
        self.new_token(abilities, None, Some(end)).await
    }

    async fn new_token(
        &self,
        abilities: &[&str],
        user: Option<&str>,
        expires_at: Option<DateTime<Utc>>,
    ) -> String {
        let new = NewToken {
            name: TokenName::parse("test").unwrap(),
            abilities: abilities.iter().map(|name| Ability::parse(name).unwrap()).collect(),
            user: user.map(|id| UserId(id.parse().unwrap())),
            expires_at: expires_at.map(|end| TokenExpiry::at(end, &SteppingClock::fixed()).unwrap()),
        };
        self.tokens.create(&new).await.unwrap().1.expose().to_owned()
    }

    /// With the token that permits everything.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare_request(method, path).bearer_auth(&self.token)
    }

    /// Without a token.
    pub(crate) fn bare_request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address))
    }

    /// To another server, which is told no token.
    pub(crate) fn request_elsewhere(&self, method: Method, address: &str) -> RequestBuilder {
        self.client.request(method, address)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// Posts a text as JSON, whatever it is.
    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        send(self.request(Method::POST, path).header("Content-Type", "application/json").body(body)).await
    }

    pub(crate) async fn identify(&self, body: Value) -> Value {
        let answer = self.post("/identify", body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Sends JSON by any method.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path).header("Content-Type", "application/json");
        send(request.body(body.to_string())).await
    }

    /// Posts what is to be created, and hands back what was.
    pub(crate) async fn create(&self, path: &str, body: Value) -> Value {
        let answer = self.call(Method::POST, path, &body).await;
        assert_eq!(answer.status, 201, "{body}: {answer:?}");
        answer.json()
    }

    pub(crate) async fn show(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// A new user's id.
    pub(crate) async fn user(&self) -> String {
        let user = self.create("/users", serde_json::json!({})).await;
        user["id"].as_str().unwrap().to_owned()
    }

    /// Imports a file, works until nothing waits, and shows what became of it.
    pub(crate) async fn import(
        &self,
        media_type: &str,
        query: &str,
        file: impl Into<reqwest::Body>,
    ) -> Value {
        let request = self.request(Method::POST, &format!("/contacts/import?{query}"));
        let answer = send(request.header("Content-Type", media_type).body(file)).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        while self.imports.next().await.unwrap() {}
        self.show(answer.header("location")).await
    }

    pub(crate) async fn contacts(&self) -> i64 {
        self.database.count("SELECT COUNT(*) FROM contact").await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.text().await.unwrap() }
}
