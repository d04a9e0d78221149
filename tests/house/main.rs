//! The house: imports run downwards only, no files import each other in a circle, and files stay short.

mod breaches;
mod files;
mod modules;
mod reading;
mod rules;
mod source;

use files::{read, rust_files, too_long};
use modules::Crate;
use rules::{Floors, MustNotName, circles, forbidden_names, upward_imports, without_a_floor};

/// The service's floors, from the ground up.
const SERVICE: Floors = &[
    &["tls"],
    &["telemetry", "wechat"],
    &["platform"],
    &["operator"],
    &["api", "aws"],
    &["config"],
    &["start"],
    &["lib", "bin"],
];

/// Only `aws` knows the AWS SDK, only `api` and above know Lambda, only `wechat` and `aws` know the HTTP client.
const SERVICE_MUST_NOT_NAME: MustNotName = &[
    ("tls", &["aws_", "lambda_", "reqwest"]),
    ("telemetry", &["tls", "aws_", "lambda_", "reqwest"]),
    ("wechat", &["aws_", "lambda_"]),
    ("platform", &["tls", "aws_", "lambda_", "reqwest"]),
    ("operator", &["tls", "aws_", "lambda_", "reqwest"]),
    ("api", &["tls", "aws_", "reqwest"]),
    ("aws", &["wechat", "operator", "lambda_"]),
];

/// The simulator's floors, from the ground up.
const SIMULATOR: Floors = &[
    &["random", "endpoint", "clock", "errcode", "connection"],
    &["authorizer", "errmsg", "issued", "request"],
    &["config", "fault", "log", "reply"],
    &["quota", "push"],
    &["state"],
    &["calls", "delivery"],
    &["consent"],
    &["pages", "control"],
    &["gateway"],
    &["server"],
    &["sim"],
    &["lib", "cli"],
    &["main"],
];

/// Folders whose files stay short. Data and generated files are in others.
const SHORT_FILES: [&str; 8] = [
    "src",
    "tests",
    "examples",
    "scripts",
    "fuzz/src",
    "fuzz/fuzz_targets",
    "wechat-sim/src",
    "wechat-sim/tests",
];

fn service() -> Crate {
    Crate::new("wechat_preauth", &rust_files("src"))
}

fn simulator() -> Crate {
    Crate::new("wechat_sim", &rust_files("wechat-sim/src"))
}

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn every_file_is_read() {
    for (house, at_least) in [(service(), 60), (simulator(), 30)] {
        assert!(house.files().len() > at_least, "only {} files were read", house.files().len());
    }
    let all = rust_files("src").into_keys().chain(rust_files("wechat-sim/src").into_keys());
    let (service, simulator) = (service(), simulator());
    let known = |file: &String| {
        service.files().contains(&file.as_str()) || simulator.files().contains(&file.as_str())
    };
    assert_none("no module declares these files", &all.filter(|file| !known(file)).collect::<Vec<_>>());
}

#[test]
fn the_services_imports_run_downwards() {
    let (house, arrows) = (service(), service().arrows());
    assert_none("these files are on no floor", &without_a_floor(&house, SERVICE));
    assert_none("imports that run upwards or sideways", &upward_imports(&arrows, SERVICE));
    assert_none("names from elsewhere", &forbidden_names(&house, &arrows, SERVICE_MUST_NOT_NAME));
}

#[test]
fn the_simulators_imports_run_downwards() {
    let house = simulator();
    assert_none("these files are on no floor", &without_a_floor(&house, SIMULATOR));
    assert_none("imports that run upwards or sideways", &upward_imports(&house.arrows(), SIMULATOR));
}

#[test]
fn no_files_of_the_service_import_each_other_in_a_circle() {
    assert_none("circles", &circles(&service().arrows()));
}

#[test]
fn no_files_of_the_simulator_import_each_other_in_a_circle() {
    assert_none("circles", &circles(&simulator().arrows()));
}

#[test]
fn files_stay_short() {
    let found: Vec<String> = SHORT_FILES
        .iter()
        .flat_map(|folder| {
            let files = read(folder, &["rs", "py", "mjs", "css"]);
            assert!(!files.is_empty(), "{folder} has no files");
            too_long(folder, &files)
        })
        .collect();
    assert_none("long files", &found);
}
