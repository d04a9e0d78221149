//! Who looks at a page: the language, and the device with its app.

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Simplified Chinese.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::Chinese, Self::English];

    /// The language of a request. The parameter `lang` goes before the header `Accept-Language`. Chinese when neither
    /// names one of the languages.
    pub fn of(accept_language: Option<&str>, lang_parameter: Option<&str>) -> Self {
        lang_parameter
            .and_then(Self::named)
            .or_else(|| Self::preferred(accept_language?))
            .unwrap_or(Self::Chinese)
    }

    /// The tag of the language in HTML and HTTP.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The value of the parameter `lang`.
    pub(super) const fn parameter(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }

    /// The other one.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Chinese => Self::English,
            Self::English => Self::Chinese,
        }
    }

    /// The language of a tag such as `zh-Hant-HK`.
    fn named(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| language.parameter() == primary)
    }

    /// The language of these with the highest weight; of equal ones the first.
    fn preferred(accept_language: &str) -> Option<Self> {
        let mut best: Option<(Self, f32)> = None;
        for range in accept_language.split(',') {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = match parameters.trim().strip_prefix("q=") {
                Some(weight) => weight.trim().parse().unwrap_or(0.0),
                None => 1.0,
            };
            if let Some(language) = Self::named(tag)
                && weight > best.map_or(0.0, |(_, weight)| weight)
            {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }
}

/// The device and its app, as far as they decide how a merchant goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// A computer, also in WeChat for Windows, macOS and Linux. Also an unknown device.
    Desktop,
    /// A phone or a tablet outside WeChat.
    Phone,
    /// WeChat on a phone or a tablet.
    WeChat,
    /// 企业微信.
    WeCom,
    /// A web-view in a mini program.
    MiniProgram,
}

impl Device {
    /// Every device.
    pub const ALL: [Self; 5] = [Self::Desktop, Self::Phone, Self::WeChat, Self::WeCom, Self::MiniProgram];

    /// The device of a request, by its header `User-Agent`.
    pub fn of(user_agent: Option<&str>) -> Self {
        let agent = user_agent.unwrap_or_default().to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| agent.contains(word));
        if has(&["wxwork"]) {
            Self::WeCom
        } else if has(&["windowswechat", "macwechat", "linuxwechat"]) {
            // Before the mini programs: on Windows WeChat's own browser says `MiniProgramEnv/Windows` for every page.
            Self::Desktop
        } else if has(&["miniprogram"]) {
            Self::MiniProgram
        } else if has(&["micromessenger"]) {
            Self::WeChat
        } else if has(&["mobile", "android", "iphone", "ipad", "ipod", "tablet", "(phone;"]) {
            Self::Phone
        } else {
            Self::Desktop
        }
    }
}

/// Who looks at a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// The language of the page.
    pub language: Language,
    /// The device and its app.
    pub device: Device,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_goes_before_the_header_and_chinese_before_nothing() {
        use Language::{Chinese, English};
        for (accept_language, parameter, expected) in [
            (None, None, Chinese),
            (None, Some("en"), English),
            (Some("zh-CN"), Some("EN-us"), English),
            (Some("en-US,en;q=0.9"), Some("zh_CN"), Chinese),
            (Some("en-US,en;q=0.9"), Some("fr"), English),
            (Some("en"), Some(""), English),
            (Some("zh-TW,zh;q=0.9,en;q=0.8"), None, Chinese),
            (Some("fr, de;q=0.9"), None, Chinese),
            (Some("fr, en;q=0.1"), None, English),
            (Some("en;q=0.3, zh;q=0.7"), None, Chinese),
            (Some("zh ; q=0.3 ,en; q=0.7"), None, English),
            (Some("zh;q=0.5,en;q=0.5"), None, Chinese),
            (Some("en;q=0.5,zh;q=0.5"), None, English),
            (Some("en;q=0"), None, Chinese),
            (Some("en;q=NaN,zh;q=0.1"), None, Chinese),
            (Some("en;q=much"), None, Chinese),
            (Some("*"), None, Chinese),
            (Some(""), None, Chinese),
            (Some(";;,,;q=,-"), None, Chinese),
            (Some("english"), None, Chinese),
        ] {
            let found = Language::of(accept_language, parameter);
            assert_eq!(found, expected, "{accept_language:?} {parameter:?}");
        }
    }

    #[test]
    fn the_device_is_read_from_the_user_agent() {
        use Device::{Desktop, MiniProgram, Phone, WeChat, WeCom};
        let iphone =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
        let android = "Mozilla/5.0 (Linux; Android 15; V2301A Build/AP3A; wv) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Version/4.0 Chrome/134.0.6998.136 Mobile Safari/537.36";
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/138.0.0.0 Safari/537.36";
        let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)";
        for (before, after, expected) in [
            (windows, "", Desktop),
            (mac, " Version/18.5 Safari/605.1.15", Desktop),
            ("Mozilla/5.0 (PC; OpenHarmony 6.0) AppleWebKit/537.36", " ArkWeb/6.0.0", Desktop),
            ("curl/8.5.0", "", Desktop),
            ("", "", Desktop),
            (iphone, " Version/18.5 Mobile/15E148 Safari/604.1", Phone),
            (android, "", Phone),
            (
                "Mozilla/5.0 (Linux; Android 15; SM-X910) AppleWebKit/537.36 Chrome/138 Safari/537.36",
                "",
                Phone,
            ),
            ("Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15", "", Phone),
            ("Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36", " ArkWeb/4.1.6.1", Phone),
            ("Mozilla/5.0 (Tablet; OpenHarmony 5.0) AppleWebKit/537.36", " ArkWeb/4.1.6.1", Phone),
            (iphone, " Mobile/15E148 MicroMessenger/8.0.61(0x18003d27) NetType/WIFI Language/zh_CN", WeChat),
            (android, " MMWEBID/5271 MicroMessenger/8.0.61.2880 WeChat/arm64 Weixin NetType/5G", WeChat),
            (android, " MicroMessenger/8.0.61 Weixin NetType/WIFI MiniProgramEnv/android", MiniProgram),
            (
                iphone,
                " Mobile/15E148 MicroMessenger/8.0.61 NetType/WIFI miniProgram/wx1234567890abcdef",
                MiniProgram,
            ),
            (
                windows,
                " MicroMessenger/7.0.20.1781 NetType/WIFI MiniProgramEnv/Windows WindowsWechat/WMPF",
                Desktop,
            ),
            (windows, " MicroMessenger/7.0.20.1781 UnifiedPCWindowsWechat(0xf2541022) XWEB/16467", Desktop),
            (mac, " MicroMessenger/6.8.0 NetType/WIFI MacWechat/3.8.10(0x13080a11) XWEB/1227", Desktop),
            (iphone, " Mobile/15E148 wxwork/4.1.38 MicroMessenger/7.0.1 Language/zh", WeCom),
            (windows, " wxwork/4.1.38 MicroMessenger/7.0.1 WindowsWechat", WeCom),
        ] {
            let agent = format!("{before}{after}");
            assert_eq!(Device::of(Some(&agent)), expected, "{agent}");
            assert_eq!(Device::of(Some(&agent.to_uppercase())), expected, "{agent}");
        }
        assert_eq!(Device::of(None), Desktop);
    }
}
