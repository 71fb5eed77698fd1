//! Sync: mappings, conflicts, runs with their items, the log, the rules, and the jobs that drive it all.
//!
//! The tables are many and plain, so their columns are named by texts; the entities of the persistence crate
//! repeat the names, and its tests run them on both databases.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, boolean, pk_uuid, text, text_null,
    timestamp_with_time_zone as moment, timestamp_with_time_zone_null as moment_null, uuid, uuid_null,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [mapping(), conflict(), run(), run_item(), log(), rule(), job()] {
            manager.create_table(table).await?;
        }
        let connection = manager.get_connection();
        for statement in INDEXES {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in
            ["job", "sync_rule", "sync_log", "sync_run_item", "sync_run", "sync_conflict", "sync_mapping"]
        {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn mapping() -> TableCreateStatement {
    Table::create()
        .table("sync_mapping")
        .col(pk_uuid("id"))
        .col(text("system"))
        .col(uuid("customer_id"))
        .col(big_integer("contact_id"))
        .col(text_null("external_id"))
        // The rows of the record that our fields live in.
        .col(text_null("external_address_id"))
        .col(text_null("external_contact_id"))
        .col(text("status"))
        .col(text_null("detach_reason"))
        // JSON objects, with a text or null for each field.
        .col(text("base"))
        .col(text("sent"))
        .col(text("kept"))
        .col(big_integer_null("customer_version"))
        .col(moment_null("missing_since"))
        .col(moment_null("last_synced_at"))
        .col(text_null("error_code"))
        .col(text_null("error_message"))
        .col(uuid_null("lease_owner"))
        .col(moment_null("lease_until"))
        .col(text("created_by"))
        .col(text("updated_by"))
        .col(moment("created_at"))
        .col(moment("updated_at"))
        .col(big_integer("version"))
        .check(Expr::cust("(status = 'detached') = (detach_reason IS NOT NULL)"))
        .foreign_key(&mut references("sync_mapping", "customer_id", "customer"))
        .foreign_key(&mut references("sync_mapping", "contact_id", "contact"))
        .to_owned()
}

fn conflict() -> TableCreateStatement {
    Table::create()
        .table("sync_conflict")
        .col(big_pk_auto("id"))
        .col(uuid("mapping_id"))
        .col(text("system"))
        .col(uuid("customer_id"))
        .col(text("subject"))
        .col(text_null("base_value"))
        .col(text_null("local_value"))
        .col(text_null("remote_value"))
        .col(text("status"))
        .col(text_null("rule"))
        .col(text_null("resolution"))
        .col(text_null("resolved_by"))
        .col(moment("created_at"))
        .col(moment_null("resolved_at"))
        .foreign_key(&mut references("sync_conflict", "mapping_id", "sync_mapping"))
        .to_owned()
}

fn run() -> TableCreateStatement {
    Table::create()
        .table("sync_run")
        .col(pk_uuid("id"))
        .col(text("system"))
        .col(text("kind"))
        .col(boolean("dry_run"))
        .col(boolean("approved"))
        .col(text("status"))
        .col(big_integer("items_total"))
        .col(big_integer("items_succeeded"))
        .col(big_integer("items_failed"))
        .col(big_integer("items_created"))
        .col(big_integer("items_pushed"))
        .col(big_integer("items_pulled"))
        .col(big_integer("items_unchanged"))
        .col(big_integer("items_conflicts"))
        .col(big_integer("items_stale"))
        .col(big_integer("items_detached"))
        .col(text_null("message"))
        .col(text("requested_by"))
        .col(moment("created_at"))
        .col(moment_null("started_at"))
        .col(moment("updated_at"))
        .col(moment_null("finished_at"))
        .to_owned()
}

fn run_item() -> TableCreateStatement {
    Table::create()
        .table("sync_run_item")
        .col(uuid("run_id"))
        .col(big_integer("position"))
        .col(text("subject"))
        // Empty until the item's turn has come; it has an outcome if, and only if, it has an action.
        .col(text_null("action"))
        .col(uuid_null("customer_id"))
        .col(uuid_null("mapping_id"))
        .col(text_null("external_id"))
        .col(text_null("error_code"))
        .col(text_null("error_message"))
        .col(text_null("plan"))
        .primary_key(Index::create().col("run_id").col("position"))
        .foreign_key(&mut references("sync_run_item", "run_id", "sync_run"))
        .to_owned()
}

/// References nothing: it tells of mappings and runs also when they are gone.
fn log() -> TableCreateStatement {
    Table::create()
        .table("sync_log")
        .col(big_pk_auto("id"))
        .col(moment("happened_at"))
        .col(text("system"))
        .col(uuid_null("mapping_id"))
        .col(uuid_null("customer_id"))
        .col(text_null("external_id"))
        .col(uuid_null("run_id"))
        .col(text("actor"))
        .col(text("outcome"))
        // JSON arrays of the names of fields.
        .col(text("pushed"))
        .col(text("pulled"))
        .col(text_null("error_code"))
        .col(text_null("error_message"))
        .col(big_integer("took_ms"))
        .to_owned()
}

/// One row for each system for which somebody has put rules. They are read and put together, and rules that name
/// no field at all differ from none only if they have a row.
fn rule() -> TableCreateStatement {
    Table::create()
        .table("sync_rule")
        .col(text("system").primary_key())
        // A JSON object from fields to rules.
        .col(text("rules"))
        .to_owned()
}

fn job() -> TableCreateStatement {
    Table::create()
        .table("job")
        .col(big_pk_auto("id"))
        .col(text("job_key"))
        .col(text("status"))
        .col(big_integer("attempts"))
        .col(moment("not_before"))
        .col(uuid_null("lease_owner"))
        .col(moment_null("lease_until"))
        .col(text_null("error_code"))
        .col(text_null("error_message"))
        .col(moment("created_at"))
        .col(moment("updated_at"))
        .check(Expr::cust("(status = 'running') = (lease_owner IS NOT NULL AND lease_until IS NOT NULL)"))
        .to_owned()
}

fn references(table: &'static str, column: &'static str, other: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(format!("{table}_{column}")).from(table, column).to(other, "id").to_owned()
}

const INDEXES: &[&str] = &[
    // Two that sync one customer at once must not make two records of it. One that is detached stands in nobody's way.
    "CREATE UNIQUE INDEX sync_mapping_of_customer ON sync_mapping (system, customer_id)
     WHERE status <> 'detached'",
    "CREATE UNIQUE INDEX sync_mapping_of_record ON sync_mapping (system, external_id)
     WHERE external_id IS NOT NULL",
    // Every question names the system, which is nearly always the same one. An index that had it alone would be taken
    // for a good one by a database without statistics, and read from end to end.
    "CREATE INDEX sync_mapping_contact ON sync_mapping (contact_id)",
    "CREATE INDEX sync_mapping_customer ON sync_mapping (customer_id, system)",
    "CREATE INDEX sync_mapping_list ON sync_mapping (system, id)",
    "CREATE INDEX sync_mapping_status ON sync_mapping (system, status)",
    "CREATE UNIQUE INDEX sync_conflict_open ON sync_conflict (mapping_id, subject) WHERE status = 'open'",
    "CREATE INDEX sync_conflict_mapping ON sync_conflict (mapping_id, status)",
    "CREATE INDEX sync_conflict_status ON sync_conflict (status, id)",
    "CREATE INDEX sync_conflict_customer ON sync_conflict (customer_id, status)",
    // For forgetting.
    "CREATE INDEX sync_run_finished ON sync_run (finished_at) WHERE finished_at IS NOT NULL",
    "CREATE INDEX sync_run_item_waiting ON sync_run_item (run_id, position) WHERE action IS NULL",
    "CREATE INDEX sync_log_customer ON sync_log (customer_id, id) WHERE customer_id IS NOT NULL",
    "CREATE INDEX sync_log_mapping ON sync_log (mapping_id, id) WHERE mapping_id IS NOT NULL",
    "CREATE INDEX sync_log_outcome ON sync_log (outcome, id)",
    "CREATE INDEX sync_log_time ON sync_log (happened_at)",
    "CREATE UNIQUE INDEX job_waiting ON job (job_key) WHERE status = 'waiting'",
    // That no two jobs of a kind are at work rests on this one, not on whoever takes them.
    "CREATE UNIQUE INDEX job_running ON job (job_key) WHERE status = 'running'",
    "CREATE INDEX job_due ON job (not_before, id) WHERE status <> 'dead'",
    "CREATE INDEX job_kind ON job (job_key) WHERE status <> 'dead'",
    "CREATE INDEX job_status ON job (status, id)",
];
