//! The page of promises, `docs/semantics.md`: each names the tests that hold it, and they exist.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The promises of a page: their ids, and the tests that they name.
fn promises(page: &str) -> Vec<(String, Vec<String>)> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("- **"));
    lines
        .map(|line| {
            let (id, rest) = line.split_once("**").unwrap();
            let tests = rest.split('`').skip(1).step_by(2);
            let tests = tests.filter(|name| name.contains('_')).map(str::to_owned);
            (id.to_owned(), tests.collect())
        })
        .collect()
}

/// The names of all functions that are tests.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            tests(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                let name = line.trim_start_matches("async ").strip_prefix("fn ");
                match name.and_then(|rest| rest.split(['(', '<']).next()) {
                    Some(name) if is_test => {
                        found.insert(name.to_owned());
                        is_test = false;
                    }
                    Some(_) => is_test = false,
                    None => {
                        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                    }
                }
            }
        }
    }
}

/// What is wrong with a page.
fn faults(page: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids = BTreeSet::new();
    for (id, names) in promises(page) {
        if !ids.insert(id.clone()) {
            faults.push(format!("{id} is promised twice"));
        }
        if names.is_empty() {
            faults.push(format!("{id} names no test"));
        }
        let missing = names.iter().filter(|name| !tests.contains(*name));
        faults.extend(missing.map(|name| format!("{id} names {name}, which is no test")));
    }
    faults
}

#[test]
fn every_promise_about_a_booking_names_tests_and_they_exist() {
    let mut found = BTreeSet::new();
    for folder in ["dev", "functions", "shared"] {
        tests(&root().join(folder), &mut found);
    }
    let page = fs::read_to_string(root().join("docs/semantics.md")).unwrap();
    assert!(promises(&page).len() >= 15);
    assert_eq!(faults(&page, &found), Vec::<String>::new());
}

#[test]
fn a_promise_without_a_test_or_with_one_that_does_not_exist_is_a_fault() {
    let page = "- **A1** It holds. `it_holds`\n- **A2** So does this.\n- **A1** And this. `nobody_knows`\n";
    let tests = BTreeSet::from(["it_holds".to_owned()]);
    assert_eq!(
        faults(page, &tests),
        [
            "A2 names no test",
            "A1 is promised twice",
            "A1 names nobody_knows, which is no test",
        ]
    );
}
