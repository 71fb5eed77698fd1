//! What is to be done about one customer and its partner: the views of both sides and the merge over them. A pure
//! function; a dry run shows it, the synchroniser carries it out.

use serde_json::{Value, json};

use super::transform::{fields_of, kind_of, ours, profile_fields, theirs, view_of};
use super::{FieldPlan, Side, SyncPlan, merge};
use crate::mapping::Mapping;
use crate::partner::{PartnerAbilities, PartnerField, PartnerFields, RemotePartner};
use crate::rules::SyncRules;
use crate::view::{SyncText, SyncView};
use onefold_domain::customer::CustomerView;

/// Both sides, compared.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Comparison {
    /// What the customer would be as a partner, in the other system's spelling.
    pub(crate) ours: PartnerFields,
    pub(crate) theirs: PartnerFields,
    /// What both last agreed on, our own writes that were found there included.
    pub(crate) base: SyncView,
    pub(crate) plan: SyncPlan,
}

/// Compares. `as_kept` is the directory's; without a partner there is nothing there yet.
pub(crate) fn compare(
    customer: &CustomerView,
    partner: &RemotePartner,
    mapping: &Mapping,
    rules: &SyncRules,
    abilities: &PartnerAbilities,
    as_kept: impl Fn(&PartnerFields) -> PartnerFields,
) -> Comparison {
    let partner = &*partner.as_known(kind_of(mapping));
    let other = theirs(partner, mapping, abilities);
    let fields = as_kept(&fields_of(customer, Some(partner), &other.base));
    let own = ours(&fields, &other, abilities);
    let mut plan = merge(&other.base, &own, &other.view, rules, |field| newer(customer, partner, field));
    plan.keep_kind_with_company();
    if partner.is_read_only {
        plan.keep_off(Side::Remote);
    }
    Comparison { ours: fields, theirs: partner.fields.clone(), base: other.base, plan }
}

/// Which side changed the field last, as far as the other system tells: of a record as a whole, so it is compared with
/// the moment at which the field was set here.
fn newer(customer: &CustomerView, partner: &RemotePartner, field: PartnerField) -> Option<Side> {
    let there = partner.changed_at?;
    let set = profile_fields(customer, field).iter().filter_map(|field| customer.profile_set_at.get(field));
    let here = *set.max()?;
    Some(if here > there { Side::Local } else { Side::Remote })
}

impl Comparison {
    /// The fields that are to be written to a side.
    pub(crate) fn to(&self, side: Side) -> Vec<PartnerField> {
        self.plan.writes_to(side).into_keys().collect()
    }

    /// Field by field, for a person. Fields that both sides agree on are left out.
    pub(crate) fn to_json(&self) -> Value {
        let text = |text: &Option<SyncText>| text.as_ref().map(|text| text.as_str().to_owned());
        let told = |(field, plan): (&PartnerField, &FieldPlan)| {
            let told = match plan {
                FieldPlan::Agreed { .. } => return None,
                // Here it follows from the company's name, and is not written by itself.
                FieldPlan::Take { from: Side::Remote, .. } if !field.has_rule() => return None,
                FieldPlan::Take { from, value, lost } => {
                    let to = if *from == Side::Local { "remote" } else { "local" };
                    json!({"field": field.as_str(), "write": to, "value": text(value), "instead": text(lost)})
                }
                FieldPlan::KeepBoth { local, remote } => {
                    let (local, remote) = (local.as_str(), remote.as_str());
                    json!({"field": field.as_str(), "write": "local", "value": remote, "beside": local})
                }
                FieldPlan::Ask { base, local, remote } => {
                    let (base, local, remote) = (text(base), text(local), text(remote));
                    json!({"field": field.as_str(), "ask": {"base": base, "local": local, "remote": remote}})
                }
            };
            Some(told)
        };
        self.plan.fields.iter().filter_map(told).collect()
    }
}

/// Whether a partner is just as it was when both sides were last compared, and so is the customer. Then nothing has
/// to be looked at.
pub(crate) fn is_unchanged(
    mapping: &Mapping,
    version: i64,
    partner: &RemotePartner,
    abilities: &PartnerAbilities,
) -> bool {
    let mut expected = mapping.base.clone();
    expected.extend(mapping.kept.iter().map(|(field, value)| (*field, value.clone())));
    let partner = partner.as_known(kind_of(mapping));
    let seen = view_of(&partner.fields, abilities);
    let same = |(field, value): (&PartnerField, &Option<SyncText>)| {
        expected.get(field).is_some_and(|expected| expected == value)
    };
    mapping.is_settled()
        && mapping.customer_version == Some(version)
        && partner.unreadable.is_empty()
        && seen.iter().all(same)
}

/// How the other system keeps the values that it took over in another form than they were sent.
pub(crate) fn kept_otherwise(
    differing: &[PartnerField],
    partner: &RemotePartner,
    abilities: &PartnerAbilities,
) -> SyncView {
    let mut kept = view_of(&partner.fields, abilities);
    kept.retain(|field, _| differing.contains(field));
    kept
}
