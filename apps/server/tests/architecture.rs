//! `docs/architecture.md` is the way to a rule, `CONTRIBUTING.md` that to a place for something new. A path or a name in
//! them that is no longer there sends a reader astray, so it fails here; so does a crate that uses another one than is said.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const MAP: &str = "docs/architecture.md";

#[test]
fn every_path_exists() {
    for page in [MAP, "CONTRIBUTING.md"] {
        let text = read(page);
        let folder = root().join(page).parent().unwrap().to_owned();
        let links = links(&text).filter(|(_, to)| !to.contains("://"));
        let lost = links.map(|(_, to)| to).filter(|to| !folder.join(to).exists());
        assert_eq!(lost.collect::<Vec<_>>(), [""; 0], "links of {page}");
        let found = paths(&text);
        assert!(found.len() > 20, "{page} names files");
        let lost = found.into_iter().filter(|path| !is_there(path));
        assert_eq!(lost.collect::<Vec<_>>(), [""; 0], "paths in {page}");
    }
}

#[test]
fn every_rule_stands_where_the_map_says() {
    let map = read(MAP);
    let table = section(&map, "## Where is the rule that …");
    let (mut rules, mut lost) = (0, Vec::new());
    for row in rows(table) {
        let [rule, home] = row[..] else { panic!("two columns: {row:?}") };
        if home.is_empty() {
            continue; // A heading.
        }
        rules += 1;
        // The names in front of a link are in the file that it leads to.
        let mut rest = home;
        for (label, to) in links(home) {
            let link = format!("[{label}]({to})");
            let (names, after) = rest.split_once(&link).unwrap();
            rest = after;
            let file = fs::read_to_string(root().join("docs").join(to)).unwrap();
            let absent = ticked(names).filter(|name| !words(&file).any(|word| word == *name));
            lost.extend(absent.map(|name| format!("{rule}: {name} is not in {to}")));
        }
        assert!(ticked(home).next().is_some() && home.contains("]("), "{rule}: neither a name nor a file");
    }
    assert_eq!(lost, [""; 0]);
    assert!(rules >= 20, "{rules} rules");
}

#[test]
fn crates_use_what_the_map_says() {
    let map = read(MAP);
    let mut told = BTreeSet::new();
    for row in rows(section(&map, "## The crates")) {
        let [name, _, uses] = row[..] else { panic!("three columns: {row:?}") };
        let (label, to) = links(name).next().unwrap();
        let manifest = root().join("docs").join(to).parent().unwrap().join("../Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
        let own = manifest["dependencies"].as_table().unwrap().keys();
        let used: BTreeSet<_> = own.filter_map(|name| name.strip_prefix("onefold-")).collect();
        let uses = uses.split_once(';').map_or(uses, |(uses, _)| uses);
        let said = uses.split(", ").filter(|name| *name != "nothing of ours").collect();
        assert_eq!(used, said, "what {label} uses");
        told.insert(label);
    }
    let members =
        ["crates", "apps"].into_iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap());
    for member in members {
        let name = member.unwrap().file_name().into_string().unwrap();
        assert!(told.contains(&*name), "{name} is not on the map");
    }
}

/// The files and folders that a text names between backticks, those with a placeholder left out.
fn paths(text: &str) -> Vec<&str> {
    let is_path = |name: &&str| {
        let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "/_-.".contains(letter));
        plain && name.contains('/') && !name.starts_with('/')
    };
    ticked(text).filter(is_path).collect()
}

/// From the root of the project, or from where its crates are.
fn is_there(path: &str) -> bool {
    root().join(path).exists() || root().join("crates").join(path).exists()
}

/// What stands between backticks on one line, blocks of code left out.
fn ticked(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(str::lines).flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Label and target of each link.
fn links(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('[').skip(1).filter_map(|rest| {
        let (label, rest) = rest.split_once("](")?;
        Some((label, rest.split_once(')')?.0))
    })
}

fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, section) = text.split_once(heading).unwrap();
    section.split("\n## ").next().unwrap()
}

/// The rows of a table, its head and the line below left out.
fn rows(section: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = section.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    lines.skip(2).map(|line| line.split('|').map(str::trim).collect())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
