//! The brakes: how much a run may do without a person's word. What they hold is not done; a plan shows it, and
//! whoever approves the run releases all of them.

use crate::run::{Run, RunKind};
use crate::synchroniser::SyncSettings;

/// What a run is about to do in large numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bulk {
    /// Mappings let go, of those in use, after so many records were seen there.
    Lost { lost: u64, in_use: u64, seen: u64 },
    /// Records created there.
    Created(u64),
    /// Pairs of customers that records made one.
    Merged(u64),
}

/// Why the run is held, if it is.
pub(super) fn brake(run: &Run, settings: &SyncSettings, bulk: Bulk) -> Option<String> {
    if run.approved || run.dry_run {
        return None;
    }
    match bulk {
        // Whoever finds nothing at all has looked in the wrong place, however few are expected.
        Bulk::Lost { in_use, seen: 0, .. } if in_use > 0 => {
            let title = run.system.title();
            Some(format!("{title} has no record at all, while {in_use} are expected."))
        }
        Bulk::Lost { lost, in_use, .. } => {
            let most = settings.most_lost.max(in_use * settings.most_lost_percent / 100);
            (lost > most).then(|| format!("{lost} of {in_use} mappings would be let go, more than {most}."))
        }
        Bulk::Created(new) => {
            let most = settings.most_created;
            let (title, record) = (run.system.title(), run.system.record_type());
            (new > most).then(|| {
                format!("{new} customers would get a new {record} in {title}, more than {most} in one run.")
            })
        }
        // Somebody who takes in a whole register has asked for it.
        Bulk::Merged(_) if run.kind == RunKind::ImportAll => None,
        Bulk::Merged(pairs) => {
            let most = settings.most_lost;
            (pairs > most).then(|| {
                format!("The records made {pairs} pairs of customers one, more than {most} in one run.")
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::run::{RunCounts, RunId, RunStatus};
    use onefold_service::system::SyncSystem;

    fn run(kind: RunKind) -> Run {
        Run {
            id: RunId(Uuid::nil()),
            system: SyncSystem::MetaKocka,
            kind,
            dry_run: false,
            approved: false,
            status: RunStatus::Running,
            counts: RunCounts::default(),
            message: None,
            requested_by: String::new(),
            created_at: DateTime::UNIX_EPOCH,
            started_at: None,
            updated_at: DateTime::UNIX_EPOCH,
            finished_at: None,
        }
    }

    fn holds(bulk: Bulk) -> bool {
        brake(&run(RunKind::Compare), &SyncSettings::default(), bulk).is_some()
    }

    #[test]
    fn few_pass_and_many_are_held() {
        let lost = |lost, in_use| Bulk::Lost { lost, in_use, seen: 1 };
        assert!(!holds(lost(10, 20)) && holds(lost(11, 20)), "10 at least");
        assert!(!holds(lost(50, 1_000)) && holds(lost(51, 1_000)), "or 5 percent");
        assert!(!holds(Bulk::Created(100)) && holds(Bulk::Created(101)));
        assert!(!holds(Bulk::Merged(10)) && holds(Bulk::Merged(11)));
    }

    #[test]
    fn nothing_at_all_is_never_believed() {
        assert!(holds(Bulk::Lost { lost: 1, in_use: 1, seen: 0 }));
        assert!(!holds(Bulk::Lost { lost: 0, in_use: 0, seen: 0 }));
    }

    #[test]
    fn a_plan_is_not_held_and_an_approved_run_goes_on() {
        let bulk = Bulk::Created(1_000);
        for run in
            [Run { dry_run: true, ..run(RunKind::SyncAll) }, Run { approved: true, ..run(RunKind::SyncAll) }]
        {
            assert_eq!(brake(&run, &SyncSettings::default(), bulk), None);
        }
        assert_eq!(brake(&run(RunKind::ImportAll), &SyncSettings::default(), Bulk::Merged(1_000)), None);
    }
}
