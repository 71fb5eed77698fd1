//! Configuration: defaults, then an optional TOML file, then the environment, the last word winning.
//! Everything is checked before a program starts, and a mistake is told in one line.

use std::path::Path;

use figment::Figment;
use figment::providers::{Env, Format};
use serde::de::DeserializeOwned;
use validator::ValidationErrors;

use self::keys::Keys;
use self::toml_file::Toml;

mod keys;
#[cfg(feature = "testing")]
pub mod testing;
mod told;
mod toml_file;

pub(crate) use self::keys::strangers;

/// Names the file when no argument does.
const FILE_VARIABLE: &str = "ONEFOLD_CONFIG";

/// Well-known names, for the settings that platforms set.
const SHORT_NAMES: [(&str, &str); 2] = [("DATABASE_URL", "database.url"), ("PORT", "server.port")];

/// Well-known names, for settings that are texts and may look like something else: a key of digits would be read as a
/// number, and lose the zeros that it begins with. An empty one counts as not set.
const SHORT_NAMES_OF_TEXTS: [(&str, &str); 6] = [
    ("METAKOCKA_SECRET_KEY", "metakocka.secret_key"),
    ("METAKOCKA_COMPANY_ID", "metakocka.company_id"),
    ("METAKOCKA_BASE_URL", "metakocka.base_url"),
    ("OPENPHONE_API_KEY", "openphone.api_key"),
    ("OPENPHONE_BASE_URL", "openphone.base_url"),
    ("OPENPHONE_WEBHOOK_KEYS", "openphone.webhook_keys"),
];

/// Everything else: `ONEFOLD__SECTION__KEY`.
const PREFIX: &str = "ONEFOLD__";

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no configuration file {0}")]
    NoFile(String),
    #[error("configuration: {file} cannot be read: {message}")]
    Syntax { file: String, message: String },
    /// `key` with its value, unless that may be secret; `message` goes on from there.
    #[error("configuration: {key} {message}")]
    Invalid { key: String, message: String },
    #[error("configuration: `{given}` is not known{}", meant.as_ref().map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default())]
    Unknown { given: String, meant: Option<String> },
    #[error("configuration: {0}")]
    Contradiction(String),
}

/// A section's name and what its own checks found.
pub type Section<'a> = (&'a str, Result<(), ValidationErrors>);

/// Reads a configuration. Without `file` and the variable `ONEFOLD_CONFIG` there is no file; a file
/// that is named must exist.
///
/// # Errors
/// A file that is missing, an entry that is unknown or of the wrong type, a value out of range.
pub fn load<C: DeserializeOwned>(
    file: Option<&Path>,
    check: impl Fn(&C) -> Vec<Section<'_>>,
) -> Result<C, ConfigError> {
    let named = Env::var(FILE_VARIABLE);
    let file = file.map(Path::to_path_buf).or_else(|| named.map(Into::into));
    let keys = Keys::of::<C>();
    keys.check(variables())?;
    let mut figment = Figment::new();
    if let Some(file) = file {
        if !file.is_file() {
            return Err(ConfigError::NoFile(file.display().to_string()));
        }
        figment = figment.merge(Toml::file(file));
    }
    for (variable, key) in SHORT_NAMES {
        figment = figment.merge(Env::raw().only(&[variable]).map(|_| key.into()));
    }
    for (variable, key) in SHORT_NAMES_OF_TEXTS {
        if let Some(text) = Env::var(variable).filter(|text| !text.is_empty()) {
            figment = figment.merge((key, text));
        }
    }
    figment = figment.merge(Env::prefixed(PREFIX).split("__"));
    let config: C = figment.extract().map_err(|error| told::unreadable(&error, &figment, &keys))?;
    first_fault(&figment, check(&config))?;
    Ok(config)
}

/// The environment. What is no text is no name of ours.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
}

fn first_fault(figment: &Figment, sections: Vec<Section<'_>>) -> Result<(), ConfigError> {
    for (section, result) in sections {
        let Err(errors) = result else { continue };
        if let Some((field, errors)) = errors.field_errors().into_iter().next() {
            let message = errors.iter().find_map(|error| error.message.as_deref());
            let message = message.unwrap_or("is out of range");
            return Err(told::out_of_range(figment, &format!("{section}.{field}"), message));
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "the signature is figment's")]
mod tests {
    use figment::Jail;
    use serde::Deserialize;
    use validator::Validate;

    use super::*;

    #[derive(Deserialize, Default, Debug)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        server: Server,
        metakocka: MetaKocka,
        openphone: OpenPhone,
    }

    #[derive(Deserialize, Default, Debug)]
    #[serde(deny_unknown_fields, default)]
    struct MetaKocka {
        secret_key: Option<String>,
        base_url: Option<String>,
    }

    #[derive(Deserialize, Default, Debug)]
    #[serde(deny_unknown_fields, default)]
    struct OpenPhone {
        api_key: Option<String>,
        base_url: Option<String>,
    }

    #[derive(Deserialize, Default, Debug, Validate)]
    #[serde(deny_unknown_fields, default)]
    struct Server {
        port: u16,
        #[validate(range(max = 8, message = "must be at most 8"))]
        workers: usize,
    }

    fn read(file: Option<&str>) -> Result<Sample, String> {
        load(file.map(Path::new), |sample: &Sample| vec![("server", sample.server.validate())])
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_outdoes_the_file() {
        Jail::expect_with(|jail| {
            jail.create_file("onefold.toml", "[server]\nport = 1\nworkers = 2")?;
            assert_eq!(read(Some("onefold.toml")).unwrap().server.port, 1);
            jail.set_env("PORT", "3");
            let sample = read(Some("onefold.toml")).unwrap();
            assert_eq!((sample.server.port, sample.server.workers), (3, 2));
            jail.set_env("ONEFOLD__SERVER__PORT", "4");
            assert_eq!(read(None).unwrap().server.port, 4);
            Ok(())
        });
    }

    #[test]
    fn a_key_of_digits_stays_a_text_and_an_empty_one_is_none() {
        Jail::expect_with(|jail| {
            jail.set_env("METAKOCKA_SECRET_KEY", "008899");
            jail.set_env("METAKOCKA_BASE_URL", "");
            let metakocka = read(None).unwrap().metakocka;
            assert_eq!(metakocka.secret_key.as_deref(), Some("008899"));
            assert_eq!(metakocka.base_url, None);
            jail.set_env("OPENPHONE_API_KEY", "007");
            jail.set_env("OPENPHONE_BASE_URL", "http://localhost:9");
            let openphone = read(None).unwrap().openphone;
            assert_eq!(openphone.api_key.as_deref(), Some("007"));
            assert_eq!(openphone.base_url.as_deref(), Some("http://localhost:9"));
            Ok(())
        });
    }

    #[test]
    fn mistakes_are_one_line_that_names_the_place() {
        Jail::expect_with(|jail| {
            assert!(read(Some("absent.toml")).unwrap_err().contains("absent.toml"));
            jail.set_env("ONEFOLD__SERVER__WORKERS", "9");
            let told = "configuration: `server.workers` = 9 must be at most 8 (in ONEFOLD__SERVER__WORKERS)";
            assert_eq!(read(None).unwrap_err(), told);
            jail.set_env("ONEFOLD__SERVER__WORKERS", "many");
            let told = "configuration: `server.workers` = \"many\" cannot be used: it takes a whole number, 0 or more \
                        (in ONEFOLD__SERVER__WORKERS)";
            assert_eq!(read(None).unwrap_err(), told);
            jail.set_env("ONEFOLD__SERVER__WORKERS", "1");
            jail.set_env("ONEFOLD__SERVER__PROT", "1");
            let told =
                "configuration: `ONEFOLD__SERVER__PROT` is not known; did you mean `ONEFOLD__SERVER__PORT`?";
            assert_eq!(read(None).unwrap_err(), told);
            Ok(())
        });
    }

    #[test]
    fn a_file_is_told_by_its_name_and_what_may_be_secret_is_not() {
        Jail::expect_with(|jail| {
            for (text, told) in [
                ("[server]\nprot = 1", "`server.prot` is not known; did you mean `server.port`?"),
                ("[sever]\nport = 1", "`sever` is not known; did you mean `server`?"),
                (
                    "[server]\nport = 70000",
                    "`server.port` = 70000 cannot be used: it takes a whole number from 0 to 65535 (in ",
                ),
                ("server = 3", "`server` = 3 cannot be used: it takes a section"),
                (
                    "[metakocka]\nsecret_key = [\"canary\"]",
                    "`metakocka.secret_key` cannot be used: it takes a text",
                ),
                (
                    "[metakocka]\nbase_url = {a = \"canary\"}",
                    "`metakocka.base_url` cannot be used: it takes a text",
                ),
                ("[server]\nport = \"postgres://u:canary@h/d\"", "`server.port` cannot be used"),
                (
                    "[metakocka]\nsecret_key = \"canary\nport = 1",
                    "onefold.toml cannot be read: TOML parse error at line 2",
                ),
            ] {
                jail.create_file("onefold.toml", text)?;
                let message = read(Some("onefold.toml")).unwrap_err();
                assert!(message.contains(told), "{message}");
                assert!(!message.contains("canary") && !message.contains('\n'), "{message}");
            }
            Ok(())
        });
    }

    #[test]
    fn a_short_name_is_told_as_it_was_set() {
        Jail::expect_with(|jail| {
            jail.set_env("PORT", "99999");
            assert!(read(None).unwrap_err().ends_with("from 0 to 65535 (in PORT)"), "{:?}", read(None));
            jail.set_env("PORT", "1");
            jail.set_env("ONEFOLD_SERVER_PORT", "3");
            assert!(read(None).unwrap_err().contains("did you mean `ONEFOLD__SERVER__PORT`?"));
            Ok(())
        });
    }
}
