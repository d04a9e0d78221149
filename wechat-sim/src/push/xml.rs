//! Fields of a push, and the XML that carries them.

use serde::Deserialize;

/// A field of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The element's name.
    pub name: String,
    /// Its content.
    pub value: Value,
}

/// The content of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, in CDATA.
    Text(String),
    /// A number, without CDATA.
    Number(i64),
    /// More fields, as in `info`.
    Nested(Vec<Field>),
}

impl Field {
    /// A text field.
    #[must_use]
    pub fn text(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: Value::Text(value.into()) }
    }

    /// A number field.
    #[must_use]
    pub fn number(name: &str, value: i64) -> Self {
        Self { name: name.into(), value: Value::Number(value) }
    }

    /// A field with more fields inside.
    #[must_use]
    pub fn nested(name: &str, fields: Vec<Field>) -> Self {
        Self { name: name.into(), value: Value::Nested(fields) }
    }
}

/// How the inner XML is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum XmlStyle {
    /// Text in CDATA, as in real pushes.
    #[default]
    Cdata,
    /// Text escaped, as in WeChat's documentation.
    Plain,
    /// CDATA after an XML declaration and with a newline at the end, as in some real pushes.
    Declared,
}

/// Fields as WeChat writes them: the first directly after `<xml>`, each on its own line.
pub(super) fn xml(fields: &[Field], style: XmlStyle) -> String {
    let body = lines(fields, style);
    match style {
        XmlStyle::Cdata | XmlStyle::Plain => format!("<xml>{body}</xml>"),
        XmlStyle::Declared => format!("<?xml version=\"1.0\"?>\n<xml>{body}</xml>\n"),
    }
}

fn lines(fields: &[Field], style: XmlStyle) -> String {
    fields
        .iter()
        .map(|Field { name, value }| format!("<{name}>{}</{name}>\n", content(value, style)))
        .collect()
}

fn content(value: &Value, style: XmlStyle) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Nested(fields) => format!("\n{}", lines(fields, style)),
        Value::Text(text) if style == XmlStyle::Plain => escape(text),
        Value::Text(text) => format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>")),
    }
}

/// Escapes text for XML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
