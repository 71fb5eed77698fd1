//! The suite for stores of one's own, on the store in memory; and the example that shows one, which runs it as well.

use std::sync::Arc;

use onefold_domain::policy::LinkPolicy;
use onefold_memory::MemoryStore;
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_service::environment::Environment;
use onefold_service::testing::check_identify_store;

#[path = "../examples/identify_store.rs"]
mod example;

fn in_memory() -> Environment {
    Environment::new(
        Arc::new(MemoryStore::default()),
        Arc::new(LinkPolicy::shipped()),
        Arc::new(SystemClock),
        Arc::new(SystemRandomness),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_memory_keeps_what_identify_asks() {
    check_identify_store(in_memory).await;
}

#[test]
fn the_example_is_complete_and_short() {
    example::main().expect("the example runs");
    let lines = include_str!("../examples/identify_store.rs").lines().count();
    assert!(lines <= 150, "{lines} lines");
}
