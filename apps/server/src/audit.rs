//! `onefold-server audit`: whether the trail is as it was written.

use anyhow::bail;
use clap::Subcommand;
use onefold_service::audit::{AuditFault, AuditHead};
use onefold_service::trail::Audit;

/// Look after the audit trail.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Go along the whole chain of hashes and find what was changed, removed or exchanged, and what is there although no
    /// entry tells of it.
    Verify {
        /// A head that an earlier run printed, `NUMBER:HASH`. Kept elsewhere, it also shows a tail that was cut
        /// off and a chain that was made anew.
        #[arg(long, value_name = "NUMBER:HASH")]
        expect_head: Option<AuditHead>,
    },
}

pub(crate) async fn run(audit: &Audit, command: AuditCommand) -> anyhow::Result<()> {
    let AuditCommand::Verify { expect_head } = command;
    match audit.verify(expect_head).await? {
        Ok(Some(head)) => println!("{} entries, all as they were written\nhead {head}", head.number),
        Ok(None) => println!("0 entries"),
        Err(fault @ AuditFault::Untold { .. }) => bail!(
            "the audit trail is not whole: {fault}; entries were removed, or somebody wrote past the program. Look \
             for the last head that was kept, or restore a backup"
        ),
        Err(fault) => bail!("the audit trail was tampered with: {fault}"),
    }
    Ok(())
}
