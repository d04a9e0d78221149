//! The way of every request to WeChat: recorded, struck by faults, worked on, answered.

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, REFERER};
use serde_json::Value;

use crate::calls::{self, Call};
use crate::errcode::errmsg_of;
use crate::errmsg;
use crate::fault::{FaultKind, Strike, When};
use crate::log::{Recorded, RidEntry};
use crate::pages;
use crate::reply::{self, Reply, Served};
use crate::shared::Shared;
use crate::wire::Conn;
use crate::{Endpoint, ErrmsgStyle, control};

/// Larger bodies are refused; WeChat's own limit is not documented.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// A request after its body has been read.
pub(crate) struct SimRequest {
    pub(crate) api: Endpoint,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: String,
    pub(crate) content_type: String,
    pub(crate) referer: String,
}

/// Answers one request of a connection.
pub(crate) async fn serve(shared: Arc<Shared>, conn: Conn, request: Request<Incoming>) -> Served {
    let (head, body) = request.into_parts();
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return Ok(Reply::new(413, reply::TEXT, "").into_response(false, false));
    };
    let arrived = SimRequest {
        api: Endpoint::of_path(head.uri.path()),
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or("").to_owned(),
        body: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        content_type: header(CONTENT_TYPE),
        referer: header(REFERER),
    };
    if arrived.path.starts_with("/_sim") {
        let reply = control::answer(&shared, &arrived).await;
        return Ok(reply.into_response(false, true));
    }
    let keep_alive = shared.config.keep_alive;
    let (reply, cut) = through_faults(&shared, &conn, &arrived).await;
    Ok(reply.into_response(cut, keep_alive))
}

/// The answer, and whether to cut it. Does not return when the connection is to end or to hang.
async fn through_faults(shared: &Arc<Shared>, conn: &Conn, arrived: &SimRequest) -> (Reply, bool) {
    let ip = shared.seen_ip(conn.peer.ip());
    let (id, strike) = {
        let mut world = shared.world();
        let strike = world.faults.take(arrived.api);
        let id =
            world.log.begin(record(arrived, ip, shared.clock.now(), &strike), shared.config.log_capacity);
        (id, strike)
    };
    let request = Exchange { shared, arrived, ip, id };
    tokio::time::sleep(strike.before).await;
    let Some((kind, when)) = strike.fault else {
        let reply = request.work().await;
        tokio::time::sleep(strike.after).await;
        return (request.delivered(reply), false);
    };
    let (when, kind) = match kind {
        FaultKind::ResetAfter => (When::After, FaultKind::Reset),
        kind => (when, kind),
    };
    let worked =
        if when == When::After || kind.changes_the_answer() { Some(request.work().await) } else { None };
    tokio::time::sleep(strike.after).await;
    match kind {
        FaultKind::Reset => conn.reset(),
        FaultKind::Close => conn.close(),
        FaultKind::Hang => {}
        FaultKind::Truncate => return (worked.unwrap_or_else(|| Reply::json("")), true),
        kind => return (request.delivered(request.faulty(kind, worked)), false),
    }
    // The connection's task drops this future together with the connection.
    std::future::pending().await
}

/// A recorded request on its way to an answer.
struct Exchange<'a> {
    shared: &'a Arc<Shared>,
    arrived: &'a SimRequest,
    ip: std::net::IpAddr,
    id: u64,
}

impl Exchange<'_> {
    /// Does what the request asks for.
    async fn work(&self) -> Reply {
        let reply =
            if self.arrived.api.is_page() { pages::answer(self.shared, self.arrived) } else { self.call() };
        if let Some(entry) = self.shared.world().log.entry(self.id) {
            entry.answer.clone_from(&reply.body);
        }
        reply
    }

    fn call(&self) -> Reply {
        let arrived = self.arrived;
        let call = Call {
            config: &self.shared.config,
            now: self.shared.clock.now(),
            ip: self.ip,
            method: &arrived.method,
            query: &arrived.query,
            body: &arrived.body,
        };
        let mut world = self.shared.world();
        let was_pushing = world.pushing;
        let answer = calls::answer(arrived.api, &mut world, &call);
        if world.pushing && !was_pushing {
            self.shared.push_now.notify_one();
        }
        drop(world);
        match answer {
            Ok(body) => Reply::json(body),
            Err(refusal) => self.error(refusal.0, None, None, false),
        }
    }

    /// An error answer, remembered under its rid. A given `errmsg` is sent as it is.
    fn error(&self, code: i64, errmsg: Option<String>, era: Option<ErrmsgStyle>, as_string: bool) -> Reply {
        let now = self.shared.clock.now();
        let rid = errmsg::rid(now);
        let mut world = self.shared.world();
        let era = era.unwrap_or(world.era);
        let text = errmsg.unwrap_or_else(|| errmsg::decorate(code, errmsg_of(code), era, self.ip, &rid));
        let answer = errmsg::error_json(code, &text, as_string);
        world.log.remember_rid(RidEntry {
            rid,
            at: now,
            query: self.arrived.query.clone(),
            body: self.arrived.body.clone(),
            answer: answer.clone(),
            client_ip: self.ip,
        });
        if let Some(entry) = world.log.entry(self.id) {
            entry.errcode = Some(code);
        }
        Reply::json(answer)
    }

    /// The answer that a fault puts in place of the usual one.
    fn faulty(&self, kind: FaultKind, worked: Option<Reply>) -> Reply {
        let usual = worked.unwrap_or_else(|| Reply::json(""));
        match kind {
            FaultKind::Errcode { errcode, errmsg } => self.error(errcode, errmsg, None, false),
            FaultKind::StringErrcode { errcode, errmsg } => self.error(errcode, errmsg, None, true),
            FaultKind::OldErrcode { errcode, era } => self.error(errcode, None, Some(era), false),
            FaultKind::Html { status } => Reply::new(status, reply::HTML, bad_gateway(status)),
            FaultKind::Status { status } => Reply::new(status, reply::TEXT, ""),
            FaultKind::TextPlain => Reply { content_type: reply::TEXT, ..usual },
            FaultKind::EmptyField => changed(usual, |name, value| {
                if value.is_string() && !name.starts_with("err") {
                    *value = Value::from("");
                }
            }),
            FaultKind::ExpiresIn { seconds } => changed(usual, |name, value| {
                if name == "expires_in" {
                    *value = Value::from(seconds);
                }
            }),
            FaultKind::ErrcodeZero => extended(usual, r#""errcode":0,"errmsg":"ok""#),
            FaultKind::Huge { bytes } => extended(usual, &format!("\"padding\":\"{}\"", "x".repeat(bytes))),
            // These end the connection and never come here.
            FaultKind::Delay { .. }
            | FaultKind::Reset
            | FaultKind::ResetAfter
            | FaultKind::Close
            | FaultKind::Hang
            | FaultKind::Truncate => usual,
        }
    }

    /// Notes that the answer goes off whole.
    fn delivered(&self, reply: Reply) -> Reply {
        if let Some(entry) = self.shared.world().log.entry(self.id) {
            entry.status = reply.status;
            entry.answer.clone_from(&reply.body);
            entry.delivered = true;
        }
        reply
    }
}

fn record(arrived: &SimRequest, ip: std::net::IpAddr, now: u64, strike: &Strike) -> Recorded {
    Recorded {
        api: arrived.api,
        method: arrived.method.clone(),
        path: arrived.path.clone(),
        query: arrived.query.clone(),
        body: arrived.body.clone(),
        content_type: arrived.content_type.clone(),
        client_ip: ip,
        at: now,
        status: 0,
        answer: String::new(),
        delivered: false,
        fault: strike.fault.as_ref().and_then(|(kind, _)| serde_json::to_string(kind).ok()),
        errcode: None,
    }
}

/// The usual answer with its fields changed.
fn changed(mut reply: Reply, change: impl Fn(&str, &mut Value)) -> Reply {
    if let Ok(Value::Object(mut fields)) = serde_json::from_str(&reply.body) {
        for (name, value) in &mut fields {
            change(name, value);
        }
        reply.body = Value::Object(fields).to_string();
    }
    reply
}

/// The usual answer with one more field, as JSON text.
fn extended(mut reply: Reply, field: &str) -> Reply {
    if let Some(open) = reply.body.strip_suffix('}') {
        let comma = if open.ends_with('{') { "" } else { "," };
        reply.body = format!("{open}{comma}{field}}}");
    }
    reply
}

fn bad_gateway(status: u16) -> String {
    format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}
