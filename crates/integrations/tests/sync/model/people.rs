//! What people and sources do on each side.

use std::collections::BTreeMap;

use onefold_domain::source::ContactSource;
use onefold_integrations::testing::{DoubleChange, DoubleContact};
use onefold_service::contacts::Contacts;
use onefold_sync::partner::PartnerId;
use onefold_sync::synchroniser::SyncContext;
use serde_json::Value;

use super::Field;
use super::oracle::{Edit, Side};
use super::texts::{differing, profile, request, set, written};
use super::world::World;
use crate::scene::person;

impl World {
    /// What a source says counts as an edit if the rules let it show, or if it takes the place of what showed in the same
    /// record and the rules prefer something else now. It changes nothing of which it says nothing.
    pub(super) async fn state(&mut self, who: usize, source: ContactSource, fields: &[Field]) {
        let before = self.all_here(who).await;
        let values: BTreeMap<Field, String> =
            fields.iter().map(|field| (*field, self.fresh(*field))).collect();
        let mut said = values.clone();
        if values.contains_key(&Field::City) || values.contains_key(&Field::Street) {
            // Of an address everything is said, or nothing.
            for field in [Field::City, Field::Street] {
                said.entry(field).or_insert(before[&field].clone().unwrap_or_default());
            }
        }
        let request = request(source, who, &Value::Object(profile(&said)));
        let contacts = Contacts::new(self.company.env.base.clone());
        contacts.create_or_update_contact(&request).await.unwrap();
        self.said[who] = request;
        for (field, shown) in self.all_here(who).await {
            let replaced = before.get(&field).cloned().flatten().unwrap_or_default();
            let value = shown.unwrap_or_default();
            if value != replaced {
                assert!(said.contains_key(&field), "{field:?} was not to change from {replaced} to {value}");
                self.edits.push(Edit { who, field, side: Side::Here, value, replaced });
            }
        }
    }

    pub(super) async fn edit_books(&mut self, who: usize, fields: &[Field]) {
        let Some(id) = self.book_of(who).await else { return };
        let values = self.values(who, Side::Books, fields).await;
        let number = self.count;
        self.company.books.edit(id.as_str(), |partner| {
            let old = partner.customer.clone();
            if let Some(company) = values.get(&Field::Company) {
                if partner.business_entity != Some(true) {
                    partner.contacts[0].name.clone_from(&old);
                }
                partner.business_entity = Some(true);
                partner.customer.clone_from(company);
            }
            if let Some(name) = values.get(&Field::Name) {
                // Whoever renames a person may leave the row of the contact as it was.
                let is_company = partner.business_entity == Some(true);
                if is_company || (partner.contacts[0].name == old && number.is_multiple_of(2)) {
                    partner.contacts[0].name.clone_from(name);
                }
                if !is_company {
                    partner.customer.clone_from(name);
                }
            }
            set(&mut partner.addresses[0].city, values.get(&Field::City));
            set(&mut partner.addresses[0].street, values.get(&Field::Street));
            set(&mut partner.tax_id_number, values.get(&Field::Tax));
        });
    }

    pub(super) async fn edit_phones(&mut self, who: usize, fields: &[Field]) {
        let Some(id) = self.phone_of(who).await else { return };
        let values = self.values(who, Side::Phones, fields).await;
        self.company.edit_there(&id, |contact| {
            if let Some((first, last)) = values.get(&Field::Name).and_then(|name| name.split_once(' ')) {
                contact["defaultFields"]["firstName"] = first.into();
                contact["defaultFields"]["lastName"] = last.into();
            }
            if let Some(company) = values.get(&Field::Company) {
                contact["defaultFields"]["company"] = company.as_str().into();
            }
        });
    }

    pub(super) async fn email_in_books(&mut self, who: usize, other: Option<usize>) {
        let Some(id) = self.book_of(who).await else { return };
        self.count += 1;
        let email = match other.filter(|other| *other != who) {
            Some(other) => format!("ann{other}@example.com"),
            None => format!("new{}@example.com", self.count),
        };
        if !email.starts_with("ann") {
            self.emails.push((who, email.clone()));
        }
        self.company
            .books
            .change(id.as_str(), &DoubleChange { email: Some(email), ..DoubleChange::default() });
    }

    /// What is taken in writes there what was planned, and no row gets another owner.
    pub(super) async fn new_in_books(&mut self, known: Option<usize>) {
        self.count += 1;
        let email = known.map_or_else(String::new, |who| format!("ann{who}@example.com"));
        let mut partner = person("Bob Kos", &email);
        partner.contacts[0].gsm = format!("+38640{:06}", self.count);
        let eva =
            DoubleContact { email: format!("eva{}@example.com", self.count), ..DoubleContact::default() };
        partner.contacts.push(DoubleContact { name: "Eva Golob".to_owned(), ..eva });
        let partner = self.company.books.insert(partner);
        let id = PartnerId::parse(&partner.mk_id).unwrap();
        self.company.books.end_trouble();
        let plan = self.company.book.show_partner(&id).await;
        self.typed_in.push(partner.clone());
        let taken = self.company.book.import_partner(&id, SyncContext::default()).await;
        let (Ok(plan), Ok(_)) = (plan, taken) else { return };
        self.company.worker.work_once().await.unwrap();
        let planned = written(&plan.plan, "remote");
        let after = self.company.books.partner(id.as_str()).unwrap();
        assert_eq!(differing(&partner, &after), planned, "what is written there is in the plan");
    }
}
