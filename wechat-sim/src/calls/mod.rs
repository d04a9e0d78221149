//! The JSON calls. Each file is one call or a family of them; what they share is here.

mod component_token;
mod preauthcode;
mod push_ticket;
mod quota;
mod rid;

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::issued::Refusal;
use crate::shared::SimState;
use crate::{Endpoint, SimConfig};

/// A call as it arrived.
pub(crate) struct Call<'a> {
    pub(crate) config: &'a SimConfig,
    pub(crate) now: u64,
    pub(crate) ip: IpAddr,
    pub(crate) method: &'a str,
    pub(crate) query: &'a str,
    pub(crate) body: &'a str,
}

/// A success answer, or the errcode to refuse with.
pub(crate) type Answer = Result<String, Refusal>;

/// The answer of calls that have nothing to say.
const OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

/// Does the work of `api`.
pub(crate) fn answer(api: Endpoint, world: &mut SimState, call: &Call<'_>) -> Answer {
    match api {
        Endpoint::Unknown | Endpoint::AuthPagePc | Endpoint::AuthPageMobile => Err(Refusal(40066)),
        _ if call.method != "POST" => Err(Refusal(43002)),
        Endpoint::ComponentToken => component_token::answer(world, call),
        Endpoint::CreatePreAuthCode => preauthcode::answer(world, call),
        Endpoint::StartPushTicket => push_ticket::answer(world, call),
        Endpoint::ClearQuota => quota::clear(world, call, Endpoint::ClearQuota, "appid"),
        Endpoint::ComponentClearQuota => {
            quota::clear(world, call, Endpoint::ComponentClearQuota, "component_appid")
        }
        Endpoint::ClearQuotaV2 => quota::clear_by_secret(world, call),
        Endpoint::GetQuota => quota::get(world, call),
        Endpoint::GetRid => rid::answer(world, call),
    }
}

impl Call<'_> {
    /// The body as an object: 44002 when empty, 47001 when it is not one.
    fn object(&self) -> Result<Map<String, Value>, Refusal> {
        if self.body.trim().is_empty() {
            return Err(Refusal(44002));
        }
        match serde_json::from_str(self.body) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(Refusal(47001)),
        }
    }

    /// The query parameter `name`, unless absent or empty.
    fn query(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.into_owned())
    }

    /// Checks the token in the query, under either of its names, and the whitelist. The token comes
    /// first: it says whose whitelist applies.
    fn check_token(&self, world: &SimState) -> Result<(), Refusal> {
        let token = self
            .query("component_access_token")
            .or_else(|| self.query("access_token"))
            .ok_or(Refusal(41001))?;
        world.issued.check_token(&token, self.now)?;
        self.check_ip(world)
    }

    fn check_ip(&self, world: &SimState) -> Result<(), Refusal> {
        if world.admits(self.ip) { Ok(()) } else { Err(Refusal(61004)) }
    }
}

/// A non-empty string field.
fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str).filter(|value| !value.is_empty())
}
