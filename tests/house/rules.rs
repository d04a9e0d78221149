//! What the house forbids: imports that run upwards, crates in the wrong room, and circles.

use std::collections::BTreeSet;

use crate::modules::{Arrows, Crate};

/// Floors from the ground up. Each lists rooms, which are folders and files of `src`. A room may import from
/// the floors below its own, and from no room beside it.
pub type Floors = &'static [&'static [&'static str]];

/// A room, and the rooms and crates that it must not name, by the beginning of their names.
pub type MustNotName = &'static [(&'static str, &'static [&'static str])];

/// The room that a file stands in: `platform/token/mint.rs` stands in `platform`.
pub fn room(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Imports that do not lead to a lower floor. Within a room they may.
pub fn upward_imports(arrows: &Arrows, floors: Floors) -> Vec<String> {
    let floor = |file: &str| floors.iter().position(|rooms| rooms.contains(&room(file)));
    let mut found = Vec::new();
    for (file, imports) in arrows {
        for (imported, names) in imports {
            if room(file) != room(imported) && floor(file) <= floor(imported) {
                found.push(format!("{file} -> {imported}: {}", listed(names)));
            }
        }
    }
    found
}

/// Files that stand on no floor.
pub fn without_a_floor(house: &Crate, floors: Floors) -> Vec<String> {
    let known = |file: &&str| floors.iter().any(|rooms| rooms.contains(&room(file)));
    house.files().into_iter().filter(|file| !known(file)).map(str::to_owned).collect()
}

/// Rooms and crates that a file names although its room must not know them.
pub fn forbidden_names(house: &Crate, arrows: &Arrows, rules: MustNotName) -> Vec<String> {
    let mut found = Vec::new();
    for (file, crates) in house.foreign() {
        let rooms = arrows.get(file).into_iter().flat_map(|imports| imports.keys().map(|file| room(file)));
        let named: BTreeSet<&str> = crates.into_iter().chain(rooms).collect();
        for (_, forbidden) in rules.iter().filter(|(name, _)| *name == room(file)) {
            let breaches = named.iter().filter(|name| forbidden.iter().any(|start| name.starts_with(start)));
            found.extend(breaches.map(|name| format!("{file} names {name}")));
        }
    }
    found
}

/// Files that import each other in a circle, with what ties them.
pub fn circles(arrows: &Arrows) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for file in arrows.keys() {
        let circle: BTreeSet<&String> =
            reached(arrows, file).into_iter().filter(|other| reached(arrows, other).contains(file)).collect();
        if circle.is_empty() || !seen.insert(circle.clone()) {
            continue;
        }
        for from in &circle {
            for (to, names) in &arrows[*from] {
                if circle.contains(to) {
                    found.push(format!("{from} -> {to}: {}", listed(names)));
                }
            }
        }
    }
    found
}

/// Every file that a file imports, directly or by way of others.
fn reached<'a>(arrows: &'a Arrows, file: &str) -> BTreeSet<&'a String> {
    let mut found = BTreeSet::new();
    let mut open = vec![file];
    while let Some(next) = open.pop() {
        for imported in arrows.get(next).into_iter().flat_map(|imports| imports.keys()) {
            if found.insert(imported) {
                open.push(imported);
            }
        }
    }
    found
}

fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
