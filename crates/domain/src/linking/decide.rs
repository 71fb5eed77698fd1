//! What one statement changes, given what a store knows about it. Nothing is carried out here: whoever asks for
//! the plan does so, in one transaction.

use std::collections::HashSet;

use super::matching::{EMAIL, Match, PHONE, Slot, USER, World, find_match};
use crate::block::{Block, BlockRule, Part};
use crate::contact::{KnownContact, Statement};
use crate::customer::KnownCustomer;
use crate::id::{CustomerId, UserId};
use crate::link_key::{KeyKind, LinkKey, StatementKeys};
use crate::policy::LinkPolicy;

/// All that a store knows about the keys of one statement, seen at one moment.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Candidates {
    /// The customer that each known key leads to. Keys that nobody claimed are left out.
    pub found: Vec<(LinkKey, CustomerId)>,
    /// These customers, whole, each once.
    pub customers: Vec<KnownCustomer>,
}

/// What kind of change a statement makes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// It says nothing new.
    Known,
    /// Nobody was known: it is the first contact of a new customer.
    Created,
    /// It adds a contact to a customer.
    Attached,
    /// It shows that two or three customers are one.
    Merged,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::Known, Self::Created, Self::Attached, Self::Merged];

    /// The stable name under which metrics and logs know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Created => "created",
            Self::Attached => "attached",
            Self::Merged => "merged",
        }
    }
}

/// The contact that a plan adds: which of the statement's values do not link.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct NewContact {
    pub email_blocked_by: Option<BlockRule>,
    pub phone_blocked_by: Option<BlockRule>,
}

/// What to do about a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkPlan {
    /// The statement that was judged.
    pub statement: Statement,
    pub outcome: Outcome,
    /// The customer that the statement belongs to; `None` asks for a new one.
    pub customer: Option<CustomerId>,
    /// Customers that `customer` absorbs, all younger than it.
    pub absorbed: Vec<CustomerId>,
    /// Keys that lead to the customer from now on, ascending.
    pub claims: Vec<LinkKey>,
    /// The contact to add, if the statement brings anything new.
    pub contact: Option<NewContact>,
    /// The versions on which the plan rests, ascending by customer. If one of them has moved on, the
    /// plan is void. Empty when nothing changes.
    pub guards: Vec<(CustomerId, i64)>,
    /// The values that did not link, whether or not anything changes.
    pub blocked: Vec<Block>,
}

impl LinkPlan {
    /// The customer, if the statement says nothing new and there is nothing to carry out.
    pub fn known(&self) -> Option<CustomerId> {
        self.customer.filter(|_| self.outcome == Outcome::Known)
    }
}

/// Judges one statement.
///
/// ```
/// use onefold_domain::contact::Statement;
/// use onefold_domain::email::EmailAddress;
/// use onefold_domain::linking::{Candidates, Outcome, decide};
/// use onefold_domain::policy::LinkPolicy;
///
/// let email = EmailAddress::parse("mcfly@hillvalley.edu")?;
/// let statement = Statement::new(Some(email), None).ok_or("nothing stated")?;
/// let plan = decide(&statement, &Candidates::default(), &LinkPolicy::shipped());
/// assert_eq!(plan.outcome, Outcome::Created);
/// assert_eq!(plan.claims.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn decide(statement: &Statement, candidates: &Candidates, policy: &LinkPolicy) -> LinkPlan {
    judge(statement, candidates, policy, Keeping::News)
}

/// Judges a statement that becomes a contact of its own whether or not it says anything new, as a
/// record does whose source is to be tracked.
#[must_use]
pub fn decide_record(statement: &Statement, candidates: &Candidates, policy: &LinkPolicy) -> LinkPlan {
    judge(statement, candidates, policy, Keeping::Always)
}

/// Judges the statement of a contact that is stored already: links may change, a contact is not added.
#[must_use]
pub fn decide_stored(statement: &Statement, candidates: &Candidates, policy: &LinkPolicy) -> LinkPlan {
    judge(statement, candidates, policy, Keeping::Never)
}

/// Whether a statement becomes a contact.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    News,
    Always,
    Never,
}

pub fn judge(
    statement: &Statement,
    known: &impl Surroundings,
    policy: &LinkPolicy,
    keeping: Keeping,
) -> LinkPlan {
    weigh(statement, None, known, policy, keeping)
}

/// Judges a join that is evidence already: customers may become one, a contact is not added.
pub fn judge_join(
    statement: &Statement,
    beside: Option<&Statement>,
    known: &impl Surroundings,
    policy: &LinkPolicy,
) -> LinkPlan {
    weigh(statement, beside, known, policy, Keeping::Never)
}

fn weigh(
    statement: &Statement,
    beside: Option<&Statement>,
    known: &impl Surroundings,
    policy: &LinkPolicy,
    keeping: Keeping,
) -> LinkPlan {
    let keys = StatementKeys::of_join(statement, beside, policy);
    let exact = known.owner(&keys.exact);
    let mut involved: Vec<usize> = keys.iter().filter_map(|key| known.owner(key)).collect();
    involved.sort_unstable();
    involved.dedup();
    let view = View { known, policy, keys: &keys, involved, cap: policy.max_contact_points() };
    let slots = view.slots(statement, beside.unwrap_or(statement));
    let verdict = find_match(&slots, exact, &view, view.cap);
    view.plan(statement, &slots, &verdict, keeping)
}

/// Where customers are looked up while a statement is judged: what a store knows about one statement,
/// or about a whole batch of them.
pub trait Surroundings {
    /// The index of the customer that this key leads to.
    fn owner(&self, key: &LinkKey) -> Option<usize>;
    fn customer(&self, index: usize) -> &KnownCustomer;
}

impl Surroundings for Candidates {
    fn owner(&self, key: &LinkKey) -> Option<usize> {
        let (_, owner) = self.found.iter().find(|(found, _)| found == key)?;
        self.customers.iter().position(|customer| customer.id == *owner)
    }

    fn customer(&self, index: usize) -> &KnownCustomer {
        &self.customers[index]
    }
}

/// The surroundings of one statement as the world that `find_match` asks. Customers are named by their index.
struct View<'a, S> {
    known: &'a S,
    policy: &'a LinkPolicy,
    keys: &'a StatementKeys,
    /// The customers that any key of the statement leads to.
    involved: Vec<usize>,
    cap: usize,
}

impl<S: Surroundings> View<'_, S> {
    /// What is known of each part of the statement. `beside` says the value in the place of the phone: the statement itself, or
    /// for a join the one beside which it puts the statement.
    fn slots(&self, statement: &Statement, beside: &Statement) -> [Slot<usize>; 3] {
        let never = [
            self.never_links(statement, self.keys.email.as_ref()),
            self.never_links(beside, self.keys.phone.as_ref()),
            false,
        ];
        let mut slots = [Slot::Absent; 3];
        for (slot, key) in [&self.keys.email, &self.keys.phone, &self.keys.user].into_iter().enumerate() {
            let Some(key) = key else { continue };
            let customer = self.known.owner(key);
            let verifier =
                customer.filter(|_| slot != USER).and_then(|customer| self.verifier(customer, slot));
            let blocked = if slot == USER { None } else { rule_of_value(statement, never[slot], verifier) };
            slots[slot] = match (blocked, customer) {
                (Some(rule), _) => Slot::Blocked(rule),
                (None, None) => Slot::New,
                (None, Some(customer)) if verifier.is_some() => Slot::Verified(customer),
                (None, Some(customer)) => Slot::Known(customer),
            };
        }
        slots
    }

    fn never_links(&self, statement: &Statement, key: Option<&LinkKey>) -> bool {
        match key.map(|key| key.kind) {
            Some(KeyKind::Email) => {
                statement.email().is_some_and(|email| self.policy.never_links_email(email))
            }
            Some(KeyKind::Phone) => {
                statement.phone().is_some_and(|phone| self.policy.never_links_phone(phone))
            }
            _ => false,
        }
    }

    /// The user of this customer who has verified the statement's value. A verified value leads to the customer
    /// of the user who verified it last, and a customer has one user at most.
    fn verifier(&self, customer: usize, slot: usize) -> Option<UserId> {
        let mut contacts = self.known.customer(customer).contacts.iter();
        contacts.find(|contact| contact.is_verified && self.shows(contact, slot))?.user
    }

    /// Whether a contact shows the statement's value.
    fn shows(&self, contact: &KnownContact, slot: usize) -> bool {
        let key = match slot {
            EMAIL => self.keys.email.as_ref(),
            PHONE => self.keys.phone.as_ref(),
            _ => None,
        };
        key.is_some_and(|key| match key.kind {
            KeyKind::Email => {
                contact.email.as_ref().is_some_and(|email| self.policy.email_match_key(email) == key.value)
            }
            KeyKind::Phone => contact.phone.as_ref().is_some_and(|phone| phone.match_key() == key.value),
            _ => false,
        })
    }

    fn plan(
        &self,
        statement: &Statement,
        slots: &[Slot<usize>; 3],
        verdict: &Match<usize>,
        keeping: Keeping,
    ) -> LinkPlan {
        let group: Vec<&KnownCustomer> = verdict
            .survivor_first(|index| self.known.customer(index).primary())
            .into_iter()
            .map(|index| self.known.customer(index))
            .collect();
        // What is to be found by its exact values needs a contact that has them; its repetition finds that one.
        let own_contact = verdict.exact && self.known.owner(&self.keys.exact).is_none();
        let claims = self.claims(slots, own_contact);
        let news = match keeping {
            Keeping::Always => true,
            Keeping::News => own_contact || brings_news(statement, slots, &group),
            Keeping::Never => false,
        };
        let outcome = match (group.len(), news || !claims.is_empty()) {
            (0, _) => Outcome::Created,
            (1, false) => Outcome::Known,
            (1, true) => Outcome::Attached,
            _ => Outcome::Merged,
        };
        let contact = news.then_some(NewContact {
            email_blocked_by: verdict.blocked[EMAIL],
            phone_blocked_by: verdict.blocked[PHONE],
        });
        LinkPlan {
            statement: statement.clone(),
            outcome,
            customer: group.first().map(|customer| customer.id),
            absorbed: group.iter().skip(1).map(|customer| customer.id).collect(),
            claims,
            contact,
            guards: if outcome == Outcome::Known { Vec::new() } else { self.guards() },
            blocked: blocks(verdict),
        }
    }

    fn claims(&self, slots: &[Slot<usize>; 3], own_contact: bool) -> Vec<LinkKey> {
        [&self.keys.email, &self.keys.phone, &self.keys.user]
            .into_iter()
            .zip(slots)
            .filter(|(_, slot)| **slot == Slot::New)
            .filter_map(|(key, _)| key.clone())
            .chain(own_contact.then(|| self.keys.exact.clone()))
            .collect()
    }

    /// Every customer that was looked at, also one that a rule kept out: had it changed in between,
    /// the rule might have said otherwise.
    fn guards(&self) -> Vec<(CustomerId, i64)> {
        let involved = self.involved.iter().map(|index| self.known.customer(*index));
        let mut guards: Vec<_> = involved.map(|customer| (customer.id, customer.version)).collect();
        guards.sort_unstable();
        guards
    }
}

impl<S: Surroundings> World<usize> for View<'_, S> {
    fn age(&self, customer: usize) -> i64 {
        let contacts = self.known.customer(customer).contacts.iter();
        contacts.map(|contact| contact.order.0).min().unwrap_or(i64::MAX)
    }

    fn has_user(&self, customer: usize) -> bool {
        self.known.customer(customer).contacts.iter().any(|contact| contact.user.is_some())
    }

    fn points(&self, customers: &[usize]) -> usize {
        // Counting distinct values costs; far below the cap the number cannot matter, whatever it is.
        let all = self.involved.iter().map(|index| self.known.customer(*index).contacts.len());
        if all.sum::<usize>() * 2 + 2 <= self.cap {
            return 0;
        }
        let contacts = || customers.iter().flat_map(|index| &self.known.customer(*index).contacts);
        let emails: HashSet<_> = contacts()
            .filter_map(|contact| contact.email.as_ref())
            .map(|email| self.policy.email_match_key(email))
            .collect();
        let phones: HashSet<_> =
            contacts().filter_map(|contact| contact.phone.as_ref()).map(|phone| phone.match_key()).collect();
        emails.len() + phones.len()
    }

    fn carries(&self, customer: usize, slot: usize) -> bool {
        self.known.customer(customer).contacts.iter().any(|contact| self.shows(contact, slot))
    }
}

/// The rule that keeps a statement's value from linking, whoever else has it: one that the policy lists, one that
/// another user has verified, and one for which there is only the user's own word.
pub(super) fn rule_of_value(
    statement: &Statement,
    never_links: bool,
    verifier: Option<UserId>,
) -> Option<BlockRule> {
    if never_links {
        return Some(BlockRule::NeverLinks);
    }
    // What a guest states is the verifier's: guests' history goes to the owner.
    let user = statement.user()?;
    match verifier {
        Some(verifier) if verifier == user => None,
        Some(_) => Some(BlockRule::VerifiedElsewhere),
        None => statement.is_self_stated().then_some(BlockRule::Unverified),
    }
}

/// Whether the statement says anything that no contact of these customers says: a value, letter by
/// letter, one by which nobody links yet, or that they are a user's. Which values stand together in one contact does
/// not matter.
fn brings_news(statement: &Statement, slots: &[Slot<usize>; 3], group: &[&KnownCustomer]) -> bool {
    let contacts = || group.iter().flat_map(|customer| &customer.contacts);
    let shown_email =
        statement.email().is_none_or(|email| contacts().any(|contact| contact.email.as_ref() == Some(email)));
    let shown_phone =
        statement.phone().is_none_or(|phone| contacts().any(|contact| contact.phone.as_ref() == Some(phone)));
    !shown_email || !shown_phone || slots.contains(&Slot::New)
}

fn blocks(verdict: &Match<usize>) -> Vec<Block> {
    [(Part::Email, EMAIL), (Part::Phone, PHONE)]
        .into_iter()
        .filter_map(|(part, slot)| verdict.blocked[slot].map(|rule| Block { part, rule }))
        .collect()
}
