//! The items of a run, with the names of whom they are about.

use onefold_domain::id::CustomerId;
use onefold_sync::run::RunItem;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::FaultResponse;
use super::people::person;
use crate::app::App;
use crate::error::ApiError;

/// What became of one of the things that a run works on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncRunItem)]
pub(crate) struct ItemResponse {
    /// From 0.
    position: u64,
    /// A customer or a contact, or a record of the other system.
    #[schema(example = "310000000417")]
    subject: String,
    /// Whether its turn has come.
    done: bool,
    customer_id: Option<Uuid>,
    /// What the customer is called, or the record of a plan that is new here.
    #[schema(example = "Ann Lee")]
    name: Option<String>,
    #[schema(example = "ann@example.com")]
    email: Option<String>,
    mapping_id: Option<Uuid>,
    external_id: Option<String>,
    /// What was done, such as `created`, or would be in a dry run.
    #[schema(example = "created")]
    action: Option<String>,
    error: Option<FaultResponse>,
    /// Of a dry run: field by field what would be written where, or asked.
    #[schema(value_type = Option<Vec<BTreeMap<String, Value>>>)]
    plan: Option<Value>,
}

pub(super) async fn item_response(app: &App, item: RunItem) -> Result<ItemResponse, ApiError> {
    let done = item.outcome.is_some();
    let outcome = item.outcome.unwrap_or_default();
    let person = match outcome.customer {
        Some(customer) => person(app, customer).await?,
        None => None,
    };
    let known = |field: &str| stated(outcome.plan.as_ref(), field);
    let (name, email) = match &person {
        Some(person) => (person.title().map(ToOwned::to_owned), person.email().map(ToOwned::to_owned)),
        None => (known("name").or_else(|| known("companyName")), known("email")),
    };
    Ok(ItemResponse {
        position: item.position,
        subject: item.subject,
        done,
        customer_id: outcome.customer.map(|CustomerId(id)| id),
        name,
        email,
        mapping_id: outcome.mapping.map(|id| id.0),
        external_id: outcome.external.map(|id| id.as_str().to_owned()),
        action: done.then_some(outcome.action),
        error: outcome.error.as_ref().map(FaultResponse::of),
        plan: outcome.plan,
    })
}

/// The value that a plan writes in this field.
fn stated(plan: Option<&Value>, field: &str) -> Option<String> {
    let writes = plan?.as_array()?;
    let written = writes.iter().find(|write| write["field"] == field)?;
    written["value"].as_str().map(ToOwned::to_owned)
}
