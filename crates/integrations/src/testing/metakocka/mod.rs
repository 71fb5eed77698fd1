//! A MetaKocka of our own: it keeps partners and answers as the real one is known to.
//!
//! `register` keeps the partners, `calls` carries requests out on them and `record` remembers them, `server`
//! speaks HTTP and makes the `trouble` that was ordered. The other side of a test is played with the methods
//! of [`MetaKockaDouble`], that of a demonstration with `control`; both use `change` and `people`.

mod calls;
mod change;
mod control;
mod people;
mod record;
mod register;
mod server;
mod trouble;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use change::DoubleChange;
pub use record::{CallCounts, DoubleCall, RecordedCall};
pub use register::{DoubleAddress, DoubleContact, DoublePartner};
pub use trouble::Trouble;

use super::orders::{Lasting, Orders};
use record::Record;
use register::Register;

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
    orders: Orders<DoubleCall, Trouble>,
    record: Record,
    /// How many partners were invented.
    filled: usize,
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

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
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
        self.trouble(Some(call), Lasting::Times(1), trouble);
    }

    /// Calls of this kind, or all with `None`, get into trouble so often. What is counted comes before what
    /// lasts until [`Self::end_trouble`].
    pub fn trouble(&self, call: Option<DoubleCall>, lasting: Lasting, trouble: Trouble) {
        self.shared.lock().orders.add(call, lasting, trouble);
    }

    /// Forgets all trouble that was ordered. What waits for an answer goes on waiting.
    pub fn end_trouble(&self) {
        self.shared.lock().orders.clear();
    }

    /// Creates a partner as a person in the web application would. Ids that are empty are given.
    pub fn insert(&self, partner: DoublePartner) -> DoublePartner {
        self.shared.lock().register.insert(partner)
    }

    /// Creates so many invented partners, the same every time, and gives their ids. What is there stays.
    pub fn fill(&self, count: usize) -> Vec<String> {
        self.shared.lock().fill(count)
    }

    /// Changes values of a partner as a person would, and gives what became of it; `None` without the partner.
    pub fn change(&self, id: &str, change: &DoubleChange) -> Option<DoublePartner> {
        self.shared.lock().change(id, change)
    }

    /// Changes anything of a partner but its id.
    pub fn edit(&self, id: &str, change: impl FnOnce(&mut DoublePartner)) {
        let mut state = self.shared.lock();
        let partner = state.register.get_mut(id).expect("a partner to edit");
        change(partner);
        assert_eq!(partner.mk_id, id, "the id of a partner is for ever");
    }

    /// Removes a partner, which no call can do. Tells whether it was there.
    pub fn remove(&self, id: &str) -> bool {
        self.shared.lock().register.remove(id).is_some()
    }

    pub fn partner(&self, id: &str) -> Option<DoublePartner> {
        self.shared.lock().register.get(id).cloned()
    }

    /// All partners, oldest first.
    pub fn partners(&self) -> Vec<DoublePartner> {
        self.shared.lock().register.all().cloned().collect()
    }

    /// How many partners there are.
    pub fn partner_count(&self) -> usize {
        self.shared.lock().register.len()
    }

    /// The requests that arrived, in order.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.shared.lock().record.calls().cloned().collect()
    }

    /// The requests that write, in order.
    pub fn write_calls(&self) -> Vec<RecordedCall> {
        self.calls().into_iter().filter(|recorded| recorded.call.writes()).collect()
    }

    /// What the requests said, without the credentials.
    pub fn bodies(&self) -> Vec<Value> {
        self.calls().into_iter().map(|call| call.body).collect()
    }

    /// How many requests of a kind arrived.
    pub fn count(&self, call: DoubleCall) -> usize {
        self.counts().of(call)
    }

    /// How many requests of each kind arrived.
    pub fn counts(&self) -> CallCounts {
        self.shared.lock().record.counts()
    }

    /// Forgets which requests arrived, so that counting begins anew.
    pub fn forget_calls(&self) {
        self.shared.lock().record = Record::default();
    }

    /// Requests that write: what must be zero when nothing has changed.
    pub fn writes(&self) -> usize {
        self.counts().writes()
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

impl State {
    /// Goes on where an earlier one ended, so that nobody is made twice.
    fn fill(&mut self, count: usize) -> Vec<String> {
        let numbers = self.filled..self.filled + count;
        self.filled = numbers.end;
        numbers.map(|number| self.register.insert(people::partner(number)).mk_id).collect()
    }

    fn change(&mut self, id: &str, change: &DoubleChange) -> Option<DoublePartner> {
        let mut partner = self.register.get(id)?.clone();
        change.make(&mut partner, &mut self.register);
        self.register.get_mut(id)?.clone_from(&partner);
        Some(partner)
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
