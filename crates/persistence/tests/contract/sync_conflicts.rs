//! Conflicts of sync: one open for each question, everything else kept.

use std::sync::Arc;

use onefold_service::store::StoreError;
use onefold_sync::conflict::{
    Conflict, ConflictDraft, ConflictFilter, ConflictId, ConflictStatus, ConflictSubject,
};
use onefold_sync::mapping::Mapping;
use onefold_sync::partner::PartnerField;
use onefold_sync::rules::FieldRule;
use onefold_sync::store::SyncStore;

use crate::sync_scene::{OTHER, SYSTEM, contacts, insert, minute, pending, text, write};
use crate::use_cases::{UseCases, all_together};

on_every_store!(
    a_conflict_comes_back_as_it_was_stored,
    an_open_one_takes_the_place_of_the_open_one,
    of_many_open_ones_one_is_kept,
    what_is_settled_is_added,
    a_conflict_is_resolved_once,
    conflicts_are_listed_by_what_is_asked_for,
);

const EMAIL: ConflictSubject = ConflictSubject::Field(PartnerField::Email);
const CITY: ConflictSubject = ConflictSubject::Field(PartnerField::City);

/// Mappings of as many customers.
async fn mappings<const N: usize>(store: &Arc<dyn SyncStore>) -> [Mapping; N] {
    let contacts: [_; N] = contacts(&UseCases::new(store)).await;
    let mut number = 0;
    let mappings = contacts.map(|contact| {
        number += 1;
        pending(number, &contact)
    });
    for mapping in &mappings {
        insert(store, mapping).await;
    }
    mappings
}

fn open(of: &Mapping, subject: ConflictSubject) -> ConflictDraft {
    ConflictDraft {
        mapping: of.id,
        system: SYSTEM,
        customer: of.customer,
        subject,
        base: None,
        local: text("here"),
        remote: text("there"),
        status: ConflictStatus::Open,
        rule: None,
        at: minute(1),
    }
}

fn settled(of: &Mapping, subject: ConflictSubject) -> ConflictDraft {
    ConflictDraft { status: ConflictStatus::Settled, rule: Some(FieldRule::Remote), ..open(of, subject) }
}

async fn put(store: &Arc<dyn SyncStore>, draft: &ConflictDraft) -> ConflictId {
    write(store, async |to| to.conflicts().put(draft).await.expect("a conflict")).await
}

async fn resolve(
    store: &Arc<dyn SyncStore>,
    id: ConflictId,
    resolution: &str,
    at: i64,
) -> Result<(), StoreError> {
    let mut transaction = store.begin_sync().await?;
    transaction.conflicts().resolve(id, resolution, "token 7", minute(at)).await?;
    transaction.commit().await
}

async fn stored(store: &Arc<dyn SyncStore>, id: ConflictId) -> Conflict {
    store.conflicts().get(id).await.expect("an answer").expect("the conflict")
}

async fn list(store: &Arc<dyn SyncStore>, filter: ConflictFilter) -> Vec<ConflictId> {
    let found = store.conflicts().list(&filter, None, 100).await.expect("conflicts");
    found.into_iter().map(|conflict| conflict.id).collect()
}

async fn open_of(store: &Arc<dyn SyncStore>, mapping: &Mapping) -> Vec<ConflictId> {
    let open = write(store, async |to| to.conflicts().open_of(mapping.id).await.expect("conflicts")).await;
    open.into_iter().map(|conflict| conflict.id).collect()
}

/// What a draft is stored as.
fn kept(id: ConflictId, draft: &ConflictDraft) -> Conflict {
    Conflict {
        id,
        mapping: draft.mapping,
        system: draft.system,
        customer: draft.customer,
        subject: draft.subject,
        base: draft.base.clone(),
        local: draft.local.clone(),
        remote: draft.remote.clone(),
        status: draft.status,
        rule: draft.rule,
        resolution: None,
        resolved_by: None,
        created_at: draft.at,
        resolved_at: None,
    }
}

async fn a_conflict_comes_back_as_it_was_stored(store: Arc<dyn SyncStore>) {
    let [one] = mappings(&store).await;
    let bare =
        ConflictDraft { base: None, local: None, remote: None, ..open(&one, ConflictSubject::SamePartner) };
    let full = ConflictDraft { base: text("both »☎«\nbefore"), ..settled(&one, EMAIL) };
    let customer = open(&one, ConflictSubject::SameCustomer);
    for draft in [&bare, &full, &customer] {
        let id = put(&store, draft).await;
        assert_eq!(stored(&store, id).await, kept(id, draft));
        let inside = write(&store, async |to| to.conflicts().get(id).await.expect("an answer")).await;
        assert_eq!(inside, Some(kept(id, draft)));
    }
    assert_eq!(store.conflicts().get(ConflictId(99)).await.expect("an answer"), None);
}

async fn an_open_one_takes_the_place_of_the_open_one(store: Arc<dyn SyncStore>) {
    let [one, other] = mappings(&store).await;
    let first = put(&store, &open(&one, EMAIL)).await;
    let city = put(&store, &open(&one, CITY)).await;
    let of_other = put(&store, &open(&other, EMAIL)).await;
    assert!(first < city && city < of_other, "others are others");

    // The mapping was filed under another customer meanwhile.
    let news = ConflictDraft {
        customer: other.customer,
        base: text("before"),
        local: None,
        remote: text("elsewhere"),
        rule: Some(FieldRule::Ask),
        at: minute(5),
        ..open(&one, EMAIL)
    };
    assert_eq!(put(&store, &news).await, first);
    let expected = ConflictDraft { at: minute(1), ..news };
    assert_eq!(stored(&store, first).await, kept(first, &expected));
    assert_eq!(open_of(&store, &one).await, [first, city]);
    assert_eq!(open_of(&store, &other).await, [of_other]);

    // What was answered once may be asked again.
    resolve(&store, first, "local", 6).await.expect("resolved");
    let again = put(&store, &open(&one, EMAIL)).await;
    assert!(again > of_other);
    assert_eq!(open_of(&store, &one).await, [city, again]);
}

async fn of_many_open_ones_one_is_kept(store: Arc<dyn SyncStore>) {
    let [one] = mappings(&store).await;
    let ids = all_together(8, |_| {
        let (store, draft) = (Arc::clone(&store), open(&one, EMAIL));
        async move {
            let mut transaction = store.begin_sync().await.expect("a transaction");
            let id = transaction.conflicts().put(&draft).await.expect("a conflict");
            transaction.commit().await.expect("a commit");
            id
        }
    });
    let ids = ids.await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(open_of(&store, &one).await, [ids[0]]);
}

async fn what_is_settled_is_added(store: Arc<dyn SyncStore>) {
    let [one] = mappings(&store).await;
    let asked = put(&store, &open(&one, EMAIL)).await;
    let first = put(&store, &settled(&one, EMAIL)).await;
    let second = put(&store, &settled(&one, EMAIL)).await;
    let resolved = ConflictDraft { status: ConflictStatus::Resolved, ..open(&one, EMAIL) };
    let third = put(&store, &resolved).await;
    let all = [asked, first, second, third];
    assert!(all.is_sorted_by(|one, next| one < next), "{all:?}");
    assert_eq!(list(&store, ConflictFilter::default()).await, all);
    assert_eq!(open_of(&store, &one).await, [asked]);
}

async fn a_conflict_is_resolved_once(store: Arc<dyn SyncStore>) {
    let [one] = mappings(&store).await;
    let asked = put(&store, &open(&one, EMAIL)).await;
    // A person may overrule a rule.
    let decided = put(&store, &settled(&one, CITY)).await;
    for id in [asked, decided] {
        let before = stored(&store, id).await;
        resolve(&store, id, "value", 7).await.expect("resolved");
        let expected = Conflict {
            status: ConflictStatus::Resolved,
            resolution: Some("value".to_owned()),
            resolved_by: Some("token 7".to_owned()),
            resolved_at: Some(minute(7)),
            ..before
        };
        assert_eq!(stored(&store, id).await, expected);
        let late = resolve(&store, id, "remote", 8).await;
        assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
        assert_eq!(stored(&store, id).await, expected);
    }
    let unknown = resolve(&store, ConflictId(99), "local", 1).await;
    assert!(matches!(unknown, Err(StoreError::Conflict)), "{unknown:?}");
}

async fn conflicts_are_listed_by_what_is_asked_for(store: Arc<dyn SyncStore>) {
    let [one, other] = mappings(&store).await;
    let mut ids = Vec::new();
    let elsewhere = ConflictDraft { system: OTHER, ..settled(&other, EMAIL) };
    for draft in [open(&one, EMAIL), settled(&one, CITY), open(&other, CITY), elsewhere] {
        ids.push(put(&store, &draft).await);
    }
    let all = ConflictFilter::default();
    assert_eq!(list(&store, all.clone()).await, ids);
    assert_eq!(list(&store, ConflictFilter { system: Some(SYSTEM), ..all.clone() }).await, ids[..3]);
    assert_eq!(list(&store, ConflictFilter { system: Some(OTHER), ..all.clone() }).await, ids[3..]);
    let open = ConflictFilter { status: Some(ConflictStatus::Open), ..all.clone() };
    assert_eq!(list(&store, open.clone()).await, [ids[0], ids[2]]);
    let of_customer = ConflictFilter { customer: Some(other.customer), ..all.clone() };
    assert_eq!(list(&store, of_customer).await, ids[2..]);
    let of_mapping = ConflictFilter { mapping: Some(one.id), ..all.clone() };
    assert_eq!(list(&store, of_mapping).await, ids[..2]);
    let both = ConflictFilter { mapping: Some(one.id), ..open };
    assert_eq!(list(&store, both).await, ids[..1]);
    let nobodys = ConflictFilter { customer: Some(one.customer), mapping: Some(other.id), ..all.clone() };
    assert_eq!(list(&store, nobodys).await, []);

    let page = store.conflicts().list(&all, Some(ids[0]), 2).await.expect("conflicts");
    assert_eq!(page.iter().map(|conflict| conflict.id).collect::<Vec<_>>(), ids[1..3]);
}
