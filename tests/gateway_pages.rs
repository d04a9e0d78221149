//! What API Gateway shows by itself on the pages' routes stands in the template. Here it is compared with the code.
//!
//! `GATEWAY_PAGES=write cargo test --test gateway_pages` writes the template's part anew.

use wechat_preauth::api::pages::{GatewayPage, gateway_page};

const WIDTH: usize = 120;

/// The lines of one page in the template. YAML's `>-` makes a space of each line break. API Gateway uses the template
/// of `application/json` whatever the visitor accepts; the header says what it is.
fn lines(page: GatewayPage) -> String {
    let indent = " ".repeat(14);
    let retry = if page == GatewayPage::Refused { "" } else { ", Retry-After: \"'5'\"" };
    let mut text = format!(
        "          ResponseParameters:\n            Headers: {{ Content-Type: \"'text/html; charset=utf-8'\", \
         Cache-Control: \"'no-store'\",\n              X-Frame-Options: \"'DENY'\"{retry} }}\n          \
         ResponseTemplates:\n            application/json: >-\n"
    );
    let mut line = indent.clone();
    for word in gateway_page(page).split(' ') {
        if line.len() > indent.len() && line.len() + 1 + word.len() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line.clone_from(&indent);
        }
        if line.len() > indent.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    text + &line
}

#[test]
fn the_template_shows_the_pages_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml");
    let template = std::fs::read_to_string(path).unwrap();
    let (before, rest) = template.split_once("tests/gateway_pages.rs compares the two.\n").unwrap();
    let (found, after) = rest.split_once("\n  PagesDomainMapping:").unwrap();
    let expected = format!(
        "      GatewayResponses:\n        DEFAULT_4XX:\n{}\n        THROTTLED:\n{}\n        DEFAULT_5XX:\n{}",
        lines(GatewayPage::Refused),
        lines(GatewayPage::TooMany),
        lines(GatewayPage::Unavailable),
    );
    if std::env::var("GATEWAY_PAGES").is_ok_and(|value| value == "write") {
        let head = format!("{before}tests/gateway_pages.rs compares the two.\n");
        return std::fs::write(path, format!("{head}{expected}\n  PagesDomainMapping:{after}")).unwrap();
    }
    assert!(found == expected, "the template's pages are out of date: GATEWAY_PAGES=write writes them");
}
