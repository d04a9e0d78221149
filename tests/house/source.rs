//! Reads one Rust file: its child modules, its imports and every path that its code names. Test code is
//! left out.
//!
//! The tokenizer is written by hand: with proc-macro2 as a dependency of tests, cargo would build all
//! other dependencies twice, for the tests and for the programs.

/// The segments of a path: `crate::platform::Problem`.
pub type Path = Vec<String>;

/// One name that a `use` item brings in. A glob import has the name `*`.
#[derive(Debug, PartialEq)]
pub struct Import {
    pub name: String,
    pub path: Path,
    /// Whether other files can take the name from here: `pub use`, `pub(crate) use`.
    pub public: bool,
}

/// What one file declares and names.
#[derive(Debug, Default)]
pub struct Source {
    pub children: Vec<String>,
    pub imports: Vec<Import>,
    pub mentions: Vec<Path>,
}

impl Source {
    /// Reads a file's text.
    pub fn read(text: &str) -> Self {
        let tokens = tokens(text);
        let mut source = Self::default();
        let (mut at, mut public) = (0, false);
        while at < tokens.len() {
            let rest = &tokens[at..];
            let is_public = std::mem::take(&mut public);
            at += match rest[0] {
                "pub" => {
                    public = true;
                    if rest[1] == "(" { position(rest, ")") + 1 } else { 1 }
                }
                "use" => {
                    let end = position(rest, ";");
                    source.import(&rest[1..end], &[], is_public);
                    end
                }
                "mod" if rest[2] == ";" => {
                    source.children.push(rest[1].to_owned());
                    3
                }
                "mod" if rest[2] == "{" => panic!("the module {} needs a file of its own", rest[1]),
                "#" if rest.starts_with(&["#", "[", "cfg", "(", "test", ")", "]"]) => item_length(rest),
                // A field or a method says nothing about a module.
                "." => 2,
                first if is_word(first) => {
                    let (path, length) = path(rest);
                    source.mentions.push(path);
                    length
                }
                _ => 1,
            };
        }
        source
    }

    /// Adds what stands between `use` and `;`, or one branch of its braces.
    fn import(&mut self, tree: &[&str], before: &[String], public: bool) {
        let (below, length) = path(tree);
        let mut path = [before, &below].concat();
        let rest = &tree[length..];
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = match rest {
            [] => path.last().unwrap().clone(),
            ["*"] => "*".to_owned(),
            ["as", name] => (*name).to_owned(),
            ["{", branches @ .., "}"] => {
                for branch in split(branches) {
                    self.import(branch, &path, public);
                }
                return;
            }
            _ => panic!("unreadable: use {}", tree.concat()),
        };
        self.imports.push(Import { name, path, public });
    }
}

/// Words and signs, without comments, strings, characters and lifetimes.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !is_word_char(c)).unwrap_or(rest.len());
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").unwrap() + 2,
            '"' => string_length(rest),
            '\'' => character_length(rest),
            _ if word > 0 => match raw_string_length(&rest[word..], &rest[..word]) {
                Some(string) => word + string,
                None => {
                    tokens.push(&rest[..word]);
                    word
                }
            },
            _ if first.is_whitespace() => first.len_utf8(),
            _ => {
                tokens.push(&rest[..first.len_utf8()]);
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text[1..].find(|c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.unwrap() + 2
}

/// The length of a raw string after its prefix, such as `r` or `br`.
fn raw_string_length(text: &str, prefix: &str) -> Option<usize> {
    let hashes = text.find(|c| c != '#')?;
    if !matches!(prefix, "r" | "br") || !text[hashes..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", &text[..hashes]);
    Some(hashes + 1 + text[hashes + 1..].find(&end).unwrap() + end.len())
}

/// A character's length with its quotes, or that of a lifetime.
fn character_length(text: &str) -> usize {
    let mut characters = text[1..].chars();
    match characters.next().unwrap() {
        '\\' => text[3..].find('\'').unwrap() + 4,
        character if characters.next() == Some('\'') => character.len_utf8() + 2,
        _ => 1 + text[1..].find(|c: char| !is_word_char(c)).unwrap_or(text.len() - 1),
    }
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word(token: &str) -> bool {
    token.starts_with(is_word_char)
}

fn position(tokens: &[&str], sign: &str) -> usize {
    tokens.iter().position(|token| *token == sign).unwrap()
}

/// The path at the start of these tokens, and how many tokens it takes, with a `::` at its end.
fn path(tokens: &[&str]) -> (Path, usize) {
    let (mut path, mut at) = (Path::new(), 0);
    while at < tokens.len() && is_word(tokens[at]) {
        path.push(tokens[at].to_owned());
        at += 1;
        if !tokens[at..].starts_with(&[":", ":"]) {
            break;
        }
        at += 2;
    }
    (path, at)
}

/// The parts between the commas that stand outside of braces.
fn split<'a>(tokens: &'a [&'a str]) -> Vec<&'a [&'a str]> {
    let mut depth = 0;
    let parts = tokens.split(|token| {
        depth += i32::from(*token == "{") - i32::from(*token == "}");
        *token == "," && depth == 0
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// How many tokens an item takes: up to its `;` or to the end of its braces.
fn item_length(tokens: &[&str]) -> usize {
    let mut depth = 0;
    let end = tokens.iter().position(|token| {
        depth += i32::from(*token == "{") - i32::from(*token == "}");
        depth == 0 && matches!(*token, ";" | "}")
    });
    end.map_or(tokens.len(), |last| last + 1)
}
