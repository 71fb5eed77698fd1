//! The company in which the steps are taken, and what is noted of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use onefold_domain::id::CustomerId;
use onefold_domain::profile::ProfileField;
use onefold_domain::source::ContactSource;
use onefold_integrations::testing::{DoublePartner, Trouble};
use onefold_memory::MemoryStore;
use onefold_service::contacts::{ContactRequest, Contacts};
use onefold_sync::conflict::{Conflict, ConflictFilter, ConflictStatus, ConflictSubject};
use onefold_sync::partner::{PartnerField, PartnerId};
use onefold_sync::resolver::{Answer, Resolver};
use onefold_sync::run::RunKind;
use onefold_sync::runner::Runner;
use onefold_sync::sync_error::SyncError;
use onefold_sync::synchroniser::{SyncContext, Synchroniser};
use onefold_sync::view::SyncView;
use serde_json::{Value, json};

use super::oracle::{Edit, Side};
use super::texts::{differing, in_books, profile, request, written};
use super::{CUSTOMERS, Field, Step};
use crate::company::{Company, HOUR};

pub(super) struct World {
    pub(super) company: Company,
    pub(super) customers: Vec<CustomerId>,
    /// What a source said of each last.
    pub(super) said: Vec<ContactRequest>,
    pub(super) edits: Vec<Edit>,
    /// Emails that were typed in there, and are nobody else's.
    pub(super) emails: Vec<(usize, String)>,
    /// The partners that were typed in there, as they were.
    pub(super) typed_in: Vec<DoublePartner>,
    pub(super) count: usize,
}

impl World {
    /// Customers of these sources; the last of them is a company, and those who are marked are in OpenPhone.
    pub(super) async fn new(sources: [(ContactSource, bool); CUSTOMERS]) -> Self {
        let company = Company::on(Arc::new(MemoryStore::default())).await;
        let mut world = Self {
            company,
            customers: Vec::new(),
            said: Vec::new(),
            edits: Vec::new(),
            emails: Vec::new(),
            typed_in: Vec::new(),
            count: 0,
        };
        for (who, (source, has_phone)) in sources.into_iter().enumerate() {
            let mut profile = json!({
                "name": "Ann Lee", "country": "SI",
                "address": {"street": "Lipova pot 7", "city": "Ljubljana", "postalCode": "1000"},
            });
            if who + 1 == CUSTOMERS {
                profile["companyName"] = "Lee d.o.o.".into();
            }
            let request = request(source, who, &profile);
            let contacts = Contacts::new(world.company.env.base.clone());
            let customer = contacts.create_contact(&request).await.unwrap().customer;
            world.customers.push(customer);
            world.said.push(request);
            world.company.book.sync_customer(customer, SyncContext::default()).await.unwrap();
            if has_phone {
                world.company.sync(customer).await;
            }
        }
        world.company.work().await;
        world
    }

    pub(super) fn fresh(&mut self, field: Field) -> String {
        self.count += 1;
        if field == Field::Tax {
            format!("{:08}", 10_000_000 + self.count)
        } else {
            format!("Value {}", self.count)
        }
    }

    /// New values for these fields, of which it is noted what they replace on this side.
    pub(super) async fn values(
        &mut self,
        who: usize,
        side: Side,
        fields: &[Field],
    ) -> BTreeMap<Field, String> {
        let mut values = BTreeMap::new();
        for field in fields {
            let value = self.fresh(*field);
            let replaced = match side {
                Side::Books if *field == Field::Name => self.name_in_books(who).await,
                _ => self.shown(who, side, *field).await,
            };
            let replaced = replaced.unwrap_or_default();
            self.edits.push(Edit { who, field: *field, side, value: value.clone(), replaced });
            values.insert(*field, value);
        }
        values
    }

    /// What the name there stands for: a row that bears somebody else's name keeps it.
    async fn name_in_books(&self, who: usize) -> Option<String> {
        let mapping = self.company.book.mapping_of_customer(self.customers[who]).await.unwrap()?;
        let shown = self.shown(who, Side::Books, Field::Name).await;
        let text = |view: &SyncView| Some(view.get(&PartnerField::Name)?.as_ref()?.as_str().to_owned());
        match text(&mapping.kept) {
            Some(kept) if Some(&kept) == shown.as_ref() => text(&mapping.base),
            _ => shown,
        }
    }

    pub(super) async fn take(&mut self, step: Step) {
        match step {
            Step::EditHere(who, fields) => {
                let values = self.values(who, Side::Here, &fields).await;
                self.company.edit(self.customers[who], Value::Object(profile(&values))).await;
                for (field, value) in values {
                    assert_eq!(self.shown(who, Side::Here, field).await, Some(value), "an edit shows");
                }
            }
            Step::State(who, source, fields) => self.state(who, source, &fields).await,
            Step::Repeat(who) => {
                let before = self.all_here(who).await;
                let contacts = Contacts::new(self.company.env.base.clone());
                contacts.create_or_update_contact(&self.said[who].clone()).await.unwrap();
                assert_eq!(self.all_here(who).await, before, "nothing was set");
            }
            Step::EditBooks(who, fields) => self.edit_books(who, &fields).await,
            Step::EditPhones(who, fields) => self.edit_phones(who, &fields).await,
            Step::EmailInBooks(who, other) => self.email_in_books(who, other).await,
            Step::NewInBooks(known) => self.new_in_books(known).await,
            Step::SyncBooks(who) => self.sync_as_planned(who).await,
            Step::SyncPhones(who) => {
                let _ = self.company.phone.sync_customer(self.customers[who], SyncContext::default()).await;
            }
            Step::CompareBooks => self.run(&self.company.book, RunKind::Compare).await,
            Step::ComparePhones => self.run(&self.company.phone, RunKind::Compare).await,
            Step::Crash(who, step) => self.crash(who, step).await,
            Step::LoseNext(call) => self.company.books.next(call, Trouble::LoseAnswer),
            Step::Work => {
                self.company.worker.work_once().await.unwrap();
            }
            Step::Decide(local) => {
                let open = self.open().await;
                if let Some(conflict) = open.first() {
                    let _ = self.decide(conflict, local).await;
                }
            }
        }
        assert!(self.company.books.partner_count() <= CUSTOMERS + self.typed_in.len(), "a partner too many");
    }

    /// Syncs; what is written on either side is what the plan lists.
    async fn sync_as_planned(&self, who: usize) {
        let (book, customer) = (&self.company.book, self.customers[who]);
        let shown = book.show_customer(customer).await;
        let before = self.book_of(who).await.and_then(|id| self.company.books.partner(id.as_str()));
        let here = self.all_here(who).await;
        let done = book.sync_customer(customer, SyncContext::default()).await;
        let (Ok(shown), Some(before)) = (shown, before) else { return };
        if !matches!(done, Ok(_) | Err(SyncError::OpenConflict { .. })) {
            return;
        }
        let after = self.company.books.partner(&before.mk_id).unwrap();
        let is_read_back = done.is_err() || done.is_ok_and(|done| done.mapping.sent.is_empty());
        if is_read_back {
            let (mut changed, mut planned) = (differing(&before, &after), written(&shown.plan, "remote"));
            let mapping = book.mapping_of_customer(customer).await.unwrap().unwrap();
            if mapping.kept.contains_key(&PartnerField::Name) {
                // The row bears somebody else's name, which it keeps.
                changed.remove("name");
                planned.remove("name");
            }
            assert_eq!(changed, planned, "{:?}", shown.plan);
        }
        let now = self.all_here(who).await;
        let changed = here.iter().filter(|(field, value)| now[*field] != **value);
        let changed: BTreeMap<_, _> = changed
            .map(|(field, _)| (field.as_str().to_owned(), now[field].clone().unwrap_or_default()))
            .collect();
        let mut planned = written(&shown.plan, "local");
        planned.retain(|field, _| Field::ALL.iter().any(|known| known.as_str() == field));
        assert_eq!(changed, planned, "{:?}", shown.plan);
    }

    async fn run(&self, sync: &Synchroniser, kind: RunKind) {
        let run = Runner::new(sync.clone()).request(kind, &[], false).await.unwrap();
        self.company.worker.execute(run.id).await.unwrap();
    }

    async fn crash(&self, who: usize, step: usize) {
        let (mortal, fate) = self.company.mortal(step);
        let customer = self.customers[who];
        let work = async {
            let _ = mortal.book.sync_customer(customer, SyncContext::default()).await;
            if self.phone_of(who).await.is_some() {
                let _ = mortal.phone.sync_customer(customer, SyncContext::default()).await;
            }
        };
        fate.live(work).await;
        self.company.pass(HOUR);
    }

    pub(super) async fn open(&self) -> Vec<Conflict> {
        let filter = ConflictFilter { status: Some(ConflictStatus::Open), ..ConflictFilter::default() };
        self.company.store.conflicts().list(&filter, None, 100).await.unwrap()
    }

    async fn decide(&self, conflict: &Conflict, local: bool) -> bool {
        let sync = if conflict.system == self.company.book.system() {
            &self.company.book
        } else {
            &self.company.phone
        };
        let answer = match (conflict.subject, local) {
            (ConflictSubject::SamePartner, _) => Answer::Separate,
            // The other record would be kept in step from then on, and what was edited in the first stays there.
            (ConflictSubject::SameCustomer, _) => Answer::Local,
            (_, true) => Answer::Local,
            (_, false) => Answer::Remote,
        };
        Resolver::new(sync.clone(), None).resolve(conflict.id, &answer).await.is_ok()
    }

    /// Lets everything that was promised happen, and a person decide what is open.
    pub(super) async fn come_to_rest(&self) {
        self.company.books.end_trouble();
        for _ in 0..30 {
            self.company.work().await;
            self.company.pass(HOUR * 3);
            for sync in [&self.company.book, &self.company.phone] {
                self.run(sync, RunKind::CompareFull).await;
            }
            self.company.work().await;
            let open = self.open().await;
            let Some(conflict) = open.first() else { return };
            let decided = self.decide(conflict, conflict.id.0 % 2 == 0).await;
            assert!(decided || self.decide(conflict, true).await, "{conflict:?} can be decided");
        }
        panic!("it does not come to rest: {:?}", self.open().await);
    }

    pub(super) async fn all_here(&self, who: usize) -> BTreeMap<Field, Option<String>> {
        let mut all = BTreeMap::new();
        for field in Field::ALL {
            all.insert(field, self.shown(who, Side::Here, field).await);
        }
        all
    }

    pub(super) async fn book_of(&self, who: usize) -> Option<PartnerId> {
        self.company.book.mapping_of_customer(self.customers[who]).await.unwrap()?.external
    }

    pub(super) async fn phone_of(&self, who: usize) -> Option<PartnerId> {
        self.company.phone.mapping_of_customer(self.customers[who]).await.unwrap()?.external
    }

    /// What a side shows; `None` if it has no value, or nothing of this customer.
    pub(super) async fn shown(&self, who: usize, side: Side, field: Field) -> Option<String> {
        let text = match side {
            Side::Here => {
                let view = self.company.view(self.customers[who]).await;
                let address = view.profile.address();
                match field {
                    Field::Name => view.full_name(),
                    Field::Company => view.profile.text(ProfileField::CompanyName).map(str::to_owned),
                    Field::Tax => view.profile.text(ProfileField::TaxNumber).map(str::to_owned),
                    Field::City => address.and_then(|address| address.city.clone()),
                    Field::Street => address.and_then(|address| address.street.clone()),
                }
            }
            Side::Books => {
                let partner = self.company.books.partner(self.book_of(who).await?.as_str())?;
                in_books(&partner).remove(field.as_str())
            }
            Side::Phones => {
                let contact = self.company.phones.contact(self.phone_of(who).await?.as_str())?;
                let text = |name: &str| contact["defaultFields"][name].as_str().map(str::to_owned);
                match field {
                    Field::Name => {
                        let parts = [text("firstName"), text("lastName")];
                        Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
                    }
                    Field::Company => text("company"),
                    _ => None,
                }
            }
        };
        text.filter(|text| !text.is_empty())
    }
}
