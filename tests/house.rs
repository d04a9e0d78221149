//! The house: imports run downwards only, from floor to floor, and files stay small.

use std::path::{Path, PathBuf};

/// A floor, the parts of this crate it may use, and the crates it must not know.
const FLOORS: &[(&str, &[&str], &[&str])] = &[
    ("telemetry", &["telemetry"], &["aws_", "lambda_", "reqwest"]),
    ("tls", &["tls"], &["aws_", "lambda_", "reqwest"]),
    ("wechat", &["wechat", "tls"], &["aws_", "lambda_"]),
    ("platform", &["platform", "wechat", "telemetry"], &["aws_", "lambda_", "reqwest"]),
    ("operator", &["operator", "platform", "wechat", "telemetry"], &["aws_", "lambda_", "reqwest"]),
    ("api", &["api", "operator", "platform", "wechat", "telemetry"], &["aws_", "reqwest"]),
    ("aws", &["aws", "platform", "tls", "telemetry"], &["lambda_", "reqwest"]),
];

/// Longest source file, in lines, tests included.
const MAX_LINES: usize = 410;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What a line uses of this crate: `crate::platform::…` → `platform`.
fn parts_used(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").map(|(at, found)| {
        let rest = &line[at + found.len()..];
        &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())]
    })
}

fn breaches(floor: &str, code: &str) -> Vec<String> {
    let (_, allowed, unknown) = FLOORS.iter().find(|(name, ..)| *name == floor).unwrap();
    let mut found = Vec::new();
    for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
        found.extend(parts_used(line).filter(|part| !allowed.contains(part)).map(str::to_owned));
        let foreign = |name: &&&str| {
            line.trim_start().strip_prefix("use ").is_some_and(|rest| rest.starts_with(**name))
                || line.contains(&format!(" {name}")) && line.contains("::") && !line.contains('"')
        };
        found.extend(unknown.iter().filter(foreign).map(|name| (*name).to_owned()));
    }
    found
}

#[test]
fn imports_run_downwards_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut checked = 0;
    for file in files {
        let inside = file.strip_prefix(&src).unwrap();
        let first = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if FLOORS.iter().any(|(name, ..)| *name == first) {
            checked += 1;
            let found = breaches(first, &std::fs::read_to_string(&file).unwrap());
            assert!(found.is_empty(), "{} uses {found:?}", inside.display());
        }
    }
    assert!(checked > 30, "only {checked} files were checked");
}

#[test]
fn the_check_sees_a_breach() {
    assert_eq!(breaches("wechat", "use crate::platform::Code;"), ["platform"]);
    assert_eq!(breaches("platform", "use reqwest::Client;"), ["reqwest"]);
    assert_eq!(breaches("api", "let x = crate::aws::Aws;"), ["aws"]);
    assert!(breaches("api", "use crate::platform::Code;\nuse lambda_http::Body;").is_empty());
}

#[test]
fn source_files_stay_small() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "wechat-sim/src", "examples"] {
        sources(&here.join(folder), &mut files);
    }
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines", file.display());
    }
}
