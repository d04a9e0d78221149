//! The modules of one crate, and which file imports from which.
//!
//! A name that a `mod.rs` re-exports from below counts as imported from the file that defines it.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::Files;
use crate::source::{Path, Source};

/// Which files each file imports from, and by which names.
pub type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

struct Module {
    file: String,
    source: Source,
}

/// One crate. A module's key is the name of its root (`lib`, `main`, `bin/keeper`), then its path.
pub struct Crate {
    name: String,
    modules: BTreeMap<Path, Module>,
}

/// Where a path leads within the crate.
enum Target {
    Module(Path),
    /// An item, by the module that defines it.
    Item(Path),
}

impl Crate {
    /// The crate `name` of these files: paths below `src` with their text.
    pub fn new(name: &str, files: &Files) -> Self {
        let mut found = Self { name: name.to_owned(), modules: BTreeMap::new() };
        for file in files.keys() {
            let root = file.trim_end_matches(".rs");
            if matches!(root, "lib" | "main") || root.starts_with("bin/") {
                found.add(files, vec![root.to_owned()], file);
            }
        }
        found
    }

    fn add(&mut self, files: &Files, key: Path, file: &str) {
        let source = Source::read(&files[file]);
        for child in source.children.clone() {
            let mut below = key.clone();
            below.push(child);
            let place = below[1..].join("/");
            let candidates = [format!("{place}.rs"), format!("{place}/mod.rs")];
            let child_file = candidates.iter().find(|candidate| files.contains_key(*candidate));
            self.add(files, below, child_file.unwrap_or_else(|| panic!("no file for the module {place}")));
        }
        self.modules.insert(key, Module { file: file.to_owned(), source });
    }

    /// The files that belong to a module.
    pub fn files(&self) -> BTreeSet<&str> {
        self.modules.values().map(|module| module.file.as_str()).collect()
    }

    /// Which file imports from which, except from itself.
    pub fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (key, module) in &self.modules {
            for path in self.imported(key, module) {
                let Some(target) = self.resolve(key, path, 0) else { continue };
                let (Target::Module(target) | Target::Item(target)) = target;
                let target = &self.modules[&target].file;
                if *target != module.file {
                    let names =
                        arrows.entry(module.file.clone()).or_default().entry(target.clone()).or_default();
                    names.insert(path.last().unwrap().clone());
                }
            }
        }
        arrows
    }

    /// Other crates that each file names.
    pub fn foreign(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (key, module) in &self.modules {
            let source = &module.source;
            let mentions = source.mentions.iter().filter(|path| path.len() > 1);
            let paths = source.imports.iter().map(|import| &import.path).chain(mentions);
            let outside =
                paths.filter(|path| self.resolve(key, path, 0).is_none()).map(|path| path[0].as_str());
            found.entry(&module.file).or_default().extend(outside);
        }
        found
    }

    /// The paths of a file that make it depend on another.
    fn imported<'a>(&self, key: &Path, module: &'a Module) -> Vec<&'a Path> {
        let source = &module.source;
        let mut paths = Vec::new();
        for import in &source.imports {
            match self.resolve(key, &import.path, 0) {
                // What is used of a module is named later, except by a glob.
                Some(Target::Module(_)) if import.name != "*" => {}
                // A folder that lists what its files define does not use it.
                Some(Target::Item(target)) if import.public && target.starts_with(key) => {}
                _ => paths.push(&import.path),
            }
        }
        let is_import = |name: &String| source.imports.iter().any(|import| import.name == *name);
        let is_item =
            |path: &Path| is_import(&path[0]) && matches!(self.resolve(key, path, 0), Some(Target::Item(_)));
        paths.extend(source.mentions.iter().filter(|path| path.len() > 1 || is_item(path)));
        paths
    }

    /// Where a path leads that stands in the module `from`; nothing when it leaves the crate or is local.
    fn resolve(&self, from: &Path, path: &[String], depth: usize) -> Option<Target> {
        // Two imports can name each other.
        let depth = (depth < 16).then_some(depth + 1)?;
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.walk(from[..1].to_vec(), rest, depth),
            "self" => self.walk(from.clone(), rest, depth),
            "super" if rest.first().is_some_and(|next| next == "super") => {
                self.resolve(&from[..from.len() - 1].to_vec(), rest, depth)
            }
            "super" => self.walk(from[..from.len() - 1].to_vec(), rest, depth),
            name if name == self.name => self.walk(vec!["lib".to_owned()], rest, depth),
            name if self.modules[from].source.children.iter().any(|child| child == name) => {
                self.walk(from.clone(), path, depth)
            }
            name => {
                let target = self.imported_name(from, name, depth)?;
                match target {
                    Target::Module(module) => self.walk(module, rest, depth),
                    item @ Target::Item(_) => Some(item),
                }
            }
        }
    }

    /// Follows a path downwards from a module.
    fn walk(&self, mut module: Path, path: &[String], depth: usize) -> Option<Target> {
        for name in path {
            if self.modules[&module].source.children.contains(name) {
                module.push(name.clone());
                continue;
            }
            match self.imported_name(&module, name, depth) {
                Some(Target::Module(next)) => module = next,
                Some(item @ Target::Item(_)) => return Some(item),
                None => return Some(Target::Item(module)),
            }
        }
        Some(Target::Module(module))
    }

    /// What a name means that the module imports.
    fn imported_name(&self, module: &Path, name: &str, depth: usize) -> Option<Target> {
        let imports = self.modules[module].source.imports.iter();
        let mut paths = imports.filter(|import| import.name == name && import.path[0] != name);
        self.resolve(module, &paths.next()?.path, depth)
    }
}
