//! The merchant's pages as answers: every page, on every device, in every language. How they look and work in a browser
//! is tested in `tests/pages`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use sha2::{Digest as _, Sha256};
use wechat_preauth::api::pages::{
    Accounts, Device, Language, Page, Site, Trouble, Visit, redirect, response,
};

const PAGE_ORIGINS: [&str; 2] = ["https://mp.weixin.qq.com", "https://open.weixin.qq.com"];
const ID: &str = "k3Jx0Zq9T1uV5wYb7cD2eA";

fn site(platform_name: Option<&str>) -> Site {
    Site::new("https://auth.example.com", platform_name, PAGE_ORIGINS)
}

/// Every page. What varies is `value`, so that a test can look for it.
fn every_page(value: &str) -> Vec<Page<'_>> {
    let mut pages = vec![
        Page::Launch { id: value, accounts: Accounts::Of(None) },
        Page::Handoff { id: value, url: value },
        Page::Authorized,
        Page::AlreadyAuthorized { back: None },
        Page::AlreadyAuthorized { back: Some(value) },
        Page::NotAuthorized { id: value },
    ];
    for trouble in Trouble::ALL {
        for (id, reference, retry_after) in [(None, None, None), (Some(value), Some(value), Some(5))] {
            let trouble = *trouble;
            pages.push(Page::Problem { trouble, id, reference, request_id: value, retry_after });
        }
    }
    pages
}

fn every_visit() -> impl Iterator<Item = Visit> {
    let visits = |language| Device::ALL.map(|device| Visit { language, device });
    Language::ALL.into_iter().flat_map(visits)
}

fn text(response: &Response<Body>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn every_answer_has_the_headers_that_keep_it_safe() {
    let site = site(Some("云客服"));
    for visit in every_visit() {
        for page in every_page(ID) {
            let response = response(&site, &visit, &page);
            let html = text(&response);
            let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
            let hash = STANDARD.encode(Sha256::digest(style));
            let policy = format!(
                "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; form-action 'self' \
                 https://*.weixin.qq.com; base-uri 'none'; frame-ancestors 'none'"
            );
            let to_wechat = matches!(page, Page::Launch { .. } | Page::Handoff { .. });
            let retry_after = match page {
                Page::Problem { retry_after, .. } => retry_after.map(|seconds| seconds.to_string()),
                _ => None,
            };
            for (name, expected) in [
                ("content-type", Some("text/html; charset=utf-8")),
                ("cache-control", Some("no-store")),
                ("content-security-policy", Some(&*policy)),
                ("x-frame-options", Some("DENY")),
                ("referrer-policy", Some(if to_wechat { "origin" } else { "no-referrer" })),
                ("x-robots-tag", Some("noindex, nofollow")),
                ("x-content-type-options", Some("nosniff")),
                ("content-language", Some(visit.language.tag())),
                ("vary", Some("accept-language, user-agent")),
                ("retry-after", retry_after.as_deref()),
            ] {
                assert_eq!(header(&response, name), expected, "{name}");
            }
            assert_eq!(response.status(), page.status());
            assert_eq!(response.headers().len(), if retry_after.is_some() { 10 } else { 9 });
        }
    }
}

#[test]
fn a_redirect_has_them_too() {
    let found = redirect("https://mp.weixin.qq.com/cgi-bin/componentloginpage?a=1&b=2", "origin");
    assert_eq!(found.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        header(&found, "location"),
        Some("https://mp.weixin.qq.com/cgi-bin/componentloginpage?a=1&b=2")
    );
    assert_eq!(header(&found, "referrer-policy"), Some("origin"));
    assert_eq!(header(&found, "cache-control"), Some("no-store"));
    assert_eq!(header(&found, "x-frame-options"), Some("DENY"));
    let policy = header(&found, "content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(found.body().is_empty());

    let broken = redirect("https://example.com/\r\nset-cookie: a=b", "no-referrer");
    assert_eq!((broken.status(), header(&broken, "location")), (StatusCode::INTERNAL_SERVER_ERROR, None));
}

#[test]
fn every_value_is_escaped_wherever_it_stands() {
    let hostile = r#""><script>alert('x')</script><img src=x onerror=alert(1)>&amp;"#;
    let site = Site::new("https://auth.example.com", Some(hostile), PAGE_ORIGINS);
    for visit in every_visit() {
        for page in every_page(hostile) {
            let response = response(&site, &visit, &page);
            let html = text(&response);
            assert!(!html.contains("<script") && !html.contains("<img src=x"), "{html}");
            assert!(!html.contains("\">&") && !html.contains("&amp;\"><"), "{html}");
            assert!(html.contains("&lt;script&gt;") && html.contains("&amp;amp;"), "{html}");
        }
    }
}

#[test]
fn no_page_needs_a_script_or_anything_from_elsewhere() {
    let site = site(None);
    for visit in every_visit() {
        for page in every_page(ID) {
            let response = response(&site, &visit, &page);
            let html = text(&response);
            for forbidden in
                ["<script", "javascript:", " style=", " onclick", " onload", "@import", "url(", "//mp."]
            {
                assert!(!html.contains(forbidden), "{forbidden} in {html}");
            }
            for address in html.split("https://").skip(1) {
                assert!(address.starts_with("auth.example.com/authorize/"), "{address}");
            }
        }
    }
}

#[test]
fn no_text_is_left_unfilled_and_each_page_has_one_heading() {
    for platform_name in [None, Some("云客服")] {
        for visit in every_visit() {
            for page in every_page(ID) {
                let response = response(&site(platform_name), &visit, &page);
                let html = text(&response).split_once("</style>").unwrap().1;
                assert!(!html.contains(['{', '}']), "{html}");
                assert_eq!(html.matches("<h1>").count(), 1);
                assert!(text(&response).contains(&format!("<html lang=\"{}\">", visit.language.tag())));
            }
        }
    }
}

#[test]
fn the_form_is_there_where_it_can_work() {
    for visit in every_visit() {
        let response = response(&site(None), &visit, &Page::Launch { id: ID, accounts: Accounts::Of(None) });
        let html = text(&response);
        let lang = if visit.language == Language::Chinese { "zh" } else { "en" };
        let form = format!(r#"<form class="action" method="post" action="/authorize/{ID}?lang={lang}">"#);
        assert_eq!(html.contains(&form), visit.device != Device::MiniProgram, "{visit:?}");
        let handoff =
            format!(r#"<form method="post" action="/authorize/{ID}?lang={lang}&amp;handoff=link">"#);
        assert_eq!(html.contains(&handoff), visit.device != Device::MiniProgram, "{visit:?}");
        // Inside WeChat nobody needs to scan anything.
        assert_eq!(html.contains("<figure>"), visit.device != Device::WeChat, "{visit:?}");
        let address = format!(">https://auth.example.com/authorize/{ID}</p>");
        let elsewhere = !matches!(visit.device, Device::Desktop | Device::WeChat);
        assert_eq!(html.contains(&address), elsewhere, "{visit:?}");
    }
}

#[test]
fn the_direct_link_sends_the_origin() {
    let visit = Visit { language: Language::English, device: Device::Desktop };
    let url = "https://mp.weixin.qq.com/cgi-bin/componentloginpage?a=1&b=2";
    let response = response(&site(None), &visit, &Page::Handoff { id: ID, url });
    let link = r#"<a class="button" href="https://mp.weixin.qq.com/cgi-bin/componentloginpage?a=1&amp;b=2" referrerpolicy="origin">"#;
    assert!(text(&response).contains(link), "{}", text(&response));
}

#[test]
fn a_problem_shows_the_reference_and_a_way_back_only_where_there_is_one() {
    let visit = Visit { language: Language::English, device: Device::Phone };
    for trouble in Trouble::ALL {
        let html = |id, reference| {
            let request_id = "8f5c1a52";
            let page = Page::Problem { trouble: *trouble, id, reference, request_id, retry_after: None };
            text(&response(&site(None), &visit, &page)).to_owned()
        };
        let (with, without) = (html(Some(ID), Some("order-17")), html(None, None));
        assert!(with.contains("<dd>order-17</dd>") && !without.contains("Reference"), "{trouble:?}");
        assert!(with.contains("<dd>8f5c1a52</dd>") && without.contains("<dd>8f5c1a52</dd>"), "{trouble:?}");
        // Who has authorized already reloads the page instead.
        let reload = *trouble == Trouble::Unconfirmed;
        assert_eq!(with.contains("href=\"\""), reload, "{trouble:?}");
        let ended = matches!(trouble, Trouble::LinkEnded | Trouble::LinkUnknown | Trouble::TooManyTries);
        let useless = ended || reload;
        let way_back = format!("href=\"/authorize/{ID}?lang=en\"");
        assert_eq!(with.contains(&way_back), !useless, "{trouble:?}");
        assert!(!without.contains("/authorize/"), "{trouble:?}");
    }
}
