//! The audit trail in memory.

use std::collections::HashSet;

use async_trait::async_trait;

use crate::{MemoryStore, MemoryTransaction};
use onefold_service::audit::{
    AuditAction, AuditDraft, AuditEntry, AuditFacts, AuditFilter, AuditHead, AuditSubject, PendingEntry,
    SealedEntry,
};
use onefold_service::store::{AuditReader, AuditRepository, StoreError};

#[async_trait]
impl AuditReader for MemoryStore {
    async fn list(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let state = self.read().await;
        let subject = filter.subject.map(|subject| (subject.kind(), subject.id()));
        let action = filter.action.map(AuditAction::as_str);
        let wanted = |entry: &&AuditEntry| {
            let facts = &entry.facts;
            before.is_none_or(|before| entry.number < before)
                && subject
                    .as_ref()
                    .is_none_or(|(kind, id)| facts.subject_kind == *kind && facts.subject_id == *id)
                && (filter.customer.is_none() || facts.customer == filter.customer)
                && (filter.token.is_none() || facts.token == filter.token)
                && (filter.user.is_none() || facts.user == filter.user)
                && action.is_none_or(|action| facts.action == action)
                && filter.since.is_none_or(|since| facts.at >= since)
                && filter.until.is_none_or(|until| facts.at < until)
        };
        Ok(state.audit.iter().rev().filter(wanted).take(limit).cloned().collect())
    }

    async fn entries_after(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let skip = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(self.read().await.audit.iter().skip(skip).take(limit).cloned().collect())
    }

    async fn first_untold(&self) -> Result<Option<AuditSubject>, StoreError> {
        let state = self.read().await;
        let told: HashSet<_> = (state.audit.iter().map(|entry| &entry.facts))
            .chain(state.pending.values())
            .map(|facts| (facts.subject_kind.as_str(), facts.subject_id.as_str()))
            .collect();
        let contacts = state.contacts.iter().map(|(id, contact)| match contact.import {
            Some(import) => AuditSubject::Import(import),
            None => AuditSubject::Contact(*id),
        });
        let users = state.users.keys().copied().map(AuditSubject::User);
        let tokens = state.tokens.keys().copied().map(AuditSubject::Token);
        let untold = |subject: &AuditSubject| !told.contains(&(subject.kind(), subject.id().as_str()));
        Ok(contacts.chain(users).chain(tokens).find(untold))
    }
}

#[async_trait]
impl AuditRepository for MemoryTransaction {
    async fn append(&mut self, drafts: &[AuditDraft]) -> Result<(), StoreError> {
        for draft in drafts {
            self.state.last_pending += 1;
            self.state.pending.insert(self.state.last_pending, AuditFacts::from(draft));
        }
        Ok(())
    }

    async fn head(&mut self) -> Result<Option<AuditHead>, StoreError> {
        let last = self.state.audit.last();
        Ok(last.map(|entry| AuditHead { number: entry.number, hash: entry.hash.clone() }))
    }

    async fn pending(&mut self, limit: usize) -> Result<Vec<PendingEntry>, StoreError> {
        let pending = self.state.pending.iter().take(limit);
        Ok(pending.map(|(id, facts)| PendingEntry { id: *id, facts: facts.clone() }).collect())
    }

    async fn seal(&mut self, entries: &[SealedEntry]) -> Result<(), StoreError> {
        for SealedEntry { pending, entry } in entries {
            if self.state.pending.remove(pending).is_none() || entry.number <= self.state.audit.len() as u64 {
                return Err(StoreError::Conflict);
            }
            self.state.audit.push_back(entry.clone());
        }
        Ok(())
    }
}
