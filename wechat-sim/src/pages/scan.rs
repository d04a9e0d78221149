//! The QR code of the PC page, and the scan, which is also what opening the mobile page is.

use maud::{PreEscaped, html};
use qrcode::QrCode;
use qrcode::render::svg;

use super::{html, link, texts};
use crate::CodeState;
use crate::reply::Reply;
use crate::request::SimRequest;
use crate::state::SimContext;

/// What the QR code says to a phone: no phone can go on from here.
const QR_TEXT: &str = "wechat-sim";
/// Pixels. The page scales it.
const QR_SIZE: u32 = 200;

/// The PC page. Opening it does not use the code.
pub(super) fn page(context: &SimContext, request: &SimRequest) -> Result<Reply, String> {
    link::check(context, request)?;
    let action = format!("{}?{}", request.path, request.query);
    Ok(html::page(
        "scan",
        "微信公众平台账号授权",
        &html! {
            h1 { "使用微信扫描二维码" }
            p.hint { "请用公众号或小程序的管理员微信扫描，选择账号并确认授权" }
            div.qr role="img" aria-label="模拟的二维码" { (qr()) }
            p.component { "第三方平台 " span { (context.config.component_appid) } }
            form method="post" action=(action) {
                button #scan.primary type="submit" { "模拟微信扫码" }
            }
            p.note { "模拟器代替手机：点击后，手机上的步骤会在本页继续。" }
        },
    ))
}

/// Starts a visit: uses the code, unless 同意授权 does, and leads to the account list.
pub(super) fn start(context: &SimContext, request: &SimRequest) -> Result<Reply, String> {
    let visit = link::check(context, request)?;
    let mut state = context.state();
    if !visit.consent_uses_code {
        match state.issued.use_code(&visit.pre_auth_code, visit.started_at) {
            CodeState::Valid => {}
            state => return Err(texts::refused(state).to_owned()),
        }
    }
    let id = state.visits.start(visit);
    Ok(Reply::redirect(format!("{}?uuid={id}", request.path)))
}

fn qr() -> PreEscaped<String> {
    let drawn = QrCode::new(QR_TEXT)
        .map(|code| code.render::<svg::Color<'_>>().min_dimensions(QR_SIZE, QR_SIZE).build());
    let svg = drawn.unwrap_or_default();
    // Only the drawing: the XML declaration before it has no place in HTML.
    PreEscaped(svg.find("<svg").map(|start| svg[start..].to_owned()).unwrap_or_default())
}
