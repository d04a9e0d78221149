//! Each check, shown a small crate that breaks its rule.

use crate::files::{Files, MAX_LINES, too_long};
use crate::modules::Crate;
use crate::rules::{Floors, circles, forbidden_names, upward_imports, without_a_floor};

const FLOORS: Floors = &[&["ground"], &["middle", "beside"], &["top"], &["lib"]];

fn files(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
}

/// A crate with these files; the root declares its modules.
fn house(written: &[(&str, &str)]) -> Crate {
    let mut files = files(written);
    let rooms = files.keys().filter_map(|file| file.strip_suffix("/mod.rs").or(file.strip_suffix(".rs")));
    let root = rooms.filter(|room| !room.contains('/')).map(|room| format!("pub mod {room};\n")).collect();
    files.insert("lib.rs".to_owned(), root);
    Crate::new("house", &files)
}

fn upward(files: &[(&str, &str)]) -> Vec<String> {
    upward_imports(&house(files).arrows(), FLOORS)
}

fn circle(files: &[(&str, &str)]) -> Vec<String> {
    circles(&house(files).arrows())
}

#[test]
fn an_import_that_runs_upwards_is_seen() {
    let top = ("top.rs", "use crate::ground::A;\npub struct Top;");
    assert_eq!(upward(&[("ground.rs", "pub struct A;"), top]), [""; 0]);
    assert_eq!(upward(&[("ground.rs", "use crate::top::Top;"), top]), ["ground.rs -> top.rs: Top"]);
    assert_eq!(
        upward(&[("ground.rs", "fn f() { crate::top::Top::new(); }"), top]),
        ["ground.rs -> top.rs: new"]
    );
    assert_eq!(upward(&[("ground.rs", "pub use super::top::Top;"), top]), ["ground.rs -> top.rs: Top"]);
    assert_eq!(
        upward(&[("ground.rs", "use crate::top; type A = top::Top;"), top]),
        ["ground.rs -> top.rs: Top"]
    );
    assert_eq!(upward(&[("ground.rs", "use crate::top::*;"), top]), ["ground.rs -> top.rs: top"]);
}

#[test]
fn an_import_from_the_same_floor_is_seen() {
    let beside = ("beside.rs", "use crate::middle::{A, b::{C, D as E}};");
    assert_eq!(
        upward(&[("middle/mod.rs", "pub mod b;"), ("middle/b.rs", ""), beside]),
        ["beside.rs -> middle/b.rs: C, D", "beside.rs -> middle/mod.rs: A"]
    );
}

#[test]
fn a_room_without_a_floor_is_seen() {
    assert_eq!(without_a_floor(&house(&[("ground.rs", ""), ("attic/mod.rs", "")]), FLOORS), ["attic/mod.rs"]);
}

#[test]
fn a_forbidden_crate_or_room_is_seen() {
    let house = house(&[
        ("ground.rs", "pub fn a() {}"),
        ("middle.rs", "use aws_config::Region; fn b() { crate::ground::a(); reqwest::get(\"serde_json\"); }"),
    ]);
    let found =
        forbidden_names(&house, &house.arrows(), &[("middle", &["aws_", "reqwest", "ground", "serde_json"])]);
    assert_eq!(found, ["middle.rs names aws_config", "middle.rs names ground", "middle.rs names reqwest"]);
}

#[test]
fn a_circle_of_three_files_is_seen() {
    let found = circle(&[
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::{c::C, d::D};"),
        ("c.rs", "use crate::a::A;"),
        ("d.rs", ""),
    ]);
    assert_eq!(found, ["a.rs -> b.rs: B", "b.rs -> c.rs: C", "c.rs -> a.rs: A"]);
}

#[test]
fn a_circle_by_way_of_a_folders_list_is_seen() {
    let list = ("a/mod.rs", "mod b;\nmod c;\npub use b::B;\npub use c::C;");
    let found = circle(&[list, ("a/b.rs", "use super::C;"), ("a/c.rs", "use crate::a::B;")]);
    assert_eq!(found, ["a/b.rs -> a/c.rs: C", "a/c.rs -> a/b.rs: B"]);
    assert_eq!(circle(&[list, ("a/b.rs", "use super::C;"), ("a/c.rs", "pub struct C;")]), [""; 0]);
}

#[test]
fn a_circle_of_a_folder_and_its_file_is_seen() {
    let file = ("a/b.rs", "use super::A;\npub struct B(A);");
    let found = ["a/b.rs -> a/mod.rs: A", "a/mod.rs -> a/b.rs: B"];
    assert_eq!(circle(&[("a/mod.rs", "mod b;\nuse b::B;\npub struct A;"), file]), found);
    assert_eq!(
        circle(&[("a/mod.rs", "mod b;\npub use b::B;\npub struct A;\npub fn f(_: B) {}"), file]),
        found
    );
    assert_eq!(circle(&[("a/mod.rs", "mod b;\npub use b::B;\npub struct A;"), file]), [""; 0]);
}

#[test]
fn text_and_test_code_import_nothing() {
    let found = circle(&[
        ("a.rs", "use crate::b::B;"),
        (
            "b.rs",
            r##"
            //! Like [`crate::a::A`]. /* not closed
            /* crate::a::f() */
            const TEXT: &str = "\" crate::a::A";
            const RAW: &str = r#"" crate::a::A"#;
            const QUOTE: char = '"';
            const ESCAPED: [char; 2] = ['\'', '\u{7f}'];
            fn f<'a>(x: &'a X) -> u8 { x.a as u8 }
            #[cfg(test)]
            mod tests { use crate::a::A; fn f() { if true { crate::a::f(); } } }
            "##,
        ),
    ]);
    assert_eq!(found, [""; 0]);
    assert_eq!(
        circle(&[("a.rs", "use crate::b::B;"), ("b.rs", "#[cfg(test)] use X;\nuse crate::a::A;")]).len(),
        2
    );
}

#[test]
fn a_long_file_is_seen() {
    let short = "\n".repeat(MAX_LINES);
    let found = too_long("src", &files(&[("short.rs", &short), ("long.rs", &format!("{short}//"))]));
    assert_eq!(found, ["src/long.rs has 301 lines"]);
}
