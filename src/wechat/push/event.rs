//! The message inside a push.

use std::fmt;

use secrecy::SecretString;
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::PushError;
use super::xml::{self, Content, Fields};
use crate::wechat::fingerprint::code_fingerprint;

/// The `InfoType` of a ticket push.
const TICKET: &str = "component_verify_ticket";

/// The longest text of one element, in bytes. WeChat's longest are tickets and codes of about 100 bytes.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// The longest `InfoType`, in bytes: the limit of EventBridge for the type of an event. WeChat's longest
/// has 33.
const MAX_INFO_TYPE_BYTES: usize = 128;

/// The fields that are numbers in the detail, at any depth. All others stay text: a company code has 18
/// digits and is not a number.
const NUMBERS: [&str; 4] = ["CreateTime", "AuthorizationCodeExpiredTime", "status", "code_type"];

/// A push that came from WeChat, decrypted and read.
///
/// `Debug` shows the kind, the account and the fingerprint. All of it may be logged.
#[derive(Clone)]
pub enum Push {
    /// `component_verify_ticket`: the ticket of the next 12 hours, pushed every 10 minutes.
    Ticket {
        /// WeChat's `CreateTime`, Unix seconds.
        create_time: i64,
        /// `ComponentVerifyTicket`.
        ticket: SecretString,
        /// `AppId`: the component.
        app_id: String,
    },
    /// Every other `InfoType`, known or not.
    Event {
        /// `InfoType`: 1 to 128 printable characters.
        info_type: String,
        /// WeChat's `CreateTime`, Unix seconds, where it is there.
        create_time: Option<i64>,
        /// All fields by their names. `CreateTime`, `AuthorizationCodeExpiredTime`, `status` and `code_type`
        /// are numbers when they are integers, all else strings; nested elements are objects, repeated ones
        /// arrays. Beside a `PreAuthCode` there is its `code_fingerprint`. Both codes are in here for
        /// consumers that redeem or correlate them. They must not be logged.
        detail: Map<String, Value>,
    },
    /// A message without `InfoType`. It belongs to the message URL (消息与事件接收URL), not to this one.
    Message,
}

impl Push {
    /// Reads a decrypted message.
    ///
    /// # Errors
    ///
    /// [`PushError::Unreadable`] or [`PushError::Field`].
    pub fn from_xml(xml: &str) -> Result<Self, PushError> {
        let fields = xml::fields(xml, MAX_TEXT_BYTES).map_err(PushError::Unreadable)?;
        let Some(info_type) = text(&fields, "InfoType")? else {
            return Ok(Self::Message);
        };
        if info_type == TICKET {
            return Ok(Self::Ticket {
                create_time: create_time(&fields)?.ok_or(PushError::Field { name: "CreateTime" })?,
                app_id: required(&fields, "AppId")?,
                ticket: required(&fields, "ComponentVerifyTicket")?.into(),
            });
        }
        if info_type.is_empty()
            || info_type.len() > MAX_INFO_TYPE_BYTES
            || info_type.chars().any(char::is_control)
        {
            return Err(PushError::Field { name: "InfoType" });
        }
        let info_type = info_type.to_owned();
        let create_time = create_time(&fields)?;
        let fingerprint = match text(&fields, "PreAuthCode")? {
            Some(code) if !code.is_empty() => Some(code_fingerprint(code)),
            _ => None,
        };
        let mut detail = object(fields);
        // This field is ours and may be logged. A field of this name in the push could hold anything.
        match fingerprint {
            Some(fingerprint) => detail.insert("code_fingerprint".to_owned(), fingerprint.into()),
            None => detail.remove("code_fingerprint"),
        };
        Ok(Self::Event { info_type, create_time, detail })
    }

    /// WeChat's `InfoType`, where there is one.
    pub fn info_type(&self) -> Option<&str> {
        match self {
            Self::Ticket { .. } => Some(TICKET),
            Self::Event { info_type, .. } => Some(info_type),
            Self::Message => None,
        }
    }

    /// The account that an event is about, `AuthorizerAppid`, if it looks like an appid.
    pub fn authorizer_appid(&self) -> Option<&str> {
        self.detail("AuthorizerAppid").filter(|appid| crate::wechat::ids::is_appid(appid))
    }

    /// The fingerprint of the pre-auth code that led to an authorization.
    pub fn code_fingerprint(&self) -> Option<&str> {
        self.detail("code_fingerprint")
    }

    fn detail(&self, name: &str) -> Option<&str> {
        match self {
            Self::Event { detail, .. } => detail.get(name)?.as_str(),
            Self::Ticket { .. } | Self::Message => None,
        }
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.info_type().unwrap_or("message without InfoType"))?;
        if let Self::Ticket { create_time, .. } = self {
            write!(f, " create_time={create_time}")?;
        }
        if let Some(appid) = self.authorizer_appid() {
            write!(f, " authorizer_appid={appid}")?;
        }
        if let Some(fingerprint) = self.code_fingerprint() {
            write!(f, " code_fingerprint={fingerprint}")?;
        }
        Ok(())
    }
}

/// The text of a top-level field; none if it is absent. A repeated or nested field is an error, because it
/// could be read in two ways.
fn text<'a>(fields: &'a Fields, name: &'static str) -> Result<Option<&'a str>, PushError> {
    let mut found = fields.iter().filter(|(field, _)| field == name);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some((_, Content::Text(text))), None) => Ok(Some(text)),
        _ => Err(PushError::Field { name }),
    }
}

/// The text of a top-level field that must be there and not be empty.
fn required(fields: &Fields, name: &'static str) -> Result<String, PushError> {
    match text(fields, name)? {
        Some(found) if !found.is_empty() => Ok(found.to_owned()),
        _ => Err(PushError::Field { name }),
    }
}

/// `CreateTime`. An integer where it is there: how old the push is depends on it.
fn create_time(fields: &Fields) -> Result<Option<i64>, PushError> {
    const NAME: &str = "CreateTime";
    let read = |text| integer(text).ok_or(PushError::Field { name: NAME });
    text(fields, NAME)?.map(read).transpose()
}

/// Digits with or without a minus: `i64::from_str` alone would take a plus too.
fn integer(text: &str) -> Option<i64> {
    if text.starts_with('+') {
        return None;
    }
    text.parse().ok()
}

fn object(fields: Fields) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, content) in fields {
        let value = match content {
            Content::Fields(fields) => Value::Object(self::object(fields)),
            Content::Text(text) => match integer(&text) {
                Some(number) if NUMBERS.contains(&name.as_str()) => number.into(),
                _ => text.into(),
            },
        };
        match object.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(mut entry) => match entry.get_mut() {
                Value::Array(values) => values.push(value),
                first => *first = Value::Array(vec![first.take(), value]),
            },
        }
    }
    object
}
