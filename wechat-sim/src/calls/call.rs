//! What the calls share: their input, their answers, and the checks that several of them make.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::authorizer::Authorization;
use crate::errcode::Refusal;
use crate::state::SimState;
use crate::{Endpoint, SimConfig, SimRequest};

/// A call and what is needed to answer it.
pub(crate) struct Call<'a> {
    pub(crate) config: &'a SimConfig,
    pub(crate) now: u64,
    pub(crate) request: &'a SimRequest,
}

/// A success answer, or the errcode to refuse with.
pub(crate) type Answer = Result<String, Refusal>;

/// The answer of calls that return no data.
pub(super) const OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

impl Call<'_> {
    /// The body as an object: 44002 when empty, 47001 when it is not an object.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Refusal> {
        if self.request.body.trim().is_empty() {
            return Err(Refusal(44002));
        }
        match self.request.json() {
            Some(Value::Object(object)) => Ok(object),
            _ => Err(Refusal(47001)),
        }
    }

    /// Checks the token in the query, under either of its names, and then the whitelist. The token comes
    /// first because it says whose whitelist applies.
    pub(super) fn check_token(&self, state: &SimState) -> Result<(), Refusal> {
        let query = |name| self.request.query_value(name).filter(|value| !value.is_empty());
        let token =
            query("component_access_token").or_else(|| query("access_token")).ok_or(Refusal(41001))?;
        if state.authorizers.is_access_token(&token) {
            // api_create_preauthcode was seen to answer 48001; for the calls about authorizers 61014 is documented.
            let about_authorizers = matches!(
                self.request.api,
                Endpoint::QueryAuth
                    | Endpoint::AuthorizerToken
                    | Endpoint::GetAuthorizerInfo
                    | Endpoint::GetAuthorizerList
            );
            return Err(Refusal(if about_authorizers { 61014 } else { 48001 }));
        }
        state.issued.check_token(&token, self.now)?;
        self.check_ip(state)
    }

    /// The body of a call with `component_appid`. Checks token, whitelist, quota and `component_appid`, in this order.
    pub(super) fn component_object(&self, state: &mut SimState) -> Result<Map<String, Value>, Refusal> {
        self.check_token(state)?;
        state.quota.spend(self.request.api, self.now, self.config)?;
        let body = self.object()?;
        match text(&body, "component_appid") {
            None => Err(Refusal(41018)),
            Some(appid) if appid != self.config.component_appid => Err(Refusal(40013)),
            Some(_) => Ok(body),
        }
    }

    pub(super) fn check_ip(&self, state: &SimState) -> Result<(), Refusal> {
        if state.admits(self.request.client_ip) { Ok(()) } else { Err(Refusal(61004)) }
    }
}

/// A non-empty string field.
pub(super) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str).filter(|value| !value.is_empty())
}

/// The authorization of `authorizer_appid`: 41002 if that is missing, 61003 if there is none.
pub(super) fn authorizer<'a>(
    state: &'a SimState,
    object: &Map<String, Value>,
) -> Result<&'a Authorization, Refusal> {
    let appid = text(object, "authorizer_appid").ok_or(Refusal(41002))?;
    state.authorizers.get(appid).ok_or(Refusal(61003))
}

/// `func_info`: the granted permission sets.
pub(super) fn func_info(authorization: &Authorization) -> Vec<Value> {
    let sets = authorization.permission_sets.iter();
    sets.map(|id| serde_json::json!({ "funcscope_category": { "id": id } })).collect()
}

/// A success answer as JSON.
pub(super) fn json(answer: &impl Serialize) -> Answer {
    serde_json::to_string(answer).map_err(|_| Refusal(-1))
}
