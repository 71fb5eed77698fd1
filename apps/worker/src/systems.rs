//! Which of the other systems a command is about.

use anyhow::{Context, ensure};
use onefold_runtime::Syncing;
use onefold_service::system::SyncSystem;
use onefold_sync::synchroniser::Synchroniser;

/// The system of that name, as an argument has it.
pub(crate) fn parse(text: &str) -> Result<SyncSystem, String> {
    let known = || SyncSystem::ALL.map(SyncSystem::as_str).join(", ");
    SyncSystem::parse(text).ok_or_else(|| format!("a system is one of {}", known()))
}

/// The one that was named, configured or not; otherwise all that are configured. None at all is a mistake that a
/// person would take for an empty comparison.
pub(crate) fn meant(syncing: &Syncing, named: Option<SyncSystem>) -> anyhow::Result<Vec<&Synchroniser>> {
    if let Some(system) = named {
        let sync = syncing.of(system).with_context(|| format!("{} is not known", system.title()))?;
        sync.configured().with_context(|| system.title())?;
        return Ok(vec![sync]);
    }
    let connected: Vec<_> = syncing.connected().collect();
    ensure!(!connected.is_empty(), "nothing is configured to compare with:\n{}", missing(syncing).join("\n"));
    Ok(connected)
}

/// What each system lacks that is not configured.
fn missing(syncing: &Syncing) -> Vec<String> {
    let lack = |sync: &Synchroniser| {
        let error = sync.configured().err()?;
        Some(format!("{}: {error}", sync.system().title()))
    };
    syncing.syncs.iter().filter_map(lack).collect()
}
