//! The page before WeChat's.

use maud::{Markup, html};

use super::document::{Writer, heading, in_the_other_language};
use super::icon::Icon;
use super::page::Accounts;
use super::qr_code;
use super::site::Site;
use super::texts::{self, Remedy, Text};
use super::visit::{Device, Visit};

/// What will happen, and how to start it on this device.
pub(super) fn launch(site: &Site, visit: Visit, id: &str, accounts: Accounts) -> Markup {
    let writer = Writer { site, language: visit.language };
    let asks = match site.platform_name() {
        // The text has the corner brackets of Chinese itself.
        Some(name) => texts::NAMED_ASKS.get(visit.language).replace("{platform}", name),
        None => texts::ASKS.get(visit.language).to_owned(),
    };
    let accounts = texts::accounts(accounts).get(visit.language);
    let asks = asks.replace("{accounts}", accounts);
    let main = html! {
        (heading(Icon::Ask, &asks))
        p.lead { (writer.say(texts::BY_WECHAT)) }
        @match visit.device {
            Device::WeChat => (in_wechat(&writer, id, accounts)),
            Device::Desktop => (on_a_computer(&writer, id, accounts)),
            Device::Phone => (elsewhere(&writer, id, texts::NOT_IN_BROWSER, true)),
            Device::WeCom => (elsewhere(&writer, id, texts::NOT_IN_WECOM, true)),
            Device::MiniProgram => (elsewhere(&writer, id, texts::NOT_IN_MINI_PROGRAM, false)),
        }
        // A web-view opens only pages of hosts that the mini program lists, so WeChat's page is not reached from there.
        @if visit.device != Device::MiniProgram { (wechat_says(&writer, id)) }
    };
    let other = visit.language.other();
    let footer = html! {
        p { (writer.say(texts::REVOCABLE)) }
        a lang=(other.tag()) hreflang=(other.tag()) href=(writer.other().launch_path(id)) {
            (texts::LANGUAGE.get(other))
        }
    };
    writer.document(texts::LAUNCH_TITLE.get(visit.language), &main, &footer)
}

/// A direct link to WeChat's page.
pub(super) fn handoff(site: &Site, visit: Visit, id: &str, url: &str) -> Markup {
    let writer = Writer { site, language: visit.language };
    let title = |writer: &Writer<'_>| texts::HANDOFF_TITLE.get(writer.language);
    let words = |writer: &Writer<'_>| {
        html! {
            p.lead { (texts::HANDOFF.get(writer.language)) }
            p.action {
                a.button href=(url) referrerpolicy="origin" { (texts::OPEN_WECHAT_PAGE.get(writer.language)) }
            }
            p.note { (texts::HANDOFF_SOON.get(writer.language)) }
            p.action {
                a.button.secondary href=(writer.launch_path(id)) { (texts::START_AGAIN.get(writer.language)) }
            }
        }
    };
    let main = html! {
        (heading(Icon::Ask, title(&writer)))
        (words(&writer))
    };
    let other = writer.other();
    writer.document(title(&writer), &main, &in_the_other_language(&other, title(&other), &words(&other)))
}

fn in_wechat(writer: &Writer<'_>, id: &str, accounts: &str) -> Markup {
    html! {
        (what_will_happen(writer, texts::STEP_ADMINISTRATOR, accounts))
        (start(writer, id, texts::START, "button"))
    }
}

fn on_a_computer(writer: &Writer<'_>, id: &str, accounts: &str) -> Markup {
    html! {
        (what_will_happen(writer, texts::STEP_SCAN, accounts))
        div.ways {
            (qr_code(writer, id, texts::SCAN))
            p.or { (texts::OR.get(writer.language)) }
            div {
                (start(writer, id, texts::START_ON_COMPUTER, "button"))
                p.note { (texts::COMPUTER_NOTE.get(writer.language)) }
            }
        }
    }
}

/// How to come to WeChat from where it cannot be done. `or_here`: WeChat's page for computers can be opened here.
fn elsewhere(writer: &Writer<'_>, id: &str, why: Text, or_here: bool) -> Markup {
    let language = writer.language;
    html! {
        section aria-labelledby="open" {
            h2 #open { (texts::OPEN_IN_WECHAT.get(language)) }
            p { (why.get(language)) }
            (steps(&[texts::OPEN_COPY, texts::OPEN_SEND, texts::OPEN_TAP].map(|text| text.get(language).to_owned())))
            p.address role="group" aria-label=(texts::ADDRESS.get(language)) { (writer.site.address(id)) }
        }
        (qr_code(writer, id, texts::SCAN_ELSEWHERE))
        p.note { (texts::SCAN_SCREENSHOT.get(language)) }
        @if or_here {
            (start(writer, id, texts::START_BY_QR_CODE, "button secondary"))
            p.note { (texts::QR_CODE_NOTE.get(language)) }
        }
    }
}

fn what_will_happen(writer: &Writer<'_>, first: Text, accounts: &str) -> Markup {
    let say = |text: Text| text.get(writer.language).replace("{accounts}", accounts);
    html! {
        section aria-labelledby="steps" {
            h2 #steps.hidden { (texts::STEPS.get(writer.language)) }
            (steps(&[first, texts::STEP_CHOOSE, texts::STEP_CHECK, texts::STEP_AGREE].map(say)))
        }
    }
}

fn steps(steps: &[String]) -> Markup {
    // Safari's screen reader forgets that a list is one when its style has no numbers; the role reminds it.
    html! { ol.steps role="list" { @for step in steps { li { (step) } } } }
}

/// The form that makes a code and leads to WeChat's page.
fn start(writer: &Writer<'_>, id: &str, label: Text, class: &str) -> Markup {
    html! {
        form.action method="post" action=(writer.launch_path(id)) {
            button class=(class) type="submit" { (label.get(writer.language)) }
        }
    }
}

fn qr_code(writer: &Writer<'_>, id: &str, caption: Text) -> Markup {
    let address = writer.site.address(id);
    let alternative = format!("{}{address}", texts::QR_CODE.get(writer.language));
    html! {
        @if let Some(image) = qr_code::data_url(&address) {
            figure {
                img src=(image) alt=(alternative) width="180" height="180";
                figcaption { (caption.get(writer.language)) }
            }
        }
    }
}

/// What to do about the errors of WeChat's page.
fn wechat_says(writer: &Writer<'_>, id: &str) -> Markup {
    html! {
        details.help {
            summary { (texts::WECHAT_SAYS.get(writer.language)) }
            dl {
                @for advice in texts::ADVICE {
                    @for says in advice.says { dt lang="zh-CN" { "「" (says) "」" } }
                    dd {
                        p { (writer.say(advice.advice)) }
                        @if advice.remedy == Remedy::Handoff {
                            form method="post" action={ (writer.launch_path(id)) "&handoff=link" } {
                                button.button.secondary.small type="submit" {
                                    (texts::HANDOFF_BUTTON.get(writer.language))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
