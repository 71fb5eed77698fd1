//! Reading everything, page by page.

use onefold_integrations::testing::openphone::{OpenPhoneCall, Trouble};
use onefold_sync::partner::{PartnerDirectory, PartnerError};
use serde_json::json;

use crate::support::{Bench, person};

/// How many came in each portion, and whether that was all.
async fn pulled(bench: &Bench) -> (Vec<usize>, bool) {
    let mut pull = bench.phone.list();
    let mut portions = Vec::new();
    while let Some(portion) = pull.next().await.unwrap() {
        portions.push(portion.len());
    }
    (portions, pull.is_complete())
}

fn fill(bench: &Bench, count: usize) {
    for number in 0..count {
        bench.double.insert(person("Ann", &format!("ann{number}@example.com")));
    }
}

#[tokio::test]
async fn every_page_comes_once_whoever_made_the_contacts() {
    for (count, portions) in [(0, vec![0]), (50, vec![50]), (120, vec![50, 50, 20])] {
        let bench = Bench::new().await;
        fill(&bench, count);
        assert_eq!(pulled(&bench).await, (portions, true), "{count}");
    }
}

#[tokio::test]
async fn a_list_that_does_not_end_is_left_and_not_complete() {
    let bench = Bench::new().await;
    fill(&bench, 60);
    bench.double.behave(|habits| habits.last_page_has_token = true);
    let (portions, is_complete) = pulled(&bench).await;
    assert_eq!((portions.iter().sum::<usize>(), is_complete), (60, false));
    assert!(bench.double.count(OpenPhoneCall::List) < 5);
}

#[tokio::test]
async fn a_list_that_moved_or_has_rows_that_cannot_be_read_is_not_complete() {
    let bench = Bench::new().await;
    fill(&bench, 60);
    let mut pull = bench.phone.list();
    let first = pull.next().await.unwrap().unwrap();
    // The contacts behind it move up by one, and somebody is there twice.
    let again = bench.double.contact(first[0].id.as_str()).unwrap();
    bench.double.insert(again);
    let said = json!({"data": bench.double.contacts()[..3], "totalItems": 1, "nextPageToken": null});
    bench.double.next(OpenPhoneCall::List, Trouble::Say(200, said));
    assert_eq!(pull.next().await.unwrap().unwrap().len(), 0);
    assert!(pull.next().await.unwrap().is_none());
    assert!(!pull.is_complete());

    let mut broken = bench.double.contacts()[0].clone();
    broken["id"] = json!("");
    let said = json!({"data": [broken], "totalItems": 1, "nextPageToken": null});
    bench.double.next(OpenPhoneCall::List, Trouble::Say(200, said));
    assert_eq!(pulled(&bench).await, (vec![0], false));
}

#[tokio::test]
async fn after_an_error_a_pull_is_over() {
    let bench = Bench::new().await;
    fill(&bench, 60);
    let mut pull = bench.phone.list();
    pull.next().await.unwrap();
    bench.double.next(OpenPhoneCall::List, Trouble::Page(502));
    assert!(matches!(pull.next().await, Err(PartnerError::Unreachable(_))));
    assert!(pull.next().await.unwrap().is_none());
    assert!(!pull.is_complete());
}
