//! Access tokens on every store.

use std::sync::Arc;

use chrono::TimeDelta;
use onefold_domain::policy::LinkPolicy;
use onefold_service::clock::SystemRandomness;
use onefold_service::environment::Environment;
use onefold_service::error::RecordError;
use onefold_service::testing::SteppingClock;
use onefold_service::token::{
    Abilities, Ability, NewToken, NotYours, PresentedToken, TokenExpiry, TokenId, TokenName,
};
use onefold_service::tokens::{TokenError, Tokens};
use onefold_service::users::{NewUser, Users};
use onefold_sync::store::SyncStore;

use crate::scene::user;

on_every_store!(
    a_secret_leads_to_its_token,
    nothing_else_leads_to_a_token,
    a_revoked_token_is_worth_nothing,
    a_token_is_good_until_it_expires,
    use_is_noted_once_a_minute,
    a_token_needs_a_user_that_exists,
    tokens_are_listed_in_pages,
    what_permits_more_is_as_if_it_were_not_there,
    of_many_first_tokens_one_is_made,
    there_is_no_first_token_beside_another,
);

/// Every look at the clock moves it by `step`.
fn tokens_at(store: &Arc<dyn SyncStore>, step: TimeDelta) -> Tokens {
    let clock = Arc::new(SteppingClock::new(step));
    Tokens::new(Environment::new(
        store.clone(),
        Arc::new(LinkPolicy::shipped()),
        clock,
        Arc::new(SystemRandomness),
    ))
}

fn tokens(store: &Arc<dyn SyncStore>) -> Tokens {
    tokens_at(store, TimeDelta::zero())
}

fn new(name: &str, abilities: &[Ability]) -> NewToken {
    NewToken {
        name: TokenName::parse(name).expect("a name"),
        abilities: abilities.iter().copied().collect(),
        user: None,
        expires_at: None,
    }
}

fn presented(text: &str) -> PresentedToken {
    PresentedToken::parse(text).expect("a token's form")
}

async fn a_secret_leads_to_its_token(store: Arc<dyn SyncStore>) {
    let tokens = tokens(&store);
    let made = new("ci ☎", &[Ability::Identify, Ability::ContactsRead]);
    let (token, plain) = tokens.create(&made).await.expect("a token");
    tokens.create(&new("other", &[Ability::Everything])).await.expect("a token");
    assert_eq!((&token.name, &token.abilities), (&made.name, &made.abilities));
    assert_eq!((token.expires_at, token.last_used_at, token.user), (None, None, None));

    let (_, bare) = plain.expose().split_once('|').expect("an id and a secret");
    for text in [plain.expose(), bare] {
        let found = tokens.authenticate(&presented(text)).await.expect("an answer");
        assert_eq!(found.as_ref(), Some(&token));
    }
    assert_eq!(tokens.token(token.id).await.expect("an answer"), Some(token));
}

async fn nothing_else_leads_to_a_token(store: Arc<dyn SyncStore>) {
    let tokens = tokens(&store);
    let (first, plain) = tokens.create(&new("first", &[Ability::Identify])).await.expect("a token");
    let (second, _) = tokens.create(&new("second", &[Ability::Everything])).await.expect("a token");
    assert_ne!(first.id, second.id);
    let (_, secret) = plain.expose().split_once('|').expect("an id and a secret");
    let borrowed = format!("{}|{secret}", second.id.0);
    let cut = &secret[..secret.len() - 1];
    for text in [borrowed.as_str(), cut, "999|x", &format!("0{cut}"), &secret.to_uppercase()] {
        assert_eq!(tokens.authenticate(&presented(text)).await.expect("an answer"), None);
    }
}

async fn a_revoked_token_is_worth_nothing(store: Arc<dyn SyncStore>) {
    let tokens = tokens(&store);
    let (token, plain) = tokens.create(&new("ci", &[Ability::Everything])).await.expect("a token");
    assert!(tokens.exist().await.expect("an answer"));
    assert!(tokens.revoke(token.id).await.expect("an answer"));
    assert!(!tokens.revoke(token.id).await.expect("an answer"), "once");
    assert!(!tokens.revoke(TokenId(999)).await.expect("an answer"));
    let (_, bare) = plain.expose().split_once('|').expect("an id and a secret");
    for text in [plain.expose(), bare] {
        assert_eq!(tokens.authenticate(&presented(text)).await.expect("an answer"), None);
    }
    assert_eq!(tokens.token(token.id).await.expect("an answer"), None);
    assert!(!tokens.exist().await.expect("an answer"));
}

async fn a_token_is_good_until_it_expires(store: Arc<dyn SyncStore>) {
    let tokens = tokens_at(&store, TimeDelta::minutes(1));
    let fixed = tokens_at(&store, TimeDelta::zero());
    let (now, _) = fixed.create(&new("now", &[])).await.expect("a token");
    // Made at minute 0; each look at the clock is a minute on.
    let end = now.created_at + TimeDelta::minutes(3);
    let expires_at = TokenExpiry::at(end, &SteppingClock::fixed()).ok();
    assert!(expires_at.is_some());
    let (_, plain) = tokens.create(&NewToken { expires_at, ..new("brief", &[]) }).await.expect("a token");
    for minute in 1..6 {
        let found = tokens.authenticate(&presented(plain.expose())).await.expect("an answer");
        assert_eq!(found.is_some(), minute < 3, "minute {minute}");
    }
}

async fn use_is_noted_once_a_minute(store: Arc<dyn SyncStore>) {
    let tokens = tokens_at(&store, TimeDelta::seconds(25));
    let (token, _) = tokens.create(&new("ci", &[])).await.expect("a token");
    let mut noted = Vec::new();
    for _ in 0..6 {
        let now = tokens.token(token.id).await.expect("an answer").expect("the token");
        noted.push(now.last_used_at.map(|at| (at - token.created_at).num_seconds()));
        tokens.note_use(&now).await.expect("a note");
    }
    assert_eq!(noted, [None, Some(25), Some(25), Some(25), Some(100), Some(100)]);
}

async fn a_token_needs_a_user_that_exists(store: Arc<dyn SyncStore>) {
    let tokens = tokens(&store);
    let of_user = NewToken { user: Some(user(1)), ..new("app", &[Ability::ContactsRead]) };
    assert!(matches!(tokens.create(&of_user).await, Err(TokenError::Record(RecordError::NoSuchUser))));
    assert!(!tokens.exist().await.expect("an answer"));

    let env = Environment::new(
        store.clone(),
        Arc::new(LinkPolicy::shipped()),
        Arc::new(SteppingClock::fixed()),
        Arc::new(SystemRandomness),
    );
    let known = NewUser { id: Some(user(1)), ..NewUser::default() };
    Users::new(env).create_user(&known).await.expect("a user");
    let (token, _) = tokens.create(&of_user).await.expect("a token");
    assert_eq!(tokens.token(token.id).await.expect("an answer").and_then(|token| token.user), Some(user(1)));
}

async fn tokens_are_listed_in_pages(store: Arc<dyn SyncStore>) {
    let tokens = tokens(&store);
    let mut made = Vec::new();
    for name in ["a", "b", "c", "d"] {
        made.push(tokens.create(&new(name, &[Ability::Identify])).await.expect("a token").0);
    }
    tokens.revoke(made[1].id).await.expect("an answer");
    let first = tokens.list(None, 2).await.expect("a page");
    assert_eq!((first.entries, first.next), (vec![made[0].clone(), made[2].clone()], Some(made[2].id)));
    let second = tokens.list(Some(made[2].id), 2).await.expect("a page");
    assert_eq!((second.entries, second.next), (vec![made[3].clone()], None));
    assert_eq!(tokens.list(None, 3).await.expect("a page").next, None, "nothing is left");
}

async fn what_permits_more_is_as_if_it_were_not_there(store: Arc<dyn SyncStore>) {
    let tokens = tokens(&store);
    let mut made = Vec::new();
    for abilities in [
        &[Ability::Everything][..],
        &[Ability::ContactsRead],
        &[Ability::TokensManage, Ability::ContactsRead],
        &[Ability::ContactsRead, Ability::ContactsWrite],
        &[],
        &[Ability::TokensManage],
        &[Ability::Identify],
    ] {
        made.push(tokens.create(&new("one", abilities)).await.expect("a token").0);
    }
    let keeper = tokens.held_by(&made[2]);
    let theirs = [1, 2, 4, 5].map(|index| made[index].clone());
    assert_eq!(keeper.list(None, 10).await.expect("a page").entries, theirs);
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = keeper.list(after, 1).await.expect("a page");
        paged.extend(page.entries);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, theirs);
    for token in &made {
        let is_theirs = theirs.contains(token);
        assert_eq!(keeper.token(token.id).await.expect("an answer").is_some(), is_theirs, "{token:?}");
        assert_eq!(keeper.revoke(token.id).await.expect("an answer"), is_theirs, "{token:?}");
        assert_eq!(tokens.token(token.id).await.expect("an answer").is_none(), is_theirs, "{token:?}");
    }
    let refused = keeper.create(&new("more", &[Ability::Identify])).await;
    assert!(matches!(refused, Err(TokenError::NotYours(NotYours::Abilities))), "{refused:?}");
}

async fn of_many_first_tokens_one_is_made(store: Arc<dyn SyncStore>) {
    let tokens = tokens(&store);
    let first = NewToken { abilities: Abilities::everything(), ..new("admin", &[]) };
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (tokens, first) = (tokens.clone(), first.clone());
            tokio::spawn(async move { tokens.create_first(&first).await.expect("an answer") })
        })
        .collect();
    let mut made = Vec::new();
    for one in tries {
        made.extend(one.await.expect("no panic"));
    }
    let [plain] = &made[..] else { panic!("{} first tokens", made.len()) };
    let token = tokens.authenticate(&presented(plain.expose())).await.expect("an answer").expect("the token");
    assert!(token.abilities.permit(Ability::TokensManage));

    // Not even when it is gone: whoever revoked it meant to.
    tokens.revoke(token.id).await.expect("an answer");
    assert!(tokens.create_first(&first).await.expect("an answer").is_none());
}

async fn there_is_no_first_token_beside_another(store: Arc<dyn SyncStore>) {
    let tokens = tokens(&store);
    tokens.create(&new("ci", &[Ability::Identify])).await.expect("a token");
    assert!(tokens.create_first(&new("admin", &[Ability::Everything])).await.expect("an answer").is_none());
}
