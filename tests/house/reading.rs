//! docs/ARCHITECTURE.md lists the files of the issuing story in reading order, with their lines of code.

use std::collections::BTreeMap;
use std::process::Command;

use crate::files::read;

/// Most lines of code of the whole story: about an hour of reading.
const MAX_STORY: usize = 1650;

/// A stated number may differ by this part from what is counted.
const TOLERANCE: f64 = 0.1;

/// Lines of code of each file below `src`, as `make lines` prints them.
fn counted() -> BTreeMap<String, usize> {
    let script = Command::new("python3").args(["scripts/count-lines.py", "src"]).output().unwrap();
    let lines = String::from_utf8(script.stdout).unwrap();
    let line = |line: &str| {
        let (count, file) = line.trim().split_once(' ')?;
        Some((file.to_owned(), count.parse().ok()?))
    };
    lines.lines().filter_map(line).collect()
}

/// The rows "| `file` | lines | …" of the document.
fn stated(document: &str) -> Vec<(String, usize)> {
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `src/")?.split('|').map(str::trim);
        Some((format!("src/{}", cells.next()?.trim_end_matches('`')), cells.next()?.parse().ok()?))
    };
    document.lines().filter_map(row).collect()
}

fn wrong(stated: &[(String, usize)], counted: &BTreeMap<String, usize>) -> Vec<String> {
    let mut found = Vec::new();
    for (file, lines) in stated {
        match counted.get(file) {
            None => found.push(format!("{file} does not exist")),
            Some(count) if count.abs_diff(*lines) as f64 > TOLERANCE * *count as f64 => {
                found.push(format!("{file} has {count} lines of code, not {lines}"));
            }
            Some(_) => {}
        }
    }
    let sum: usize = stated.iter().filter_map(|(file, _)| counted.get(file)).sum();
    if sum > MAX_STORY {
        found.push(format!("the story has {sum} lines of code, more than {MAX_STORY}"));
    }
    found
}

#[test]
fn the_reading_order_is_up_to_date() {
    let document = &read("docs", &["md"])["ARCHITECTURE.md"];
    let stated = stated(document);
    assert!(stated.len() > 12, "only {} files are listed", stated.len());
    assert_eq!(wrong(&stated, &counted()), [""; 0]);
}

#[test]
fn a_wrong_reading_order_is_seen() {
    let counted = BTreeMap::from([("src/a.rs".to_owned(), 100), ("src/b.rs".to_owned(), 1600)]);
    let stated =
        stated("| file | lines |\n| `src/a.rs` | 111 | x |\n| `src/b.rs` | 1600 |\n| `src/c.rs` | 5 |");
    assert_eq!(
        wrong(&stated, &counted),
        [
            "src/a.rs has 100 lines of code, not 111",
            "src/c.rs does not exist",
            "the story has 1700 lines of code, more than 1650"
        ]
    );
}
