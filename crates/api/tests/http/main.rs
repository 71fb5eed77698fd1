//! The HTTP interface, whole: a real server on a free port, real databases, a real client.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod activity;
mod admin_contacts;
mod app;
mod audit;
mod bad_input;
mod contact_changes;
mod contacts;
mod content_coding;
mod customer_search;
mod customers;
mod documented;
mod export;
mod guides;
mod head;
mod headers;
mod idempotency;
mod identify;
mod import_faults;
mod import_forms;
mod imports;
mod kratos;
mod limits;
mod loopback;
mod metadata;
mod metakocka;
mod metakocka_bulk;
mod metakocka_faults;
mod openapi;
mod openphone;
mod openphone_bulk;
mod openphone_faults;
mod operations;
mod partner_events;
mod phones;
mod portable;
mod record_faults;
mod registration;
mod sync_conflicts;
mod sync_jobs;
mod sync_rules;
mod sync_runs;
mod sync_scene;
mod sync_systems;
mod token_limits;
mod tokens;
mod user_tokens;
mod users;

/// Makes two tests of each function, one for each database.
macro_rules! on_both_databases {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::app::TestApp::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::app::TestApp::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both_databases;
