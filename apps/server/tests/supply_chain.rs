//! What is built into the programs: `deny.toml` says what may be, and this holds the tree of crates to it with Cargo alone.
//! `just deny` does the same and knows advisories too, but is a tool of minutes to build, so that nobody would run it each time.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use spdx::{Expression, ParseMode};

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    sources: Sources,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
    allow_git: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
    skip: Vec<Banned>,
}

/// `name`, or `name@version`.
#[derive(Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    package: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// None for our own.
    source: Option<String>,
    rust_version: Option<String>,
}

#[test]
fn every_licence_is_on_the_list() {
    let licenses = deny().licenses;
    let refused: Vec<_> = libraries()
        .into_iter()
        .filter(|package| !is_allowed(&licenses, package))
        .map(|package| format!("{}: {:?}", package.name, package.license))
        .collect();
    assert_eq!(refused, [""; 0], "deny.toml has none of their licences");
}

#[test]
fn every_source_is_a_registry() {
    let sources = deny().sources;
    assert_eq!(sources.allow_git, [""; 0], "what somebody pushes there is in our programs");
    let known: Vec<_> = sources.allow_registry.iter().map(|url| format!("registry+{url}")).collect();
    let foreign: Vec<_> = libraries()
        .into_iter()
        .filter_map(|package| package.source)
        .filter(|source| !known.contains(source))
        .collect();
    assert_eq!(foreign, [""; 0]);
    // A folder is no source at all, so it is one of ours or a copy of somebody's crate.
    let own = metadata().packages.into_iter().filter(|package| package.source.is_none());
    let copied: Vec<_> =
        own.map(|package| package.name).filter(|name| !name.starts_with("onefold-")).collect();
    assert_eq!(copied, [""; 0]);
}

#[test]
fn nothing_is_built_in_two_versions_unless_it_cannot_be_helped() {
    let bans = deny().bans;
    let mut versions = BTreeMap::<String, BTreeSet<String>>::new();
    for (name, version) in built(&["-p", "onefold-server", "-p", "onefold-worker", "-e", "normal,build"]) {
        versions.entry(name).or_default().insert(version);
    }
    let banned = bans.deny.iter().filter(|banned| versions.contains_key(&banned.package));
    assert_eq!(banned.map(|banned| &banned.package).collect::<Vec<_>>(), [""; 0], "banned");
    let skipped: BTreeSet<_> = bans.skip.iter().map(|skipped| skipped.package.as_str()).collect();
    for (name, versions) in &mut versions {
        versions.retain(|version| !skipped.contains(format!("{name}@{version}").as_str()));
    }
    versions.retain(|_, versions| versions.len() > 1);
    assert!(versions.is_empty(), "deny.toml does not have all of {versions:?} but one");
}

/// A newcomer's toolchain serves: nothing pins one, and what is asked of it is what the libraries ask.
#[test]
fn the_least_rust_is_told() {
    let root = root();
    for pin in ["rust-toolchain", "rust-toolchain.toml"] {
        assert!(!root.join(pin).exists(), "{pin} would make everybody download a toolchain");
    }
    let manifest: toml::Table = read(&root.join("Cargo.toml")).parse().unwrap();
    let told = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    let asked = libraries().into_iter().filter_map(|package| Some((package.rust_version?, package.name)));
    let (most, name) = asked.max_by_key(|(version, _)| numbers(version)).unwrap();
    assert!(numbers(told) >= numbers(&most), "{name} needs {most}, `rust-version` says {told}");
    assert!(read(&root.join("README.md")).contains(&format!("Rust toolchain ({told} or newer")));
}

/// In the profile for tests everything is optimised but what is named, so a crate of ours that is forgotten is slow to build.
#[test]
fn our_own_crates_are_built_fast_for_tests() {
    let manifest: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let level = |package: &str| {
        let profile = manifest["profile"]["dev"]["package"].get(package)?;
        profile["opt-level"].as_integer()
    };
    let own = metadata().packages.into_iter().filter(|package| package.source.is_none());
    let slow: Vec<_> =
        own.map(|package| package.name).filter(|name| level(name).is_none_or(|level| level > 0)).collect();
    assert_eq!(slow, [""; 0]);
}

fn is_allowed(licenses: &Licenses, package: &Package) -> bool {
    let Some(license) = &package.license else { return false };
    // Some write `MIT/Apache-2.0`.
    let terms = Expression::parse_mode(license, ParseMode::LAX).unwrap();
    let own = licenses.exceptions.iter().filter(|exception| exception.name == package.name);
    let allowed: Vec<_> = own.flat_map(|exception| &exception.allow).chain(&licenses.allow).collect();
    terms.evaluate(|asked| {
        let name = asked.license.id().map_or_else(|| asked.license.to_string(), |id| id.name.to_owned());
        asked.addition.is_none() && allowed.contains(&&name)
    })
}

fn deny() -> Deny {
    toml::from_str(&read(&root().join("deny.toml"))).unwrap()
}

/// What is not ours and is built, be it for tests alone. Metadata also have what no feature asks for.
fn libraries() -> Vec<Package> {
    let built: BTreeSet<_> = built(&["--workspace", "-e", "normal,build,dev"]).into_iter().collect();
    let packages = metadata().packages.into_iter().filter(|package| package.source.is_some());
    let libraries: Vec<_> =
        packages.filter(|package| built.contains(&(package.name.clone(), package.version.clone()))).collect();
    assert!(libraries.len() > 200, "{} libraries", libraries.len());
    libraries
}

fn metadata() -> Metadata {
    // Without those of other platforms, which nobody here has downloaded.
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", &host()];
    serde_json::from_str(&cargo(&arguments)).unwrap()
}

/// Names and versions of what is built on this machine for a choice of packages and edges.
fn built(choice: &[&str]) -> Vec<(String, String)> {
    let tree = cargo(&[&["tree", "--locked", "--prefix", "none"], choice].concat());
    let packages = tree.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    });
    packages.collect()
}

fn host() -> String {
    let told = cargo(&["-vV"]);
    told.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// `1.94` and `1.94.0` are the same.
fn numbers(version: &str) -> Vec<u64> {
    let mut numbers: Vec<_> = version.split('.').map(|number| number.parse().unwrap()).collect();
    numbers.resize(3, 0);
    numbers
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
