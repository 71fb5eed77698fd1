//! What becomes of a guest's record that a user claims: the one rule, for records that come one by one and for files.

use onefold_domain::contact::{ClaimedBy, ContactRecord, Statement};
use onefold_domain::linking::LinkPlan;

use super::note_blocks;

/// Makes a guest's record the user's of this statement. `by` is on whose word; `None` if the user has verified the values,
/// so that nobody can take the record back.
pub(crate) fn claimed(
    record: &mut ContactRecord,
    statement: &Statement,
    by: Option<ClaimedBy>,
    plan: &LinkPlan,
) {
    record.statement = statement.clone();
    record.claimed_by = by;
    // What once kept a value of the guest's from linking may be gone.
    note_blocks(record, plan);
    // What a guest preferred says nothing about the user's choice among several.
    record.details.is_primary = false;
}
