//! Users: registered once, and never made one by what contacts say.

use std::collections::BTreeSet;
use std::sync::Arc;

use onefold_domain::block::BlockRule;
use onefold_domain::id::UserId;
use onefold_domain::profile::Profile;
use onefold_service::error::RecordError;
use onefold_service::store::ContactFilter;
use onefold_service::user::ExternalId;
use onefold_service::users::NewUser;
use onefold_sync::store::SyncStore;

use crate::scene::{tell, tell_as, user};
use crate::use_cases::{UseCases, all_together, ids, order, order_of, to_phone};

on_every_store!(
    a_user_is_read_as_registered,
    a_user_without_an_id_gets_one,
    an_id_belongs_to_one_user,
    an_external_id_belongs_to_one_user,
    of_many_who_register_one_external_id_one_does,
    an_id_that_nobody_has_is_no_user,
    a_users_contacts_are_listed,
    evidence_never_makes_two_users_one,
    a_user_without_contacts_is_no_customer,
    what_a_user_said_goes_with_the_users_last_contact,
);

fn external(text: &str) -> ExternalId {
    ExternalId::parse(text).expect("an external id")
}

/// The user that is in the way.
fn taken<T>(answer: &Result<T, RecordError>) -> Option<UserId> {
    match answer {
        Err(RecordError::UserExists { id }) => Some(*id),
        _ => None,
    }
}

async fn a_user_is_read_as_registered(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let profile = Profile::from_texts(&[("name", "Zoë Brown"), ("country", "US")]).expect("a profile");
    let new = NewUser {
        id: Some(user(1)),
        external_id: Some(external("auth0|42 ☎")),
        profile: Some(profile.clone()),
    };
    let made = use_cases.users.create_user(&new).await.expect("a user");
    assert_eq!((made.id, &made.external_id, &made.profile), (user(1), &new.external_id, &Some(profile)));
    assert_eq!(made.created_at, made.updated_at);
    assert_eq!(use_cases.users.user(user(1)).await.expect("the user"), made);
}

async fn a_user_without_an_id_gets_one(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let mut made = BTreeSet::new();
    for _ in 0..3 {
        let user = use_cases.users.create_user(&NewUser::default()).await.expect("a user");
        assert_eq!(use_cases.users.user(user.id).await.expect("the user"), user);
        assert_eq!((user.external_id, user.profile), (None, None));
        made.insert(user.id);
    }
    assert_eq!(made.len(), 3);
}

async fn an_id_belongs_to_one_user(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let new = NewUser { id: Some(user(1)), external_id: Some(external("first")), profile: None };
    let made = use_cases.users.create_user(&new).await.expect("a user");
    for external_id in [None, Some(external("first")), Some(external("second"))] {
        let again = NewUser { external_id, ..new.clone() };
        assert_eq!(taken(&use_cases.users.create_user(&again).await), Some(user(1)));
    }
    assert_eq!(use_cases.users.user(user(1)).await.expect("the user"), made);
    // The refused name is as free as before.
    let second = NewUser { external_id: Some(external("second")), ..NewUser::default() };
    use_cases.users.create_user(&second).await.expect("a user of that name");
}

async fn an_external_id_belongs_to_one_user(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let new = NewUser { external_id: Some(external("kratos-1")), ..NewUser::default() };
    let made = use_cases.users.create_user(&new).await.expect("a user");
    let other = NewUser { id: Some(user(2)), ..new };
    assert_eq!(taken(&use_cases.users.create_user(&other).await), Some(made.id));
    assert!(matches!(use_cases.users.user(user(2)).await, Err(RecordError::NoSuchUser)));
    // Names are told apart letter by letter.
    let upper = NewUser { external_id: Some(external("KRATOS-1")), ..NewUser::default() };
    use_cases.users.create_user(&upper).await.expect("a user of another name");
}

async fn of_many_who_register_one_external_id_one_does(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let answers = all_together(20, |_| {
        let use_cases = use_cases.clone();
        async move {
            let new = NewUser { external_id: Some(external("one")), ..NewUser::default() };
            use_cases.users.create_user(&new).await
        }
    })
    .await;
    let made: Vec<UserId> = answers.iter().flatten().map(|user| user.id).collect();
    assert_eq!(made.len(), 1);
    let refused: Vec<UserId> = answers.iter().filter_map(taken).collect();
    assert_eq!(refused, vec![made[0]; 19]);
}

async fn an_id_that_nobody_has_is_no_user(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    use_cases.user(1).await;
    assert!(matches!(use_cases.users.user(user(2)).await, Err(RecordError::NoSuchUser)));
}

async fn a_users_contacts_are_listed(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let guest = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let first = use_cases.create(&order_of(one, "", "123456")).await;
    use_cases.create(&order_of(other, "doc@hillvalley.edu", "")).await;
    let of = |user| ContactFilter { user: Some(user), ..ContactFilter::default() };
    assert_eq!(ids(&use_cases.list(&of(one)).await), [first.id]);
    // What is claimed is the user's from then on.
    let (claimed, _) = use_cases.upsert(&order_of(one, "marty@hillvalley.edu", "")).await;
    assert_eq!(claimed.id, guest.id);
    assert_eq!(ids(&use_cases.list(&of(one)).await), [guest.id, first.id]);
}

/// Whatever says that two users are one, in whatever way, they stay two, and the value is marked.
async fn evidence_never_makes_two_users_one(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let marty = use_cases.create(&order_of(one, "marty@hillvalley.edu", "123456")).await;
    let doc = use_cases.create(&order_of(other, "doc@hillvalley.edu", "654321")).await;

    let guest = use_cases.create(&order("marty@hillvalley.edu", "654321")).await;
    let two_users = Some(BlockRule::TwoUsers);
    assert_eq!((guest.email_blocked_by, guest.phone_blocked_by), (None, two_users));
    assert_eq!(guest.customer, marty.customer);
    let (borrowed, _) = use_cases.upsert(&order_of(other, "marty@hillvalley.edu", "")).await;
    assert_eq!((borrowed.email_blocked_by, borrowed.customer), (two_users, doc.customer));
    let moved = use_cases.create(&order_of(one, "", "777000")).await;
    let moved = use_cases.change(moved.id, to_phone("654321")).await;
    assert_eq!((moved.phone_blocked_by, moved.customer), (two_users, marty.customer));
    tell(&use_cases.identify, "doc@hillvalley.edu", "123456").await;
    tell_as(&use_cases.identify, other, "marty@hillvalley.edu", "123456").await;

    for (contact, user) in [(&marty, one), (&doc, other)] {
        let customer = use_cases.customer(contact.customer).await;
        assert_eq!((customer.id, customer.users), (contact.customer, vec![user]));
    }
}

async fn a_user_without_contacts_is_no_customer(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let profile = Profile::from_texts(&[("name", "Emmett Brown")]).expect("a profile");
    let new = NewUser { id: Some(user(1)), profile: Some(profile), ..NewUser::default() };
    use_cases.users.create_user(&new).await.expect("a user");
    assert!(use_cases.find("emmett").await.is_empty());
    assert_eq!(use_cases.everything().await, []);
}

/// A link that a user made without a contact would tie to the customer an account that nobody sees there.
async fn what_a_user_said_goes_with_the_users_last_contact(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let account = use_cases.create(&order_of(one, "", "123456")).await;
    let guest = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    tell_as(&use_cases.identify, one, "marty@hillvalley.edu", "").await;
    assert_eq!(use_cases.record(guest.id).await.customer, account.customer);
    use_cases.withdraw(account.id).await;

    let taken_over = use_cases.create(&order_of(other, "marty@hillvalley.edu", "")).await;
    assert_eq!(taken_over.customer, use_cases.record(guest.id).await.customer);
    let again = use_cases.create(&order_of(one, "", "123456")).await;
    assert_ne!(again.customer, taken_over.customer);
}
