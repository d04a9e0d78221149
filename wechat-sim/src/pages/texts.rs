//! The error texts of WeChat's pages.

use crate::CodeState;
use crate::authorizer::{AccountKind, kinds_label};

pub(super) const CODE_USED: &str = "预授权码已经被使用过，不能重复使用";
pub(super) const CODE_INVALID: &str = "PreAuthCode无效";
/// A mobile link without `auth_type`.
pub(super) const NO_AUTH_TYPE: &str = "系统错误";
/// `auth_type` 0, and every value that WeChat does not list.
pub(super) const WRONG_AUTH_TYPE: &str = "错误";
/// The mobile link in a mini program's web-view, and a `redirect_uri` that no browser can follow.
pub(super) const WRONG_PARAMETER: &str = "参数错误";
pub(super) const OPEN_IN_WECHAT: &str = "请在微信客户端打开链接";
pub(super) const NO_PERMISSION_SET: &str =
    "该第三方平台指定了无效的权限或者该第三方账号配置的权限类型与当前微信号绑定的账号类型不一致";
/// Only the beginning of this text is known.
pub(super) const NOT_PUBLISHED: &str =
    "此第三方平台处于待全网发布状态，仅支持授权测试公众号/小程序列表中的账号进行授权";
/// The simulator's own text.
pub(super) const CHOOSE_ONE: &str = "请至少选择一个权限集";

pub(super) fn refused(state: CodeState) -> &'static str {
    if state == CodeState::Used { CODE_USED } else { CODE_INVALID }
}

/// `entry`: the host of the Referer.
pub(super) fn wrong_domain(entry: Option<&str>) -> String {
    format!(
        "请确认授权入口页所在域名，与授权后回调页所在域名相同，并且，此两者都必须与申请第三方平台时填写的授权发起页域名相同。授权入口页所在域名：{}",
        entry.unwrap_or("空")
    )
}

pub(super) fn only_account(appid: &str) -> String {
    format!("该第三方平台仅支持指定账号“{appid}”进行授权，如有疑问请联系服务商")
}

/// The merchant administers no account.
pub(super) fn not_administrator(kinds: &[AccountKind]) -> String {
    match kinds {
        [AccountKind::OfficialAccount, AccountKind::MiniProgram] => {
            "该授权支持小程序和公众号账号，当前微信号尚未绑定为任何小程序或公众号的管理员，请绑定后重试。如需注册新的小程序，请前往微信公众平台注册".to_owned()
        }
        kinds => {
            let label = kinds_label(kinds);
            format!(
                "该授权仅支持{label}账号，当前微信号尚未绑定为任何{label}的管理员，请绑定后重试。如需注册新的{label}，请前往微信公众平台注册"
            )
        }
    }
}
