//! Three-way merge, field by field: the base is what both sides last agreed on, and whichever side differs from it has changed.
//! A pure function; what comes of it is carried out elsewhere, and a dry run shows it.
//!
//! A field without a value is a value like any other: if one side emptied it, the other is emptied. A field is left out of a
//! side's view, and so of the plan, where that side has no place for it, or has something in it that is no value here, such
//! as a phone number with letters.

mod plan;
mod transform;

pub(crate) use plan::{Comparison, compare, is_unchanged, kept_otherwise};
pub(crate) use transform::{fields_of, kind_of, profile_patch, view_of};

use std::collections::BTreeMap;

use crate::partner::PartnerField;
use crate::rules::{FieldRule, SyncRules};
use crate::view::{SyncText, SyncView};

/// One of the two that are kept the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    Local,
    Remote,
}

/// What is to become of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FieldPlan {
    /// Both sides have this value already.
    Agreed { value: Option<SyncText> },
    /// One side has it, the other is to get it. `lost` is what the other side had said meanwhile.
    Take { from: Side, value: Option<SyncText>, lost: Option<SyncText> },
    /// Both keep what they have, and the customer gets the other side's value beside its own.
    KeepBoth { local: SyncText, remote: SyncText },
    /// A person has to decide; neither side is touched.
    Ask { base: Option<SyncText>, local: Option<SyncText>, remote: Option<SyncText> },
}

/// What is to become of a customer and its partner.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SyncPlan {
    pub fields: BTreeMap<PartnerField, FieldPlan>,
}

impl SyncPlan {
    /// The values to be written to a side. What both keep is added to the customer's own, whose view shows of
    /// several values the one that the other side has.
    pub fn writes_to(&self, side: Side) -> SyncView {
        let write = |(field, plan): (&PartnerField, &FieldPlan)| match plan {
            FieldPlan::Take { from, value, .. } if *from != side => Some((*field, value.clone())),
            FieldPlan::KeepBoth { remote, .. } if side == Side::Local => Some((*field, Some(remote.clone()))),
            _ => None,
        };
        self.fields.iter().filter_map(write).collect()
    }

    /// What both sides will have agreed on once the plan is carried out. A field that is asked about keeps
    /// its old base, so that the question stays.
    #[must_use]
    pub fn new_base(&self, base: &SyncView) -> SyncView {
        let mut agreed = base.clone();
        for (field, plan) in &self.fields {
            match plan {
                FieldPlan::Agreed { value } | FieldPlan::Take { value, .. } => {
                    agreed.insert(*field, value.clone());
                }
                FieldPlan::KeepBoth { remote, .. } => {
                    agreed.insert(*field, Some(remote.clone()));
                }
                FieldPlan::Ask { .. } => {}
            }
        }
        agreed
    }

    /// Leaves a side as it is: what was to be written there is no part of the plan any more.
    pub(super) fn keep_off(&mut self, side: Side) {
        self.fields.retain(|_, plan| !matches!(plan, FieldPlan::Take { from, .. } if *from != side));
    }

    /// Whether the partner is a person or a company follows from the company's name: as long as that is undecided, the kind is
    /// left alone.
    pub(super) fn keep_kind_with_company(&mut self) {
        match self.fields.get(&PartnerField::CompanyName) {
            Some(FieldPlan::Agreed { .. } | FieldPlan::Take { .. }) => {}
            Some(FieldPlan::KeepBoth { .. } | FieldPlan::Ask { .. }) | None => {
                self.fields.remove(&PartnerField::Kind);
            }
        }
    }

    pub fn questions(&self) -> impl Iterator<Item = PartnerField> + '_ {
        let asked = self.fields.iter().filter(|(_, plan)| matches!(plan, FieldPlan::Ask { .. }));
        asked.map(|(field, _)| *field)
    }

    /// Whether nothing has to be written or asked.
    pub fn is_settled(&self) -> bool {
        self.fields.values().all(|plan| matches!(plan, FieldPlan::Agreed { .. }))
    }
}

/// Decides about every field that both sides can carry. `newer` says which side changed a field last, if that
/// is known.
///
/// ```
/// use onefold_sync::merge::{Side, merge};
/// use onefold_sync::partner::PartnerField;
/// use onefold_sync::rules::{FieldRule, SyncRules};
/// use onefold_sync::view::{SyncText, SyncView};
///
/// let view = |city, street| {
///     SyncView::from([(PartnerField::City, SyncText::new(city)), (PartnerField::Street, SyncText::new(street))])
/// };
/// let base = view("Ljubljana", "Lipova pot 7");
/// let ours = view("Kranj", "Nova ulica 1");
/// let theirs = view("Ljubljana", "Stara cesta 2");
///
/// // The city changed here only and goes there. The street changed on both sides, and no rule decides.
/// let plan = merge(&base, &ours, &theirs, &SyncRules::of([]), |_| None);
/// assert_eq!(plan.writes_to(Side::Remote), SyncView::from([(PartnerField::City, SyncText::new("Kranj"))]));
/// assert_eq!(plan.questions().collect::<Vec<_>>(), [PartnerField::Street]);
///
/// let rules = SyncRules::of([(PartnerField::Street, FieldRule::Remote)]);
/// let plan = merge(&base, &ours, &theirs, &rules, |_| None);
/// let taken = SyncView::from([(PartnerField::Street, SyncText::new("Stara cesta 2"))]);
/// assert_eq!(plan.writes_to(Side::Local), taken);
/// ```
pub fn merge(
    base: &SyncView,
    local: &SyncView,
    remote: &SyncView,
    rules: &SyncRules,
    newer: impl Fn(PartnerField) -> Option<Side>,
) -> SyncPlan {
    let both = local.iter().filter_map(|(field, ours)| Some((*field, ours, remote.get(field)?)));
    let plan = both.map(|(field, ours, theirs)| {
        let agreed = base.get(&field).cloned().flatten();
        (field, decide(rules.rule(field), || newer(field), agreed, ours.clone(), theirs.clone()))
    });
    SyncPlan { fields: plan.collect() }
}

fn decide(
    rule: FieldRule,
    newer: impl FnOnce() -> Option<Side>,
    base: Option<SyncText>,
    local: Option<SyncText>,
    remote: Option<SyncText>,
) -> FieldPlan {
    if local == remote {
        return FieldPlan::Agreed { value: local };
    }
    match (local == base, remote == base) {
        (false, true) => FieldPlan::Take { from: Side::Local, value: local, lost: None },
        (true, false) => FieldPlan::Take { from: Side::Remote, value: remote, lost: None },
        // Both differ from the base: if both were equal to it they would be equal to each other.
        _ => settle(rule, newer, base, local, remote),
    }
}

/// Both sides changed it, and not to the same.
fn settle(
    rule: FieldRule,
    newer: impl FnOnce() -> Option<Side>,
    base: Option<SyncText>,
    local: Option<SyncText>,
    remote: Option<SyncText>,
) -> FieldPlan {
    let winner = match rule {
        FieldRule::Local => Some(Side::Local),
        FieldRule::Remote => Some(Side::Remote),
        FieldRule::Newest => newer(),
        FieldRule::Union => match (local, remote) {
            (Some(local), Some(remote)) => return FieldPlan::KeepBoth { local, remote },
            // Only one side has a value still: the other gets it.
            (Some(value), None) => {
                return FieldPlan::Take { from: Side::Local, value: Some(value), lost: None };
            }
            (None, value) => return FieldPlan::Take { from: Side::Remote, value, lost: None },
        },
        FieldRule::Ask => None,
    };
    match winner {
        Some(Side::Local) => FieldPlan::Take { from: Side::Local, value: local, lost: remote },
        Some(Side::Remote) => FieldPlan::Take { from: Side::Remote, value: remote, lost: local },
        None => FieldPlan::Ask { base, local, remote },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Option<SyncText> {
        SyncText::new(text)
    }

    fn one(value: &str) -> SyncView {
        SyncView::from([(PartnerField::City, text(value))])
    }

    fn plan(rule: FieldRule, values: [&str; 3], newer: Option<Side>) -> FieldPlan {
        let [base, local, remote] = values.map(one);
        let rules = SyncRules::of([(PartnerField::City, rule)]);
        let mut plan = merge(&base, &local, &remote, &rules, |_| newer);
        plan.fields.remove(&PartnerField::City).unwrap()
    }

    fn take(from: Side, value: &str, lost: &str) -> FieldPlan {
        FieldPlan::Take { from, value: text(value), lost: text(lost) }
    }

    #[test]
    fn every_case_of_a_field() {
        use FieldRule as R;
        use Side::{Local, Remote};
        for (rule, [base, local, remote], newer, expected) in [
            (R::Ask, ["a", "a", "a"], None, FieldPlan::Agreed { value: text("a") }),
            (R::Ask, ["a", "b", "b"], None, FieldPlan::Agreed { value: text("b") }),
            (R::Ask, ["", "", ""], None, FieldPlan::Agreed { value: None }),
            (R::Ask, ["a", "b", "a"], None, take(Local, "b", "")),
            (R::Ask, ["a", "a", "b"], None, take(Remote, "b", "")),
            (R::Ask, ["a", "", "a"], None, take(Local, "", "")),
            (R::Ask, ["", "", "b"], None, take(Remote, "b", "")),
            (R::Local, ["a", "b", "c"], None, take(Local, "b", "c")),
            (R::Remote, ["a", "b", "c"], None, take(Remote, "c", "b")),
            (R::Remote, ["a", "b", ""], None, take(Remote, "", "b")),
            (R::Newest, ["a", "b", "c"], Some(Local), take(Local, "b", "c")),
            (R::Newest, ["a", "b", "c"], Some(Remote), take(Remote, "c", "b")),
            (R::Union, ["", "b", ""], None, take(Local, "b", "")),
            (R::Union, ["a", "", "c"], None, take(Remote, "c", "")),
            (R::Union, ["a", "b", ""], None, take(Local, "b", "")),
        ] {
            assert_eq!(
                plan(rule, [base, local, remote], newer),
                expected,
                "{rule:?} {base} {local} {remote}"
            );
        }
        let ask = FieldPlan::Ask { base: text("a"), local: text("b"), remote: text("c") };
        assert_eq!(plan(R::Ask, ["a", "b", "c"], Some(Local)), ask);
        assert_eq!(plan(R::Newest, ["a", "b", "c"], None), ask, "nobody knows which is newer");
        let both = FieldPlan::KeepBoth { local: text("b").unwrap(), remote: text("c").unwrap() };
        assert_eq!(plan(R::Union, ["a", "b", "c"], None), both);
    }

    #[test]
    fn what_one_side_cannot_carry_is_no_part_of_the_plan() {
        let local =
            SyncView::from([(PartnerField::City, text("Bled")), (PartnerField::Email, text("a@x.si"))]);
        let plan = merge(&SyncView::new(), &local, &one(""), &SyncRules::shipped(), |_| None);
        assert_eq!(plan.fields.keys().collect::<Vec<_>>(), [&PartnerField::City]);
    }

    #[test]
    fn values_do_not_print() {
        let plan = plan(FieldRule::Ask, ["", "Bled", "Kranj"], None);
        assert!(!format!("{plan:?}").contains("Bled"));
    }

    fn view() -> impl Strategy<Value = SyncView> {
        let value = prop::sample::select(vec!["", "a", "b", "c"]).prop_map(text);
        prop::collection::btree_map(prop::sample::select(PartnerField::ALL.to_vec()), value, 0..6)
    }

    fn rules() -> impl Strategy<Value = SyncRules> {
        let rule = prop::sample::select(FieldRule::ALL.to_vec());
        let field = prop::sample::select(PartnerField::ALL.to_vec());
        prop::collection::vec((field, rule), 0..9).prop_map(SyncRules::of)
    }

    fn written(view: &SyncView, writes: SyncView) -> SyncView {
        let mut view = view.clone();
        view.extend(writes);
        view
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Carried out, a plan leaves nothing to do but the questions, and those stay as they are.
        #[test]
        fn a_plan_is_carried_out_once(base in view(), local in view(), remote in view(), rules in rules()) {
            let plan = merge(&base, &local, &remote, &rules, |_| Some(Side::Local));
            let local = written(&local, plan.writes_to(Side::Local));
            let remote = written(&remote, plan.writes_to(Side::Remote));
            let next = merge(&plan.new_base(&base), &local, &remote, &rules, |_| Some(Side::Local));
            for (field, now) in &next.fields {
                match (&plan.fields[field], now) {
                    (_, FieldPlan::Agreed { .. }) => {}
                    (FieldPlan::Ask { .. }, FieldPlan::Ask { .. }) => prop_assert_eq!(&plan.fields[field], now),
                    (before, now) => prop_assert!(false, "{field:?}: {before:?}, then {now:?}"),
                }
            }
        }

        /// No value that somebody gave since the last time is gone: it is on both sides, kept as lost, or asked about.
        #[test]
        fn nothing_new_is_lost(base in view(), local in view(), remote in view(), rules in rules()) {
            let plan = merge(&base, &local, &remote, &rules, |_| None);
            for (field, plan) in &plan.fields {
                for side in [&local, &remote] {
                    let Some(value) = &side[field] else { continue };
                    if base.get(field) == Some(&side[field]) {
                        continue;
                    }
                    let kept = match plan {
                        FieldPlan::Agreed { value: agreed } => agreed.as_ref() == Some(value),
                        FieldPlan::Take { value: taken, lost, .. } => {
                            [taken, lost].contains(&&Some(value.clone()))
                        }
                        FieldPlan::KeepBoth { local, remote } => [local, remote].contains(&value),
                        FieldPlan::Ask { local, remote, .. } => [local, remote].contains(&&Some(value.clone())),
                    };
                    prop_assert!(kept, "{field:?}: {plan:?}");
                }
            }
        }

        /// A side that only shows what it was told last time causes no write.
        #[test]
        fn an_echo_is_no_change(base in view(), local in view(), rules in rules()) {
            let plan = merge(&base, &local, &local, &rules, |_| None);
            prop_assert!(plan.is_settled());
        }
    }
}
