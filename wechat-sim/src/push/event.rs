//! The events and messages that WeChat pushes.

use super::samples;
use super::xml::{Field, XmlStyle, xml};

/// What a push reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `component_verify_ticket`. Without a value it carries the current ticket.
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
    /// A message with `MsgType` and `Event`. It belongs to the message URL and comes to this one by mistake.
    Message,
    /// This text instead of an XML message.
    Raw(String),
}

impl Event {
    /// `authorized`.
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

    /// A realistic event with this `InfoType`.
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

    /// The `InfoType`, or a short name if there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Ticket { .. } => "component_verify_ticket",
            Self::Info { info_type, .. } => info_type,
            Self::Message => "message",
            Self::Raw(_) => "raw",
        }
    }

    /// The inner XML. `ticket` is used for a ticket event without a value.
    pub(super) fn xml(&self, appid: &str, create_time: u64, ticket: &str, style: XmlStyle) -> String {
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
