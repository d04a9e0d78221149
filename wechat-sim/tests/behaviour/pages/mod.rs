//! The authorization pages.

mod accounts;
mod events;
mod links;
mod walk;

use wechat_sim::{Endpoint, Sim, SimConfig};

use crate::client::{Answer, request, start_with};

pub const USED: &str = "预授权码已经被使用过，不能重复使用";
pub const INVALID: &str = "PreAuthCode无效";
const MISMATCH: &str = "指定了无效的权限或者该第三方账号配置的权限类型与当前微信号绑定的账号类型不一致";
const OWN_HOST: &str = "授权入口页所在域名：";

const SERVICE_ACCOUNT: &str = "wx51a0000000000001";
const MINI_PROGRAM: &str = "wx51a0000000000003";

/// The User-Agent of WeChat on a phone.
pub const IN_WECHAT: &str = "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.50\r\n";

const BOTH: [Endpoint; 2] = [Endpoint::AuthPagePc, Endpoint::AuthPageMobile];

/// A link. `more` replaces the usual parameters, and an empty value removes them.
pub fn link(sim: &Sim, api: Endpoint, code: &str, more: &[(&str, &str)]) -> String {
    let usual = [
        ("component_appid", sim.config().component_appid.as_str()),
        ("pre_auth_code", code),
        ("redirect_uri", "https://a.example/back"),
        ("auth_type", "3"),
    ];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(usual.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name)));
    query.extend_pairs(more.iter().filter(|(_, value)| !value.is_empty()));
    format!("{}?{}", api.path(), query.finish())
}

/// Opens an address in WeChat's browser.
pub async fn open(sim: &Sim, target: &str) -> Answer {
    request(sim, "GET", target, IN_WECHAT, "").await.unwrap()
}

/// Scans the code of the PC page, or opens the mobile page.
pub async fn scan(sim: &Sim, link: &str) -> Answer {
    let method = if link.starts_with(Endpoint::AuthPagePc.path()) { "POST" } else { "GET" };
    request(sim, method, link, IN_WECHAT, "").await.unwrap()
}

/// The address of the account list after the scan.
pub async fn scanned(sim: &Sim, link: &str) -> String {
    let answer = scan(sim, link).await;
    answer.header("location").unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

/// Chooses an account, sends the form of the permission sets.
pub async fn decide(sim: &Sim, visit: &str, appid: &str, form: &str) -> Answer {
    let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{IN_WECHAT}");
    request(sim, "POST", &format!("{visit}&authorizer_appid={appid}"), &headers, form).await.unwrap()
}

/// Walks from the link to 同意授权 with the first two permission sets of the service account.
pub async fn agree(sim: &Sim, link: &str) -> Answer {
    let visit = scanned(sim, link).await;
    decide(sim, &visit, SERVICE_ACCOUNT, "permission=1&permission=2&decision=agree").await
}

fn location(answer: &Answer) -> &str {
    answer.header("location").unwrap_or_else(|| panic!("{} {}", answer.status, answer.body))
}

fn assert_shows(answer: &Answer, text: &str) {
    assert!(answer.body.contains(text), "{text} is not in {}", answer.body);
}

async fn with_domain() -> Sim {
    start_with(SimConfig { authorization_domain: Some("a.example".to_owned()), ..SimConfig::default() }).await
}
