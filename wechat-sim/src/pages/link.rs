//! The parameters of an authorization link, and what WeChat checks before it shows anything.

use url::Url;

use super::{redirect, texts};
use crate::authorizer::{Visit, auth_type_kinds};
use crate::request::SimRequest;
use crate::state::SimContext;
use crate::{CodeState, Endpoint};

/// In the User-Agent of WeChat's own browser.
const WECHAT: &str = "MicroMessenger";
/// In the User-Agent of a mini program's web-view.
const WEB_VIEW: &str = "miniProgram";

/// What an older PC link without `auth_type` asks for: 公众号 and 小程序.
const DEFAULT_AUTH_TYPE: &str = "3";

/// Checks a link. Returns the visit that it would start.
pub(super) fn check(context: &SimContext, request: &SimRequest) -> Result<Visit, String> {
    let query = |name: &str| request.query_value(name).unwrap_or_default();
    let mobile = request.api == Endpoint::AuthPageMobile;
    let now = context.clock.now();
    let state = context.state();
    let rules = &state.authorization;
    let mut auth_type = query("auth_type");
    if mobile {
        check_browser(&request.user_agent, rules.mobile_requires_wechat)?;
        if auth_type.is_empty() {
            return Err(texts::NO_AUTH_TYPE.to_owned());
        }
        auth_type_kinds(&auth_type).ok_or(texts::WRONG_AUTH_TYPE)?;
    } else if auth_type.is_empty() {
        DEFAULT_AUTH_TYPE.clone_into(&mut auth_type);
    }
    let redirect = match query("redirect_uri") {
        empty if empty.is_empty() => None,
        text => {
            let escape = mobile && rules.mobile_escapes_ampersand;
            Some(redirect::parse(&text, &request.path, escape).ok_or(texts::WRONG_PARAMETER)?)
        }
    };
    if let Some(domain) = state.authorization_domain.as_deref() {
        let referer = Url::parse(&request.referer).ok();
        let entry = referer.as_ref().and_then(Url::host_str);
        // A posted form comes from this page, so its Referer is another.
        let checked = request.method != "POST" && (!mobile || rules.mobile_checks_referer);
        let entered = !checked || entry == Some(domain);
        if !entered || redirect.as_ref().is_some_and(|redirect| redirect.host != domain) {
            return Err(texts::wrong_domain(entry));
        }
    }
    let pre_auth_code = query("pre_auth_code");
    if query("component_appid") != context.config.component_appid {
        return Err(texts::CODE_INVALID.to_owned());
    }
    match state.issued.code_state(&pre_auth_code, now) {
        CodeState::Valid => {}
        state => return Err(texts::refused(state).to_owned()),
    }
    Ok(Visit {
        pre_auth_code,
        redirect: redirect.map(|redirect| redirect.location),
        auth_type,
        biz_appid: query("biz_appid"),
        categories: query("category_id_list")
            .split('|')
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect(),
        consent_uses_code: !rules.scan_uses_code,
        started_at: now,
        ended: false,
    })
}

fn check_browser(user_agent: &str, requires_wechat: bool) -> Result<(), String> {
    if user_agent.contains(WEB_VIEW) {
        Err(texts::WRONG_PARAMETER.to_owned())
    } else if requires_wechat && !user_agent.contains(WECHAT) {
        Err(texts::OPEN_IN_WECHAT.to_owned())
    } else {
        Ok(())
    }
}
