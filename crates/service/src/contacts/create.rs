//! `create_contact`: a record of its own, whatever is known already.

use chrono::{DateTime, Utc};

use super::{ContactRequest, Contacts, Row, carry_out, require_user, reread, settle, step_back};
use crate::environment::Environment;
use crate::error::RecordError;
use crate::retry::Failure;
use crate::store::{StoreError, Transaction};
use crate::trail::Change;
use onefold_domain::contact::{ContactDetails, ContactDraft, ContactRecord};
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::StatementKeys;
use onefold_domain::linking::{Candidates, LinkPlan, decide_record};

impl Contacts {
    /// Adds a contact, also when an equal one exists: each source leaves its own trace. It links by the
    /// same rules as `identify`.
    ///
    /// # Errors
    /// [`RecordError::NoSuchUser`], metadata that is too large, and a store that does not answer. After a
    /// failure while committing the contact may or may not be there: unlike the other use cases, this one
    /// cannot tell its own earlier try from somebody else's, so it does not try again by itself.
    pub async fn create_contact(&self, request: &ContactRequest) -> Result<ContactRecord, RecordError> {
        let env = &self.env;
        env.patience
            .keep_trying(env.randomness.as_ref(), |_| async move {
                let mut transaction = env.begin().await?;
                let record = create(transaction.as_mut(), env, request).await?;
                match transaction.commit().await {
                    Ok(()) => Ok(record),
                    Err(source @ StoreError::Unavailable(_)) => {
                        Err(Failure::Unavailable { attempts: 1, source }.into())
                    }
                    Err(error) => Err(error.into()),
                }
            })
            .await
    }
}

/// Adds a contact inside an open transaction, which the caller commits.
pub async fn create(
    transaction: &mut dyn Transaction,
    env: &Environment,
    request: &ContactRequest,
) -> Result<ContactRecord, RecordError> {
    require_user(transaction, &request.statement).await?;
    let request = &weighed(env, request);
    let keys = StatementKeys::of(&request.statement, &env.policy).to_vec();
    let candidates = transaction.customers().lock_candidates(&keys).await?;
    let plan = decide_record(&request.statement, &candidates, &env.policy);
    let id = insert(transaction, env, request, &plan, &candidates, env.clock.now()).await?;
    let record = reread(transaction, id).await?;
    env.record(transaction, record.created_at, vec![Change::contact_created(&record)]).await?;
    Ok(record)
}

/// Adds the contact of a plan that asks for one.
pub(super) async fn insert(
    transaction: &mut dyn Transaction,
    env: &Environment,
    request: &ContactRequest,
    plan: &LinkPlan,
    candidates: &Candidates,
    at: DateTime<Utc>,
) -> Result<ContactId, RecordError> {
    let draft = draft(request, at)?;
    if let (true, Some(user)) = (draft.details.is_primary, request.statement.user()) {
        // Before the new one is there: at no moment may a user have two.
        step_back(transaction, env, (user, draft.kind()), None, at).await?;
    }
    let verifies = draft.details.verified_at.is_some() && request.statement.user().is_some();
    let carried = carry_out(
        transaction,
        env,
        plan,
        Row::Insert(&draft),
        candidates,
        (CustomerId(env.randomness.uuid(at)), at),
    )
    .await?;
    let added = carried.added.ok_or_else(|| StoreError::Backend("the plan asked for no contact".into()))?;
    if verifies {
        let said = std::slice::from_ref(&request.statement);
        settle(transaction, env, added, carried.customer, said, at).await?;
    }
    Ok(added)
}

/// The request as it counts when it comes from whoever acts.
pub(super) fn weighed(env: &Environment, request: &ContactRequest) -> ContactRequest {
    ContactRequest { statement: env.weighed(request.statement.clone()), ..request.clone() }
}

pub(crate) fn draft(request: &ContactRequest, at: DateTime<Utc>) -> Result<ContactDraft, RecordError> {
    Ok(ContactDraft {
        statement: request.statement.clone(),
        claimed_by: None,
        email_blocked_by: None,
        phone_blocked_by: None,
        source: request.source,
        details: ContactDetails {
            channel: request.channel,
            is_primary: request.is_primary.unwrap_or(false),
            verified_at: (request.is_verified == Some(true)).then_some(at),
            metadata: request.metadata.clone().stored(),
            profile: request.profile.clone().filter(|profile| !profile.is_empty()),
        },
        received: request.received.clone(),
        import: None,
        origin: None,
    })
}
