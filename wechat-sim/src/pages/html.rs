//! What the pages have in common. They need no script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::reply::{self, Reply};

const STYLE: &str = include_str!("style.css");

/// A page. `name` says which, in `data-page`.
pub(super) fn page(name: &str, title: &str, content: &Markup) -> Reply {
    let page = html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " - wechat-sim" }
                style { (PreEscaped(STYLE)) }
            }
            body data-page=(name) {
                header { "wechat-sim：模拟的微信页面，不是微信" }
                main { (content) }
            }
        }
    };
    Reply::new(200, reply::HTML, page.into_string())
}

/// A page with one of WeChat's error texts.
pub(super) fn problem_page(problem: &str) -> Reply {
    page(
        "problem",
        "无法授权",
        &html! {
            h1 { "无法授权" }
            p #problem.problem role="alert" { (problem) }
        },
    )
}
