//! Which crate may use which, and what must not reach a crate however it comes in.

use std::{collections::BTreeMap, path::Path};

use super::{assert_none, read};
use crate::shell;

/// Which crate may use which. The drawing in ARCHITECTURE.md is this table; change both or neither.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("measure", &["model"]),
    ("assure", &["model"]),
    ("reconstruct", &["model"]),
    ("simulate", &["model"]),
    ("formats", &["model"]),
    ("store", &["model"]),
    ("ledger", &["model"]),
    (
        "operations",
        &["model", "measure", "assure", "reconstruct", "simulate", "formats", "store", "ledger"],
    ),
    ("cli", &["operations", "model"]),
];

/// External crates that would break a promise, however they come in.
const MUST_NOT_REACH: &[(&str, &[&str])] = &[
    ("model", &["arrow", "tokio", "lance", "datafusion", "rand", "getrandom", "chrono"]),
    ("measure", &["arrow", "tokio", "lance", "datafusion", "rand", "getrandom", "chrono"]),
    ("assure", &["arrow", "tokio", "lance", "datafusion", "rand", "getrandom", "chrono"]),
    ("reconstruct", &["arrow", "tokio", "lance", "datafusion", "rand", "getrandom", "chrono"]),
    ("simulate", &["arrow", "tokio", "lance", "datafusion", "rand", "getrandom", "chrono"]),
    ("formats", &["lance", "datafusion", "tokio"]),
    ("ledger", &["arrow", "tokio", "lance", "datafusion", "object_store", "chrono"]),
    ("store", &["mcap"]),
];

/// The most packages a crate may bring, itself included (`cargo tree -e normal`).
const PACKAGE_BUDGET: &[(&str, usize)] = &[
    ("model", 34),
    ("measure", 90),
    ("assure", 60),
    ("reconstruct", 60),
    ("simulate", 60),
    ("ledger", 64),
    ("formats", 165),
];

#[test]
fn crates_use_only_what_the_table_allows() {
    let mut findings = Vec::new();
    for (name, allowed) in MAY_USE {
        let manifest = read(Path::new(&format!("crates/{name}/Cargo.toml")));
        let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
        let used = manifest.get("dependencies").and_then(toml::Value::as_table);
        for dependency in used.into_iter().flat_map(toml::Table::keys) {
            if let Some(ours) = dependency.strip_prefix("tiepoint-")
                && !allowed.contains(&ours)
            {
                findings.push(format!("crate `{name}` uses `{ours}`, which the table forbids"));
            }
        }
    }
    assert_none(&findings, "engines never call one another; wire them in `operations`");
}

#[test]
fn the_table_names_every_crate() {
    let folders = std::fs::read_dir(shell::root().join("crates")).expect("crates/ is a folder");
    let mut found: Vec<String> = folders
        .map(|entry| entry.expect("a folder entry").file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut named: Vec<String> = MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect();
    named.sort();
    assert_eq!(found, named, "MAY_USE in xtask/src/tidy/edges.rs is out of step with crates/");
}

#[test]
fn no_promise_is_broken_by_a_dependency() {
    let tree = NormalTree::load();
    let mut findings = Vec::new();
    for (name, forbidden) in MUST_NOT_REACH {
        for reached in tree.reached_from(&format!("tiepoint-{name}")) {
            if forbidden.contains(&reached.as_str()) {
                findings.push(format!("crate `{name}` reaches `{reached}`"));
            }
        }
    }
    assert_none(&findings, "take the dependency's default features off, or do without it");
}

#[test]
fn pure_crates_keep_their_package_budget() {
    let tree = NormalTree::load();
    let mut findings = Vec::new();
    for (name, most) in PACKAGE_BUDGET {
        let count = tree.reached_from(&format!("tiepoint-{name}")).len();
        if count > *most {
            findings.push(format!("crate `{name}` brings {count} packages, the budget is {most}"));
        }
    }
    assert_none(&findings, "drop a dependency or its default features");
}

/// Normal (not build, not dev) dependencies between package names, from `cargo metadata`.
struct NormalTree {
    uses: BTreeMap<String, Vec<String>>,
    names: BTreeMap<String, String>,
}

impl NormalTree {
    fn load() -> Self {
        let arguments = ["metadata", "--format-version", "1", "--locked", "--offline"];
        let platform = ["--filter-platform", "x86_64-unknown-linux-gnu"];
        let all: Vec<&str> = arguments.into_iter().chain(platform).collect();
        let command = shell::cargo(&all).expect("cargo can be started");
        let (text, code) = shell::output(command).expect("cargo metadata runs");
        assert_eq!(code, 0, "cargo metadata failed");
        let metadata: serde_json::Value = serde_json::from_str(&text).expect("metadata is JSON");
        let text_of = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let mut names = BTreeMap::new();
        for package in metadata["packages"].as_array().into_iter().flatten() {
            names.insert(text_of(&package["id"]), text_of(&package["name"]));
        }
        let mut uses = BTreeMap::new();
        for node in metadata["resolve"]["nodes"].as_array().into_iter().flatten() {
            let normal = node["deps"].as_array().into_iter().flatten().filter(|dep| {
                dep["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null())
            });
            uses.insert(text_of(&node["id"]), normal.map(|dep| text_of(&dep["pkg"])).collect());
        }
        Self { uses, names }
    }

    /// The names of every package that `package` brings, itself included.
    fn reached_from(&self, package: &str) -> std::collections::BTreeSet<String> {
        let start = self.names.iter().find(|(_, name)| *name == package).map(|(id, _)| id.clone());
        let mut waiting: Vec<String> = start.into_iter().collect();
        assert!(!waiting.is_empty(), "no package `{package}`");
        let mut seen = std::collections::BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if seen.insert(id.clone()) {
                waiting.extend(self.uses.get(&id).into_iter().flatten().cloned());
            }
        }
        seen.iter().map(|id| self.names[id].clone()).collect()
    }
}
