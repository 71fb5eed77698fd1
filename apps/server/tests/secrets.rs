//! Nothing secret is printed, however broken the configuration is: every key is given what it cannot use, with a word
//! in it that is then looked for in all that the program says.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use onefold_persistence::testing::TestDatabase;
use onefold_runtime::testing::settings;

const CANARY: &str = "c4nary-b1rd";

/// Keys whose values may be secret, or an address that holds something secret. Of the others the value may be shown.
const SECRET: [&str; 9] = [
    "database.url",
    "kratos.secrets",
    "kratos.password",
    "metakocka.secret_key",
    "metakocka.company_id",
    "metakocka.base_url",
    "openphone.api_key",
    "openphone.base_url",
    "openphone.webhook_keys",
];

const SHORT_NAMES: [&str; 7] = [
    "DATABASE_URL",
    "METAKOCKA_SECRET_KEY",
    "METAKOCKA_COMPANY_ID",
    "METAKOCKA_BASE_URL",
    "OPENPHONE_API_KEY",
    "OPENPHONE_BASE_URL",
    "OPENPHONE_WEBHOOK_KEYS",
];

fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onefold-server"));
    command.args(arguments).current_dir(folder).env_clear().envs(variables.iter().copied());
    command.env("PORT", "0").env("ONEFOLD__DATABASE__ACQUIRE_TIMEOUT_MS", "50").env("RUST_BACKTRACE", "1");
    command.stdin(Stdio::null()).output().unwrap()
}

fn silent_of_it(output: &Output, about: &str) {
    for printed in [&output.stdout, &output.stderr] {
        let printed = String::from_utf8_lossy(printed);
        assert!(!printed.contains(CANARY), "{about}: {printed}");
    }
}

#[test]
fn no_key_tells_what_is_secret() {
    let folder = tempfile::tempdir().unwrap();
    let keys: Vec<_> = settings().into_iter().map(|setting| setting.key).collect();
    assert!(keys.len() > 60 && SECRET.iter().all(|key| keys.iter().any(|known| known == key)), "{keys:?}");
    let list = format!("[\"{CANARY}\", 1]");
    let table = format!("{{a = \"{CANARY}\"}}");
    let address = format!("postgres://u:{CANARY}@127.0.0.1:1/d");
    for key in &keys {
        let (section, name) = key.split_once('.').unwrap();
        let variable = format!("ONEFOLD__{}__{}", section.to_uppercase(), name.to_uppercase());
        // Somebody's password in the wrong place, where even what is not secret is not shown. Files are looked for
        // under any name, and a name that is not found is told.
        let mut values = if name.ends_with("_file") { vec![] } else { vec![address.as_str()] };
        if SECRET.contains(&key.as_str()) {
            values.extend([CANARY, list.as_str(), table.as_str()]);
        }
        for value in values {
            silent_of_it(&run(folder.path(), &["migrate"], &[(&variable, value)]), key);
            let written =
                if value.starts_with(['[', '{']) { value.to_owned() } else { format!("\"{value}\"") };
            std::fs::write(folder.path().join("x.toml"), format!("[{section}]\n{name} = {written}\n"))
                .unwrap();
            silent_of_it(&run(folder.path(), &["migrate", "--config", "x.toml"], &[]), key);
            // Without its end, so that the file cannot be read, and under a name that is not known.
            for broken in
                [format!("[{section}]\n{name} = \"{CANARY}\n"), format!("[{section}]\n{name}s = {written}\n")]
            {
                std::fs::write(folder.path().join("x.toml"), broken).unwrap();
                silent_of_it(&run(folder.path(), &["migrate", "--config", "x.toml"], &[]), key);
            }
        }
    }
    for name in SHORT_NAMES {
        for value in [CANARY, &list, &table, &address] {
            silent_of_it(&run(folder.path(), &["migrate"], &[(name, value)]), name);
            silent_of_it(&run(folder.path(), &["migrate"], &[(&format!("ONEFOLD_{name}"), value)]), name);
        }
    }
}

#[test]
fn no_command_tells_the_password_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.csv"), "email\na@example.com\n").unwrap();
    for url in [
        format!("postgres://u:{CANARY}@127.0.0.1:1/d"),
        format!("postgres://u:{CANARY}@nowhere.invalid/d"),
        format!("postgres://u:{CANARY}@127.0.0.1:99999/d"),
        format!("postgres://u:{CANARY}/@127.0.0.1/d"),
        format!("postgres://u:1/{CANARY}@127.0.0.1/d"),
        format!("postgres://u:1?{CANARY}@127.0.0.1/d"),
        format!("postgres://u:1#{CANARY}@127.0.0.1/d"),
        format!("postgres://u@127.0.0.1:1/d?password={CANARY}"),
        format!("postgres://u@127.0.0.1:1/d?pasword={CANARY}&{CANARY}=x"),
        format!("postgres://u@127.0.0.1:1/d?sslmode={CANARY}"),
        format!("postgres://u:{CANARY}@127.0.0.1:1/d?sslmode=require"),
        format!("mysql://u:{CANARY}@127.0.0.1/d"),
        CANARY.to_owned(),
    ] {
        for arguments in
            [&["serve"][..], &["migrate"], &["import", "x.csv"], &["token", "list"], &["audit", "verify"]]
        {
            for filter in ["info", "trace"] {
                let variables = [("DATABASE_URL", url.as_str()), ("ONEFOLD__LOG__FILTER", filter)];
                let output = run(folder.path(), arguments, &variables);
                assert!(!output.status.success(), "{url}: {output:?}");
                silent_of_it(&output, &url);
            }
        }
    }
}

/// With every line of the log that there is, on a database that lets everybody in.
#[tokio::test]
async fn the_log_does_not_tell_the_password_either() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestDatabase::postgres().await);
    std::fs::write(folder.path().join(".pgpass"), format!("{CANARY}\\:\n")).unwrap();
    let url = format!("{}&password={CANARY}&channel_binding={CANARY}", database.url());
    let passwords = folder.path().join(".pgpass").display().to_string();
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("ONEFOLD__LOG__FILTER", "trace"),
        ("PGPASSFILE", passwords.as_str()),
    ];
    let output = run(folder.path(), &["migrate"], &variables);
    assert!(output.status.success(), "{output:?}");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("parameters that are not known"), "{log}");
    silent_of_it(&output, "the log");
}
