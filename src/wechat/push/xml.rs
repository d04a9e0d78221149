//! The part of XML that WeChat uses: `<xml>` with named fields, which hold text or more fields.
//!
//! Refused for safety: a DTD, entities other than the five that XML predefines, processing instructions, and
//! too much depth, too many elements, too long names or text. Accepted because WeChat varies: CDATA or plain
//! text, elements in any order, white space between them, an XML declaration or none. Attributes and
//! comments are skipped; WeChat uses neither.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// How deep elements may nest. WeChat's deepest is 3: `<xml><info><name>`.
const MAX_DEPTH: usize = 8;

/// How many elements a document may have. WeChat's richest event has about 20.
const MAX_ELEMENTS: usize = 256;

/// How long an element's name may be, in bytes. WeChat's longest is `AuthorizationCodeExpiredTime`.
const MAX_NAME_BYTES: usize = 64;

/// What is wrong with an XML document. Holds nothing of it, so it may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    Encoding,
    /// Not well-formed: tags that do not match, a reference without an end, and the like.
    #[error("it is not well-formed XML")]
    Syntax,
    /// Ends before the root element does, or has none.
    #[error("it ends too early")]
    Incomplete,
    /// There is something beside the one root element `<xml>`, or another root.
    #[error("it is not one <xml> element")]
    Root,
    /// A document type declaration, where entities could be defined.
    #[error("it has a document type declaration")]
    Doctype,
    /// A processing instruction, or an XML declaration that is not at the beginning.
    #[error("it has a processing instruction")]
    Instruction,
    /// A reference to an entity that XML does not predefine.
    #[error("it refers to an entity")]
    Entity,
    /// A character that XML does not allow, written directly or by reference.
    #[error("it has a character that XML does not allow")]
    Character,
    /// An element's name that is empty, too long, or more than letters, digits and `_-.:`.
    #[error("an element's name is not acceptable")]
    Name,
    /// Elements nested too deeply.
    #[error("elements are nested more than {MAX_DEPTH} deep")]
    Depth,
    /// Too many elements.
    #[error("it has more than {MAX_ELEMENTS} elements")]
    Elements,
    /// Too much text in one element.
    #[error("the text of an element is too long")]
    Text,
    /// One element holds both text and elements.
    #[error("text and elements are mixed")]
    Mixed,
    /// In the outer XML: `<Encrypt>` is empty, nested or repeated.
    #[error("its <Encrypt> is empty, nested or repeated")]
    Encrypt,
}

/// The fields of one element, in the document's order; a name may come more than once.
pub(super) type Fields = Vec<(String, Content)>;

/// What one element holds.
#[derive(PartialEq, Eq)]
pub(super) enum Content {
    /// Text, CDATA, or nothing at all (the empty text).
    Text(String),
    /// At least one element.
    Fields(Fields),
}

/// The fields of the root element `<xml>`. `max_text` limits the text of one element, in bytes.
pub(super) fn fields(xml: &str, max_text: usize) -> Result<Fields, XmlError> {
    if !xml.chars().all(is_xml_char) {
        return Err(XmlError::Character);
    }
    let mut reader = Reader::from_str(xml);
    let mut tree = Tree::new(max_text);
    let mut begun = false;
    loop {
        match reader.read_event().map_err(|_| XmlError::Syntax)? {
            Event::Start(start) => tree.open(&start)?,
            Event::Empty(start) => {
                tree.open(&start)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => {
                tree.text(&text.xml10_content())?;
                continue;
            }
            Event::CData(text) => tree.verbatim(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                tree.verbatim(resolve(&reference)?.encode_utf8(&mut [0; 4]))?;
            }
            Event::Comment(_) => {}
            Event::Decl(_) if !begun => {}
            Event::Decl(_) | Event::PI(_) => return Err(XmlError::Instruction),
            Event::DocType(_) => return Err(XmlError::Doctype),
            Event::Eof => return tree.finish(),
        }
        begun = true;
    }
}

/// One of the five predefined entities, or a character reference.
fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    let resolved = if reference.is_char_ref() {
        reference.resolve_char_ref().map_err(|_| XmlError::Character)?
    } else {
        resolve_xml_entity(reference).and_then(|text| text.chars().next())
    };
    match resolved {
        Some(c) if is_xml_char(c) => Ok(c),
        Some(_) => Err(XmlError::Character),
        None => Err(XmlError::Entity),
    }
}

/// <https://www.w3.org/TR/xml/#charsets>
const fn is_xml_char(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.len() <= MAX_NAME_BYTES
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}

/// An element whose end has not come yet.
struct Open {
    name: String,
    text: String,
    /// How much of `text` must not be trimmed, because it comes from CDATA or from a reference.
    keep: usize,
    fields: Fields,
}

/// The part of the document that has been read.
struct Tree {
    max_text: usize,
    elements: usize,
    open: Vec<Open>,
    root: Option<Content>,
}

impl Tree {
    fn new(max_text: usize) -> Self {
        Self { max_text, elements: 0, open: Vec::with_capacity(MAX_DEPTH), root: None }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), XmlError> {
        let name = start.name();
        let name: &str = name.as_ref();
        if !is_name(name) {
            return Err(XmlError::Name);
        }
        if self.root.is_some() || (self.open.is_empty() && name != "xml") {
            return Err(XmlError::Root);
        }
        if self.open.len() == MAX_DEPTH {
            return Err(XmlError::Depth);
        }
        if self.elements == MAX_ELEMENTS {
            return Err(XmlError::Elements);
        }
        self.elements += 1;
        self.open.push(Open { name: name.to_owned(), text: String::new(), keep: 0, fields: Vec::new() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let Open { name, mut text, keep, fields } = self.open.pop().ok_or(XmlError::Syntax)?;
        text.truncate(keep.max(text.trim_end_matches(is_space).len()));
        let content = match (text.is_empty(), fields.is_empty()) {
            (_, true) => Content::Text(text),
            (true, false) => Content::Fields(fields),
            (false, false) => return Err(XmlError::Mixed),
        };
        match self.open.last_mut() {
            Some(parent) => parent.fields.push((name, content)),
            None => self.root = Some(content),
        }
        Ok(())
    }

    /// Plain text. White space at either end does not count.
    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        let Some(open) = self.open.last_mut() else {
            return if text.chars().all(is_space) { Ok(()) } else { Err(XmlError::Root) };
        };
        let text = if open.text.is_empty() { text.trim_start_matches(is_space) } else { text };
        if text.len() > self.max_text - open.text.len() {
            return Err(XmlError::Text);
        }
        open.text.push_str(text);
        Ok(())
    }

    /// CDATA or a reference: white space counts.
    fn verbatim(&mut self, text: &str) -> Result<(), XmlError> {
        let open = self.open.last_mut().ok_or(XmlError::Root)?;
        if text.len() > self.max_text - open.text.len() {
            return Err(XmlError::Text);
        }
        open.text.push_str(text);
        open.keep = open.text.len();
        Ok(())
    }

    fn finish(self) -> Result<Fields, XmlError> {
        match self.root {
            Some(Content::Fields(fields)) => Ok(fields),
            Some(Content::Text(text)) if text.is_empty() => Ok(Vec::new()),
            Some(Content::Text(_)) => Err(XmlError::Mixed),
            None => Err(XmlError::Incomplete),
        }
    }
}
