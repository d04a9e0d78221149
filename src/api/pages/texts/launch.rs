//! The page before WeChat's, and what is on every page.

use super::super::page::Accounts;
use super::text::{Text, texts};

/// The accounts that each `auth_type` lets a merchant choose.
macro_rules! texts_of_accounts {
    ($($auth_type:literal { zh: $zh:literal, en: $en:literal })+) => {
        /// The accounts that may be chosen. WeChat may have kinds that are not known here.
        pub const fn accounts(accounts: Accounts) -> Text {
            match accounts {
                $(Accounts::Of(Some($auth_type)) => Text { zh: $zh, en: $en },)+
                Accounts::Of(None) => self::accounts(Accounts::Of(Some(3))),
                Accounts::Of(Some(_)) | Accounts::One => Text { zh: "账号", en: "account" },
            }
        }

        /// Every `auth_type` above, and others.
        #[cfg(test)]
        pub const ACCOUNTS: &[Accounts] = &[Accounts::One, Accounts::Of(None), $(Accounts::Of(Some($auth_type)),)+];
    };
}

texts! {
    // On every page.
    LANGUAGE { zh: "中文", en: "English" }
    THE_PLATFORM { zh: "平台", en: "the platform" }
    THE_NAMED_PLATFORM { zh: "「{platform}」", en: "{platform}" }

    // What is asked for. A line may break at U+200B.
    LAUNCH_TITLE { zh: "账号授权", en: "Account authorization" }
    ASKS { zh: "第三方平台申请获得\u{200b}你的{accounts}授权", en: "A third-party platform asks you to authorize your {accounts}" }
    NAMED_ASKS { zh: "「{platform}」申请获得\u{200b}你的{accounts}授权", en: "{platform} asks you to authorize your {accounts}" }
    BY_WECHAT { zh: "由账号管理员在微信页面上完成。", en: "The account’s administrator does this on WeChat’s own page." }

    // What will happen.
    STEPS { zh: "授权步骤", en: "What will happen" }
    STEP_SCAN { zh: "用管理员的微信扫码", en: "Scan with the administrator’s WeChat" }
    STEP_ADMINISTRATOR { zh: "确认当前登录的是管理员本人的微信", en: "Make sure that this is the administrator’s WeChat" }
    STEP_CHOOSE { zh: "选择要授权的{accounts}", en: "Choose the {accounts}" }
    STEP_CHECK { zh: "核对授予平台的权限", en: "Check which permissions the platform gets" }
    STEP_AGREE { zh: "点击「同意授权」", en: "Select “同意授权” (Authorize)" }
    START { zh: "前往授权", en: "Continue to WeChat" }
    REVOCABLE { zh: "授权后，管理员可以随时取消授权。", en: "The administrator can withdraw the authorization at any time." }

    // On a computer.
    SCAN { zh: "用微信扫一扫，在手机上授权", en: "Scan with WeChat to authorize on the phone" }
    OR { zh: "或", en: "or" }
    START_ON_COMPUTER { zh: "在电脑上授权", en: "Use this computer" }
    COMPUTER_NOTE { zh: "微信会显示二维码，同样由管理员用微信扫码。", en: "WeChat shows a QR code next. The administrator scans that one." }
    QR_CODE { zh: "本页的二维码，用微信扫一扫打开：", en: "QR code of this page, to be scanned with WeChat: " }

    // Outside WeChat.
    OPEN_IN_WECHAT { zh: "请在微信中打开本页", en: "Open this page in WeChat" }
    NOT_IN_BROWSER { zh: "在手机上，只有微信能完成授权。", en: "On a phone, only WeChat can complete the authorization." }
    NOT_IN_WECOM { zh: "请改用微信打开，企业微信可能无法完成授权。", en: "Please use WeChat: WeCom may not complete the authorization." }
    NOT_IN_MINI_PROGRAM { zh: "小程序内不能完成授权，请在微信的聊天中打开。", en: "A Mini Program cannot complete the authorization. Please open the page from a WeChat chat." }
    OPEN_COPY { zh: "点选下面的链接并复制", en: "Tap the link below to select it, and copy it" }
    OPEN_SEND { zh: "在微信中发给「文件传输助手」或管理员", en: "In WeChat, send it to File Transfer or to the administrator" }
    OPEN_TAP { zh: "在聊天中点开链接", en: "Tap the link in that chat" }
    ADDRESS { zh: "授权链接", en: "Authorization link" }
    SCAN_ELSEWHERE { zh: "也可以用管理员的微信扫一扫", en: "Or scan with the administrator’s WeChat" }
    SCAN_SCREENSHOT { zh: "没有第二台设备？截屏后，在微信「扫一扫」中从相册选取。", en: "No second device? Take a screenshot, then choose it under Album in WeChat’s Scan." }
    START_BY_QR_CODE { zh: "显示微信的二维码", en: "Show WeChat’s QR code" }
    QR_CODE_NOTE { zh: "适合平板电脑：在这里打开微信的页面，由管理员用手机扫码。", en: "For a tablet: WeChat’s page opens here, and the administrator scans it with a phone." }

    // The direct link to WeChat's page.
    HANDOFF_TITLE { zh: "再点击一次，前往微信", en: "One more step to WeChat" }
    HANDOFF { zh: "请点击下面的按钮，直接打开微信的授权页。", en: "Use the button below to open WeChat’s authorization page directly." }
    HANDOFF_SOON { zh: "请在几分钟内完成。如果微信提示链接失效，请重新开始。", en: "Finish within a few minutes. If WeChat says the link no longer works, start again." }
    OPEN_WECHAT_PAGE { zh: "打开微信授权页", en: "Open WeChat’s page" }
}

texts_of_accounts! {
    1 { zh: "公众号", en: "Official Account" }
    2 { zh: "小程序", en: "Mini Program" }
    3 { zh: "公众号或小程序", en: "Official Account or Mini Program" }
    4 { zh: "小程序推客", en: "Mini Program promoter account" }
    5 { zh: "视频号", en: "Channels account" }
    6 { zh: "公众号、小程序或视频号", en: "Official Account, Mini Program or Channels account" }
    8 { zh: "带货助手", en: "sales assistant account" }
}
