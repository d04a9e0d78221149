//! Every word on the pages, except those of `gateway`. Each text is one row with a column for each language, so a missing
//! translation does not compile.
//!
//! `{platform}` stands for the platform's name. Chinese is written with full-width punctuation, and what WeChat itself
//! says is quoted as WeChat writes it.

mod launch;
mod outcome;
mod text;
mod wechat_says;

pub(super) use launch::*;
pub(super) use outcome::*;
pub(super) use text::Text;
pub(super) use wechat_says::*;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::pages::Trouble;

    fn every_text() -> Vec<Text> {
        let mut texts = [launch::TABLE, outcome::TABLE, wechat_says::TABLE].concat();
        texts.extend(ADVICE.iter().map(|advice| advice.advice));
        texts.extend(launch::ACCOUNTS.iter().map(|accounts| launch::accounts(*accounts)));
        for trouble in Trouble::ALL {
            let Explanation { title, happened, remedy } = explanation(*trouble);
            texts.extend([title, happened, remedy]);
        }
        texts
    }

    const fn is_chinese(c: char) -> bool {
        matches!(c, '\u{4e00}'..='\u{9fff}')
    }

    #[test]
    fn each_column_is_in_its_language() {
        assert!(every_text().len() > 80);
        // A button's name is quoted as WeChat writes it, and a language is named in itself.
        let quoted = "同意授权";
        for Text { zh, en } in every_text() {
            assert!(zh.contains(|c| is_chinese(c) || c == '「'), "{zh}");
            assert!(!en.replace(quoted, "").contains(is_chinese), "{en}");
            assert!(en.contains(|c: char| c.is_ascii_alphabetic()), "{en}");
            assert!(!en.contains(['\'', '"']), "typographic quotes: {en}");
        }
    }

    #[test]
    fn chinese_punctuation_is_full_width() {
        for Text { zh, .. } in every_text() {
            assert!(!zh.contains([',', ';', ':', '?', '!', '(', ')', '"', '\'']), "{zh}");
            assert!(!zh.ends_with('.'), "{zh}");
        }
    }

    #[test]
    fn both_columns_name_the_same_values() {
        let names = |text: &'static str| {
            let mut names: Vec<_> =
                text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
            names.sort_unstable();
            names
        };
        for Text { zh, en } in every_text() {
            assert_eq!(names(zh), names(en), "{en}");
        }
    }
}
