//! A refusal: what WeChat says in `errcode` and `errmsg`, taken apart.
//!
//! Three eras of errmsg are in use: `… hint: [XXXX]`, `… hint: […] rid: …` and
//! `… rid: 8hex-8hex-8hex`, some with a comma before. The numbers decide; from the text only the
//! request id and the address WeChat saw are taken.

use super::errcode::{Endpoint, Errcode, Meaning};

/// Longest errmsg kept, in characters. Real ones stay below 250.
const MAX_ERRMSG_CHARS: usize = 300;

/// WeChat answered, and said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The call that was refused.
    pub api: Endpoint,
    /// The errcode.
    pub errcode: Errcode,
    /// The errmsg, cut to 300 characters; never holds what we sent as a secret.
    pub errmsg: String,
    /// WeChat's request id, for `openapi/rid/get` and WeChat's support.
    pub rid: Option<String>,
    /// The address WeChat saw, where the errmsg names it (61004, 40164).
    pub client_ip: Option<String>,
}

impl Refusal {
    /// Takes an errmsg apart. `secrets` are the secret values of the request: should WeChat repeat
    /// one of them, it is blanked.
    #[must_use]
    pub fn new(api: Endpoint, errcode: i64, errmsg: &str, secrets: &[&str]) -> Self {
        let mut text: String = errmsg.chars().filter(|c| !c.is_control()).collect();
        for secret in secrets.iter().filter(|s| !s.is_empty()) {
            text = text.replace(secret, "***");
        }
        // After blanking: a cut through a secret would leave its first part.
        let text: String = text.chars().take(MAX_ERRMSG_CHARS).collect();
        Self {
            api,
            errcode: Errcode::from_number(errcode),
            rid: find_rid(&text),
            client_ip: find_client_ip(&text),
            errmsg: text,
        }
    }

    /// What the errcode says on this call.
    #[must_use]
    pub const fn meaning(&self) -> Meaning {
        self.errcode.meaning(self.api)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} answered errcode {}: {}", self.api, self.errcode.number(), self.meaning().text)
    }
}

/// `rid: 5f92a0c3-4b491949-0aa4f69d`, with or without the space.
fn find_rid(text: &str) -> Option<String> {
    text.match_indices("rid:").find_map(|(at, found)| {
        let rid: String = text[at + found.len()..]
            .trim_start()
            .chars()
            .take_while(|c| c.is_ascii_hexdigit() || *c == '-')
            .collect();
        let groups: Vec<&str> = rid.split('-').collect();
        (groups.len() == 3 && groups.iter().all(|g| g.len() == 8)).then_some(rid)
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
    fn every_era_of_errmsg_is_understood() {
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
