//! Links to the pages on which a merchant's administrator authorizes the platform.
//!
//! Source: <https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Authorization_Process_Technical_Description.html>.
//! WeChat opens them only from a page on the platform's 授权发起页域名: it checks the Referer.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use super::https_url::check_https_url;
use super::problem::texts;
use super::problem::{Problem, Result};
use crate::wechat::hosts::parse_origin;
use crate::wechat::ids::is_appid;

/// The page for a computer: it shows a QR code to scan.
const PC_PAGE: &str = "cgi-bin/componentloginpage";
/// The page for WeChat on a phone.
const MOBILE_PAGE: &str = "wxaopen/safe/bindcomponent";

/// Both official accounts and mini programs, which is WeChat's own default.
const DEFAULT_AUTH_TYPE: u32 = 3;

/// Most permission sets in one link. WeChat has some 50 in all.
const MAX_CATEGORY_IDS: usize = 100;

/// The two origins of WeChat's authorization pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WechatPages {
    /// That of the page for a computer, without a slash at its end.
    pub pc: String,
    /// That of the page for WeChat on a phone.
    pub mobile: String,
}

impl WechatPages {
    /// WeChat's own.
    pub const DEFAULT: &str = "https://mp.weixin.qq.com,https://open.weixin.qq.com";

    /// Parses two comma-separated origins, first that of the PC page. `http://` is for a loopback address only.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(list: &str) -> std::result::Result<Self, String> {
        let origins = list
            .split(',')
            .map(|origin| parse_origin(origin.trim()))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let [pc, mobile] = &*origins else {
            return Err(format!(
                "{list:?} must name two origins: that of the PC page and that of the mobile page"
            ));
        };
        let text = |origin: &url::Url| origin.origin().ascii_serialization();
        Ok(Self { pc: text(pc), mobile: text(mobile) })
    }
}

impl Default for WechatPages {
    fn default() -> Self {
        Self { pc: "https://mp.weixin.qq.com".into(), mobile: "https://open.weixin.qq.com".into() }
    }
}

/// What the merchant is asked for. Checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authorization {
    /// Which kinds of accounts may be chosen; `None` for both official accounts and mini programs.
    pub auth_type: Option<NonZeroU32>,
    /// The one account that may be chosen.
    pub biz_appid: Option<String>,
    /// The permission sets to ask for; empty for all that the platform has.
    pub category_ids: Vec<NonZeroU32>,
}

impl Authorization {
    /// Checks the parameters.
    ///
    /// # Errors
    /// `Request.Invalid`, naming the one that is wrong and what it must be.
    pub fn new(
        auth_type: Option<NonZeroU32>,
        biz_appid: Option<&str>,
        category_ids: Vec<NonZeroU32>,
    ) -> Result<Self> {
        if biz_appid.is_some_and(|id| !is_appid(id)) {
            return Err(Problem::invalid(texts::BIZ_APPID));
        }
        if category_ids.len() > MAX_CATEGORY_IDS {
            return Err(Problem::invalid(texts::CATEGORY_IDS.with(&[("most", &MAX_CATEGORY_IDS)])));
        }
        Ok(Self { auth_type, biz_appid: biz_appid.map(str::to_owned), category_ids })
    }
}

/// The checked parameters of the links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlOptions {
    redirect_uri: String,
    authorization: Authorization,
}

/// The two links of one code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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

impl UrlOptions {
    /// Checks `redirect_uri`.
    ///
    /// # Errors
    /// `Request.Invalid`, saying what it must be.
    pub fn new(redirect_uri: &str, authorization: Authorization) -> Result<Self> {
        // WeChat appends ?auth_code=… to it.
        check_https_url("redirect_uri", redirect_uri)?;
        Ok(Self { redirect_uri: redirect_uri.to_owned(), authorization })
    }

    /// The links for one code.
    pub fn urls(&self, pages: &WechatPages, component_appid: &str, pre_auth_code: &str) -> AuthorizationUrls {
        let Authorization { auth_type, biz_appid, category_ids } = &self.authorization;
        let auth_type = auth_type.map_or(DEFAULT_AUTH_TYPE, NonZeroU32::get);
        let query = |fixed: &[(&str, &str)]| {
            let mut query = Serializer::new(String::new());
            query
                .extend_pairs(fixed)
                .append_pair("component_appid", component_appid)
                .append_pair("pre_auth_code", pre_auth_code)
                .append_pair("redirect_uri", &self.redirect_uri)
                .append_pair("auth_type", &auth_type.to_string());
            if let Some(biz_appid) = biz_appid {
                query.append_pair("biz_appid", biz_appid);
            }
            if !category_ids.is_empty() {
                let ids: Vec<String> = category_ids.iter().map(ToString::to_string).collect();
                query.append_pair("category_id_list", &ids.join("|"));
            }
            query.finish()
        };
        AuthorizationUrls {
            pc: format!("{}/{PC_PAGE}?{}", pages.pc, query(&[])),
            mobile: format!(
                "{}/{MOBILE_PAGE}?{}#wechat_redirect",
                pages.mobile,
                query(&[("action", "bindcomponent"), ("no_scan", "1")])
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_in_both_links_and_encoded() {
        let ids = [99, 1].into_iter().filter_map(NonZeroU32::new).collect();
        let authorization = Authorization::new(NonZeroU32::new(6), Some("wxba5fad812f8e6fb9"), ids).unwrap();
        let redirect_uri = "https://shop.example.com/wx/callback?order=17&name=%E5%BA%97";
        let options = UrlOptions::new(redirect_uri, authorization).unwrap();
        let urls = options.urls(&WechatPages::default(), "wx134c8103faa5a59e", "preauthcode@@@a-b_c");
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
        let urls = UrlOptions::new("https://example.com/", Authorization::default()).unwrap().urls(
            &WechatPages::default(),
            "wx1",
            "c",
        );
        assert_eq!(
            urls.pc,
            "https://mp.weixin.qq.com/cgi-bin/componentloginpage?component_appid=wx1&pre_auth_code=c&redirect_uri=https%3A%2F%2Fexample.com%2F&auth_type=3"
        );
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let wrong = |biz_appid, ids| Authorization::new(None, biz_appid, ids).unwrap_err().detail;
        assert_eq!(wrong(Some("wx&x=1"), vec![]), "biz_appid must be an appid");
        assert_eq!(wrong(None, vec![NonZeroU32::MIN; 101]), "category_id_list must hold at most 100 ids");
    }

    #[test]
    fn the_pages_can_be_elsewhere() {
        assert_eq!(WechatPages::parse(WechatPages::DEFAULT), Ok(WechatPages::default()));
        let pages = WechatPages::parse("http://127.0.0.1:8090, https://sim.example.com").unwrap();
        let options = UrlOptions::new("https://example.com/", Authorization::default()).unwrap();
        let urls = options.urls(&pages, "wx1", "c");
        assert!(urls.pc.starts_with("http://127.0.0.1:8090/cgi-bin/componentloginpage?component_appid="));
        assert!(urls.mobile.starts_with("https://sim.example.com/wxaopen/safe/bindcomponent?action="));
        for wrong in [
            "",
            "https://a.example",
            "https://a.example,https://b.example/x",
            "http://a.example,https://b.example",
        ] {
            assert!(WechatPages::parse(wrong).is_err(), "{wrong}");
        }
    }
}
