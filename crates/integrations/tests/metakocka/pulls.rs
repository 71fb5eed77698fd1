//! The whole register: at once, or letter by letter.

use std::collections::BTreeSet;

use onefold_integrations::testing::{DoubleCall, Trouble};
use onefold_sync::partner::{PartnerDirectory, PartnerError};
use serde_json::json;

use crate::support::{Bench, person};

/// The ids, how often something came twice, and whether it was everything.
async fn pull(bench: &Bench) -> Result<(Vec<String>, bool), PartnerError> {
    let mut pull = bench.mk.list();
    let mut ids = Vec::new();
    while let Some(portion) = pull.next().await? {
        ids.extend(portion.into_iter().map(|partner| partner.id.to_string()));
    }
    Ok((ids, pull.is_complete()))
}

fn fill(bench: &Bench, names: &[&str]) -> Vec<String> {
    let insert = |name: &&str| bench.double.insert(person(name, "x@example.com")).mk_id;
    names.iter().map(insert).collect()
}

#[tokio::test]
async fn an_empty_name_gives_the_register_in_one_call() {
    let bench = Bench::new().await;
    let ids = fill(&bench, &["Ann", "Žan", "7-Eleven", "Ж"]);
    assert_eq!(pull(&bench).await.unwrap(), (ids, true));
    let calls = bench.double.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].selector.as_str(), calls[0].value.as_str()), ("partner_name", ""));
}

#[tokio::test]
async fn letter_by_letter_everybody_comes_once_and_nobody_says_complete() {
    for trouble in [None, Some(Trouble::Page(502)), Some(Trouble::CutOff), Some(Trouble::Silence)] {
        let bench = Bench::with(|config| config.pull_timeout_ms = 300).await;
        let ids = fill(&bench, &["Ann", "Žan", "7", "Đ", "ŠČ"]);
        fill(&bench, &["Ж"]);
        match trouble.clone() {
            None => bench.double.behave(|habits| habits.gives_everything = false),
            Some(trouble) => bench.double.next(DoubleCall::GetPartner, trouble),
        }
        let (found, is_complete) = pull(&bench).await.unwrap();
        let once: BTreeSet<_> = found.iter().cloned().collect();
        assert_eq!((once.len(), found.len()), (ids.len(), ids.len()), "{trouble:?}");
        assert_eq!(once, ids.into_iter().collect::<BTreeSet<_>>());
        assert!(!is_complete, "a name in other letters is not found");
    }
}

#[tokio::test]
async fn smaller_questions_do_not_help_when_nobody_lets_us_in() {
    for trouble in [Trouble::OverQuota, Trouble::Refuse { code: "3".to_owned(), said: String::new() }] {
        let bench = Bench::new().await;
        bench.double.next(DoubleCall::GetPartner, trouble.clone());
        assert!(pull(&bench).await.is_err(), "{trouble:?}");
        assert_eq!(bench.double.calls().len(), 1);
    }
}

#[tokio::test]
async fn after_an_error_a_pull_is_over_and_not_complete() {
    let bench = Bench::new().await;
    fill(&bench, &["Ann", "Bob"]);
    bench.double.behave(|habits| {
        habits.gives_everything = false;
        habits.quota = Some(3);
    });
    let mut pull = bench.mk.list();
    let mut portions = 0;
    let error = loop {
        match pull.next().await {
            Ok(portion) => assert!(portion.is_some()),
            Err(error) => break error,
        }
        portions += 1;
    };
    assert_eq!(portions, 3);
    assert!(matches!(error, PartnerError::QuotaExceeded { .. }));
    assert!(matches!(pull.next().await, Ok(None)));
    assert!(!pull.is_complete());
}

#[tokio::test]
async fn an_empty_register_and_one_with_gaps_are_not_taken_for_everything() {
    let bench = Bench::new().await;
    assert_eq!(pull(&bench).await.unwrap(), (vec![], false), "an empty side is a reason to ask a person");
    for gap in [
        json!({"partner_list_count": "2", "partner_list": [{"mk_id": "1", "customer": "Ann"}]}),
        json!({"partner_list": [{"mk_id": "1", "customer": "Ann"}, {"customer": "Nobody"}]}),
    ] {
        bench.double.next(DoubleCall::GetPartner, Trouble::Say(gap));
        assert_eq!(pull(&bench).await.unwrap(), (vec!["1".to_owned()], false));
    }
}
