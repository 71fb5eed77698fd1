//! The checker must be able to fail. A short story that is right, then the ways in which it could have
//! gone wrong, each of which must be reported.

use crate::checker::check;
use crate::history::{Attempt, End, View};
use crate::request::{Key, Request};
use crate::tables::{ContactRow, CustomerRow, LinkRow, PointRow, Tables};

/// A value that never links.
const NOBODYS: &str = "0000000000";

/// What the service left and what it answered.
#[derive(Clone)]
struct Story {
    tables: Tables,
    attempts: Vec<Attempt>,
}

/// (a, 1) and (b, 2) are strangers until (a, 2) joins them; then (c, 1) adds to them. (d, -) stays alone.
fn right() -> Story {
    let joined = request("a", "2");
    let tables = Tables {
        customers: vec![customer(10, 10, 1), customer(20, 10, 2), customer(40, 40, 4)],
        contacts: vec![
            contact(1, 10, "a", "1"),
            contact(2, 20, "b", "2"),
            contact(3, 10, "c", "1"),
            contact(4, 40, "d", "-"),
        ],
        points: vec![
            point("a", "-", 10),
            point("b", "-", 20),
            point("c", "-", 10),
            point("d", "-", 40),
            point("-", "1", 10),
            point("-", "2", 20),
        ],
        links: vec![LinkRow { id: 1, survivor: 10, absorbed: 20, request: joined, contact: None, after: 2 }],
    };
    let mut story = Story { tables, attempts: Vec::new() };
    story.answer(("a", "1"), &[1]);
    story.answer(("b", "2"), &[2]);
    story.answer(("a", "2"), &[1, 2]);
    story.answer(("c", "1"), &[1, 2, 3]);
    story.answer(("d", "-"), &[4]);
    story
}

#[test]
fn what_is_right_is_not_reported() {
    let fine: [(&str, Edit); 5] = [
        ("the story as it is", |_| {}),
        ("a repetition", |story| story.answer(("-", "2"), &[1, 2, 3])),
        ("a read in flight for long sees an old state", |story| {
            story.answer(("b", "-"), &[2]);
            story.attempts[5].sent = 3;
        }),
        ("a lost request that left its row", |story| story.attempts[3].end = End::Lost),
        ("a lost request that left nothing", |story| {
            let mut lost = story.attempts[3].clone();
            lost.request = request("e", "9");
            lost.end = End::Lost;
            story.attempts.push(lost);
        }),
    ];
    for (name, change) in fine {
        assert_eq!(faults_after(change), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn wrong_customers_are_reported() {
    expect(&[
        ("a merge without a link", "customers are", |story| story.tables.links.clear()),
        ("a link to somebody else", "its merges are", |story| story.tables.links[0].absorbed = 40),
        ("a merge that was answered and did not happen", "does not lead to one customer", |story| {
            story.tables.links.clear();
            story.tables.customers[1].root = 20;
        }),
        ("two primaries: the absorbed customer is a root still", "does not lead to one customer", |story| {
            story.tables.customers[1].root = 20;
        }),
        ("a primary that is not the oldest", "has the primary Some(3)", |story| {
            story.tables.customers[0].primary = Some(3);
        }),
        ("a root that leads elsewhere", "which is no root", |story| {
            story.tables.customers[0].root = 40;
        }),
        ("a customer without contacts", "customers are", |story| {
            story.tables.customers.push(CustomerRow { primary: None, ..customer(50, 50, 0) });
        }),
    ]);
}

#[test]
fn wrong_rows_are_reported() {
    expect(&[
        ("a contact without a customer", "contact 4 has no customer", |story| {
            story.tables.contacts[3].customer = 41;
        }),
        ("a row for nothing new", "says nothing new", |story| {
            story.tables.contacts.push(contact(5, 10, "b", "1"));
        }),
        ("a second link for one merge", "says nothing new", |story| {
            let again = LinkRow { id: 2, ..story.tables.links[0].clone() };
            story.tables.links.push(again);
        }),
        ("a contact in the wrong customer", "belongs to a, not 28", |story| {
            story.tables.contacts[2].customer = 40;
            story.tables.customers[2].primary = Some(3);
        }),
        ("the younger customer survived", "belongs to a, not 14", |story| {
            story.tables.links[0] = LinkRow { survivor: 20, absorbed: 10, ..story.tables.links[0].clone() };
            story.tables.customers[0].root = 20;
            story.tables.customers[1] = customer(20, 20, 1);
        }),
        ("a value that leads nowhere", "does not lead to one customer", |story| {
            story.tables.points.remove(2);
        }),
        ("a value that leads to somebody else", "does not lead to one customer", |story| {
            story.tables.points[2].customer = 40;
        }),
        ("a customer joined by a value that never links", "does not lead to one customer", |story| {
            story.tables.contacts.push(contact(5, 40, "-", NOBODYS));
            story.tables.points.push(PointRow { key: Key::Phone(NOBODYS.to_owned()), customer: 40 });
            story.answer(("-", NOBODYS), &[4, 5]);
        }),
        ("an answered request that left nothing", "does not lead to one customer", |story| {
            story.tables.contacts.remove(3);
            story.tables.customers.remove(2);
            story.tables.points.remove(3);
        }),
        ("a row that nobody asked for", "nobody made the change (e@", |story| {
            story.tables.contacts.push(contact(5, 10, "e", "2"));
            story.tables.points.push(point("e", "-", 10));
        }),
    ]);
}

#[test]
fn wrong_answers_are_reported() {
    expect(&[
        ("a value is missing", "not those of the contacts", |story| drop(story.view(3).emails.remove(1))),
        ("values in another order", "not those of the contacts", |story| story.view(3).emails.reverse()),
        ("the request's own values are missing", "own values are missing", |story| {
            story.attempts[0].request = request("d", "-");
        }),
        ("another primary", "the primary is not the oldest", |story| {
            story.view(2).primary_contatct_id = 2;
            story.view(2).secondary_contact_ids = vec![1];
        }),
        ("contacts of two customers", "not contacts of one customer", |story| {
            story.answer(("d", "-"), &[1, 4]);
        }),
        ("a contact that does not exist", "not contacts of one customer", |story| {
            story.view(4).secondary_contact_ids.push(9);
        }),
        ("a state that never was", "no customer ever was this", |story| {
            story.answer(("c", "1"), &[1, 3]);
        }),
        ("a customer that shrinks", "no order explains", |story| story.answer(("a", "1"), &[1, 2])),
        ("a stale answer of another server", "no order explains", |story| {
            story.answer(("b", "-"), &[2]);
            story.attempts[5].sent = 6;
        }),
        ("a change that was seen before it was asked for", "no order explains", |story| {
            story.attempts[3].sent = 11;
            story.answer(("-", "1"), &[1, 2, 3]);
            story.attempts[5].sent = 8;
            story.attempts[3].end = End::Lost;
        }),
        ("a request that was answered with what was before it", "nobody made the change (a@", |story| {
            story.view(2).emails.truncate(1);
            story.view(2).phone_numbers.truncate(1);
            story.view(2).secondary_contact_ids.clear();
        }),
    ]);
}

/// A name, a part of the report, and what to change in the story.
type Wrong = (&'static str, &'static str, Edit);

type Edit = fn(&mut Story);

fn expect(wrongs: &[Wrong]) {
    for (name, report, change) in wrongs {
        let faults = faults_after(*change);
        assert!(faults.iter().any(|fault| fault.contains(report)), "{name}: {faults:#?}");
    }
}

fn faults_after(change: Edit) -> Vec<String> {
    let mut story = right();
    change(&mut story);
    check(&story.tables, &story.attempts)
}

impl Story {
    /// One more request, after all others, answered with these contacts.
    fn answer(&mut self, (email, phone): (&str, &str), contacts: &[i64]) {
        let shown = self.tables.contacts.iter().filter(|contact| contacts.contains(&contact.id));
        let mut view = View {
            primary_contatct_id: contacts[0],
            emails: Vec::new(),
            phone_numbers: Vec::new(),
            secondary_contact_ids: contacts[1..].to_vec(),
        };
        for contact in shown {
            let Request { email, phone } = contact.request.clone();
            view.emails.extend(email.filter(|email| !view.emails.contains(email)));
            view.phone_numbers.extend(phone.filter(|phone| !view.phone_numbers.contains(phone)));
        }
        let sent = self.attempts.len() * 2;
        let end = End::Answered { received: sent + 1, view };
        self.attempts.push(Attempt { client: 0, request: request(email, phone), sent, end });
    }

    fn view(&mut self, index: usize) -> &mut View {
        match &mut self.attempts[index].end {
            End::Answered { view, .. } => view,
            End::Lost => panic!("attempt {index} was not answered"),
        }
    }
}

fn request(email: &str, phone: &str) -> Request {
    // As the domain's own resolver takes them.
    let email = (email != "-").then(|| format!("{email}@hillvalley.example"));
    let phone =
        (phone != "-").then(|| if phone == NOBODYS { phone.to_owned() } else { format!("70000{phone}") });
    Request { email, phone }
}

fn contact(id: i64, customer: u128, email: &str, phone: &str) -> ContactRow {
    ContactRow { id, customer, request: request(email, phone) }
}

fn customer(id: u128, root: u128, primary: i64) -> CustomerRow {
    CustomerRow { id, root, primary: Some(primary), version: 1 }
}

fn point(email: &str, phone: &str, customer: u128) -> PointRow {
    PointRow { key: request(email, phone).keys().remove(0), customer }
}
