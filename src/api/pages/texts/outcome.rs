//! What is shown after WeChat's page, or instead of it.

use super::super::page::Trouble;
use super::text::{Text, texts};

texts! {
    AUTHORIZED { zh: "授权已完成", en: "Authorization complete" }
    AUTHORIZED_NOW { zh: "授权结果以{platform}显示的为准。你可以关闭本页。", en: "The final result is the one that {platform} shows. You can close this page." }
    ALREADY { zh: "授权已经完成", en: "Already authorized" }
    ALREADY_NOW { zh: "本页之前已经打开过，不需要再次操作。授权结果以{platform}显示的为准。", en: "This page was opened before, and there is nothing more to do here. The final result is the one that {platform} shows." }
    NOT_AUTHORIZED { zh: "授权没有完成", en: "Not authorized yet" }
    NOT_AUTHORIZED_WHY { zh: "微信没有返回授权结果。可能是中途取消了，或者停留时间过长。", en: "WeChat returned no result. The authorization may have been cancelled, or it took too long." }
    NOT_AUTHORIZED_NOW { zh: "如果要继续授权，请重新开始。", en: "Start again if you want to authorize." }

    START_AGAIN { zh: "重新开始", en: "Start again" }
    RELOAD { zh: "刷新", en: "Reload" }
    BACK { zh: "返回{platform}", en: "Back to {platform}" }
    TRY_AGAIN { zh: "重试", en: "Try again" }
    TELL { zh: "联系{platform}时，请提供：", en: "When you contact {platform}, give these details:" }
    REFERENCE { zh: "参考编号", en: "Reference" }
    REQUEST_ID { zh: "请求编号", en: "Request" }
    RELOAD_IN { zh: "请在{time}后刷新本页。", en: "Reload this page in {time}." }
    WAIT { zh: "请在{time}后再试。", en: "Try again in {time}." }
    SECONDS { zh: " {n} 秒", en: "{n} seconds" }
    MINUTES { zh: " {n} 分钟", en: "{n} minutes" }
    HOURS { zh: " {n} 小时", en: "{n} hours" }
}

/// What a merchant reads about a trouble.
pub struct Explanation {
    /// In short.
    pub title: Text,
    /// What happened.
    pub happened: Text,
    /// What to do now.
    pub remedy: Text,
}

macro_rules! explanations {
    ($($trouble:ident {
        title: $title_zh:literal, $title_en:literal;
        happened: $happened_zh:literal, $happened_en:literal;
        remedy: $remedy_zh:literal, $remedy_en:literal;
    })+) => {
        /// The explanation of a trouble.
        pub const fn explanation(trouble: Trouble) -> Explanation {
            match trouble {
                $(Trouble::$trouble => Explanation {
                    title: Text { zh: $title_zh, en: $title_en },
                    happened: Text { zh: $happened_zh, en: $happened_en },
                    remedy: Text { zh: $remedy_zh, en: $remedy_en },
                },)+
            }
        }
    };
}

explanations! {
    Busy {
        title: "暂时无法开始授权", "The authorization cannot start right now";
        happened: "系统繁忙，通常很快就会恢复。", "The system is busy. This usually passes quickly.";
        remedy: "请稍等片刻再试。", "Please wait a moment.";
    }
    Unconfirmed {
        title: "暂时无法确认授权结果", "The result cannot be confirmed right now";
        happened: "系统繁忙，通常很快就会恢复。你不需要重新授权。", "The system is busy. You need not authorize again.";
        remedy: "请稍等片刻，再刷新本页。", "Please wait a moment, then reload this page.";
    }
    Quota {
        title: "授权次数暂时达到上限", "Too many authorizations for now";
        happened: "微信限制平台发起授权的次数，现在已经达到上限。", "WeChat limits how many authorizations a platform can start, and the limit is reached.";
        remedy: "请过一段时间再试。如果今天一直不行，请明天再试。", "Try again later. If it does not work today, try again tomorrow.";
    }
    Setup {
        title: "平台的设置有误，暂时无法授权", "The platform’s settings need fixing";
        happened: "问题出在平台与微信之间，与你的账号和操作无关。", "The fault is between the platform and WeChat. You and your account did not cause it.";
        remedy: "请把下面的信息告诉{platform}，修正后再回到本页重试。", "Tell {platform} the details below. When the settings are fixed, try again here.";
    }
    NoTicket {
        title: "平台还没有准备好", "The platform is not ready yet";
        happened: "平台正在等待微信的通知，一般需要十分钟左右。", "It is waiting for a message from WeChat, which takes about ten minutes.";
        remedy: "请稍后再试。", "Please try again later.";
    }
    LinkEnded {
        title: "授权链接已过期", "This link has expired";
        happened: "这个链接超过了有效期，不能再用来授权。", "It can no longer be used to authorize.";
        remedy: "请联系{platform}，获取新的链接。", "Ask {platform} for a new link.";
    }
    LinkUnknown {
        title: "授权链接无效", "This link does not work";
        happened: "找不到这个链接，可能是没有复制完整，或者已经失效。", "It is incomplete, or no longer valid.";
        remedy: "请检查链接是否完整，或联系{platform}获取新的链接。", "Check that the link is complete, or ask {platform} for a new one.";
    }
    TooManyTries {
        title: "链接的使用次数已达上限", "This link was used too often";
        happened: "为了安全，一个链接只能发起有限次数的授权。", "For safety, a link can start only a limited number of authorizations.";
        remedy: "请联系{platform}，获取新的链接。", "Ask {platform} for a new link.";
    }
    MethodNotAllowed {
        title: "页面打不开", "This page cannot be opened like this";
        happened: "浏览器没有按正常方式打开这个地址。", "Your browser did not open this address in the usual way.";
        remedy: "请从收到的授权链接重新进入。", "Open the link that you received once more.";
    }
    NotFound {
        title: "页面不存在", "There is no such page";
        happened: "这个地址没有内容。", "There is nothing at this address.";
        remedy: "请从收到的授权链接重新进入。", "Open the link that you received once more.";
    }
    Internal {
        title: "服务出现故障", "Something went wrong";
        happened: "问题出在我们这边，与你的操作无关。", "The fault is on our side. You did nothing wrong.";
        remedy: "请稍后再试。如果一直这样，请联系{platform}。", "Try again later. If it goes on, contact {platform}.";
    }
}
