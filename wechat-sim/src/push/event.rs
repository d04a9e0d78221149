//! What a push says, and the XML it says it in.

use super::samples;

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
    /// A number, bare.
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

    /// A field of fields.
    #[must_use]
    pub fn nested(name: &str, fields: Vec<Field>) -> Self {
        Self { name: name.into(), value: Value::Nested(fields) }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `component_verify_ticket`. Without a value the current ticket.
    Ticket {
        /// The ticket.
        value: Option<String>,
    },
    /// Any other `InfoType` with its own fields.
    Info {
        /// The `InfoType`.
        info_type: String,
        /// The fields besides `AppId`, `CreateTime` and `InfoType`.
        fields: Vec<Field>,
    },
    /// A message with `MsgType` and `Event`, which belongs to the message URL and strayed here.
    Message,
    /// This very text instead of an XML message.
    Raw(String),
}

/// How the inner XML is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XmlStyle {
    /// Text in CDATA, as in real pushes.
    #[default]
    Cdata,
    /// Text escaped, as the documentation shows it.
    Plain,
    /// CDATA behind an XML declaration and with a newline at the end, as some pushes have it.
    Declared,
}

impl Event {
    /// `authorized`, with the times a real one has.
    #[must_use]
    pub fn authorized(authorizer_appid: &str, code: &str, code_expires: u64, pre_auth_code: &str) -> Self {
        Self::authorization("authorized", authorizer_appid, code, code_expires, pre_auth_code)
    }

    /// `updateauthorized`.
    #[must_use]
    pub fn update_authorized(
        authorizer_appid: &str,
        code: &str,
        code_expires: u64,
        pre_auth_code: &str,
    ) -> Self {
        Self::authorization("updateauthorized", authorizer_appid, code, code_expires, pre_auth_code)
    }

    /// `unauthorized`.
    #[must_use]
    pub fn unauthorized(authorizer_appid: &str) -> Self {
        Self::info("unauthorized", vec![Field::text("AuthorizerAppid", authorizer_appid)])
    }

    /// Any `InfoType`.
    #[must_use]
    pub fn info(info_type: &str, fields: Vec<Field>) -> Self {
        Self::Info { info_type: info_type.into(), fields }
    }

    /// A realistic event of this kind.
    #[must_use]
    pub fn sample(info_type: &str) -> Self {
        match info_type {
            "component_verify_ticket" => Self::Ticket { value: None },
            other => Self::info(other, samples::fields(other)),
        }
    }

    fn authorization(
        info_type: &str,
        appid: &str,
        code: &str,
        code_expires: u64,
        pre_auth_code: &str,
    ) -> Self {
        let expires = i64::try_from(code_expires).unwrap_or(i64::MAX);
        let fields = vec![
            Field::text("AuthorizerAppid", appid),
            Field::text("AuthorizationCode", code),
            Field::number("AuthorizationCodeExpiredTime", expires),
            Field::text("PreAuthCode", pre_auth_code),
        ];
        Self::info(info_type, fields)
    }

    /// The `InfoType`, or a short name for what has none.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Ticket { .. } => "component_verify_ticket",
            Self::Info { info_type, .. } => info_type,
            Self::Message => "message",
            Self::Raw(_) => "raw",
        }
    }

    /// The inner XML. `ticket` stands in where the event does not say which.
    pub(crate) fn xml(&self, appid: &str, create_time: u64, ticket: &str, style: XmlStyle) -> String {
        let time = i64::try_from(create_time).unwrap_or(i64::MAX);
        let own = match self {
            Self::Raw(text) => return text.clone(),
            Self::Message => return xml(&samples::message(time), style),
            Self::Ticket { value } => {
                vec![Field::text("ComponentVerifyTicket", value.as_deref().unwrap_or(ticket))]
            }
            Self::Info { fields, .. } => fields.clone(),
        };
        let mut fields = vec![
            Field::text("AppId", appid),
            Field::number("CreateTime", time),
            Field::text("InfoType", self.name()),
        ];
        fields.extend(own);
        xml(&fields, style)
    }
}

/// Fields as WeChat writes them: the first right behind `<xml>`, each on its own line.
fn xml(fields: &[Field], style: XmlStyle) -> String {
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

/// Text made safe inside XML and HTML, attributes included.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
