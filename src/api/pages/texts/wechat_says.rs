//! What WeChat's pages can say instead of going on, and what a merchant can do about it.

use super::text::{Text, texts};

texts! {
    WECHAT_SAYS { zh: "微信提示错误？", en: "WeChat shows an error?" }
    HANDOFF_BUTTON { zh: "换一种方式打开", en: "Open it another way" }
}

/// What can be done on this page about what WeChat says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The words say it.
    Words,
    /// The direct link may help.
    Handoff,
}

/// What WeChat says, and what to do.
pub struct Advice {
    /// WeChat's own words, which are Chinese. They may end before the sentence does.
    pub says: &'static [&'static str],
    /// What to do.
    pub advice: Text,
    /// What the page offers.
    pub remedy: Remedy,
}

macro_rules! advice {
    ($([$($says:literal),+] $remedy:ident { zh: $zh:literal, en: $en:literal })+) => {
        /// Every error of WeChat's pages that is known.
        pub const ADVICE: &[Advice] = &[
            $(Advice { says: &[$($says),+], advice: Text { zh: $zh, en: $en }, remedy: Remedy::$remedy },)+
        ];
    };
}

advice! {
    ["当前微信号尚未绑定为任何小程序或公众号的管理员"] Words {
        zh: "这个微信号不是管理员，请改用管理员本人的微信。被冻结、已注销或未注册完成的账号，以及小游戏，不能授权。",
        en: "This WeChat user is not an administrator. Use the administrator’s own WeChat. Accounts that are frozen, closed or not fully registered, and Mini Games, cannot be authorized."
    }
    ["预授权码已经被使用过，不能重复使用", "PreAuthCode无效"] Words {
        zh: "每次打开微信的授权页只能用一次，而且有时限。请回到本页重新开始。",
        en: "WeChat’s page works once and for a limited time. Come back to this page and start again."
    }
    ["请确认授权入口页所在域名，与授权后回调页所在域名相同…"] Handoff {
        zh: "请先试试换一种方式打开。如果仍然这样，请告诉{platform}。",
        en: "First try to open it another way. If that does not help, tell {platform}."
    }
    ["仅支持指定账号…进行授权"] Words {
        zh: "平台只申请了指定账号的授权。请由该账号的管理员操作，并选择该账号。",
        en: "The platform asks for one certain account. Its administrator must do this, and choose that account."
    }
    ["指定了无效的权限…账号类型不一致"] Words {
        zh: "所选账号的类型与平台申请的不一致。请选择其他账号，或告诉{platform}。",
        en: "The account is not of the type that the platform asks for. Choose another one, or tell {platform}."
    }
    ["此第三方平台处于待全网发布状态…"] Words {
        zh: "平台还没有正式发布。请告诉{platform}，由其把你的账号加入测试名单，或等待发布。",
        en: "The platform is not released yet. Tell {platform}: it can add your account to its test list or release itself."
    }
    ["系统错误"] Words {
        zh: "请稍后回到本页重新开始。如果一直这样，请告诉{platform}。",
        en: "Come back to this page later and start again. If it goes on, tell {platform}."
    }
}
