//! The keys that a program knows, and the names in the environment that are none of them. A setting that nobody reads
//! is worse than one that is refused: its author believes in it.

use figment::Figment;
use figment::error::Kind;
use serde::de::DeserializeOwned;
use strsim::damerau_levenshtein;

use super::{ConfigError, FILE_VARIABLE, PREFIX};

/// What every name of ours begins with. Orchestrators make names as well that begin with that of a service, such as
/// `ONEFOLD_SERVICE_HOST`.
const OURS: &str = "ONEFOLD_";

/// So many letters that are wrong, missing, too many or exchanged make a near miss.
const NEAR: usize = 2;

/// No section has a key of this name.
const PROBE: &str = "?";

/// The keys as a file has them, `section.key`. A section that another program reads counts as known, whatever is in it.
pub(super) struct Keys {
    pub(super) sections: &'static [&'static str],
    pub(super) keys: Vec<String>,
}

impl Keys {
    /// Asks the configuration itself: a key that is unknown is refused together with those that are known.
    pub(super) fn of<C: DeserializeOwned>() -> Self {
        let sections = known_beside::<C>(PROBE);
        let keys_of = |section: &&str| {
            let keys = known_beside::<C>(&format!("{section}.{PROBE}"));
            keys.iter().map(|key| format!("{section}.{key}")).collect::<Vec<_>>()
        };
        Self { sections, keys: sections.iter().flat_map(keys_of).collect() }
    }

    fn has(&self, key: &str) -> bool {
        let section = key.split_once('.').map_or(key, |(section, _)| section);
        let is_opaque = || !self.keys.iter().any(|known| known.starts_with(&format!("{section}.")));
        self.keys.iter().any(|known| known == key) || (self.sections.contains(&section) && is_opaque())
    }

    /// The key that was probably meant. One that differs in its section alone is as near as one with a letter wrong.
    pub(super) fn nearest(&self, given: &str) -> Option<&str> {
        let near_section = |section: &&&str| damerau_levenshtein(section, given) <= NEAR;
        if let (None, Some(section)) = (given.find('.'), self.sections.iter().find(near_section)) {
            return Some(section);
        }
        let last = |key: &str| squashed(key.rsplit_once('.').map_or(key, |(_, last)| last));
        let distance = |known: &&String| {
            let whole = damerau_levenshtein(&squashed(known), &squashed(given));
            whole.min(damerau_levenshtein(&last(known), &last(given)) + 1)
        };
        self.keys.iter().min_by_key(distance).map(String::as_str)
    }

    /// Refuses what was certainly meant for us and is nothing: an unknown name after the prefix, and a known one that
    /// misses it by little. `variables` are names and values.
    pub(super) fn check(&self, variables: impl Iterator<Item = (String, String)>) -> Result<(), ConfigError> {
        for (name, value) in variables {
            let upper = name.to_uppercase();
            if let Some(key) = upper.strip_prefix(PREFIX) {
                let key = key.to_lowercase().replace("__", ".");
                if !self.has(&key) {
                    return Err(self.unknown(name, &key));
                }
            } else if let Some(rest) = upper.strip_prefix(OURS)
                && upper != FILE_VARIABLE
                && !is_of_orchestrator(&value)
                && let Some(meant) = self.missed(rest)
            {
                return Err(ConfigError::Unknown { given: name, meant: Some(meant) });
            }
        }
        Ok(())
    }

    fn unknown(&self, given: String, key: &str) -> ConfigError {
        ConfigError::Unknown { given, meant: self.nearest(key).map(variable) }
    }

    /// The variable that a name without the prefix stands close to.
    fn missed(&self, rest: &str) -> Option<String> {
        let file = FILE_VARIABLE.strip_prefix(OURS).map(|file| (file, FILE_VARIABLE.to_owned()));
        let keys = self.keys.iter().map(|key| (key.as_str(), variable(key)));
        let distance = |known: &str| damerau_levenshtein(&squashed(known), &squashed(rest));
        let near = keys.chain(file).map(|(known, name)| (distance(known), name));
        near.filter(|(distance, _)| *distance <= NEAR)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, name)| name)
    }
}

/// The names of the environment that begin like ours and count for nothing, once the others were checked.
pub(crate) fn strangers(variables: impl Iterator<Item = String>) -> Vec<String> {
    let is_stranger = |name: &String| {
        let upper = name.to_uppercase();
        upper.starts_with(OURS) && !upper.starts_with(PREFIX) && upper != FILE_VARIABLE
    };
    let mut strangers: Vec<_> = variables.filter(is_stranger).collect();
    strangers.sort_unstable();
    strangers
}

/// How the environment spells a key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

/// An address that Kubernetes and Docker give to whoever is beside a service: `ONEFOLD_SERVER_PORT=tcp://10.0.0.1:3000`.
fn is_of_orchestrator(value: &str) -> bool {
    value.starts_with("tcp://") || value.starts_with("udp://")
}

/// Its letters and digits alone: what stands between them is what is easily got wrong.
fn squashed(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn known_beside<C: DeserializeOwned>(path: &str) -> &'static [&'static str] {
    match Figment::new().merge((path, true)).extract::<C>() {
        Err(figment::Error { kind: Kind::UnknownField(_, known), .. }) => known,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::IgnoredAny;

    use super::*;

    #[derive(Deserialize, Default)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        server: Server,
        database: Database,
        #[serde(rename = "worker")]
        _worker: IgnoredAny,
    }

    #[derive(Deserialize, Default)]
    #[serde(deny_unknown_fields, default)]
    struct Server {
        host: String,
        port: u16,
    }

    #[derive(Deserialize, Default)]
    #[serde(deny_unknown_fields, default)]
    struct Database {
        url: String,
        max_connections: u32,
    }

    /// What is meant by this variable, if it is refused.
    fn meant(name: &str, value: &str) -> Option<String> {
        let checked = Keys::of::<Sample>().check([(name.to_owned(), value.to_owned())].into_iter());
        match checked.err()? {
            ConfigError::Unknown { meant, .. } => meant,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn an_unknown_name_is_told_which_one_is_nearest() {
        for (name, nearest) in [
            ("ONEFOLD__SERVER__PROT", "ONEFOLD__SERVER__PORT"),
            ("ONEFOLD__SEVER__HOST", "ONEFOLD__SERVER__HOST"),
            ("ONEFOLD__PORT", "ONEFOLD__SERVER__PORT"),
            ("ONEFOLD__SERVER_PORT", "ONEFOLD__SERVER__PORT"),
            ("onefold__database__uri", "ONEFOLD__DATABASE__URL"),
            ("ONEFOLD__SERVER__URL", "ONEFOLD__DATABASE__URL"),
            ("ONEFOLD_SERVER_PORT", "ONEFOLD__SERVER__PORT"),
            ("ONEFOLD_SERVER__PORT", "ONEFOLD__SERVER__PORT"),
            ("ONEFOLD_DATABASE_URI", "ONEFOLD__DATABASE__URL"),
            ("ONEFOLD_DATABASE_MAXCONNECTION", "ONEFOLD__DATABASE__MAX_CONNECTIONS"),
            ("ONEFOLD_CONFG", "ONEFOLD_CONFIG"),
        ] {
            assert_eq!(meant(name, "1").as_deref(), Some(nearest), "{name}");
        }
    }

    #[test]
    fn what_is_known_or_nobodys_of_ours_is_passed_over() {
        for name in [
            "ONEFOLD__SERVER__PORT",
            "onefold__server__host",
            "ONEFOLD__WORKER__WHATEVER",
            "ONEFOLD_CONFIG",
            "ONEFOLD_PORT",
            "ONEFOLD_SERVICE_HOST",
            "ONEFOLD_SERVICE_PORT",
            "ONEFOLD_PORT_3000_TCP_ADDR",
            "ONEFOLDER_SERVER_PORT",
            "SERVER_PORT",
        ] {
            assert_eq!(meant(name, "10.0.0.1"), None, "{name}");
        }
        // What Kubernetes says to the neighbours of a service that is called onefold-server.
        assert_eq!(meant("ONEFOLD_SERVER_PORT", "tcp://10.0.0.1:3000"), None);
        let names = ["PATH", "ONEFOLD_PORT", "ONEFOLD_CONFIG", "ONEFOLD__SERVER__PORT", "onefold_a"];
        assert_eq!(strangers(names.map(str::to_owned).into_iter()), ["ONEFOLD_PORT", "onefold_a"]);
    }
}
