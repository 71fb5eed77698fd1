//! The tables as they stand, past the service.

use onefold_domain::id::CustomerId;
use onefold_persistence::testing::TestDatabase;

use crate::request::{Key, Request};

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Tables {
    pub(crate) customers: Vec<CustomerRow>,
    /// Ascending.
    pub(crate) contacts: Vec<ContactRow>,
    pub(crate) points: Vec<PointRow>,
    /// Ascending.
    pub(crate) links: Vec<LinkRow>,
}

/// A customer's id. A number, because nothing here depends on how it is made.
pub(crate) type Customer = u128;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CustomerRow {
    pub(crate) id: Customer,
    pub(crate) root: Customer,
    pub(crate) primary: Option<i64>,
    pub(crate) version: i64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ContactRow {
    pub(crate) id: i64,
    pub(crate) customer: Customer,
    /// The request that it keeps.
    pub(crate) request: Request,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PointRow {
    pub(crate) key: Key,
    pub(crate) customer: Customer,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LinkRow {
    pub(crate) id: i64,
    pub(crate) survivor: Customer,
    pub(crate) absorbed: Customer,
    /// The request that joined the two.
    pub(crate) request: Request,
    pub(crate) contact: Option<i64>,
    pub(crate) after: i64,
}

impl Tables {
    /// Nobody may be writing: these are several statements.
    pub(crate) async fn read(database: &TestDatabase) -> Self {
        let customers = database.query(CUSTOMERS).await;
        let contacts = database.query(CONTACTS).await;
        let points = database.query(POINTS).await;
        let links = database.query(LINKS).await;
        Self {
            customers: customers
                .iter()
                .map(|row| CustomerRow {
                    id: number(CustomerId(row.try_get_by_index(0).unwrap())),
                    root: number(CustomerId(row.try_get_by_index(1).unwrap())),
                    primary: row.try_get_by_index(2).unwrap(),
                    version: row.try_get_by_index(3).unwrap(),
                })
                .collect(),
            contacts: contacts
                .iter()
                .map(|row| ContactRow {
                    id: row.try_get_by_index(0).unwrap(),
                    customer: number(CustomerId(row.try_get_by_index(1).unwrap())),
                    request: Request {
                        email: row.try_get_by_index(2).unwrap(),
                        phone: row.try_get_by_index(3).unwrap(),
                    },
                })
                .collect(),
            points: points
                .iter()
                .map(|row| PointRow {
                    key: key(row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap()),
                    customer: number(CustomerId(row.try_get_by_index(2).unwrap())),
                })
                .collect(),
            links: links
                .iter()
                .map(|row| LinkRow {
                    id: row.try_get_by_index(0).unwrap(),
                    survivor: number(CustomerId(row.try_get_by_index(1).unwrap())),
                    absorbed: number(CustomerId(row.try_get_by_index(2).unwrap())),
                    request: Request {
                        email: row.try_get_by_index(3).unwrap(),
                        phone: row.try_get_by_index(4).unwrap(),
                    },
                    contact: row.try_get_by_index(5).unwrap(),
                    after: row.try_get_by_index(6).unwrap(),
                })
                .collect(),
        }
    }

    /// All contacts of this contact's customer, ascending.
    pub(crate) fn customer_of(&self, contact: i64) -> Vec<i64> {
        let root = |contact: &ContactRow| {
            self.customers.iter().find(|row| row.id == contact.customer).map(|row| row.root)
        };
        let own = self.contacts.iter().find(|row| row.id == contact).and_then(root);
        self.contacts.iter().filter(|row| root(row) == own).map(|row| row.id).collect()
    }
}

const CUSTOMERS: &str = "SELECT id, root_id, primary_contact_id, version FROM customer ORDER BY id";
const CONTACTS: &str = "SELECT id, customer_id, email, phone FROM contact ORDER BY id";
const POINTS: &str =
    "SELECT CAST(kind AS BIGINT), value, customer_id FROM contact_point ORDER BY kind, value";
const LINKS: &str = "SELECT id, survivor_id, absorbed_id, email, phone, contact_id, after_contact_id \
                     FROM link ORDER BY id";

fn number(id: CustomerId) -> Customer {
    id.0.as_u128()
}

fn key(kind: i64, value: String) -> Key {
    match kind {
        1 => Key::Email(value),
        2 => Key::Phone(value),
        4 => Key::Exact(value),
        _ => panic!("a key of kind {kind}, which no request here can lead to"),
    }
}
