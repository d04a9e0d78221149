//! The styles of errmsg over the years, and the JSON of an error answer.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::random;

/// The only errcode whose errmsg names the caller's address after the text.
const CLIENT_IP_NOT_REGISTERED: i64 = 61004;

/// What the gateway adds to the text of an errmsg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrmsgStyle {
    /// Since August 2020: `… rid: 5f92a0c3-4b491949-0aa4f69d`. The first group is the time in hex.
    #[default]
    Rid,
    /// Like `Rid` with a comma: `…, rid: …`.
    CommaRid,
    /// Until 2020: `… hint: [OOcsrA0577oxy3]`.
    Hint,
    /// Like `Hint`, but 61004 does not name the caller's address.
    HintWithoutIp,
    /// 2020 to 2021: `… hint: […] rid: …`.
    HintAndRid,
    /// Older gateways: `…, hints: [ req_id: 5.OFZRLnRa-CJ6sWa ]`.
    ReqId,
}

/// A new rid: the time and two random groups, in hex.
pub(crate) fn rid(now: u64) -> String {
    format!("{:08x}-{:08x}-{:08x}", now & 0xffff_ffff, fastrand::u32(..), fastrand::u32(..))
}

/// The Unix time in a rid; `None` if the text is not a rid.
pub(crate) fn time_of_rid(rid: &str) -> Option<u64> {
    let groups: Vec<&str> = rid.split('-').collect();
    let is_rid = groups.len() == 3 && groups.iter().all(|group| group.len() == 8);
    if is_rid { u64::from_str_radix(groups[0], 16).ok() } else { None }
}

/// The errmsg for `code` in this style.
pub(crate) fn decorate(code: i64, text: &str, style: ErrmsgStyle, ip: IpAddr, rid: &str) -> String {
    let mut message = text.replace("{ip}", &ip.to_string());
    let address = if code == CLIENT_IP_NOT_REGISTERED && style != ErrmsgStyle::HintWithoutIp {
        format!(" requestIP: {ip}")
    } else {
        String::new()
    };
    match style {
        ErrmsgStyle::Rid => message.push_str(&format!("{address} rid: {rid}")),
        ErrmsgStyle::CommaRid => message.push_str(&format!("{address}, rid: {rid}")),
        ErrmsgStyle::Hint | ErrmsgStyle::HintWithoutIp => {
            message.push_str(&format!(" hint: [{}]{address}", random::alphanumeric(14)));
        }
        ErrmsgStyle::HintAndRid => {
            message.push_str(&format!(" hint: [{}]{address} rid: {rid}", random::url_safe(16)));
        }
        ErrmsgStyle::ReqId => message.push_str(&format!(", hints: [ req_id: {} ]", random::url_safe(16))),
    }
    message
}

/// The error answer as JSON. WeChat writes `/` as `\/`.
pub(crate) fn error_json(code: i64, errmsg: &str, code_as_string: bool) -> String {
    let message = serde_json::Value::from(errmsg).to_string().replace('/', "\\/");
    let quote = if code_as_string { "\"" } else { "" };
    format!("{{\"errcode\":{quote}{code}{quote},\"errmsg\":{message}}}")
}
