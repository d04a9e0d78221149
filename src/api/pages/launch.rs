//! The page before WeChat's.

use maud::{Markup, html};

use super::document::document;
use super::qr_code;
use super::site::Site;
use super::texts;
use super::visit::Visit;

/// What will happen, and how to start it on this device.
pub(super) fn launch(site: &Site, visit: Visit, id: &str) -> Markup {
    let language = visit.language;
    let address = site.address(id);
    let content = html! {
        h1 { (site.platform_name().unwrap_or_default()) }
        form method="post" action={ "/authorize/" (id) "?lang=" (language.parameter()) } {
            button { (texts::START.get(language)) }
        }
        @if let Some(image) = qr_code::data_url(&address) { img src=(image) alt=(address); }
        a href={ "/authorize/" (id) "?lang=" (language.other().parameter()) } { "English" }
    };
    document(language, "WeChat", &content)
}

/// A direct link to WeChat's page.
pub(super) fn handoff(_site: &Site, visit: Visit, _id: &str, url: &str) -> Markup {
    let content =
        html! { h1 { a href=(url) referrerpolicy="origin" { (texts::START.get(visit.language)) } } };
    document(visit.language, "WeChat", &content)
}
