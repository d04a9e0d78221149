//! The frame of every page, and the parts that more than one page has.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::icon::{self, Icon};
use super::site::{STYLE, Site};
use super::texts::{self, Text};
use super::visit::Language;

/// A page in one language.
#[derive(Clone, Copy)]
pub(super) struct Writer<'a> {
    pub(super) site: &'a Site,
    pub(super) language: Language,
}

impl Writer<'_> {
    /// The same in the other language.
    pub(super) fn other(self) -> Self {
        Self { language: self.language.other(), ..self }
    }

    /// A text with the platform's name in it.
    pub(super) fn say(&self, text: Text) -> String {
        let platform = match self.site.platform_name() {
            Some(name) => texts::THE_NAMED_PLATFORM.get(self.language).replace("{platform}", name),
            None => texts::THE_PLATFORM.get(self.language).to_owned(),
        };
        text.get(self.language).replace("{platform}", &platform)
    }

    /// The path of a link's launch page, in this language.
    pub(super) fn launch_path(&self, id: &str) -> String {
        format!("/authorize/{id}?lang={}", self.language.parameter())
    }

    /// The document. `title` is shown in the browser's tab and in WeChat's title bar.
    pub(super) fn document(&self, title: &str, main: &Markup, footer: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                    meta name="color-scheme" content="light dark";
                    meta name="format-detection" content="telephone=no";
                    title { (title) }
                    link rel="icon" href=(icon::tab_icon());
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    div.card {
                        main { (main) }
                        footer { (footer) }
                    }
                }
            }
        }
    }
}

/// The top of a page.
pub(super) fn heading(icon: Icon, title: &str) -> Markup {
    html! {
        (icon.picture())
        h1 { (title) }
    }
}

/// A page's words in the other language, folded away, for pages that cannot be asked for again: their address holds what
/// may be sent once, or they answer a form.
pub(super) fn in_the_other_language(other: &Writer<'_>, title: &str, words: &Markup) -> Markup {
    html! {
        details.language lang=(other.language.tag()) {
            summary { (texts::LANGUAGE.get(other.language)) }
            h2 { (title) }
            (words)
        }
    }
}
