//! The shipped rules, rules of one's own, and what holds for any of them.

use proptest::prelude::*;
use serde_json::json;

use super::*;

type Said = (ContactSource, bool, i64, Profile);

fn named(name: &str) -> Profile {
    Profile::from_texts(&[("name", name)]).unwrap()
}

/// Contacts are numbered by their place.
fn evidence(said: &[Said]) -> Vec<ProfileEvidence<'_>> {
    let evidence = said.iter().zip(1..).map(|((source, verified, at, profile), id)| ProfileEvidence {
        contact: ContactId(id),
        source: *source,
        verified: *verified,
        at: DateTime::from_timestamp(*at, 0).unwrap(),
        profile,
    });
    evidence.collect()
}

fn winner(rules: &SurvivorshipRules, said: &[Said]) -> i64 {
    rules.survivors(&evidence(said)).sources[&ProfileField::Name].0
}

#[test]
fn shipped_rules_compare_hand_verification_source_and_time() {
    use ContactSource as S;
    let rules = SurvivorshipRules::shipped();
    let said = |source, verified, at| (source, verified, at, named("Ann"));
    let hand = said(S::Manual, false, 1);
    assert_eq!(winner(&rules, &[said(S::Auth, true, 9), hand.clone()]), 2);
    assert_eq!(winner(&rules, &[said(S::Import, true, 1), said(S::Auth, false, 9)]), 1);
    assert_eq!(winner(&rules, &[said(S::SignupForm, true, 1), said(S::Order, true, 9)]), 1);
    assert_eq!(winner(&rules, &[said(S::Order, false, 9), said(S::Order, false, 1)]), 1);
    assert_eq!(winner(&rules, &[hand.clone(), hand.clone()]), 2);
    assert_eq!(rules.sources.len(), ContactSource::ALL.len());
    assert_eq!(rules.survivors(&[]), CustomerProfile::default());
}

#[test]
fn every_field_is_decided_by_itself_and_the_address_as_a_whole() {
    let texts = |texts: &[(&str, &str)]| Profile::from_texts(texts).unwrap();
    let said = [
        (ContactSource::Auth, false, 1, texts(&[("name", "Ann"), ("address.street", "Main St 1")])),
        (
            ContactSource::Order,
            false,
            2,
            texts(&[("name", "A."), ("role", "buyer"), ("address.city", "Bled")]),
        ),
    ];
    let customer = SurvivorshipRules::shipped().survivors(&evidence(&said));
    assert_eq!(customer.profile.text(ProfileField::Name), Some("Ann"));
    assert_eq!(customer.profile.text(ProfileField::Role), Some("buyer"));
    assert_eq!(customer.profile.address(), said[0].3.address());
    let sources = customer.sources.values().map(|contact| contact.0);
    assert!(sources.eq([1, 2, 1]));
}

#[test]
fn a_ruling_that_there_is_none_wins_and_hides_the_field() {
    let none = Profile::ruling(&Profile::default(), json!({"name": null}).as_object().unwrap()).unwrap();
    let said = [(ContactSource::Auth, true, 9, named("Ann")), (ContactSource::Manual, false, 1, none)];
    let rules = SurvivorshipRules::shipped();
    let customer = rules.survivors(&evidence(&said));
    assert!(customer.profile.is_empty());
    assert_eq!(customer.sources[&ProfileField::Name], ContactId(2));

    let later = [&said[..], &[(ContactSource::Manual, false, 10, named("Anna"))]].concat();
    assert_eq!(rules.survivors(&evidence(&later)).profile, named("Anna"));
}

#[test]
fn fields_may_have_an_order_of_their_own_and_missing_sources_rank_last() {
    let said = [
        (ContactSource::Import, false, 1, named("Ann")),
        (ContactSource::Manual, true, 2, named("Anna")),
        (ContactSource::Order, false, 3, named("A.")),
    ];
    let rules = |text| SurvivorshipRules::from_toml(text).unwrap();
    assert_eq!(winner(&rules("order = ['manual']\n[fields]\nname = ['newest']"), &said), 3);
    assert_eq!(winner(&rules("order = ['source']\nsources = ['import']"), &said), 1);
    assert_eq!(winner(&rules("order = ['source']\nsources = ['auth']"), &said), 3);
    assert_eq!(winner(&rules("order = ['verified']\n[fields]\nrole = ['newest']"), &said), 2);
}

#[test]
fn rules_that_cannot_be_meant_are_refused_with_their_place() {
    let refused = |text: &str| SurvivorshipRules::from_toml(text).unwrap_err().to_string();
    for text in ["rank = 1", "order = ['oldest']", "[fields]\nname = ['best']", "order = 'newest'"] {
        assert!(refused(text).contains("unknown entry"), "{text}");
    }
    assert!(refused("sources = ['auth', 'web']").contains("entry 2: not a source"));
    assert!(refused("sources = ['auth', 'auth']").contains("entry 2: the source is listed before"));
    assert!(refused("[fields]\ntown = ['newest']").contains("`town`"));
}

fn profiles() -> impl Strategy<Value = Profile> {
    let member = || prop::option::of(prop_oneof![Just(json!(null)), "[a-c]".prop_map(|text| json!(text))]);
    (member(), member(), prop::option::of("[a-c]")).prop_map(|(name, role, city)| {
        let address = city.map(|city| json!({"city": city}));
        let patch = [("name", name), ("role", role), ("address", address)];
        let patch = patch.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?)));
        Profile::ruling(&Profile::default(), &patch.collect()).unwrap()
    })
}

fn statements() -> impl Strategy<Value = Vec<Said>> {
    let sources = prop::sample::select(&ContactSource::ALL[..]);
    prop::collection::vec((sources, any::<bool>(), 0..3_i64, profiles()), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_evidence_makes_no_difference(
        said in statements(),
        places in any::<[u8; 8]>(),
        criteria in prop::sample::subsequence(vec!["manual", "verified", "source", "newest"], 0..=4),
    ) {
        let rules = format!("order = {criteria:?}\nsources = ['auth', 'order']");
        let rules = SurvivorshipRules::from_toml(&rules).unwrap();
        let in_order = evidence(&said);
        let customer = rules.survivors(&in_order);

        let mut shuffled: Vec<_> = in_order.into_iter().zip(places).collect();
        shuffled.sort_by_key(|(_, place)| *place);
        let shuffled: Vec<_> = shuffled.into_iter().map(|(evidence, _)| evidence).rev().collect();
        prop_assert_eq!(rules.survivors(&shuffled), customer);
    }

    #[test]
    fn every_stated_field_shows_what_the_named_contact_states(said in statements()) {
        let customer = SurvivorshipRules::shipped().survivors(&evidence(&said));
        for field in ProfileField::ALL {
            let stated = said.iter().any(|said| said.3.states(field));
            prop_assert_eq!(customer.sources.contains_key(&field), stated);
            if let Some(contact) = customer.sources.get(&field) {
                let (.., profile) = &said[usize::try_from(contact.0).unwrap() - 1];
                prop_assert!(profile.states(field));
                prop_assert_eq!(customer.profile.get(field), profile.get(field));
            }
        }
    }
}
