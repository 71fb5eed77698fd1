//! A MetaKocka of our own: it keeps partners and answers as the real one is known to.
//!
//! `register` keeps the partners, `calls` carries requests out on them, `server` speaks HTTP and makes the
//! trouble that was ordered.

mod calls;
mod register;
mod server;

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use register::{DoubleAddress, DoubleContact, DoublePartner};

use register::Register;

/// A call of the contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DoubleCall {
    GetPartner,
    AddPartner,
    UpdatePartner,
}

/// A request that arrived, as far as tests ask for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordedCall {
    pub call: DoubleCall,
    /// The selector of a `get_partner` and its value; for the others `partner`.
    pub selector: String,
    pub value: String,
    /// All of it but the credentials.
    pub body: Value,
}

/// What goes wrong with a call, once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// A page for people with this status; nothing is done. With 200 it is what proxies send.
    Page(u16),
    /// Code 1; nothing is done.
    InternalError,
    /// Code 5 with its misspelt text.
    OverQuota,
    /// A bare status, with `Retry-After` in seconds.
    Status { status: u16, retry_after: Option<u32> },
    /// The work is done and the connection dropped before the answer.
    LoseAnswer,
    /// The connection is dropped before the work.
    Drop,
    /// The work is done and no answer ever comes.
    Silence,
    /// The work is done, and the answer stops in the middle.
    CutOff,
    /// The work is done, and the answer has no ids.
    ForgetIds,
    /// Off to another address, body and all (307).
    Redirect(String),
    /// A refusal with this code and text.
    Refuse { code: String, said: String },
    /// This answer and nothing done.
    Say(Value),
    /// An answer of 6 MiB.
    Flood,
}

/// In what MetaKocka is known to vary, or nobody knows which it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Habits {
    /// Whether success says `opr_code: "0"`; the documented answers do not.
    pub tells_success: bool,
    /// Whether a list of one comes as its only element.
    pub unwraps_lists: bool,
    /// Whether an empty name gives the whole register; otherwise it is refused.
    pub gives_everything: bool,
    /// Whether countries are shown as "Združeno kraljestvo (UK)" and "Slovenija, Republika".
    pub decorates_countries: bool,
    /// How long every answer takes.
    pub latency: Duration,
    /// After so many calls everything is over quota.
    pub quota: Option<u64>,
}

impl Default for Habits {
    /// What is documented: no code on success, real lists; and a register that gives itself.
    fn default() -> Self {
        Self {
            tells_success: false,
            unwraps_lists: false,
            gives_everything: true,
            decorates_countries: false,
            latency: Duration::ZERO,
            quota: None,
        }
    }
}

/// A running double. It stops when it is dropped.
#[derive(Debug)]
pub struct MetaKockaDouble {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// How many requests wait for their answer.
    in_flight: watch::Sender<usize>,
    /// While true, requests arrive and wait.
    held: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    register: Register,
    habits: Habits,
    troubles: VecDeque<(DoubleCall, Trouble)>,
    calls: Vec<RecordedCall>,
    most_at_once: usize,
    answered: u64,
}

impl MetaKockaDouble {
    /// The only credentials that it knows.
    pub const SECRET_KEY: &str = "double-secret";
    pub const COMPANY_ID: &str = "4711";

    /// Starts one on a free port of this machine.
    pub async fn start() -> Self {
        Self::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts one at an address, for demonstrations.
    pub async fn listen(address: SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            in_flight: watch::Sender::new(0),
            held: watch::Sender::new(false),
        });
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Self { address, shared, server }
    }

    /// What a connector is given as its base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/rest/eshop/v1/", self.address)
    }

    /// Changes how it answers from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Habits)) {
        change(&mut self.shared.lock().habits);
    }

    /// The next call of this kind gets into trouble; several orders are worked off one by one.
    pub fn next(&self, call: DoubleCall, trouble: Trouble) {
        self.shared.lock().troubles.push_back((call, trouble));
    }

    /// Creates a partner as a person in the web application would. Ids that are empty are given.
    pub fn insert(&self, partner: DoublePartner) -> DoublePartner {
        self.shared.lock().register.insert(partner)
    }

    /// Changes a partner as a person would.
    pub fn edit(&self, id: &str, change: impl FnOnce(&mut DoublePartner)) {
        change(self.shared.lock().register.get_mut(id).expect("a partner to edit"));
    }

    /// Removes a partner, which no call can do.
    pub fn remove(&self, id: &str) {
        self.shared.lock().register.remove(id);
    }

    pub fn partner(&self, id: &str) -> Option<DoublePartner> {
        self.shared.lock().register.get(id).cloned()
    }

    /// All partners, oldest first.
    pub fn partners(&self) -> Vec<DoublePartner> {
        self.shared.lock().register.all().to_vec()
    }

    /// The requests that arrived, in order.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.shared.lock().calls.clone()
    }

    /// What the requests said, without the credentials.
    pub fn bodies(&self) -> Vec<Value> {
        self.calls().into_iter().map(|call| call.body).collect()
    }

    /// How many requests of a kind arrived.
    pub fn count(&self, call: DoubleCall) -> usize {
        self.shared.lock().calls.iter().filter(|recorded| recorded.call == call).count()
    }

    /// Requests that write: what must be zero when nothing has changed.
    pub fn writes(&self) -> usize {
        self.count(DoubleCall::AddPartner) + self.count(DoubleCall::UpdatePartner)
    }

    /// The most requests that were here at the same time.
    pub fn most_at_once(&self) -> usize {
        self.shared.lock().most_at_once
    }

    /// Lets requests arrive and wait, until [`Self::release`].
    pub fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    pub fn release(&self) {
        self.shared.held.send_replace(false);
    }

    /// Returns when so many requests are here.
    pub async fn until_in_flight(&self, count: usize) {
        let mut in_flight = self.shared.in_flight.subscribe();
        in_flight.wait_for(|now| *now >= count).await.expect("a running double");
    }

    /// Ids that two rows of the register have; a correct register has none.
    pub fn doubled_ids(&self) -> BTreeSet<String> {
        self.shared.lock().register.doubled_ids()
    }
}

impl Drop for MetaKockaDouble {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
