//! `docs/configuration.md`, for the tests of both programs: what is told there is what they read.

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde::de::DeserializeOwned;

use super::keys::{Keys, variable};
use super::{SHORT_NAMES, SHORT_NAMES_OF_TEXTS};

const PAGE: &str = include_str!("../../../../docs/configuration.md");

/// What the page says where a setting has no default.
const NONE: &str = "none";

/// A row of the page.
pub struct Setting {
    /// `section.key`, as a file has it.
    pub key: String,
    /// Its names in the environment.
    pub variables: Vec<String>,
    default: String,
}

/// The rows, in their order.
pub fn settings() -> Vec<Setting> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    let settings = rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [key, variables, default, _] = cells[..] else { panic!("not four cells: {row}") };
        Setting {
            key: unquoted(key),
            variables: variables.split(", ").map(unquoted).collect(),
            default: unquoted(default),
        }
    });
    settings.collect()
}

/// Holds the page to the configuration of a program. A section that only another program reads is held to that one.
///
/// # Panics
/// A key is told that is not known or known and not told, twice, under another name or with another default.
pub fn assert_told<C: DeserializeOwned + Default + Debug>() {
    let keys = Keys::of::<C>();
    let section = |key: &str| key.split('.').next().unwrap_or_default().to_owned();
    let settings = settings();
    for setting in &settings {
        assert!(keys.sections.contains(&section(&setting.key).as_str()), "no such section: {}", setting.key);
        assert_eq!(setting.variables, variables(&setting.key), "{}", setting.key);
    }
    let read: BTreeSet<_> = keys.keys.iter().map(|key| section(key)).collect();
    let mut told: Vec<_> =
        settings.into_iter().filter(|setting| read.contains(&section(&setting.key))).collect();
    told.sort_by(|one, other| one.key.cmp(&other.key));
    let known: BTreeSet<_> = keys.keys.iter().collect();
    assert!(told.iter().map(|setting| &setting.key).eq(known), "the page has not the keys that are known");
    for setting in told {
        assert_default::<C>(&setting);
    }
}

/// What a configuration shows of itself tells defaults apart: a secret has none.
fn assert_default<C: DeserializeOwned + Default + Debug>(setting: &Setting) {
    let (key, default) = (&setting.key, &setting.default);
    let unset = format!("{:#?}", C::default());
    if default == NONE {
        let (section, name) = key.split_once('.').expect("a key of a section");
        let inside = unset.split(&format!("\n    {section}: ")).nth(1).expect("a section");
        let value = inside.split(&format!("\n        {name}: ")).nth(1).and_then(|rest| rest.lines().next());
        assert!(matches!(value, Some("None," | "[],")), "{key} is {value:?} by default");
        return;
    }
    let set: C = toml::from_str(&file(key, default)).unwrap_or_else(|error| panic!("{key}: {error}"));
    assert!(format!("{set:#?}") == unset, "{key} is not {default} by default");
}

/// A file that sets this one. What is no number, word of TOML or list stands there in quotes.
fn file(key: &str, value: &str) -> String {
    let written = |value: &str| format!("{key} = {value}\n");
    let plain = written(value);
    if toml::from_str::<toml::Table>(&plain).is_ok() { plain } else { written(&format!("{value:?}")) }
}

fn variables(key: &str) -> Vec<String> {
    let short = SHORT_NAMES.iter().chain(&SHORT_NAMES_OF_TEXTS).filter(|(_, meant)| *meant == key);
    std::iter::once(variable(key)).chain(short.map(|(name, _)| (*name).to_owned())).collect()
}

fn unquoted(cell: &str) -> String {
    cell.trim_matches('`').to_owned()
}
