//! Parallel `identify` through the real server, in processes of its own, on both databases, with
//! processes killed and the database taken away. A checker then explains every row and every answer by
//! an order of the requests, or fails.
//!
//! `ONEFOLD_CONCURRENCY_SEED=…` repeats the requests of a run, `ONEFOLD_CONCURRENCY_ROUNDS=…` searches
//! longer.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod checker;
mod checker_tests;
mod clients;
mod faults;
mod history;
mod model;
mod order;
mod replay;
mod request;
mod server;
mod tables;
mod trial;
mod workload;

use std::pin::pin;

use futures::future::{join, select};
use onefold_persistence::testing::{PostgresCluster, SmallDisk, TestDatabase};
use reqwest::StatusCode;

use crate::clients::Clients;
use crate::faults::Fault;
use crate::trial::{Trial, seeds};
use crate::workload::{ALL, Kind, bridges, chains, hot, placeholders, sparse};

#[tokio::test]
async fn one_server_on_sqlite() {
    for seed in seeds() {
        for kind in ALL {
            calm(Trial::new(TestDatabase::sqlite(), seed), kind, 1).await;
        }
    }
}

#[tokio::test]
async fn one_server_on_postgres() {
    for seed in seeds() {
        for kind in ALL {
            calm(Trial::new(TestDatabase::postgres().await, seed), kind, 1).await;
        }
    }
}

#[tokio::test]
async fn two_servers_on_postgres() {
    for seed in seeds() {
        for kind in ALL {
            calm(Trial::new(TestDatabase::postgres().await, seed), kind, 2).await;
        }
    }
}

/// Not how it is meant to be run, but nothing forbids it, so it must be right.
#[tokio::test]
async fn two_servers_on_one_sqlite_file() {
    for seed in seeds() {
        for kind in ALL {
            calm(Trial::new(TestDatabase::sqlite(), seed), kind, 2).await;
        }
    }
}

#[tokio::test]
async fn one_of_two_servers_is_killed_on_postgres() {
    for seed in seeds() {
        for kind in [hot as Kind, sparse, chains, bridges, placeholders] {
            survive_a_kill(Trial::new(TestDatabase::postgres().await, seed), kind).await;
        }
    }
}

#[tokio::test]
async fn the_server_is_killed_and_restarted_on_sqlite() {
    for seed in seeds() {
        for kind in [hot as Kind, sparse, chains, bridges, placeholders] {
            restart_after_a_kill(Trial::new(TestDatabase::sqlite(), seed), kind).await;
        }
    }
}

#[tokio::test]
async fn the_database_goes_away_and_comes_back() {
    // A crash must not take answered requests along, so commits have to reach the file. That the
    // machine fails is not part of this.
    let cluster = PostgresCluster::start_durable(&["fsync = off"]);
    for seed in seeds() {
        for kind in [sparse as Kind, chains] {
            let database = TestDatabase::on(&cluster).await;
            survive_an_outage(Trial::new(database, seed), &cluster, kind).await;
        }
    }
}

#[tokio::test]
async fn the_disk_is_full_and_has_space_again_on_sqlite() {
    for seed in seeds() {
        for kind in [hot as Kind, sparse, chains, bridges, placeholders] {
            match SmallDisk::mount(16) {
                Some(disk) => {
                    let trial = Trial::new(TestDatabase::sqlite_on(&disk), seed);
                    survive_faults(trial, kind, &Fault::FullDisk(disk)).await;
                }
                // Where nothing may be mounted the next test has to do.
                None => return,
            }
        }
    }
}

#[tokio::test]
async fn the_disk_fails_and_works_again_on_sqlite() {
    for seed in seeds() {
        for kind in [hot as Kind, sparse, chains, bridges, placeholders] {
            survive_faults(Trial::new(TestDatabase::sqlite(), seed), kind, &Fault::FailingWrites).await;
        }
    }
}

/// Nothing goes wrong.
async fn calm(mut trial: Trial, kind: Kind, servers: usize) {
    let workload = trial.workload(kind);
    let servers = futures::future::join_all((0..servers).map(|_| trial.server())).await;
    let clients = servers.iter().fold(trial.clients(), Clients::of);
    for burst in &workload.bursts {
        clients.send(burst).await;
    }
    trial.conclude(servers).await;
}

/// In the last burst one of two servers is killed; its clients turn to the other.
async fn survive_a_kill(mut trial: Trial, kind: Kind) {
    let workload = trial.workload(kind);
    let (last, first) = workload.bursts.split_last().unwrap();
    let strike = trial.strike(last);
    let (survivor, mut victim) = join(trial.server(), trial.server()).await;
    let clients = trial.clients().of(&survivor).of_mortal(&victim);
    for burst in first {
        clients.send(burst).await;
    }
    let kill = async {
        trial.history.more_answered(strike).await;
        victim.kill();
    };
    let (left, ()) = join(clients.send(last), kill).await;
    assert!(left.is_empty(), "the survivor takes everything");
    assert!(trial.history.count_lost() > 0, "the kill came too late to be one");
    trial.conclude(vec![survivor]).await;
}

/// In the last burst the only server is killed. What it answered is in the file; the next server goes
/// on with it.
async fn restart_after_a_kill(mut trial: Trial, kind: Kind) {
    let workload = trial.workload(kind);
    let (last, first) = workload.bursts.split_last().unwrap();
    let strike = trial.strike(last);
    let mut victim = trial.server().await;
    let clients = trial.clients().of_mortal(&victim);
    for burst in first {
        clients.send(burst).await;
    }
    let kill = async {
        trial.history.more_answered(strike).await;
        victim.kill();
    };
    let (left, ()) = join(clients.send(last), kill).await;
    assert!(!left.is_empty(), "the kill came too late to be one");
    trial.judge().await;

    let server = trial.server().await;
    trial.clients().of(&server).send(&left).await;
    trial.conclude(vec![server]).await;
}

/// In the last burst the database stops, and starts again after clients and readiness have noticed.
async fn survive_an_outage(mut trial: Trial, cluster: &PostgresCluster, kind: Kind) {
    let workload = trial.workload(kind);
    let (last, first) = workload.bursts.split_last().unwrap();
    let strike = trial.strike(last);
    let server = trial.server().await;
    let clients = trial.clients().of(&server).bearing_503();
    for burst in first {
        clients.send(burst).await;
    }
    let outage = async {
        trial.history.more_answered(strike).await;
        let stopped = cluster.clone();
        tokio::task::spawn_blocking(move || stopped.stop()).await.unwrap();
        clients.await_readiness(StatusCode::SERVICE_UNAVAILABLE).await;
        trial.history.more_lost(1).await;
        let restarted = cluster.clone();
        tokio::task::spawn_blocking(move || restarted.restart()).await.unwrap();
        clients.await_readiness(StatusCode::OK).await;
    };
    join(clients.send(last), outage).await;
    trial.conclude(vec![server]).await;
}

/// In the last burst the storage fails and works again, over and over. The server goes on by itself; when it has been
/// killed in the end, the next one has everything that was answered.
async fn survive_faults(mut trial: Trial, kind: Kind, fault: &Fault) {
    let workload = trial.workload(kind);
    let (last, first) = workload.bursts.split_last().unwrap();
    let mut server = trial.server().await;
    let clients = trial.clients().of(&server).bearing_503();
    for burst in first {
        clients.send(burst).await;
    }
    let faults = async {
        loop {
            fault.begins(&server);
            trial.history.more_lost(10).await;
            fault.ends(&server);
            trial.history.more_answered(last.len() / 20).await;
        }
    };
    // Requests that bring nothing new are answered whatever the disk does, and may end the burst.
    select(pin!(clients.send(last)), pin!(faults)).await;
    fault.ends(&server);
    assert!(trial.history.count_lost() > 0, "the faults met nobody");
    clients.await_readiness(StatusCode::OK).await;
    trial.judge().await;

    server.kill();
    let server = trial.server().await;
    trial.conclude(vec![server]).await;
}
