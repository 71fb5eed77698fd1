//! Configuration: defaults, then an optional TOML file, then the environment, the last word winning.
//! Everything is checked before a program starts, and a mistake is told in one line.

use std::path::Path;

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::de::DeserializeOwned;
use validator::ValidationErrors;

/// Names the file when no argument does.
const FILE_VARIABLE: &str = "ONEFOLD_CONFIG";

/// Well-known names, for the settings that platforms set.
const SHORT_NAMES: [(&str, &str); 2] = [("DATABASE_URL", "database.url"), ("PORT", "server.port")];

/// The same for texts that may look like something else: a key of digits is read as a number otherwise, and
/// loses the zeros that it begins with. An empty one counts as not set.
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
    #[error("configuration: `{key}` {message}")]
    Invalid { key: String, message: String },
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
    let config: C = figment.extract().map_err(|error| unreadable(&error))?;
    first_fault(check(&config))?;
    Ok(config)
}

/// Names the key as a file has it, wherever it was set, and then where that was.
fn unreadable(error: &figment::Error) -> ConfigError {
    let source = error.metadata.as_ref().map(|metadata| format!(" (from {})", metadata.name));
    let path = error.path.iter().map(|part| part.to_lowercase()).collect::<Vec<_>>().join(".");
    // The message of a syntax error has several lines; the first says what, the log is for a person.
    let kind = error.kind.to_string();
    let message = kind.lines().next().unwrap_or_default();
    ConfigError::Invalid {
        key: if path.is_empty() { "file".to_owned() } else { path },
        message: format!("cannot be used: {message}{}", source.unwrap_or_default()),
    }
}

fn first_fault(sections: Vec<Section<'_>>) -> Result<(), ConfigError> {
    for (section, result) in sections {
        let Err(errors) = result else { continue };
        if let Some((field, errors)) = errors.field_errors().into_iter().next() {
            let message = errors.iter().find_map(|error| error.message.as_deref());
            return Err(ConfigError::Invalid {
                key: format!("{section}.{field}"),
                message: message.unwrap_or("is out of range").to_owned(),
            });
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
            assert_eq!(read(None).unwrap_err(), "configuration: `server.workers` must be at most 8");
            jail.set_env("ONEFOLD__SERVER__WORKERS", "many");
            let message = read(None).unwrap_err();
            assert!(message.contains("workers") && !message.contains('\n'), "{message}");
            jail.set_env("ONEFOLD__SERVER__WORKERS", "1");
            jail.set_env("ONEFOLD__SERVER__PROT", "1");
            assert!(read(None).unwrap_err().contains("prot"));
            Ok(())
        });
    }
}
