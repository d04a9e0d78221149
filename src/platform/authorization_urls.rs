//! Links to the pages on which a merchant's administrator authorizes the platform.
//!
//! Source: <https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Authorization_Process_Technical_Description.html>.
//! WeChat opens them only from a page on the platform's 授权发起页域名: it checks the Referer.

use std::num::NonZeroU32;

use serde::Serialize;
use url::form_urlencoded::Serializer;
use url::{ParseError, Url};

use super::problem::texts::{self, Text};
use super::problem::{Problem, Result};
use crate::wechat::ids::is_appid;

/// The page for a computer: it shows a QR code to scan.
const PC_PAGE: &str = "https://mp.weixin.qq.com/cgi-bin/componentloginpage";
/// The page for WeChat on a phone.
const MOBILE_PAGE: &str = "https://open.weixin.qq.com/wxaopen/safe/bindcomponent";

/// Both official accounts and mini programs, which is WeChat's own default.
const DEFAULT_AUTH_TYPE: u32 = 3;

/// Longest `redirect_uri`, in bytes: all browsers and gateways accept this length.
const MAX_REDIRECT_URI_BYTES: usize = 2048;
/// Most permission sets in one link. WeChat has some 50 in all.
const MAX_CATEGORY_IDS: usize = 100;

/// The checked parameters of the links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOptions {
    redirect_uri: String,
    auth_type: u32,
    biz_appid: Option<String>,
    category_ids: Vec<NonZeroU32>,
}

/// The two links of one code.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct AuthorizationUrls {
    /// For a browser on a computer.
    pub pc: String,
    /// For WeChat on a phone.
    pub mobile: String,
}

impl std::fmt::Debug for AuthorizationUrls {
    /// Shows nothing: the code is in both links.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationUrls").finish_non_exhaustive()
    }
}

impl LinkOptions {
    /// Checks the parameters.
    ///
    /// # Errors
    /// `Request.Invalid`, naming the one that is wrong and what it must be.
    pub fn new(
        redirect_uri: &str,
        auth_type: Option<NonZeroU32>,
        biz_appid: Option<&str>,
        category_ids: Vec<NonZeroU32>,
    ) -> Result<Self> {
        check_redirect_uri(redirect_uri)?;
        if biz_appid.is_some_and(|id| !is_appid(id)) {
            return Err(Problem::invalid(texts::BIZ_APPID));
        }
        if category_ids.len() > MAX_CATEGORY_IDS {
            return Err(Problem::invalid(texts::CATEGORY_IDS.with(&[("most", &MAX_CATEGORY_IDS)])));
        }
        Ok(Self {
            redirect_uri: redirect_uri.to_owned(),
            auth_type: auth_type.map_or(DEFAULT_AUTH_TYPE, NonZeroU32::get),
            biz_appid: biz_appid.map(str::to_owned),
            category_ids,
        })
    }

    /// The links for one code.
    pub fn urls(&self, component_appid: &str, pre_auth_code: &str) -> AuthorizationUrls {
        let query = |fixed: &[(&str, &str)]| {
            let mut query = Serializer::new(String::new());
            query
                .extend_pairs(fixed)
                .append_pair("component_appid", component_appid)
                .append_pair("pre_auth_code", pre_auth_code)
                .append_pair("redirect_uri", &self.redirect_uri)
                .append_pair("auth_type", &self.auth_type.to_string());
            if let Some(biz_appid) = &self.biz_appid {
                query.append_pair("biz_appid", biz_appid);
            }
            if !self.category_ids.is_empty() {
                let ids: Vec<String> = self.category_ids.iter().map(ToString::to_string).collect();
                query.append_pair("category_id_list", &ids.join("|"));
            }
            query.finish()
        };
        AuthorizationUrls {
            pc: format!("{PC_PAGE}?{}", query(&[])),
            mobile: format!(
                "{MOBILE_PAGE}?{}#wechat_redirect",
                query(&[("action", "bindcomponent"), ("no_scan", "1")])
            ),
        }
    }
}

fn check_redirect_uri(uri: &str) -> Result<()> {
    let wrong = |text: Text| Err(Problem::invalid(text));
    if uri.len() > MAX_REDIRECT_URI_BYTES {
        let detail = texts::REDIRECT_URI_LENGTH.with(&[("most", &MAX_REDIRECT_URI_BYTES)]);
        return Err(Problem::invalid(detail));
    }
    if uri.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return wrong(texts::REDIRECT_URI_SPACE);
    }
    match uri.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => {
            // The URL parser skips these and would take the first segment of the path for the host.
            if rest.starts_with(['/', '\\']) {
                return wrong(texts::REDIRECT_URI_HOST);
            }
        }
        _ => return wrong(texts::REDIRECT_URI_SCHEME),
    }
    let url = Url::parse(uri).map_err(|error| match error {
        ParseError::EmptyHost => Problem::invalid(texts::REDIRECT_URI_HOST),
        _ => Problem::invalid(texts::REDIRECT_URI_SYNTAX.with(&[("error", &error)])),
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(texts::REDIRECT_URI_USER);
    }
    // WeChat appends ?auth_code=… to the URL. A browser sends nothing that stands after a fragment.
    if url.fragment().is_some() {
        return wrong(texts::REDIRECT_URI_FRAGMENT);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_in_both_links_and_encoded() {
        let options = LinkOptions::new(
            "https://shop.example.com/wx/callback?order=17&name=%E5%BA%97",
            NonZeroU32::new(6),
            Some("wxba5fad812f8e6fb9"),
            [99, 1].into_iter().filter_map(NonZeroU32::new).collect(),
        )
        .unwrap();
        let urls = options.urls("wx134c8103faa5a59e", "preauthcode@@@a-b_c");
        let shared = "component_appid=wx134c8103faa5a59e&pre_auth_code=preauthcode%40%40%40a-b_c\
            &redirect_uri=https%3A%2F%2Fshop.example.com%2Fwx%2Fcallback%3Forder%3D17%26name%3D%25E5%25BA%2597\
            &auth_type=6&biz_appid=wxba5fad812f8e6fb9&category_id_list=99%7C1";
        assert_eq!(urls.pc, format!("https://mp.weixin.qq.com/cgi-bin/componentloginpage?{shared}"));
        assert!(!format!("{urls:?}").contains("preauthcode"));
        assert_eq!(
            urls.mobile,
            format!(
                "https://open.weixin.qq.com/wxaopen/safe/bindcomponent?action=bindcomponent&no_scan=1&{shared}#wechat_redirect"
            )
        );
    }

    #[test]
    fn the_default_link_asks_for_both_account_types_and_nothing_more() {
        let urls = LinkOptions::new("https://example.com/", None, None, vec![]).unwrap().urls("wx1", "c");
        assert_eq!(
            urls.pc,
            "https://mp.weixin.qq.com/cgi-bin/componentloginpage?component_appid=wx1&pre_auth_code=c&redirect_uri=https%3A%2F%2Fexample.com%2F&auth_type=3"
        );
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let wrong = |biz_appid, ids| {
            LinkOptions::new("https://example.com/", None, biz_appid, ids).unwrap_err().detail
        };
        assert_eq!(wrong(Some("wx&x=1"), vec![]), "biz_appid must be an appid");
        assert_eq!(wrong(None, vec![NonZeroU32::MIN; 101]), "category_id_list must hold at most 100 ids");
    }

    #[test]
    fn a_wrong_redirect_uri_is_told_what_is_wrong_with_it() {
        let long = format!("https://example.com/{}", "a".repeat(2048));
        for (redirect_uri, expected) in [
            (&*long, "redirect_uri is longer than 2048 bytes"),
            (
                "https://example.com/a b",
                "redirect_uri must not contain white space or control characters; percent-encode them",
            ),
            (
                " https://example.com/",
                "redirect_uri must not contain white space or control characters; percent-encode them",
            ),
            (
                "https://example.com/\u{7f}",
                "redirect_uri must not contain white space or control characters; percent-encode them",
            ),
            ("", "redirect_uri must be an https:// URL"),
            ("http://example.com/", "redirect_uri must be an https:// URL"),
            ("https:example.com", "redirect_uri must be an https:// URL"),
            ("example.com/a", "redirect_uri must be an https:// URL"),
            ("javascript:alert(1)", "redirect_uri must be an https:// URL"),
            ("https://", "redirect_uri has no host"),
            ("https:///path", "redirect_uri has no host"),
            ("https://?a=b", "redirect_uri has no host"),
            ("https://:443/", "redirect_uri has no host"),
            ("https://example.com:99999/", "redirect_uri is not a valid URL: invalid port number"),
            ("https://u:p@example.com/", "redirect_uri must not hold a user name or password"),
            ("https://example.com/#top", "redirect_uri must not have a #fragment"),
        ] {
            assert_eq!(
                LinkOptions::new(redirect_uri, None, None, vec![]).unwrap_err().detail,
                expected,
                "{redirect_uri}"
            );
        }
        assert!(LinkOptions::new("HTTPS://example.com/?a=%20b", None, None, vec![]).is_ok());
    }
}
