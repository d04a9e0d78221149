//! The pages that API Gateway shows without this code, when it refuses a request or cannot reach the function. They
//! stand in the template, so they are short: no variable, both languages at once, and a style of their own.

use maud::{DOCTYPE, PreEscaped, html};

use super::site::content_security_policy;

/// The style of these pages.
const STYLE: &str = "body { max-width: 30rem; margin: 15vh auto; padding: 0 1.5rem; text-align: center; \
    font: 1.0625rem/1.6 system-ui, sans-serif; color: rgb(25, 25, 25); background: white } p { color: dimgray } \
    h1, h2 { font-size: 1.375rem; font-weight: 500 } h2 { font-size: 1.125rem; margin-top: 3rem } \
    @media (prefers-color-scheme: dark) { body { color: gainsboro; background: rgb(25, 25, 25) } p { color: darkgray } }";

/// What API Gateway says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayPage {
    /// 403: there is nothing at this path, or it is not for everyone.
    Refused,
    /// 429: too many requests at once.
    TooMany,
    /// 5xx: the function cannot be reached, or takes too long.
    Unavailable,
}

impl GatewayPage {
    /// Every page.
    pub const ALL: [Self; 3] = [Self::Refused, Self::TooMany, Self::Unavailable];

    /// Title and words in Chinese, then in English.
    const fn words(self) -> [[&'static str; 2]; 2] {
        match self {
            Self::Refused => [
                ["页面打不开", "请重新打开收到的链接。"],
                ["This page cannot be opened", "Open the link that you received once more."],
            ],
            Self::TooMany => [
                ["访问人数过多", "请稍后再打开本页。"],
                ["Too many visitors", "Wait a moment, then open this page again."],
            ],
            Self::Unavailable => [
                ["服务暂时不可用", "请稍后再打开本页。"],
                ["The service is not available", "Open this page again later."],
            ],
        }
    }
}

/// One page. API Gateway takes `$` for the beginning of a variable; here is none.
pub fn gateway_page(page: GatewayPage) -> String {
    let [[title, words], [english_title, english_words]] = page.words();
    // In the page itself: API Gateway's headers cannot hold the quotes of a policy. Framing is refused by a header.
    let policy = content_security_policy(STYLE, "'none'").replace("; frame-ancestors 'none'", "");
    let html = html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(policy);
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (title) }
                    p { (words) }
                    div lang="en" {
                        h2 { (english_title) }
                        p { (english_words) }
                    }
                }
            }
        }
    };
    // CloudFormation keeps ASCII only, and the template's lines are broken at spaces.
    html.into_string().replace("><", "> <").chars().map(ascii).collect()
}

/// The character, or HTML's reference to it.
fn ascii(c: char) -> String {
    if c.is_ascii() { c.to_string() } else { format!("&#{};", u32::from(c)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_hold_no_variable_and_their_policy_allows_their_style() {
        for page in GatewayPage::ALL {
            let html = gateway_page(page);
            assert!(!html.contains(['$', '\n']) && html.is_ascii(), "{html}");
            assert!(html.len() < 1600, "{} bytes", html.len());
            let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
            let policy = content_security_policy(style, "'none'").replace("; frame-ancestors 'none'", "");
            assert!(html.contains(&format!("content=\"{policy}\"")), "{html}");
            for words in page.words().as_flattened() {
                let words: String = words.chars().map(ascii).collect();
                assert!(html.contains(&words), "{words} in {html}");
            }
        }
    }
}
