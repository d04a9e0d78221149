//! The files of the repository and their length.

use std::collections::BTreeMap;
use std::path::Path;

/// Longest file, in lines, tests and comments included.
pub const MAX_LINES: usize = 300;

/// Files by their path below a folder, with their text.
pub type Files = BTreeMap<String, String>;

/// Every Rust file below a folder of the repository.
pub fn rust_files(folder: &str) -> Files {
    read(folder, &["rs"])
}

/// Every file below a folder of the repository whose name ends in one of these.
pub fn read(folder: &str, extensions: &[&str]) -> Files {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Files::new();
    let mut open = vec![top.clone()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // npm's packages are nobody's here.
                if !path.ends_with("node_modules") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|found| extensions.iter().any(|known| found == *known)) {
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned(), text);
            }
        }
    }
    found
}

/// The files that are longer than [`MAX_LINES`].
pub fn too_long(folder: &str, files: &Files) -> Vec<String> {
    let lines = files.iter().map(|(file, text)| (file, text.lines().count()));
    lines
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(file, lines)| format!("{folder}/{file} has {lines} lines"))
        .collect()
}
