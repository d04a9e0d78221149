//! What is shown after WeChat's page, or instead of it.

use maud::{Markup, html};

use super::document::document;
use super::page::Page;
use super::site::Site;
use super::visit::Visit;

/// The page of an outcome.
pub(super) fn outcome(_site: &Site, visit: Visit, page: &Page<'_>) -> Markup {
    let content = html! { h1 { (page.status()) } };
    document(visit.language, "WeChat", &content)
}
