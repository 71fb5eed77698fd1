//! The application under test, with a fixed clock and counted ids.

use std::net::TcpListener;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusBuilder;
use onefold_api::{App, Config, PoolGauge, serve};
use onefold_domain::{Environment, LinkPolicy, Region, SurvivorshipRules};
use onefold_persistence::testing::{SeededRandomness, SteppingClock, TestDatabase};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// A server of one test. It stops with the test's runtime.
pub(crate) struct TestApp {
    pub(crate) database: TestDatabase,
    pub(crate) address: String,
    client: Client,
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
        let store = database.store().await;
        let env = Environment::new(
            Arc::new(store.clone()),
            Arc::new(LinkPolicy::shipped()),
            Arc::new(SteppingClock::fixed()),
            Arc::new(SeededRandomness::new(1)),
        );
        let pool: PoolGauge = Arc::new(move || {
            let status = store.pool_status();
            (status.open, status.idle)
        });
        // Not installed for the process: tests run side by side.
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let app = configure(App::new(env, SurvivorshipRules::shipped(), default_region, metrics, pool));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = serve(app, listener, &Config { workers: 2, ..Config::default() }).unwrap();
        tokio::spawn(server);
        Self { database, address, client: Client::new() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address))
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
