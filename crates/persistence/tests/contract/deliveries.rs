//! Calls of webhooks: handled once, and forgotten after a while.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use onefold_sync::store::SyncStore;

use crate::sync_scene::write;

on_every_store!(a_call_is_handled_once, old_calls_are_forgotten_of_their_source_only);

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a moment") + TimeDelta::hours(hours)
}

async fn remembered(store: &Arc<dyn SyncStore>, source: &str, id: &str, hours: i64) -> bool {
    write(store, async |to| to.deliveries().remember(source, id, at(hours)).await.expect("remembered")).await
}

async fn a_call_is_handled_once(store: Arc<dyn SyncStore>) {
    assert!(remembered(&store, "openphone", "msg_1", 0).await);
    assert!(!remembered(&store, "openphone", "msg_1", 1).await);
    assert!(remembered(&store, "kratos", "msg_1", 0).await, "of another source it is another one");
}

async fn old_calls_are_forgotten_of_their_source_only(store: Arc<dyn SyncStore>) {
    for (source, id, hours) in
        [("openphone", "old", 0), ("openphone", "older", -1), ("openphone", "new", 10), ("kratos", "old", 0)]
    {
        remembered(&store, source, id, hours).await;
    }
    let forget = async |limit| {
        write(&store, async |to| {
            to.deliveries().forget_before("openphone", at(10), limit).await.expect("forgotten");
        })
        .await;
    };
    forget(0).await;
    assert!(!remembered(&store, "openphone", "old", 0).await);
    forget(100).await;
    assert!(!remembered(&store, "openphone", "new", 10).await);
    assert!(!remembered(&store, "kratos", "old", 0).await);
    for id in ["old", "older"] {
        assert!(remembered(&store, "openphone", id, 0).await, "{id}");
    }
}
