//! What sync tells the audit trail.

use serde_json::{Value, json};

use crate::conflict::Conflict;
use crate::rules::SyncRules;
use crate::view::SyncText;
use onefold_service::audit::{AuditAction, AuditSubject};
use onefold_service::system::SyncSystem;
use onefold_service::trail::Change;

pub(crate) fn sync_rules_changed(
    system: SyncSystem,
    before: Option<&SyncRules>,
    after: &SyncRules,
) -> Change {
    let told = |rules: &SyncRules| {
        rules.iter().map(|(field, rule)| (field.as_str().to_owned(), rule.as_str().into())).collect()
    };
    Change {
        action: AuditAction::SyncRulesChanged,
        subject: AuditSubject::Sync(system),
        customer: None,
        before: before.map(told).map(Value::Object),
        after: Some(Value::Object(told(after))),
    }
}

pub(crate) fn conflict_resolved(conflict: &Conflict, resolution: &str) -> Change {
    let text = |text: &Option<SyncText>| text.as_ref().map(|text| text.as_str().to_owned());
    let (local, remote) = (text(&conflict.local), text(&conflict.remote));
    let before = json!({"conflict": conflict.id.0, "system": conflict.system.as_str(),
        "field": conflict.subject.as_str(), "local": local, "remote": remote});
    Change {
        action: AuditAction::ConflictResolved,
        subject: AuditSubject::Customer(conflict.customer),
        customer: Some(conflict.customer),
        before: Some(before),
        after: Some(json!({"conflict": conflict.id.0, "resolution": resolution})),
    }
}
