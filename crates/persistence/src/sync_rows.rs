//! What the rows of sync have in common: other systems, their ids, faults, and numbers.

use onefold_service::system::SyncSystem;
use onefold_sync::fault::SyncFault;
use onefold_sync::partner::PartnerId;
use sea_orm::DbErr;

use crate::records::known;

pub(crate) fn system(name: &str) -> Result<SyncSystem, DbErr> {
    known(SyncSystem::parse(name), "system")
}

pub(crate) fn external(id: Option<String>) -> Result<Option<PartnerId>, DbErr> {
    id.map(|id| known(PartnerId::parse(&id).ok(), "id of another system")).transpose()
}

/// A fault is there if its code is.
pub(crate) fn fault(code: Option<String>, message: Option<String>) -> Option<SyncFault> {
    code.map(|code| SyncFault { code, message: message.unwrap_or_default() })
}

/// The columns of a fault: its code and its message.
pub(crate) fn fault_columns(fault: Option<&SyncFault>) -> (Option<String>, Option<String>) {
    fault.map(|fault| (fault.code.clone(), fault.message.clone())).unzip()
}

/// Databases have no unsigned numbers; nothing that is counted here reaches the border.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
