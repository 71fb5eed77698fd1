//! Sends a file of orders to a running server, many at a time, and checks that the customers it made
//! are those that `resolve` computes from the same file.
//!
//! The server must start empty. `scripts/replay FILE [URL]` is the short way.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Parser;
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use onefold_domain::contact::Statement;
use onefold_domain::email::EmailAddress;
use onefold_domain::linking::resolve;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;
use onefold_integrations::tls::client_builder;
use reqwest::Client;
use serde_json::{Value, json};

#[derive(Parser)]
struct Arguments {
    /// One JSON object a line, with `email` and `phoneNumber`.
    file: PathBuf,
    #[arg(default_value = "http://127.0.0.1:3000")]
    url: String,
    /// How many requests are under way at once.
    #[arg(long, default_value_t = 32)]
    clients: usize,
}

/// One order: what is sent, and what it states.
struct Order {
    line: String,
    statement: Statement,
}

/// A customer as the server answered it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Answer {
    primary: i64,
    emails: BTreeSet<String>,
    phones: BTreeSet<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let orders = read(&arguments.file)?;
    let server = Server {
        client: client_builder()?.timeout(Duration::from_secs(30)).build()?,
        url: format!("{}/identify", arguments.url.trim_end_matches('/')),
        clients: arguments.clients.max(1),
    };

    println!("sending {} orders with {} clients to {}", orders.len(), server.clients, server.url);
    let started = Instant::now();
    let bodies: Vec<String> = orders.iter().map(|order| order.line.clone()).collect();
    server.ask_all(bodies, "sending").await?;
    let elapsed = started.elapsed().as_secs_f64();
    println!("sent in {elapsed:.1} s, {:.0} requests/s", orders.len() as f64 / elapsed);

    check(&server, &orders).await
}

fn read(file: &PathBuf) -> anyhow::Result<Vec<Order>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    text.lines()
        .enumerate()
        .map(|(index, line)| order(line).with_context(|| format!("{}, line {}", file.display(), index + 1)))
        .collect()
}

fn order(line: &str) -> anyhow::Result<Order> {
    let value: Value = serde_json::from_str(line)?;
    let email = value["email"].as_str().map(EmailAddress::parse).transpose()?;
    let phone = match &value["phoneNumber"] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let phone = phone.map(|phone| PhoneNumber::parse(&phone, None)).transpose()?;
    let statement = Statement::new(email, phone).context("neither email nor phoneNumber")?;
    Ok(Order { line: line.to_owned(), statement })
}

struct Server {
    client: Client,
    url: String,
    clients: usize,
}

impl Server {
    /// Answers in the order of the bodies.
    async fn ask_all(&self, bodies: Vec<String>, what: &'static str) -> anyhow::Result<Vec<Answer>> {
        let bar = ProgressBar::new(bodies.len() as u64)
            .with_message(what)
            .with_style(ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}  {per_sec}  {eta} left")?);
        let bar = Arc::new(bar);
        let answers = stream::iter(bodies)
            .map(|body| {
                let bar = Arc::clone(&bar);
                async move {
                    let answer = self.ask(body).await;
                    bar.inc(1);
                    answer
                }
            })
            .buffered(self.clients)
            .try_collect()
            .await;
        bar.finish_and_clear();
        answers
    }

    async fn ask(&self, body: String) -> anyhow::Result<Answer> {
        let request = self.client.post(&self.url).header("Content-Type", "application/json");
        let response = request.body(body.clone()).send().await.context("is the server running?")?;
        let status = response.status();
        let answer = response.text().await?;
        ensure!(status.is_success(), "status {status} for {body}: {answer}");
        let answer: Value = serde_json::from_str(&answer)?;
        let contact = &answer["contact"];
        let texts = |name: &str| {
            let list = contact[name].as_array().into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Ok(Answer {
            primary: contact["primaryContatctId"].as_i64().context("no primaryContatctId")?,
            emails: texts("emails"),
            phones: texts("phoneNumbers"),
        })
    }
}

/// Asks for one value at a time: such a request can find a customer, but never join two, so it cannot
/// mend what the replay got wrong.
async fn check(server: &Server, orders: &[Order]) -> anyhow::Result<()> {
    let policy = LinkPolicy::shipped();
    let statements: Vec<_> = orders.iter().map(|order| order.statement.clone()).collect();
    let resolution = resolve(&statements, &policy);

    let mut expected: HashMap<u32, Answer> = HashMap::new();
    let mut questions: HashMap<String, u32> = HashMap::new();
    for (order, customer) in orders.iter().zip(resolution.customers()) {
        let empty = || Answer { primary: 0, emails: BTreeSet::new(), phones: BTreeSet::new() };
        let values = expected.entry(*customer).or_insert_with(empty);
        values.emails.extend(order.statement.email().map(|email| email.as_str().to_owned()));
        values.phones.extend(order.statement.phone().map(|phone| phone.as_str().to_owned()));
        for question in questions_about(&order.statement, &policy) {
            questions.insert(question, *customer);
        }
    }
    let (bodies, customers): (Vec<_>, Vec<_>) = questions.into_iter().unzip();
    let answers = server.ask_all(bodies, "checking").await?;
    compare(&expected, &customers, &answers)?;
    println!("{} customers, the same that resolve computes from the file", expected.len());
    for rule in onefold_domain::block::BlockRule::ALL {
        println!("values that did not link by rule {}: {}", rule.as_str(), resolution.blocked_by(rule));
    }
    Ok(())
}

fn questions_about(statement: &Statement, policy: &LinkPolicy) -> Vec<String> {
    let email = statement.email().filter(|email| !policy.never_links_email(email));
    let phone = statement.phone().filter(|phone| !policy.never_links_phone(phone));
    let mut questions = Vec::new();
    questions.extend(email.map(|email| json!({"email": email.as_str()}).to_string()));
    questions.extend(phone.map(|phone| json!({"phoneNumber": phone.as_str()}).to_string()));
    if questions.is_empty() {
        let email = statement.email().map(EmailAddress::as_str);
        let phone = statement.phone().map(PhoneNumber::as_str);
        questions.push(json!({"email": email, "phoneNumber": phone}).to_string());
    }
    questions
}

/// One primary for each expected customer, another for each, and the same values.
fn compare(expected: &HashMap<u32, Answer>, customers: &[u32], answers: &[Answer]) -> anyhow::Result<()> {
    let mut primary_of = HashMap::new();
    let mut customer_of = HashMap::new();
    let mut wrong = 0;
    for (customer, answer) in customers.iter().zip(answers) {
        let values = &expected[customer];
        let one_primary = *primary_of.entry(*customer).or_insert(answer.primary) == answer.primary;
        let one_customer = *customer_of.entry(answer.primary).or_insert(*customer) == *customer;
        if !one_primary || !one_customer || values.emails != answer.emails || values.phones != answer.phones {
            wrong += 1;
        }
    }
    if wrong > 0 {
        bail!("{wrong} of {} questions were answered otherwise; did the server start empty?", answers.len());
    }
    Ok(())
}
