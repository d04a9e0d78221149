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
