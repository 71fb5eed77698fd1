//! An OpenPhone of our own: it keeps contacts and answers as the contract says, and where the contract leaves
//! something open in the way that is worst for a caller.
//!
//! `contract` and `rules` check requests, and answers before they are sent; `book` keeps the contacts, `calls` carries out what is
//! asked and `record` remembers it, `server` speaks HTTP and makes the `trouble` that was ordered, `events` calls back. The people in the
//! application are played with the methods of [`OpenPhoneDouble`].

mod book;
mod calls;
mod contract;
mod events;
mod record;
mod rules;
mod server;
mod trouble;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use book::CustomFieldDefinition;
pub use events::{Delivery, EventKind, EventSignature, Subscription};
pub use record::{OpenPhoneCall, RecordedCall};
pub use trouble::Trouble;

use super::orders::{Lasting, Orders};
use book::Book;
use events::Events;

/// In what OpenPhone varies, or nobody knows which it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Habits {
    /// More requests within a second are refused; the real one has 10.
    pub per_second: Option<usize>,
    /// Whether the last page has a token, as it once had.
    pub last_page_has_token: bool,
}

/// A running double. It stops when it is dropped, and panics then if it broke the contract.
#[derive(Debug)]
pub struct OpenPhoneDouble {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    book: Book,
    habits: Habits,
    orders: Orders<OpenPhoneCall, Trouble>,
    calls: Vec<RecordedCall>,
    /// When they arrived.
    arrivals: Vec<Instant>,
    /// When requests of the last second arrived.
    recent: VecDeque<Instant>,
    events: Events,
    /// The first answer of the double itself that the contract does not have.
    breach: Option<String>,
}

impl OpenPhoneDouble {
    /// The only key that it knows.
    pub const API_KEY: &str = "double-key";

    /// Starts one on a free port of this machine.
    pub async fn start() -> Self {
        Self::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts one at an address, for demonstrations.
    pub async fn listen(address: SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Self { address, shared, server }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a connector is given as its base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Changes how it answers from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Habits)) {
        change(&mut self.shared.lock().habits);
    }

    /// The next call of this kind gets into trouble; several orders are worked off one by one.
    pub fn next(&self, call: OpenPhoneCall, trouble: Trouble) {
        self.trouble(Some(call), Lasting::Times(1), trouble);
    }

    /// Calls of this kind, or all with `None`, get into trouble so often.
    pub fn trouble(&self, call: Option<OpenPhoneCall>, lasting: Lasting, trouble: Trouble) {
        self.shared.lock().orders.add(call, lasting, trouble);
    }

    /// Forgets all trouble that was ordered. What waits for an answer goes on waiting.
    pub fn end_trouble(&self) {
        self.shared.lock().orders.clear();
    }

    /// Defines a custom field, which no call can do.
    pub fn define(&self, key: &str, kind: &str) {
        let (key, kind) = (key.to_owned(), kind.to_owned());
        self.shared.lock().book.fields.push(CustomFieldDefinition { name: key.clone(), key, kind });
    }

    /// Creates a contact as a person in the application would, from as many members as are given.
    pub fn insert(&self, contact: Value) -> Value {
        let mut state = self.shared.lock();
        let contact = state.book.insert(contact);
        state.events.happened(EventKind::Updated, &contact);
        contact
    }

    /// Changes anything of a contact but its id, and gives what became of it; `None` without the contact.
    pub fn edit(&self, id: &str, change: impl FnOnce(&mut Value)) -> Option<Value> {
        let mut state = self.shared.lock();
        let contact = state.book.edit(id, change)?;
        state.events.happened(EventKind::Updated, &contact);
        Some(contact)
    }

    /// Deletes a contact as a person would. Tells whether it was there.
    pub fn remove(&self, id: &str) -> bool {
        let mut state = self.shared.lock();
        let removed = state.book.remove(id);
        if let Some(contact) = &removed {
            state.events.happened(EventKind::Deleted, contact);
        }
        removed.is_some()
    }

    /// From now on this external id is taken by a contact that is not shown, which was seen in the field.
    pub fn archive(&self, source: &str, external_id: &str) {
        self.shared.lock().book.archive(source, external_id);
    }

    pub fn contact(&self, id: &str) -> Option<Value> {
        self.shared.lock().book.get(id).cloned()
    }

    /// All contacts, oldest first.
    pub fn contacts(&self) -> Vec<Value> {
        self.shared.lock().book.all().to_vec()
    }

    /// The requests that arrived, in order.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.shared.lock().calls.clone()
    }

    /// How many requests of a kind arrived.
    pub fn count(&self, call: OpenPhoneCall) -> usize {
        self.calls().iter().filter(|recorded| recorded.call == call).count()
    }

    /// Requests that write: what must be zero when nothing has changed.
    pub fn writes(&self) -> usize {
        self.calls().iter().filter(|recorded| recorded.call.writes()).count()
    }

    /// The most requests that arrived within a second, whenever it began.
    pub fn most_in_a_second(&self) -> usize {
        let arrivals = self.shared.lock().arrivals.clone();
        let within = |from: &Instant| {
            arrivals
                .iter()
                .filter(|at| at >= &from && at.duration_since(*from) < Duration::from_secs(1))
                .count()
        };
        arrivals.iter().map(within).max().unwrap_or_default()
    }

    /// Forgets which requests arrived, so that counting begins anew.
    pub fn forget_calls(&self) {
        let mut state = self.shared.lock();
        state.calls.clear();
        state.arrivals.clear();
    }

    /// From now on events wait for [`Self::deliver`].
    pub fn subscribe(&self, subscription: Subscription) {
        self.shared.lock().events.subscribe(subscription);
    }

    /// Sends the events that wait, in order, and tells how each was answered. What was not accepted waits for
    /// the next time; nothing is sent by itself, so that a test decides when.
    pub async fn deliver(&self) -> Vec<Delivery> {
        let waiting = self.shared.lock().events.take();
        let mut deliveries = Vec::new();
        for event in waiting {
            let delivery = event.send().await;
            if !delivery.is_accepted() {
                self.shared.lock().events.again(event);
            }
            deliveries.push(delivery);
        }
        deliveries
    }
}

impl Drop for OpenPhoneDouble {
    fn drop(&mut self) {
        self.server.abort();
        let breach = self.shared.lock().breach.take();
        if let Some(breach) = breach.filter(|_| !std::thread::panicking()) {
            panic!("{breach}");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
