//! What must hold in the end.

use onefold_sync::conflict::{Conflict, ConflictFilter, ConflictSubject};
use onefold_sync::partner::PartnerField;
use onefold_sync::view::SyncText;

use super::world::World;
use super::{CUSTOMERS, Field};

/// Where somebody edits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Side {
    Here,
    Books,
    Phones,
}

/// Somebody put a new value in the place of what this side showed. No value comes twice.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) who: usize,
    pub(super) field: Field,
    pub(super) side: Side,
    pub(super) value: String,
    pub(super) replaced: String,
}

impl World {
    pub(super) async fn assert_agreed(&self) {
        assert!(self.company.books.doubled_ids().is_empty());
        let filter = ConflictFilter::default();
        let kept = self.company.store.conflicts().list(&filter, None, 1_000).await.unwrap();
        for who in 0..CUSTOMERS {
            for field in Field::ALL {
                self.assert_kept(who, field, &kept).await;
            }
        }
        self.assert_points(&kept).await;
        self.assert_rows();
        let writes = (self.company.books.writes(), self.company.phones.writes());
        self.company.work().await;
        assert_eq!(
            (self.company.books.writes(), self.company.phones.writes()),
            writes,
            "at rest nothing is written"
        );
    }

    /// All sides show the same, which is the last that somebody said on one of them; what was last on another side is what
    /// somebody replaced who saw it, or is kept in a conflict.
    async fn assert_kept(&self, who: usize, field: Field, kept: &[Conflict]) {
        let here = self.shown(who, Side::Here, field).await;
        let mut sides = vec![(Side::Books, self.book_of(who).await.is_some())];
        if Field::OF_PHONES.contains(&field) {
            sides.push((Side::Phones, self.phone_of(who).await.is_some()));
        }
        let mapping = self.company.book.mapping_of_customer(self.customers[who]).await.unwrap();
        let kept_otherwise = mapping.is_some_and(|mapping| mapping.kept.contains_key(&PartnerField::Name));
        for (side, _) in sides.into_iter().filter(|(_, is_there)| *is_there) {
            if field == Field::Name && side == Side::Books && kept_otherwise {
                // The row bears somebody else's name, which it keeps.
                continue;
            }
            assert_eq!(
                self.shown(who, side, field).await,
                here,
                "{who} {field:?}: {side:?} and here, {:?}",
                self.edits
            );
        }
        let edits: Vec<&Edit> =
            self.edits.iter().filter(|edit| edit.who == who && edit.field == field).collect();
        for side in [Side::Here, Side::Books, Side::Phones] {
            let Some(last) = edits.iter().rfind(|edit| edit.side == side) else { continue };
            let wins = here.as_ref() == Some(&last.value);
            let was_seen = edits.iter().any(|edit| edit.replaced == last.value);
            let text = |text: &Option<SyncText>| text.as_ref().map(|text| text.as_str().to_owned());
            let is_kept = kept.iter().any(|conflict| {
                [&conflict.local, &conflict.remote]
                    .into_iter()
                    .any(|side| text(side).as_ref() == Some(&last.value))
            });
            assert!(
                wins || was_seen || is_kept,
                "{who} {field:?} shows {here:?}; lost is {last:?} of {edits:?}"
            );
        }
    }

    /// Emails that came in stay, nobody had to be asked about one that was nobody else's, and nobody was made one with
    /// somebody else.
    async fn assert_points(&self, kept: &[Conflict]) {
        let asked =
            kept.iter().filter(|conflict| conflict.subject == ConflictSubject::Field(PartnerField::Email));
        for remote in asked.filter_map(|conflict| conflict.remote.as_ref()) {
            assert!(
                self.emails.iter().all(|(_, email)| email != remote.as_str()),
                "asked about a free email"
            );
        }
        for (one, customer) in self.customers.iter().enumerate() {
            let others = &self.customers[one + 1..];
            assert!(!others.contains(customer));
            assert_eq!(self.company.view(*customer).await.id, *customer, "nobody was merged");
        }
        for (who, email) in &self.emails {
            let view = self.company.view(self.customers[*who]).await;
            let book = self.book_of(*who).await.unwrap();
            let there = self.company.books.partner(book.as_str()).unwrap().contacts[0].email.clone();
            let points: Vec<_> = view.points.iter().map(|point| point.value.clone()).collect();
            assert!(points.contains(&there), "{there} is the customer's: {points:?}");
            let was_last =
                self.emails.iter().rfind(|(other, _)| other == who).is_some_and(|last| last.1 == *email);
            assert!(!was_last || points.contains(email) || there != *email, "{email} came in: {points:?}");
        }
    }

    fn assert_rows(&self) {
        for before in &self.typed_in {
            let after = self.company.books.partner(&before.mk_id).unwrap();
            assert_eq!(after.contacts.get(1), before.contacts.get(1), "rows of people keep their owners");
            assert_ne!(after.contacts[0].email, after.contacts[1].email, "an email in another one's row");
            assert_eq!((after.contacts.len(), after.addresses.len()), (2, 1), "no row was added");
        }
    }
}
