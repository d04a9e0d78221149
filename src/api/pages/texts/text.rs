//! One text in every language, and tables of them.

use super::super::visit::Language;

/// One text in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

impl Text {
    /// The text in this language.
    pub const fn get(self, language: Language) -> &'static str {
        match language {
            Language::Chinese => self.zh,
            Language::English => self.en,
        }
    }
}

/// A table of texts: each row has a name, the Chinese text and the English text. The file that has it imports `Text`.
macro_rules! texts {
    ($($name:ident { zh: $zh:literal, en: $en:literal })+) => {
        $(pub const $name: Text = Text { zh: $zh, en: $en };)+

        /// Every row of this table.
        #[cfg(test)]
        pub const TABLE: &[Text] = &[$($name,)+];
    };
}

pub(super) use texts;
