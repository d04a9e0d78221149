//! A refusal: WeChat's `errcode`, and what its `errmsg` says.
//!
//! An errmsg ends in one of three forms, by the age of the gateway: `… hint: [XXXX]`, `… hint: […] rid: …`
//! and `… rid: 8hex-8hex-8hex`, some with a comma before it. Only the errcode decides; the text gives the
//! request id and the address that WeChat saw.

use super::endpoint::Endpoint;
use super::errcode::{Meaning, meaning};
use super::ids::is_rid;

/// Longest errmsg kept, in characters. WeChat's stay below 250.
const MAX_ERRMSG_CHARS: usize = 300;

/// WeChat answered a call with an errcode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The call that was refused.
    pub endpoint: Endpoint,
    /// The errcode.
    pub errcode: i64,
    /// The errmsg, cut to 300 characters. It never holds a secret of the request.
    pub errmsg: String,
    /// WeChat's request id, for `openapi/rid/get` and WeChat's support.
    pub rid: Option<String>,
    /// The address that WeChat saw, where the errmsg names it (61004, 40164).
    pub client_ip: Option<String>,
}

impl Refusal {
    /// Reads an errmsg. `secrets` are the secret values of the request.
    pub fn new(endpoint: Endpoint, errcode: i64, errmsg: &str, secrets: &[&str]) -> Self {
        let errmsg = safe_errmsg(errmsg, secrets);
        Self { endpoint, errcode, rid: find_rid(&errmsg), client_ip: find_client_ip(&errmsg), errmsg }
    }

    /// What the errcode means on this call.
    pub fn meaning(&self) -> Meaning {
        meaning(self.errcode, self.endpoint)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} answered errcode {}: {}", self.endpoint, self.errcode, self.meaning().text)
    }
}

/// The errmsg without control characters, and without the request's secrets if WeChat repeats one.
pub(super) fn safe_errmsg(errmsg: &str, secrets: &[&str]) -> String {
    let mut text: String = errmsg.chars().filter(|c| !c.is_control()).collect();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "***");
    }
    // Cut last: a cut through a secret would leave its first part.
    text.chars().take(MAX_ERRMSG_CHARS).collect()
}

/// `rid: 5f92a0c3-4b491949-0aa4f69d`, with or without the space.
fn find_rid(text: &str) -> Option<String> {
    text.split("rid:").skip(1).find_map(|rest| {
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_hexdigit() && c != '-').unwrap_or(rest.len());
        Some(&rest[..end]).filter(|rid| is_rid(rid)).map(str::to_owned)
    })
}

/// `requestIP: 203.0.113.7` (61004) or `invalid ip 203.0.113.7 ipv6 …` (40164).
fn find_client_ip(text: &str) -> Option<String> {
    ["requestIP:", "invalid ip "].iter().find_map(|marker| {
        let rest = text[text.find(marker)? + marker.len()..].trim_start();
        let word: String =
            rest.chars().take_while(|c| c.is_ascii_hexdigit() || matches!(c, '.' | ':')).collect();
        let address: std::net::IpAddr = word.trim_end_matches(':').parse().ok()?;
        Some(address.to_canonical().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(errmsg: &str) -> (Option<String>, Option<String>) {
        let refusal = Refusal::new(Endpoint::ComponentToken, 61004, errmsg, &[]);
        (refusal.client_ip, refusal.rid)
    }

    #[test]
    fn every_form_of_errmsg_is_understood() {
        let ip = || Some("203.0.113.7".to_owned());
        let rid = |s: &str| Some(s.to_owned());
        for (errmsg, expected) in [
            (
                "access clientip is not registered requestIP: 203.0.113.7 rid: 5f92a0c3-4b491949-0aa4f69d",
                (ip(), rid("5f92a0c3-4b491949-0aa4f69d")),
            ),
            ("access clientip is not registered hint: [OOcsrA0577oxy3] requestIP: 203.0.113.7", (ip(), None)),
            ("access clientip is not registered hint: [aHCZjA05601518]", (None, None)),
            ("access clientip is not registered tips: requestIP: 203.0.113.7", (ip(), None)),
            (
                "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 6207df1a-08ef8516-2a6c18c6",
                (ip(), rid("6207df1a-08ef8516-2a6c18c6")),
            ),
            ("api unauthorized, rid: 65308fcf-66185bee-41703553", (None, rid("65308fcf-66185bee-41703553"))),
            ("api unauthorized rid:64762116-72026908-29e4eced", (None, rid("64762116-72026908-29e4eced"))),
            (
                "data format error hint: [A.iFN8ore-wKxRIa] rid: 61bb6300-1afe0d69-29186878",
                (None, rid("61bb6300-1afe0d69-29186878")),
            ),
            ("requestIP: ::ffff:203.0.113.7", (ip(), None)),
            ("requestIP: 2001:db8::7 rid: nonsense", (Some("2001:db8::7".into()), None)),
            ("invalid ip list, rid: 1-2-3", (None, None)),
            ("", (None, None)),
        ] {
            assert_eq!(refusal(errmsg), expected, "{errmsg}");
        }
    }

    #[test]
    fn an_errmsg_cannot_carry_our_secrets_or_control_characters_or_a_flood() {
        let cut = format!("{}s3cret", "x".repeat(MAX_ERRMSG_CHARS - 3));
        assert!(!Refusal::new(Endpoint::CreatePreAuthCode, 40001, &cut, &["s3cret"]).errmsg.contains('s'));
        let long = format!("bad \u{1b}[31m token s3cret {}", "x".repeat(1000));
        let refusal = Refusal::new(Endpoint::CreatePreAuthCode, 40001, &long, &["s3cret", ""]);
        assert!(refusal.errmsg.starts_with("bad [31m token *** xxx"), "{}", refusal.errmsg);
        assert!(refusal.errmsg.chars().count() <= MAX_ERRMSG_CHARS);
        assert!(!format!("{refusal:?} {refusal}").contains("s3cret"));
    }
}
