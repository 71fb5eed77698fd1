//! What decides when both sides changed a field: rules that are data, for each other system its own.

use std::collections::BTreeMap;

use crate::partner::PartnerField;

/// Who wins if both sides changed a field to different values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FieldRule {
    Local,
    Remote,
    /// Whoever changed it last; asks if nobody knows.
    Newest,
    /// Both values are kept: for fields of which a customer has several.
    Union,
    /// A person decides.
    Ask,
}

impl FieldRule {
    pub const ALL: [Self; 5] = [Self::Local, Self::Remote, Self::Newest, Self::Union, Self::Ask];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
            Self::Newest => "newest",
            Self::Union => "union",
            Self::Ask => "ask",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }
}

/// The rules for one other system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncRules(BTreeMap<PartnerField, FieldRule>);

/// Why rules cannot be meant.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidSyncRule {
    #[error("There is no such field; known are {}.", known_fields())]
    UnknownField,
    #[error("There is no such rule; known are {}.", FieldRule::ALL.map(FieldRule::as_str).join(", "))]
    UnknownRule,
    #[error("A customer has one {} only; `union` is for email and phone.", .0.as_str())]
    NotAList(PartnerField),
}

impl SyncRules {
    /// What people type in the other system about money counts there; how to reach somebody is known on both
    /// sides; customers are sorted here; the rest is asked about.
    pub fn shipped() -> Self {
        use PartnerField::{CompanyName, Email, Phone, Tags, TaxNumber};
        Self::of([
            (Email, FieldRule::Union),
            (Phone, FieldRule::Union),
            (TaxNumber, FieldRule::Remote),
            (CompanyName, FieldRule::Remote),
            (Tags, FieldRule::Local),
        ])
    }

    /// A field that is left out is asked about.
    pub fn of(rules: impl IntoIterator<Item = (PartnerField, FieldRule)>) -> Self {
        Self(rules.into_iter().collect())
    }

    /// One rule by its names, as a caller gives them.
    ///
    /// # Errors
    /// Names that are unknown, and `union` for a field of which there is one.
    pub fn parse(field: &str, rule: &str) -> Result<(PartnerField, FieldRule), InvalidSyncRule> {
        let field = PartnerField::parse(field).filter(|field| field.has_rule());
        let field = field.ok_or(InvalidSyncRule::UnknownField)?;
        let rule = FieldRule::parse(rule).ok_or(InvalidSyncRule::UnknownRule)?;
        let is_list = matches!(field, PartnerField::Email | PartnerField::Phone);
        if rule == FieldRule::Union && !is_list {
            return Err(InvalidSyncRule::NotAList(field));
        }
        Ok((field, rule))
    }

    /// The rules that were given, without the fields that are asked about by default.
    pub fn iter(&self) -> impl Iterator<Item = (PartnerField, FieldRule)> + '_ {
        self.0.iter().map(|(field, rule)| (*field, *rule))
    }

    pub fn rule(&self, field: PartnerField) -> FieldRule {
        self.0.get(&field).copied().unwrap_or(FieldRule::Ask)
    }
}

fn known_fields() -> String {
    let fields = PartnerField::ALL.into_iter().filter(|field| field.has_rule());
    fields.map(PartnerField::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_by_their_names() {
        for rule in FieldRule::ALL {
            assert_eq!(SyncRules::parse("email", rule.as_str()), Ok((PartnerField::Email, rule)));
        }
        assert_eq!(SyncRules::parse("mail", "ask"), Err(InvalidSyncRule::UnknownField));
        assert_eq!(SyncRules::parse("email", "first"), Err(InvalidSyncRule::UnknownRule));
        let one = SyncRules::parse("city", "union");
        assert_eq!(one, Err(InvalidSyncRule::NotAList(PartnerField::City)));
        assert!(one.unwrap_err().to_string().contains("city"));
    }

    #[test]
    fn what_no_rule_names_is_asked_about() {
        assert_eq!(SyncRules::shipped().rule(PartnerField::Street), FieldRule::Ask);
        assert_eq!(SyncRules::shipped().rule(PartnerField::Phone), FieldRule::Union);
    }
}
