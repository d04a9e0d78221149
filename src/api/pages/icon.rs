//! The pictures above the headings. They repeat what the words say, so a screen reader passes over them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

/// A shield with a tick.
const SHIELD: &str = "M12 1.8 3.6 4.9v6.3c0 5.2 3.5 9.5 8.4 11 4.9-1.5 8.4-5.8 8.4-11V4.9z";
const TICK: &str = "m7.9 12.2 2.9 2.9 5.4-5.8";

/// What a picture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Icon {
    /// An authorization is asked for.
    Ask,
    /// It worked.
    Done,
    /// It will work later.
    Wait,
    /// Somebody must do something.
    Warn,
    /// Something to know.
    Info,
}

impl Icon {
    /// The picture. Its colours are in the style.
    pub(super) fn picture(self) -> Markup {
        let (class, sign) = match self {
            Self::Ask => ("icon brand", TICK),
            Self::Done => ("icon brand", TICK),
            Self::Wait => ("icon wait", "M12 6.8v5.7l3.6 2.1"),
            Self::Warn => ("icon warn", "M12 6.5v7M12 17.2v.1"),
            Self::Info => ("icon info", "M12 10.7v6.6M12 6.9v.1"),
        };
        html! {
            svg class=(class) viewBox="0 0 24 24" width="64" height="64" aria-hidden="true" focusable="false" {
                @if self == Self::Ask { path fill="currentColor" d=(SHIELD) {} }
                @else { circle fill="currentColor" cx="12" cy="12" r="10.5" {} }
                path class="sign" d=(sign) {}
            }
        }
    }
}

/// A `data:` URL of the small picture in a browser's tab. With it a browser does not ask for `/favicon.ico`.
pub(super) fn tab_icon() -> String {
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#07c160" d="{SHIELD}"/><path fill="none" stroke="#fff" stroke-width="2" d="{TICK}"/></svg>"##
    );
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg))
}
