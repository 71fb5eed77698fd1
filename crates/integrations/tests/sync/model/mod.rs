//! Anything that people on three sides, two other systems, the network and a crash can do, in any order and to several fields
//! at once: no edit is lost unless a rule or a person chose against it, and then it is kept; in the end all sides
//! agree; and a plan lists just what is then written.

mod oracle;
mod people;
mod texts;
mod world;

use onefold_domain::source::ContactSource;
use onefold_integrations::testing::DoubleCall;
use proptest::prelude::*;

use world::World;

pub(super) const CUSTOMERS: usize = 3;

/// What can be edited on its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Field {
    Name,
    Company,
    City,
    Street,
    Tax,
}

impl Field {
    pub(super) const ALL: [Self; 5] = [Self::Name, Self::Company, Self::City, Self::Street, Self::Tax];

    /// The fields that OpenPhone has a place for.
    pub(super) const OF_PHONES: [Self; 2] = [Self::Name, Self::Company];

    /// As plans have it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Company => "companyName",
            Self::City => "city",
            Self::Street => "street",
            Self::Tax => "taxNumber",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A person corrects what the customer shows.
    EditHere(usize, Vec<Field>),
    /// A source states values of its own.
    State(usize, ContactSource, Vec<Field>),
    /// Whoever said something last says it again.
    Repeat(usize),
    EditBooks(usize, Vec<Field>),
    EditPhones(usize, Vec<Field>),
    /// The email there is corrected: to a new one, or to that of another customer.
    EmailInBooks(usize, Option<usize>),
    /// Somebody types in a partner with two people; the first may have a customer's email.
    NewInBooks(Option<usize>),
    SyncBooks(usize),
    SyncPhones(usize),
    CompareBooks,
    ComparePhones,
    /// A sync by a process that dies at this step.
    Crash(usize, usize),
    LoseNext(DoubleCall),
    Work,
    /// An open conflict is decided.
    Decide(bool),
}

fn sources() -> impl Strategy<Value = ContactSource> {
    use ContactSource::{Auth, Identify, Import, Manual, Order, SignupForm};
    prop::sample::select(vec![Manual, SignupForm, Auth, Order, Import, Identify])
}

fn fields(of: &[Field]) -> impl Strategy<Value = Vec<Field>> + use<> {
    prop::sample::subsequence(of.to_vec(), 1..=of.len())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..CUSTOMERS;
    let call = prop::sample::select(vec![DoubleCall::AddPartner, DoubleCall::UpdatePartner]);
    let edits = prop_oneof![
        3 => (who(), fields(&Field::ALL)).prop_map(|(who, fields)| Step::EditHere(who, fields)),
        2 => (who(), sources(), fields(&Field::ALL)).prop_map(|(who, source, fields)| Step::State(who, source, fields)),
        1 => who().prop_map(Step::Repeat),
        4 => (who(), fields(&Field::ALL)).prop_map(|(who, fields)| Step::EditBooks(who, fields)),
        2 => (who(), fields(&Field::OF_PHONES)).prop_map(|(who, fields)| Step::EditPhones(who, fields)),
        1 => (who(), prop::option::of(who())).prop_map(|(who, other)| Step::EmailInBooks(who, other)),
        1 => prop::option::of(who()).prop_map(Step::NewInBooks),
    ];
    let work = prop_oneof![
        3 => who().prop_map(Step::SyncBooks),
        2 => who().prop_map(Step::SyncPhones),
        2 => Just(Step::CompareBooks),
        2 => Just(Step::ComparePhones),
        2 => (who(), 1..30_usize).prop_map(|(who, step)| Step::Crash(who, step)),
        1 => call.prop_map(Step::LoseNext),
        2 => Just(Step::Work),
        1 => any::<bool>().prop_map(Step::Decide),
    ];
    prop::collection::vec(prop_oneof![1 => edits, 1 => work], 1..30)
}

/// More of them by `MODEL_CASES`.
fn cases() -> u32 {
    std::env::var("MODEL_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(96)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_edit_is_lost_and_all_sides_come_to_agree(
        first in prop::array::uniform3((sources(), any::<bool>())),
        steps in steps(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(first).await;
            for step in steps {
                world.take(step).await;
            }
            world.come_to_rest().await;
            world.assert_agreed().await;
        });
    }
}
