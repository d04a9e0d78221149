//! The checks that every event must pass.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lambda_http::Request;
use serde_json::Value;

use super::is_direct;
use super::word::Word;
use crate::api::{issue_request, link_request, push_request};
use crate::platform::{IssueRequest, Problem, ProblemCode, RawPush, WechatPages};
use crate::wechat::push::{self, Push, PushError, PushKey, PushQuery};
use crate::{APPID, ENCODING_AES_KEY, NOW, TOKEN, encrypt, padded};

static KEYS: LazyLock<[PushKey; 1]> =
    LazyLock::new(|| [PushKey::new(TOKEN.into(), ENCODING_AES_KEY).unwrap()]);

const MESSAGES: [&str; 4] = [
    include_str!("../../seeds/push_xml/authorized"),
    include_str!("../../seeds/push_xml/component_verify_ticket"),
    include_str!("../../seeds/push_xml/fasteregister"),
    include_str!("../../seeds/push_xml/incoming-event"),
];

/// Reads a request as each function does, and checks the results.
pub fn check_both_functions(
    request: &Request,
) -> (Result<RawPush, Box<Problem>>, Result<IssueRequest, Box<Problem>>) {
    let body = request.body().as_ref();
    let arrived = match is_direct(request) {
        true => push_request::from_direct(body),
        false => Ok(push_request::from_http(request.clone())),
    };
    match &arrived {
        Ok(arrived) => drop(opened(arrived)),
        Err(refused) => {
            assert_eq!(refused.code, ProblemCode::RequestInvalid);
            // No refusal quotes the event: it may be a push.
            assert!(refused.detail.starts_with("the event "), "{}", refused.detail);
        }
    }
    check_link_request(body);
    (arrived, check_code_request(body))
}

/// Reads a request for a code, and checks the result.
pub fn check_code_request(body: &[u8]) -> Result<IssueRequest, Box<Problem>> {
    let read = issue_request::parse(body);
    match &read {
        Ok(read) => {
            let sent = serde_json::from_slice(body).unwrap_or(Value::Null);
            assert_eq!(read.component_appid.as_deref(), sent["component_appid"].as_str());
            assert_eq!(read.reference.as_deref(), sent["reference"].as_str());
            assert!(read.reference.iter().all(|text| text.len() <= 64 && !text.contains(char::is_control)));
            assert_eq!(read.links.is_some(), sent["redirect_uri"].is_string());
            if let Some(links) = &read.links {
                let urls = links.urls(&WechatPages::default(), APPID, "preauthcode@@@1");
                check_link(&urls.pc, "mp.weixin.qq.com", None, &sent);
                check_link(&urls.mobile, "open.weixin.qq.com", Some("wechat_redirect"), &sent);
            }
        }
        Err(refused) => {
            assert_eq!(refused.code, ProblemCode::RequestInvalid);
            assert!(refused.detail.len() < 1024 && !refused.detail.contains(char::is_control));
        }
    }
    read
}

/// Reads a request for an authorization link, and checks the result.
pub fn check_link_request(body: &[u8]) {
    match link_request::parse(body) {
        Ok(read) => {
            let sent = serde_json::from_slice(body).unwrap_or(Value::Null);
            assert!(sent["redirect_uri"].is_null());
            assert_eq!(read.reference.as_deref(), sent["reference"].as_str());
            assert_eq!(read.state.as_deref(), sent["state"].as_str());
            assert_eq!(read.return_url.as_deref(), sent["return_url"].as_str());
            assert!((60..=2_592_000).contains(&read.expires_in));
            assert!(read.state.iter().all(|text| text.len() <= 128 && !text.contains(char::is_control)));
            if let Some(url) = read.return_url.as_deref().map(|url| url::Url::parse(url).unwrap()) {
                assert!(url.host_str().is_some() && url.fragment().is_none() && url.username().is_empty());
                assert!(url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url));
            }
        }
        Err(refused) => {
            assert_eq!(refused.code, ProblemCode::RequestInvalid);
            assert!(refused.detail.len() < 1024 && !refused.detail.contains(char::is_control));
        }
    }
}

fn is_loopback(url: &url::Url) -> bool {
    let host = url.host_str().unwrap().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Checks that a link leads to WeChat and carries each requested parameter once.
fn check_link(link: &str, host: &str, fragment: Option<&str>, sent: &Value) {
    let url = url::Url::parse(link).unwrap();
    assert_eq!((url.host_str(), url.fragment()), (Some(host), fragment));
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let query: BTreeMap<&str, &str> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(query.len(), pairs.len());
    assert_eq!(query["component_appid"], APPID);
    assert_eq!(query["pre_auth_code"], "preauthcode@@@1");
    assert_eq!(Some(query["redirect_uri"]), sent["redirect_uri"].as_str());
    assert_eq!(query["auth_type"], sent["auth_type"].as_u64().unwrap_or(3).to_string());
    assert_eq!(query.get("biz_appid").copied(), sent["biz_appid"].as_str());
}

/// Checks that an HTTP event which `lambda_http` does not recognize is refused, and not taken for a direct
/// invocation: a caller of the API must not get around its paths and methods.
pub(super) fn check_foreign_event_is_refused(request: &Request) {
    let event = request.body().as_ref();
    assert!(push_request::from_direct(event).is_err());
    assert!(issue_request::parse(event).is_err());
}

/// Opens the push that an event yielded.
pub(super) fn opened(arrived: &RawPush) -> Result<String, PushError> {
    let pairs = arrived.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    shown(
        PushQuery::from_pairs(pairs)
            .and_then(|query| push::open(&query, &arrived.body, KEYS.as_slice(), APPID, NOW)),
    )
}

/// The result of opening the same push without an event around it.
pub(super) fn sent(message: &Word) -> Result<String, PushError> {
    let encrypted = encrypted(message);
    let body = enveloped(&encrypted);
    shown(push::open(&crate::signed(&encrypted), body.as_bytes(), KEYS.as_slice(), APPID, NOW))
}

fn shown(push: Result<Push, PushError>) -> Result<String, PushError> {
    push.map(|push| format!("{push:?}"))
}

/// Encrypts one of [`MESSAGES`], or any other message.
pub(super) fn encrypted(message: &Word) -> String {
    encrypt(&padded(message.of(&MESSAGES).as_bytes()))
}

/// A push's body.
pub(super) fn enveloped(encrypted: &str) -> String {
    format!("<xml><AppId><![CDATA[{APPID}]]></AppId><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>")
}
