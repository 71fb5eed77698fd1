//! Random requests of the kinds that go wrong differently: many about few values, few about many,
//! joins of what exists already, the same over and over, and values that must join nobody.

use fastrand::Rng;

use crate::request::{NO_MAILBOX, Request};

/// Requests in bursts. Within one everything is in flight together; the next waits for the last.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) bursts: Vec<Vec<Request>>,
}

pub(crate) type Kind = fn(&mut Rng) -> Workload;

pub(crate) const ALL: [Kind; 6] = [hot, sparse, chains, bridges, repeats, placeholders];

/// Few values: everything meets everything, and the first requests race to create the same customer.
pub(crate) fn hot(rng: &mut Rng) -> Workload {
    let requests = (0..300).map(|_| random(rng, 6, 6)).collect();
    Workload { name: "hot", bursts: vec![requests] }
}

/// Many values: customers grow slowly and in parallel.
pub(crate) fn sparse(rng: &mut Rng) -> Workload {
    let requests = (0..400).map(|_| random(rng, 160, 160)).collect();
    Workload { name: "sparse", bursts: vec![requests] }
}

/// Customers of one value each, then, in any order and more than once, the requests that string all of
/// them together: merges of customers that are being merged, with nothing else that is new.
pub(crate) fn chains(rng: &mut Rng) -> Workload {
    let (mut singles, mut joins) = (Vec::new(), Vec::new());
    let mut number = 0;
    while number < 72 {
        let end = number + rng.usize(3..16);
        for link in number..end {
            singles.push(of_email(link));
            singles.push(of_phone(link));
            joins.push(both(link, link));
            if link + 1 < end {
                joins.push(both(link + 1, link));
            }
        }
        number = end;
    }
    rng.shuffle(&mut singles);
    Workload { name: "chains", bursts: vec![singles, repeated(rng, &joins, 3)] }
}

/// Customers of some size, then requests that join them at their edges, some of which bring something
/// new besides.
pub(crate) fn bridges(rng: &mut Rng) -> Workload {
    const CUSTOMERS: usize = 18;
    const SIZE: usize = 6;
    let member = |customer, place| customer * SIZE + place;
    let mut founding = Vec::new();
    for customer in 0..CUSTOMERS {
        founding.extend((0..SIZE).map(|place| both(member(customer, place), customer)));
    }
    let mut joins: Vec<_> = (0..40)
        .map(|_| both(member(rng.usize(..CUSTOMERS), rng.usize(..SIZE)), rng.usize(..CUSTOMERS)))
        .collect();
    joins.extend((0..40).map(|new| match rng.bool() {
        true => both(1_000 + new % 9, rng.usize(..CUSTOMERS)),
        false => both(member(rng.usize(..CUSTOMERS), 0), 1_000 + new % 9),
    }));
    rng.shuffle(&mut founding);
    Workload { name: "bridges", bursts: vec![founding, repeated(rng, &joins, 2)] }
}

/// A handful of requests, each sent by everybody at once.
pub(crate) fn repeats(rng: &mut Rng) -> Workload {
    let few: Vec<_> = (0..12).map(|_| random(rng, 9, 9)).collect();
    let requests = (0..300).map(|number| few[number * few.len() / 300].clone()).collect();
    Workload { name: "repeats", bursts: vec![requests] }
}

/// Values that link among values that do not: alone, beside each other, and beside real ones.
pub(crate) fn placeholders(rng: &mut Rng) -> Workload {
    let mut requests = Vec::new();
    for _ in 0..300 {
        let mut request = random(rng, 10, 10);
        if rng.u8(..10) < 4 {
            request.email = rng
                .choice([None, Some("x"), Some("y")])
                .flatten()
                .map(|host| format!("{NO_MAILBOX}{host}.example"));
        }
        if rng.u8(..10) < 4 || request.email.is_none() {
            request.phone = rng.choice(["0000000000", "1111"]).map(str::to_owned);
        }
        requests.push(request);
    }
    Workload { name: "placeholders", bursts: vec![requests] }
}

fn random(rng: &mut Rng, emails: usize, phones: usize) -> Request {
    let (email, phone) = (rng.usize(..emails), rng.usize(..phones));
    match rng.u8(..10) {
        0 | 1 => of_email(email),
        2 | 3 => of_phone(phone),
        _ => both(email, phone),
    }
}

/// Each once or more, in random order.
fn repeated(rng: &mut Rng, requests: &[Request], most: usize) -> Vec<Request> {
    let mut repeated: Vec<_> = requests
        .iter()
        .flat_map(|request| std::iter::repeat_n(request.clone(), rng.usize(1..=most)))
        .collect();
    rng.shuffle(&mut repeated);
    repeated
}

fn both(email: usize, phone: usize) -> Request {
    Request { email: of_email(email).email, phone: of_phone(phone).phone }
}

fn of_email(number: usize) -> Request {
    Request { email: Some(format!("e{number}@hillvalley.example")), phone: None }
}

fn of_phone(number: usize) -> Request {
    Request { email: None, phone: Some((700_001 + number).to_string()) }
}
