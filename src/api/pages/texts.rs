//! Every word on the pages. Each text is one row with a column for each language, so a missing translation does not
//! compile.

use super::visit::Language;

/// One text in every language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    /// Chinese.
    pub(super) zh: &'static str,
    /// English.
    pub(super) en: &'static str,
}

impl Text {
    /// The text in this language.
    pub(super) const fn get(self, language: Language) -> &'static str {
        match language {
            Language::Chinese => self.zh,
            Language::English => self.en,
        }
    }
}

const fn text(zh: &'static str, en: &'static str) -> Text {
    Text { zh, en }
}

pub(super) const START: Text = text("前往授权", "Continue to WeChat");
