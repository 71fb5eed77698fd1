//! Clients: each sends its requests one after the other, all of them at the same time.

use std::collections::VecDeque;
use std::time::Duration;

use futures::future::join_all;
use onefold_integrations::tls::client_builder;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use tokio::time::{interval, timeout};

use crate::history::{Attempt, End, History, View};
use crate::request::Request;
use crate::server::Server;

/// More than either database can work on at once, so that requests meet.
const CLIENTS: usize = 24;

/// Nothing here takes so long, unless something waits for ever.
const PATIENCE: Duration = Duration::from_secs(90);

/// Who is asked, and which failures are part of the test.
#[derive(Clone)]
pub(crate) struct Clients<'a> {
    http: Client,
    history: &'a History,
    targets: Vec<Target>,
    bears_503: bool,
}

#[derive(Clone)]
struct Target {
    address: String,
    may_die: bool,
}

enum Reply {
    Answer(View),
    Unavailable,
    Broken,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    contact: View,
}

impl<'a> Clients<'a> {
    pub(crate) fn new(history: &'a History) -> Self {
        // Shorter than the server keeps an idle connection, or both could act on it at once.
        let http = client_builder().unwrap().pool_idle_timeout(Duration::from_secs(2)).build().unwrap();
        Self { http, history, targets: Vec::new(), bears_503: false }
    }

    /// Asks this server too. Clients take turns among servers with every request.
    pub(crate) fn of(mut self, server: &Server) -> Self {
        self.targets.push(Target { address: server.address().to_owned(), may_die: false });
        self
    }

    /// Asks a server that will be killed. Clients then send what it left open to the others.
    pub(crate) fn of_mortal(mut self, server: &Server) -> Self {
        self.targets.push(Target { address: server.address().to_owned(), may_die: true });
        self
    }

    /// The database will be away: 503 is an answer, and a reason to ask again.
    pub(crate) fn bearing_503(self) -> Self {
        Self { bears_503: true, ..self }
    }

    /// Sends everything; returns what found no living server.
    pub(crate) async fn send(&self, requests: &[Request]) -> Vec<Request> {
        let clients = (0..CLIENTS).map(|client| {
            let queue = requests.iter().skip(client).step_by(CLIENTS).cloned().collect();
            self.client(client, queue)
        });
        let left = timeout(PATIENCE, join_all(clients)).await.expect("a burst should end");
        left.into_iter().flatten().collect()
    }

    /// Polls until readiness has this status.
    pub(crate) async fn await_readiness(&self, status: StatusCode) {
        let url = format!("{}/health/ready", self.targets[0].address);
        let poll = async {
            let mut pace = interval(Duration::from_millis(20));
            while self.http.get(&url).send().await.unwrap().status() != status {
                pace.tick().await;
            }
        };
        timeout(PATIENCE, poll).await.unwrap_or_else(|_| panic!("readiness never was {status}"));
    }

    async fn client(&self, client: usize, mut queue: VecDeque<Request>) -> VecDeque<Request> {
        let mut targets = self.targets.clone();
        let mut turn = client;
        while let (Some(request), false) = (queue.front(), targets.is_empty()) {
            turn += 1;
            let target = turn % targets.len();
            let sent = self.history.tick();
            let reply = self.post(&targets[target], request, turn).await;
            let end = match &reply {
                Reply::Answer(view) => End::Answered { received: self.history.tick(), view: view.clone() },
                Reply::Unavailable | Reply::Broken => End::Lost,
            };
            self.history.record(Attempt { client, request: request.clone(), sent, end });
            match reply {
                Reply::Answer(_) => drop(queue.pop_front()),
                Reply::Unavailable => {}
                Reply::Broken => drop(targets.remove(target)),
            }
        }
        queue
    }

    /// Anything but what the test expects fails it, and shows itself.
    async fn post(&self, target: &Target, request: &Request, spelling: usize) -> Reply {
        let url = format!("{}/identify", target.address);
        let exchange = async {
            let response = self.http.post(url).json(&request.body(spelling)).send().await?;
            Ok::<_, reqwest::Error>((response.status(), response.text().await?))
        };
        match exchange.await {
            Ok((StatusCode::OK, body)) => match serde_json::from_str::<Body>(&body) {
                Ok(body) => Reply::Answer(body.contact),
                Err(error) => panic!("{request} was answered with {body}: {error}"),
            },
            Ok((StatusCode::SERVICE_UNAVAILABLE, _)) if self.bears_503 => Reply::Unavailable,
            Ok((status, body)) => panic!("{request} was answered with {status}: {body}"),
            Err(_) if target.may_die => Reply::Broken,
            Err(error) => panic!("{request} was not answered: {error:?}"),
        }
    }
}
