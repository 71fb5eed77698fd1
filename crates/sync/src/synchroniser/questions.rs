//! What both sides changed: asked about, or decided by a rule with the loser kept.

use chrono::{DateTime, Utc};

use super::reconcile::Written;
use super::{Opened, Synchroniser};
use crate::conflict::{ConflictDraft, ConflictId, ConflictStatus, ConflictSubject};
use crate::mapping::Mapping;
use crate::merge::{Comparison, FieldPlan, Side};
use crate::partner::PartnerField;
use crate::rules::{FieldRule, SyncRules};
use crate::store::{Open, SyncTransaction};
use crate::sync_error::SyncError;
use crate::view::{SyncText, SyncView};
use onefold_service::store::StoreError;

impl Synchroniser {
    /// Keeps what loses by a rule, before it is overwritten.
    pub(super) async fn keep_lost(
        &self,
        opened: &Opened,
        compared: &Comparison,
        rules: &SyncRules,
        winner: Side,
    ) -> Result<(), SyncError> {
        let drafts = &self.lost(&opened.mapping, compared, rules, winner);
        if drafts.is_empty() {
            return Ok(());
        }
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    for draft in drafts {
                        transaction.conflicts().put(draft).await?;
                    }
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await
    }

    pub(super) fn lost(
        &self,
        mapping: &Mapping,
        compared: &Comparison,
        rules: &SyncRules,
        winner: Side,
    ) -> Vec<ConflictDraft> {
        let at = self.env.base.clock.now();
        let draft = |(field, plan): (&PartnerField, &FieldPlan)| {
            let FieldPlan::Take { from, value, lost: Some(lost) } = plan else { return None };
            let (local, remote) = match from {
                _ if *from != winner => return None,
                Side::Local => (value.clone(), Some(lost.clone())),
                Side::Remote => (Some(lost.clone()), value.clone()),
            };
            let base = compared.base.get(field).cloned().flatten();
            let rule = Some(rules.rule(*field));
            let values = Values { base, local, remote };
            Some(self.field_conflict(mapping, *field, values, ConflictStatus::Settled, at).ruled(rule))
        };
        compared.plan.fields.iter().filter_map(draft).collect()
    }

    fn field_conflict(
        &self,
        mapping: &Mapping,
        field: PartnerField,
        values: Values,
        status: ConflictStatus,
        at: DateTime<Utc>,
    ) -> ConflictDraft {
        ConflictDraft {
            mapping: mapping.id,
            system: self.system,
            customer: mapping.customer,
            subject: ConflictSubject::Field(field),
            base: values.base,
            local: values.local,
            remote: values.remote,
            status,
            rule: None,
            at,
        }
    }

    /// Opens what is in question now and closes what is not any more; returns what is open.
    pub(super) async fn note_questions(
        &self,
        transaction: &mut dyn SyncTransaction,
        mapping: &Mapping,
        done: &Written<'_>,
        at: DateTime<Utc>,
    ) -> Result<Vec<ConflictId>, StoreError> {
        let mut open = Vec::new();
        let mut asked = Vec::new();
        for (field, plan) in &done.compared.plan.fields {
            let Some(values) = in_question(plan, &done.compared.base, *field, done.refused.contains(field))
            else {
                continue;
            };
            let draft = self.field_conflict(mapping, *field, values, ConflictStatus::Open, at);
            open.push(transaction.conflicts().put(&draft).await?);
            asked.push(ConflictSubject::Field(*field));
        }
        for conflict in transaction.conflicts().open_of(mapping.id).await? {
            match conflict.subject {
                subject if asked.contains(&subject) => {}
                ConflictSubject::Field(_) | ConflictSubject::SamePartner | ConflictSubject::Gone => {
                    transaction.conflicts().resolve(conflict.id, "agreed", &self.by(), at).await?;
                }
                ConflictSubject::SameCustomer => open.push(conflict.id),
            }
        }
        Ok(open)
    }
}

/// What a field is on both sides and was before.
pub(super) struct Values {
    pub(super) base: Option<SyncText>,
    pub(super) local: Option<SyncText>,
    pub(super) remote: Option<SyncText>,
}

impl ConflictDraft {
    fn ruled(self, rule: Option<FieldRule>) -> Self {
        Self { rule, ..self }
    }
}

/// The values of a field that a person has to decide about.
fn in_question(plan: &FieldPlan, base: &SyncView, field: PartnerField, refused: bool) -> Option<Values> {
    let before = || base.get(&field).cloned().flatten();
    match plan {
        FieldPlan::Ask { base, local, remote } => {
            Some(Values { base: base.clone(), local: local.clone(), remote: remote.clone() })
        }
        FieldPlan::KeepBoth { local, remote } if refused => {
            Some(Values { base: before(), local: Some(local.clone()), remote: Some(remote.clone()) })
        }
        FieldPlan::Take { value, lost, .. } if refused => {
            let local = lost.clone().or_else(before);
            Some(Values { base: before(), local, remote: value.clone() })
        }
        _ => None,
    }
}
