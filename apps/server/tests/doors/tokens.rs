//! Tokens as an operator meets them: printed once at the first start, made in a shell, refused when revoked.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output};

use onefold_integrations::tls::client_builder;
use onefold_persistence::testing::TestDatabase;
use reqwest::Method;

use crate::machine::{Machine, Server};

#[tokio::test]
async fn the_first_start_prints_a_token_once_on_sqlite() {
    first_start(&Machine::on(TestDatabase::sqlite())).await;
}

#[tokio::test]
async fn the_first_start_prints_a_token_once_on_postgres() {
    first_start(&Machine::on(TestDatabase::postgres().await)).await;
}

async fn first_start(machine: &Machine) {
    let server = machine.serve();
    let token = server.token().expect("a token").to_owned();
    assert_eq!(server.status(&token, Method::GET, "/tokens").await, 200);
    assert_eq!(server.status("1|guessed", Method::GET, "/tokens").await, 401);
    drop(server);

    let server = machine.serve();
    assert_eq!(server.token(), None, "once");
    assert_eq!(server.status(&token, Method::GET, "/tokens").await, 200);
    // Revoked by another process, and worth nothing in this one.
    let id = token.split('|').next().unwrap();
    assert!(machine.run(&["token", "revoke", id]).status.success());
    assert_eq!(server.status(&token, Method::GET, "/tokens").await, 401);
    assert!(!machine.run(&["token", "revoke", id]).status.success(), "there is none any more");
    drop(server);
    assert_eq!(machine.serve().token(), None, "whoever revoked it meant to");
}

#[tokio::test]
async fn a_token_is_made_in_a_shell() {
    let machine = Machine::on(TestDatabase::sqlite());
    let token = machine.token(&["--name", "ci", "--ability", "contacts:read", "--ability", "identify"]);
    let server = machine.serve();
    assert_eq!(server.token(), None, "there was one already");
    assert_eq!(server.status(&token, Method::GET, "/contacts").await, 200);
    assert_eq!(server.status(&token, Method::GET, "/customers?query=doc").await, 403);

    let listed = String::from_utf8(machine.run(&["token", "list"]).stdout).unwrap();
    let secret = token.split('|').nth(1).unwrap();
    assert!(listed.contains("ci\tidentify,contacts:read") && !listed.contains(secret), "{listed}");
    for arguments in [
        &["--name", "x"][..],
        &["--name", "x", "--ability", "contacts"],
        &["--name", "", "--ability", "*"],
        &["--name", "x", "--ability", "*", "--user", "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11"],
    ] {
        let output = machine.run(&[&["token", "create"], arguments].concat());
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}: {output:?}");
    }
}

#[tokio::test]
async fn an_end_in_a_shell_is_one_as_over_http() {
    let machine = Machine::on(TestDatabase::sqlite());
    for (end, word) in [
        ("2001-01-01T00:00:00Z", "over already"),
        ("+10000-01-01T00:00:00Z", "year 9999"),
        ("+262142-12-31T23:59:59Z", "year 9999"),
        ("9999-12-31T23:59:59-01:00", "year 9999"),
        ("tomorrow", "such as 2027-01-31"),
        ("2027-02-30T00:00:00Z", "such as 2027-01-31"),
    ] {
        let output = machine.run(&["token", "create", "--name", "x", "--ability", "*", "--expires-at", end]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{end}: {said}");
        assert!(said.contains(word) && said.contains("--expires-at"), "{end}: {said}");
    }
    machine.token(&["--name", "x", "--ability", "*", "--expires-at", "9999-12-31T23:59:59Z"]);
    assert_eq!(machine.database.count("SELECT COUNT(*) FROM access_token").await, 1, "of all, one is good");
}

#[tokio::test]
async fn another_address_needs_a_token_first() {
    let machine = Machine::on(TestDatabase::sqlite());
    let elsewhere = |command: &mut Command| -> Output {
        command.env("ONEFOLD__SERVER__HOST", "0.0.0.0").output().unwrap()
    };
    let refused = elsewhere(&mut machine.program());
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(message.contains("0.0.0.0") && message.contains("token create"), "{message}");

    let token = machine.token(&["--name", "shop", "--ability", "identify"]);
    let mut command = machine.program();
    command.env("ONEFOLD__SERVER__HOST", "0.0.0.0");
    let mut process = command.spawn().unwrap();
    let log = BufReader::new(process.stderr.take().unwrap());
    assert!(log.lines().any(|line| line.unwrap().contains("\"serving\"")), "it did not start");
    let mut greeting = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
    let server = Server { process, greeting: vec![greeting.replace("0.0.0.0", "127.0.0.1")] };
    let identify = client_builder().unwrap().build().unwrap().post(format!("{}/identify", server.address()));
    let identify = identify.header("Content-Type", "application/json").body(r#"{"email":"a@example.com"}"#);
    let bare = identify.try_clone().unwrap().send().await.unwrap();
    assert_eq!(bare.status().as_u16(), 401);
    assert_eq!(identify.bearer_auth(token).send().await.unwrap().status().as_u16(), 200);
}
