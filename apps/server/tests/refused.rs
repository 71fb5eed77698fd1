//! A database that cannot be used, as an operator meets it: one line, once, that names the place and says what to do.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

use onefold_persistence::testing::{PostgresCluster, TestDatabase};

/// What a program says that cannot start, which is one line.
fn told(folder: &Path, url: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onefold-server"));
    command.args(arguments).current_dir(folder).env_clear().env("PORT", "0").env("DATABASE_URL", url);
    let output = command.env("ONEFOLD__DATABASE__ACQUIRE_TIMEOUT_MS", "700").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{url}: {message}");
    assert_eq!(message.trim().lines().count(), 1, "{url}: {message}");
    assert!(message.starts_with("onefold-server: "), "{url}: {message}");
    message
}

fn assert_told(url: &str, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["serve"][..], &["migrate"]] {
        let message = told(folder.path(), url, arguments);
        assert!(words.iter().all(|word| message.contains(word)), "{url}: {message}");
    }
}

#[test]
fn a_server_that_is_not_there() {
    assert_told(
        "postgres://u:p@127.0.0.1:1/d",
        &["PostgreSQL at 127.0.0.1:1 ", "connection refused", "start it"],
    );
    assert_told("postgres://u:p@nowhere.invalid/d", &["PostgreSQL at nowhere.invalid:5432 ", "no such host"]);
    assert_told("postgres://u:p@localhost/d?host=/nowhere", &["/nowhere/.s.PGSQL.5432", "start it"]);
}

/// Something else is there, and says so in its own words.
#[test]
fn a_server_of_another_kind() {
    use std::io::{Read, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4_096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            // Closed with something unread, the connection would be reset.
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    assert_told(
        &format!("postgres://u:p@{address}/d"),
        &[&address.to_string(), "does not answer as PostgreSQL does"],
    );
    assert_told(
        &format!("postgres://u:p@{address}/d?sslmode=require"),
        &["as `sslmode` demands", "without TLS"],
    );
}

#[tokio::test]
async fn a_server_that_refuses() {
    let cluster = PostgresCluster::start();
    let database = TestDatabase::on(&cluster).await;
    let name = database.name().unwrap();
    for sql in [
        "CREATE ROLE guarded LOGIN PASSWORD 'right'".to_owned(),
        "CREATE ROLE poor LOGIN".to_owned(),
        "CREATE ROLE many LOGIN CONNECTION LIMIT 0".to_owned(),
        format!(
            "CREATE ROLE reader LOGIN; ALTER ROLE reader IN DATABASE {name} SET default_transaction_read_only = on"
        ),
    ] {
        for sql in sql.split(';') {
            database.query(sql).await;
        }
    }
    let rules = cluster.folder().join("data/pg_hba.conf");
    std::fs::write(&rules, "local all guarded scram-sha-256\nlocal all banned reject\nlocal all all trust\n")
        .unwrap();
    database.query("SELECT CAST(pg_reload_conf() AS text)").await;

    let url = |user: &str, name: &str| {
        database
            .url()
            .replace("postgres@", &format!("{user}@"))
            .replace(&format!("/{}?", database.name().unwrap()), &format!("/{name}?"))
    };
    // The rules are read by the server in its own time.
    let folder = tempfile::tempdir().unwrap();
    let banned = url("banned", name);
    assert!(
        (0..500).any(|_| told(folder.path(), &banned, &["migrate"]).contains("rejects")),
        "the rules were not read"
    );
    let place = format!("PostgreSQL at {}/.s.PGSQL.5432 ", cluster.folder().display());
    for (user, name, words) in [
        ("guarded:wrong", name, ["refuses the password of user `guarded`", "database.url"]),
        ("banned", name, ["does not let user `banned` in", "pg_hba.conf"]),
        ("nobody", name, ["does not let user `nobody` in", "role \"nobody\" does not exist"]),
        ("postgres", "absent", ["has no database `absent`", "createdb absent"]),
        ("many", name, ["has no connection left", "database.max_connections"]),
        ("poor", name, ["does not let user `poor` make tables", "GRANT CREATE"]),
        ("reader", name, ["cannot be written", "primary"]),
    ] {
        assert_told(&url(user, name), &[&place, words[0], words[1]]);
    }
}

#[tokio::test]
async fn a_database_of_a_later_version_or_another_application() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres().await] {
        database.store().await;
        let applied = database.count("SELECT COUNT(*) FROM seaql_migrations").await;
        let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20991231_000001_later', 0)";
        database.query(later).await;
        assert_told(&database.url(), &["later version", "`m20991231_000001_later`", "restore a backup"]);
        // Nothing was written to it.
        assert_eq!(database.count("SELECT COUNT(*) FROM seaql_migrations").await, applied + 1);
        database.query("DELETE FROM seaql_migrations WHERE version <> 'm20991231_000001_later'").await;
        assert_told(&database.url(), &["another application's", "`m20991231_000001_later`"]);
    }
    for database in [TestDatabase::sqlite(), TestDatabase::postgres().await] {
        database.query("CREATE TABLE customer (name text)").await;
        assert_told(&database.url(), &["another application's", "table `customer`"]);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| format!("{}/{name}", folder.path().display());
    let url = |name: &str| format!("sqlite://{}?mode=rwc", path(name));

    std::fs::create_dir(path("folder")).unwrap();
    assert_told(&url("folder"), &[&path("folder"), "is a folder"]);
    assert_told(
        &format!("sqlite://{}", path("absent.db")),
        &[&path("absent.db"), "is not there", "mode=rwc"],
    );
    std::fs::write(path("text"), "Dear Sir or Madam, ".repeat(1_000)).unwrap();
    assert_told(&url("text"), &[&path("text"), "no SQLite database"]);

    let database = TestDatabase::sqlite();
    database.store().await.close().await.unwrap();
    let file = database.url().trim_start_matches("sqlite://").trim_end_matches("?mode=rwc").to_owned();
    let mut bytes = std::fs::read(file).unwrap();
    // The head is whole, and the pages behind it are not.
    bytes[4_096..].fill(0x5a);
    bytes[100..4_096].fill(0x5a);
    std::fs::write(path("damaged.db"), bytes).unwrap();
    assert_told(&url("damaged.db"), &[&path("damaged.db"), "is damaged", "backup"]);
}

/// Another program that writes and does not come to an end.
#[tokio::test]
async fn a_file_that_another_program_holds() {
    use onefold_service::store::Store;

    let database = TestDatabase::sqlite();
    let store = database.store().await;
    let held = store.begin().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let message = told(folder.path(), &database.url(), &["migrate"]);
    assert!(message.contains("is held by another program"), "{message}");
    drop(held);
}
