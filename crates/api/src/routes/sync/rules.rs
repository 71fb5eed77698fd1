//! `/sync/rules`: who wins when both sides changed a field.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use onefold_service::system::SyncSystem;
use onefold_sync::partner::PartnerField;
use onefold_sync::rules::{FieldRule, InvalidSyncRule, SyncRules};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::fields::text_of;
use crate::members::Members;
use crate::problem::Problem;
use onefold_sync::rulebook::Rulebook;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/sync/rules").get(read).put(change));
}

/// By system and field: `local`, `remote`, `newest`, `union` (email and phone only) or `ask`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the document: which fields there are is the domain's to say")]
#[schema(as = SyncRules)]
pub(crate) struct RulesOfSystems {
    #[schema(example = json!({"name": "ask", "companyName": "remote", "email": "union", "phone": "union",
        "street": "ask", "city": "ask", "postalCode": "ask", "country": "ask", "taxNumber": "remote"}))]
    metakocka: BTreeMap<String, String>,
    /// Of the fields that a system has no place for nothing is shown.
    #[schema(example = json!({"name": "ask", "companyName": "remote", "email": "union", "phone": "union"}))]
    openphone: BTreeMap<String, String>,
}

/// The rules that hold, for each field that the system has a place for.
#[utoipa::path(
    get, path = "/sync/rules", tag = "sync", operation_id = "syncRules.read",
    responses(
        (status = 200, description = "The rules of each system", body = RulesOfSystems),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    rules_response(&app).await
}

/// Puts other rules in their place, for every comparison from now on.
///
/// A system that is left out keeps its rules; a field of a system that is left out is asked about.
#[utoipa::path(
    put, path = "/sync/rules", tag = "sync", operation_id = "syncRules.change",
    request_body = RulesOfSystems,
    responses(
        (status = 200, description = "The rules that hold now", body = RulesOfSystems),
        (status = 422, description = "A system, a field or a rule is unknown; `errors` names its path", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change(
    app: web::Data<App>,
    caller: Caller,
    body: web::Json<Members>,
) -> Result<HttpResponse, ApiError> {
    // All is judged before anything is stored. Each system's rules are stored by themselves: who is told that
    // the database went away in between puts them all again.
    let rulebook = Rulebook::new(app.env.clone()).acting(&caller.syncing());
    for (system, rules) in parse(body.into_inner())? {
        rulebook.put(system, &rules).await?;
    }
    rules_response(&app).await
}

async fn rules_response(app: &App) -> Result<HttpResponse, ApiError> {
    let mut systems = BTreeMap::new();
    let rulebook = Rulebook::new(app.env.clone());
    for system in SyncSystem::ALL {
        let rules = rulebook.rules(system).await?;
        let rule = |field: &PartnerField| (field.as_str(), rules.rule(*field).as_str());
        let fields = app.sync.of(system).map_or(&PartnerField::ALL[..], |sync| sync.fields());
        let fields: BTreeMap<_, _> = fields.iter().filter(|field| field.has_rule()).map(rule).collect();
        systems.insert(system.as_str(), fields);
    }
    Ok(HttpResponse::Ok().json(systems))
}

/// Rules can be put before a system is configured, so that they hold from its first comparison on.
fn parse(body: Members) -> Result<BTreeMap<SyncSystem, SyncRules>, ApiError> {
    let mut faults = Faults::default();
    let mut systems = BTreeMap::new();
    for (name, value) in body.0 {
        let Some(system) = SyncSystem::parse(&name) else {
            let names = SyncSystem::ALL.map(SyncSystem::as_str);
            faults.add(name, format!("There is no such system; known are {}.", names.join(", ")));
            continue;
        };
        match serde_json::from_str::<Members>(value.get()) {
            Ok(fields) => {
                systems.insert(system, of_system(system, fields, &mut faults));
            }
            Err(_) => faults.add(name, "Send an object with a rule for each field, each field once."),
        }
    }
    faults.check()?;
    Ok(systems)
}

fn of_system(system: SyncSystem, fields: Members, faults: &mut Faults) -> SyncRules {
    let mut rules = Vec::new();
    for (field, value) in fields.0 {
        match rule(&field, &value) {
            Ok(rule) => rules.push(rule),
            Err(message) => faults.add(format!("{system}.{field}"), message),
        }
    }
    SyncRules::of(rules)
}

fn rule(field: &str, value: &RawValue) -> Result<(PartnerField, FieldRule), String> {
    // An unknown field is told as such, whatever stands there.
    PartnerField::parse(field).ok_or_else(|| InvalidSyncRule::UnknownField.to_string())?;
    let rule = text_of(value, false).ok().flatten().unwrap_or_default();
    SyncRules::parse(field, &rule).map_err(|error| error.to_string())
}
