//! Whom something of sync is about: a person has to decide, and an id tells a person nothing.

use onefold_domain::block::Part;
use onefold_domain::customer::CustomerView;
use onefold_domain::id::CustomerId;
use onefold_domain::profile::ProfileField;
use onefold_service::error::RecordError;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::error::ApiError;

/// The most emails, and the most phones, that are shown of one customer.
const MOST_POINTS: usize = 5;

/// A customer as people know it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncPerson)]
pub(crate) struct Person {
    id: Uuid,
    #[schema(example = "Ann Lee")]
    name: Option<String>,
    company_name: Option<String>,
    /// The first 5.
    #[schema(example = json!(["ann@example.com"]))]
    emails: Vec<String>,
    /// The first 5.
    phones: Vec<String>,
}

impl Person {
    /// What to call it in a sentence.
    pub(crate) fn called(&self) -> &str {
        let points = || self.emails.first().or(self.phones.first()).map(String::as_str);
        self.title().or_else(points).unwrap_or("the customer")
    }

    /// Its name, or that of its company.
    pub(crate) fn title(&self) -> Option<&str> {
        self.name.as_deref().or(self.company_name.as_deref())
    }

    pub(crate) fn email(&self) -> Option<&str> {
        self.emails.first().map(String::as_str)
    }

    fn of(view: &CustomerView) -> Self {
        let points = |part| {
            let of_part = view.points.iter().filter(move |point| point.part == part);
            of_part.take(MOST_POINTS).map(|point| point.value.clone()).collect()
        };
        Self {
            id: view.id.0,
            name: view.full_name(),
            company_name: view.profile.text(ProfileField::CompanyName).map(ToOwned::to_owned),
            emails: points(Part::Email),
            phones: points(Part::Phone),
        }
    }
}

/// `None` for a customer that has no contact any more.
pub(crate) async fn person(app: &App, id: CustomerId) -> Result<Option<Person>, ApiError> {
    match app.customers.customer(id).await {
        Ok(view) => Ok(Some(Person::of(&view))),
        Err(RecordError::NoSuchCustomer) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
