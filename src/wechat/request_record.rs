//! The answer of `openapi/rid/get`: what WeChat recorded of an earlier request, made safe to show.
//!
//! WeChat repeats the request as it came: the appsecret and the ticket are in `request_body`, the token is in
//! `request_url`, a new token or code is in `response_body`. A value is shown only if its name is that of a public
//! field and it has the form of one.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{optional_integer, text};
use super::endpoint::Endpoint;
use super::ids::{is_appid, is_cgi_path, is_rid};
use super::refusal::Refusal;

/// A field of a request, and the form of a public value of it.
type PublicField = (&'static str, fn(&str) -> bool);

/// Fields of a request that are public.
const PUBLIC: [PublicField; 5] = [
    ("component_appid", is_appid),
    ("appid", is_appid),
    ("authorizer_appid", is_appid),
    ("cgi_path", is_cgi_path),
    ("rid", is_rid),
];

/// Fields that are secret. Their names are shown, so that an operator sees which ones the request had.
const SECRET: [&str; 4] = ["component_appsecret", "component_secret", "appsecret", "component_verify_ticket"];

/// Query parameters whose names are shown.
const PARAMETERS: [&str; 2] = ["access_token", "component_access_token"];

/// A longer word of an errmsg could be a token (86 characters and more) or a ticket (95). An IPv6 address
/// has 39 characters at most, a rid 26.
const MAX_WORD_CHARS: usize = 40;

/// The record as WeChat sends it, with the request's secrets in it.
#[derive(Deserialize)]
pub(super) struct RawRecord {
    #[serde(default, deserialize_with = "optional_integer")]
    invoke_time: Option<i64>,
    #[serde(default, deserialize_with = "optional_integer")]
    cost_in_ms: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    request_url: String,
    #[serde(default, deserialize_with = "text")]
    request_body: String,
    #[serde(default, deserialize_with = "text")]
    response_body: String,
    #[serde(default, deserialize_with = "text")]
    client_ip: String,
}

/// The errcode and errmsg of the recorded answer. A new token or code is not read.
#[derive(Default, Deserialize)]
struct RawAnswer {
    #[serde(default, deserialize_with = "optional_integer")]
    errcode: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    errmsg: String,
}

/// One request, as WeChat recorded it, without anything secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RequestRecord {
    /// When it arrived, Unix seconds.
    pub invoke_time: Option<i64>,
    /// How long WeChat took.
    pub cost_in_ms: Option<i64>,
    /// The path, if WeChat shows one. It mostly shows the query only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Names of the query's token parameters.
    pub query_parameters: Vec<&'static str>,
    /// The body's public fields.
    pub body: Map<String, Value>,
    /// Names of the body's secret fields.
    pub secret_fields: Vec<&'static str>,
    /// The errcode of the answer; `None` when WeChat sent none.
    pub errcode: Option<i64>,
    /// The errmsg of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errmsg: Option<String>,
    /// What the errcode of a refusal means on that call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<&'static str>,
    /// The address that WeChat saw.
    pub client_ip: Option<String>,
}

impl From<RawRecord> for RequestRecord {
    fn from(raw: RawRecord) -> Self {
        let sent: Map<String, Value> = serde_json::from_str(&raw.request_body).unwrap_or_default();
        let answer: RawAnswer = serde_json::from_str(&raw.response_body).unwrap_or_default();
        let secrets: Vec<&str> = SECRET.iter().filter_map(|name| sent.get(*name)?.as_str()).collect();
        // The meaning of an errcode depends only on whether the call sent a secret or a token.
        let endpoint =
            if secrets.is_empty() { Endpoint::CreatePreAuthCode } else { Endpoint::ComponentToken };
        let refusal = answer
            .errcode
            .filter(|errcode| *errcode != 0)
            .map(|errcode| Refusal::new(endpoint, errcode, &without_long_words(&answer.errmsg), &secrets));
        let url = &raw.request_url;
        Self {
            invoke_time: raw.invoke_time,
            cost_in_ms: raw.cost_in_ms,
            path: path_of(url),
            query_parameters: PARAMETERS.into_iter().filter(|name| has_parameter(url, name)).collect(),
            body: public_fields(&sent),
            secret_fields: SECRET.into_iter().filter(|name| sent.contains_key(*name)).collect(),
            errcode: answer.errcode,
            meaning: refusal.as_ref().map(|refusal| refusal.meaning().text),
            errmsg: refusal.map(|refusal| refusal.errmsg),
            client_ip: raw.client_ip.parse().ok().map(|ip: IpAddr| ip.to_canonical().to_string()),
        }
    }
}

fn public_fields(sent: &Map<String, Value>) -> Map<String, Value> {
    PUBLIC
        .into_iter()
        .filter_map(|(name, is_public)| {
            let value = sent.get(name)?.as_str();
            let shown = value.filter(|value| is_public(value)).unwrap_or("***");
            Some((name.to_owned(), shown.into()))
        })
        .collect()
}

/// Blanks every word that is long enough to be a token or a ticket.
fn without_long_words(text: &str) -> String {
    let words = text.split(' ').map(|word| if word.len() > MAX_WORD_CHARS { "***" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn has_parameter(url: &str, name: &str) -> bool {
    url.split(['?', '&']).any(|pair| pair.split_once('=').is_some_and(|(key, _)| key == name))
}

/// The path of a URL, or of a path with a query. A query alone has none.
fn path_of(url: &str) -> Option<String> {
    let below_host = match url.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => url,
    };
    let path = below_host.split(['?', '#']).next().filter(|path| is_cgi_path(path));
    path.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TOKEN: &str =
        "61W3mEpU66027wgNZ_MhGHNQDHnFATkDa9-2llqrMBjUwxRSNPbVsMmyD-yq8wZETSoE5NQgecigDrSHkPtIYA";

    fn report(request: &Value) -> (RequestRecord, String) {
        let report = RequestRecord::from(serde_json::from_value::<RawRecord>(request.clone()).unwrap());
        let shown = serde_json::to_string(&report).unwrap() + &format!("{report:?}");
        (report, shown)
    }

    #[test]
    fn a_refused_mint_is_explained_without_secret_and_ticket() {
        let (report, shown) = report(&json!({
            "invoke_time": 1_635_927_298, "cost_in_ms": "100",
            "request_url": "",
            "request_body": r#"{"component_appid":"wx0123456789abcdef","component_appsecret":"s3cret","component_verify_ticket":"ticket@@@x","note":"other"}"#,
            "response_body": r#"{"errcode":40001,"errmsg":"invalid credential s3cret rid: 61725984-6126f6f9-040f19c4"}"#,
            "client_ip": "::ffff:203.0.113.7",
        }));
        assert_eq!(report.body, *json!({"component_appid":"wx0123456789abcdef"}).as_object().unwrap());
        assert_eq!(report.secret_fields, ["component_appsecret", "component_verify_ticket"]);
        assert_eq!((report.errcode, report.cost_in_ms), (Some(40001), Some(100)));
        assert_eq!(report.meaning, Some("the component appsecret is wrong"));
        assert_eq!(report.client_ip.as_deref(), Some("203.0.113.7"));
        for secret in ["s3cret", "ticket@@@", "other"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }

    #[test]
    fn no_form_of_the_url_lets_the_token_through() {
        for (url, path) in [
            (format!("access_token={TOKEN}"), None),
            (format!("/cgi-bin/openapi/quota/get?access_token={TOKEN}"), Some("/cgi-bin/openapi/quota/get")),
            (format!("https://api.weixin.qq.com/cgi-bin/x?a=b&access_token={TOKEN}#f"), Some("/cgi-bin/x")),
            (format!("/cgi-bin/{TOKEN}"), None),
            (TOKEN.to_owned(), None),
            (format!("https://{TOKEN}"), None),
        ] {
            let (report, shown) = report(&json!({
                "request_url": url,
                "request_body": "component_appsecret=s3cret",
                "response_body": format!(r#"{{"errcode":-1,"errmsg":"system error {TOKEN}"}}"#),
            }));
            assert_eq!(report.path.as_deref(), path, "{url}");
            assert!(!shown.contains("s3cret"));
            assert!(!shown.contains(&TOKEN[..20]), "{url}: {shown}");
        }
    }

    #[test]
    fn a_secret_in_a_public_field_and_a_minted_token_stay_hidden() {
        let (report, shown) = report(&json!({
            "request_body": r#"{"component_appid":"0123456789abcdef0123456789abcdef","appid":7,
                "rid":"--------------------------"}"#,
            "response_body": format!(r#"{{"component_access_token":"{TOKEN}","expires_in":7200}}"#),
            "client_ip": "s3cret",
        }));
        assert_eq!(
            report.body,
            *json!({"component_appid":"***","appid":"***","rid":"***"}).as_object().unwrap()
        );
        assert_eq!((report.errcode, report.client_ip), (None, None));
        assert!(!shown.contains("0123456789abcdef") && !shown.contains(&TOKEN[..20]));
    }
}
