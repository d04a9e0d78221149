//! What is shown after WeChat's page, or instead of it.

use maud::{Markup, html};

use super::document::{Writer, heading, in_the_other_language};
use super::icon::Icon;
use super::page::{Page, Trouble};
use super::site::Site;
use super::texts::{self, Text, explanation};
use super::visit::{Language, Visit};

/// What an outcome shows.
struct Outcome<'a> {
    icon: Icon,
    title: Text,
    paragraphs: Vec<Text>,
    /// The sentence of the time to wait, and that time in seconds.
    wait: Option<(Text, i64)>,
    /// What can help: a label, and where it leads.
    button: Option<(Text, Target<'a>)>,
    /// Whether that is not the first thing to do.
    button_later: bool,
    /// What the platform needs to find the cause: labels and values.
    details: Vec<(Text, &'a str)>,
}

/// Where a button leads.
#[derive(Clone, Copy)]
enum Target<'a> {
    /// To the launch page of the link with this id.
    Launch(&'a str),
    /// To this same address once more.
    Reload,
    /// To the owner's page.
    Owner(&'a str),
}

/// The page of an outcome.
pub(super) fn outcome(site: &Site, visit: Visit, page: &Page<'_>) -> Markup {
    let Some(outcome) = Outcome::of(page) else { return Markup::default() };
    let writer = Writer { site, language: visit.language };
    let other = writer.other();
    let main = html! {
        (heading(outcome.icon, &writer.say(outcome.title)))
        (outcome.body(&writer))
    };
    let footer = in_the_other_language(&other, &other.say(outcome.title), &outcome.body(&other));
    writer.document(&writer.say(outcome.title), &main, &footer)
}

impl<'a> Outcome<'a> {
    fn of(page: &Page<'a>) -> Option<Self> {
        let plain = |icon, title, paragraphs| Self {
            icon,
            title,
            paragraphs,
            wait: None,
            button: None,
            button_later: false,
            details: Vec::new(),
        };
        Some(match *page {
            // These come before WeChat's page.
            Page::Launch { .. } | Page::Handoff { .. } => return None,
            Page::Authorized => plain(Icon::Done, texts::AUTHORIZED, vec![texts::AUTHORIZED_NOW]),
            Page::AlreadyAuthorized { back } => Self {
                button: back.map(|url| (texts::BACK, Target::Owner(url))),
                ..plain(Icon::Done, texts::ALREADY, vec![texts::ALREADY_NOW])
            },
            Page::NotAuthorized { id } => Self {
                button: Some((texts::START_AGAIN, Target::Launch(id))),
                ..plain(
                    Icon::Info,
                    texts::NOT_AUTHORIZED,
                    vec![texts::NOT_AUTHORIZED_WHY, texts::NOT_AUTHORIZED_NOW],
                )
            },
            Page::Problem { trouble, id, reference, request_id, retry_after } => {
                let words = explanation(trouble);
                // A time to wait says it better than the words.
                let sentence = if trouble == Trouble::Unconfirmed { texts::RELOAD_IN } else { texts::WAIT };
                let wait =
                    retry_after.filter(|_| icon(trouble) == Icon::Wait).map(|seconds| (sentence, seconds));
                let remedy = wait.is_none().then_some(words.remedy);
                let mut details = vec![(texts::REQUEST_ID, request_id)];
                if let Some(reference) = reference {
                    details.insert(0, (texts::REFERENCE, reference));
                }
                Self {
                    wait,
                    button: button(trouble, id),
                    button_later: trouble == Trouble::Setup,
                    details,
                    ..plain(icon(trouble), words.title, [words.happened].into_iter().chain(remedy).collect())
                }
            }
        })
    }

    fn body(&self, writer: &Writer<'_>) -> Markup {
        let language = writer.language;
        html! {
            @for paragraph in &self.paragraphs { p.lead { (writer.say(*paragraph)) } }
            @if let Some((sentence, seconds)) = self.wait { p.lead { (wait(language, sentence, seconds)) } }
            @if let Some((label, target)) = self.button {
                p.action {
                    a.button.secondary[self.button_later] href=(target.address(writer)) { (writer.say(label)) }
                }
            }
            @if !self.details.is_empty() {
                div.details {
                    p { (writer.say(texts::TELL)) }
                    dl { @for (label, value) in &self.details { div { dt { (label.get(language)) } dd { (value) } } } }
                }
            }
        }
    }
}

impl Target<'_> {
    fn address(self, writer: &Writer<'_>) -> String {
        match self {
            Self::Launch(id) => writer.launch_path(id),
            // An empty reference is the address of the page itself, with its query.
            Self::Reload => String::new(),
            Self::Owner(url) => url.to_owned(),
        }
    }
}

/// The button that can help.
fn button(trouble: Trouble, id: Option<&str>) -> Option<(Text, Target<'_>)> {
    let label = match trouble {
        Trouble::Unconfirmed => return Some((texts::RELOAD, Target::Reload)),
        Trouble::Busy | Trouble::Quota | Trouble::NoTicket | Trouble::Setup | Trouble::Internal => {
            texts::TRY_AGAIN
        }
        Trouble::MethodNotAllowed | Trouble::NotFound => texts::START_AGAIN,
        Trouble::LinkEnded | Trouble::LinkUnknown | Trouble::TooManyTries => return None,
    };
    Some((label, Target::Launch(id?)))
}

const fn icon(trouble: Trouble) -> Icon {
    match trouble {
        Trouble::Busy | Trouble::Unconfirmed | Trouble::Quota | Trouble::NoTicket => Icon::Wait,
        Trouble::Setup | Trouble::TooManyTries | Trouble::Internal => Icon::Warn,
        Trouble::LinkEnded | Trouble::LinkUnknown | Trouble::MethodNotAllowed | Trouble::NotFound => {
            Icon::Info
        }
    }
}

/// When to try again, in the largest unit of which at least two are left; never less than it is.
fn wait(language: Language, sentence: Text, seconds: i64) -> String {
    let seconds = seconds.max(2);
    let (unit, length) = match seconds {
        ..120 => (texts::SECONDS, 1),
        120..7200 => (texts::MINUTES, 60),
        _ => (texts::HOURS, 3600),
    };
    let count = seconds.saturating_add(length - 1) / length;
    let time = unit.get(language).replace("{n}", &count.to_string());
    sentence.get(language).replace("{time}", &time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_wait_is_never_said_shorter_than_it_is() {
        for (seconds, chinese, english) in [
            (i64::MIN, "请在 2 秒后再试。", "Try again in 2 seconds."),
            (5, "请在 5 秒后再试。", "Try again in 5 seconds."),
            (119, "请在 119 秒后再试。", "Try again in 119 seconds."),
            (121, "请在 3 分钟后再试。", "Try again in 3 minutes."),
            (600, "请在 10 分钟后再试。", "Try again in 10 minutes."),
            (7200, "请在 2 小时后再试。", "Try again in 2 hours."),
            (7201, "请在 3 小时后再试。", "Try again in 3 hours."),
        ] {
            assert_eq!(wait(Language::Chinese, texts::WAIT, seconds), chinese);
            assert_eq!(wait(Language::English, texts::WAIT, seconds), english);
        }
        assert!(wait(Language::English, texts::WAIT, i64::MAX).ends_with(" hours."));
    }
}
