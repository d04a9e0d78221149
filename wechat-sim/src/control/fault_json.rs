//! Faults as JSON, such as `{"api":"create_preauthcode","errcode":61004,"times":1}`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::errcode::by_name;
use crate::{Endpoint, ErrmsgStyle, Fault, FaultKind, Times, When, errmsg_of};

/// The examples in `GET /_sim/help`.
pub(super) const EXAMPLES: &[&str] = &[
    r#"{"api":"create_preauthcode","errcode":61004,"times":1}"#,
    r#"{"preset":"ticket_expired","times":"forever"}"#,
    r#"{"errcode":45011,"errmsg_style":"hint"}"#,
    r#"{"errcode":40001,"errmsg":"any text","as_string":true}"#,
    r#"{"kind":"delay","ms":3000}"#,
    r#"{"api":"component_token","kind":"reset","when":"after"}"#,
    r#"{"kind":"html","status":502}"#,
    "kinds: errcode string_errcode old_errcode delay reset reset_after close hang truncate html status \
     text_plain empty_field errcode_zero expires_in huge",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    api: Option<String>,
    kind: Option<String>,
    preset: Option<String>,
    errcode: Option<i64>,
    errmsg: Option<String>,
    #[serde(default)]
    as_string: bool,
    errmsg_style: Option<ErrmsgStyle>,
    ms: Option<u64>,
    status: Option<u16>,
    seconds: Option<i64>,
    bytes: Option<usize>,
    times: Option<Value>,
    #[serde(default)]
    when: When,
}

/// Reads a fault. The error names the first mistake.
pub(super) fn parse(text: &str) -> Result<Fault, String> {
    let mut body: Body = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let api = body.api.as_deref().map(api_named).transpose()?;
    if let Some(name) = body.preset.take() {
        let known =
            by_name(&name).ok_or_else(|| format!("no preset {name:?}; GET /_sim/errcodes lists them"))?;
        body.errcode = Some(known.code);
        // A preset with another text than the usual one of its errcode sets the text.
        if errmsg_of(known.code) != known.errmsg {
            body.errmsg.get_or_insert_with(|| known.errmsg.to_owned());
        }
    }
    let times = times(body.times.as_ref())?;
    let when = body.when;
    Ok(Fault { api, kind: kind(body)?, times, when })
}

fn kind(body: Body) -> Result<FaultKind, String> {
    let errcode = || body.errcode.ok_or("errcode is missing".to_owned());
    let name = match (&body.kind, body.errcode) {
        (Some(kind), _) => kind.as_str(),
        (None, Some(_)) if body.as_string => "string_errcode",
        (None, Some(_)) if body.errmsg_style.is_some() => "old_errcode",
        (None, Some(_)) => "errcode",
        (None, None) => {
            return Err("errcode, preset or kind is missing; GET /_sim/help has examples".to_owned());
        }
    };
    Ok(match name {
        "errcode" => FaultKind::Errcode { errcode: errcode()?, errmsg: body.errmsg },
        "string_errcode" => FaultKind::StringErrcode { errcode: errcode()?, errmsg: body.errmsg },
        "old_errcode" => FaultKind::OldErrcode {
            errcode: errcode()?,
            errmsg_style: body.errmsg_style.unwrap_or(ErrmsgStyle::Hint),
        },
        "delay" => FaultKind::Delay { time: Duration::from_millis(body.ms.ok_or("ms is missing")?) },
        "reset" => FaultKind::Reset,
        "reset_after" => FaultKind::ResetAfter,
        "close" => FaultKind::Close,
        "hang" => FaultKind::Hang,
        "truncate" => FaultKind::Truncate,
        "html" => FaultKind::Html { status: status(body.status, 502)? },
        "status" => FaultKind::Status { status: status(body.status, 503)? },
        "text_plain" => FaultKind::TextPlain,
        "empty_field" => FaultKind::EmptyField,
        "errcode_zero" => FaultKind::ErrcodeZero,
        "expires_in" => FaultKind::ExpiresIn { seconds: body.seconds.ok_or("seconds is missing")? },
        "huge" => FaultKind::Huge { bytes: body.bytes.unwrap_or(16 * 1024 * 1024) },
        other => return Err(format!("no kind {other:?}; GET /_sim/help lists them")),
    })
}

fn status(given: Option<u16>, usual: u16) -> Result<u16, String> {
    match given.unwrap_or(usual) {
        status @ 200..=599 => Ok(status),
        other => Err(format!("status {other} is not between 200 and 599")),
    }
}

fn times(given: Option<&Value>) -> Result<Times, String> {
    let wrong = || "times is a number from 1, \"once\" or \"forever\"".to_owned();
    match given {
        None => Ok(Times::Once),
        Some(Value::String(word)) if word == "once" => Ok(Times::Once),
        Some(Value::String(word)) if word == "forever" => Ok(Times::Forever),
        Some(value) => {
            let count = value.as_u64().and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
            Ok(Times::N(count.ok_or_else(wrong)?))
        }
    }
}

/// An API by its name or by its path.
fn api_named(name: &str) -> Result<Endpoint, String> {
    serde_json::from_value(Value::from(name))
        .ok()
        .or_else(|| Some(Endpoint::of_path(name)).filter(|api| *api != Endpoint::Unknown))
        .ok_or_else(|| {
            let names: Vec<Value> = Endpoint::ALL.iter().map(|api| json!(api)).collect();
            format!("no api {name:?}; there are {}", Value::from(names))
        })
}
