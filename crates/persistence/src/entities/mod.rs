//! The tables as sea-orm sees them. Private to this crate: rows become domain values beside the
//! repository that reads them.

pub(crate) mod access_token;
pub(crate) mod audit_entry;
pub(crate) mod audit_pending;
pub(crate) mod call_pace;
pub(crate) mod contact;
pub(crate) mod contact_metadata;
pub(crate) mod contact_point;
pub(crate) mod customer;
pub(crate) mod hub;
pub(crate) mod idempotency;
pub(crate) mod import_chunk;
pub(crate) mod import_failure;
pub(crate) mod import_run;
pub(crate) mod job;
pub(crate) mod link;
pub(crate) mod partner_index;
pub(crate) mod partner_key;
pub(crate) mod partner_scan;
pub(crate) mod sync_conflict;
pub(crate) mod sync_log;
pub(crate) mod sync_mapping;
pub(crate) mod sync_rule;
pub(crate) mod sync_run;
pub(crate) mod sync_run_item;
pub(crate) mod user_account;
pub(crate) mod webhook_delivery;
pub(crate) mod write_probe;
