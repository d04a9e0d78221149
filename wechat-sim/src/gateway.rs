//! Every request passes through here: it is logged, changed by faults, processed and answered.

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, REFERER, USER_AGENT};
use serde_json::{Map, Value};

use crate::calls::{self, Call};
use crate::connection::Connection;
use crate::errcode::{Refusal, errmsg_of};
use crate::fault::{FaultKind, RequestFaults};
use crate::reply::{self, Reply, Served};
use crate::state::SimContext;
use crate::{Endpoint, ErrmsgStyle, SimRequest, control, errmsg, pages};

/// Longest request body; WeChat's own limit is not documented.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// Answers one request of a connection.
pub(crate) async fn serve(
    context: Arc<SimContext>,
    connection: Connection,
    request: Request<Incoming>,
) -> Served {
    let (head, body) = request.into_parts();
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return Ok(Reply::new(413, reply::TEXT, "").into_response(false, false));
    };
    let request = SimRequest {
        api: Endpoint::of_path(head.uri.path()),
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or("").to_owned(),
        body: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        content_type: header(CONTENT_TYPE),
        referer: header(REFERER),
        user_agent: header(USER_AGENT),
        client_ip: context.client_ip(connection.peer.ip()),
        at: context.clock.now(),
        status: 0,
        answer: String::new(),
        delivered: false,
        fault: None,
        errcode: None,
        rid: None,
    };
    if request.path.starts_with("/_sim") {
        let reply = control::answer(&context, &request).await;
        return Ok(reply.into_response(false, true));
    }
    let (exchange, faults) = Exchange::begin(&context, request);
    let (reply, truncated) = exchange.run(&connection, faults).await;
    Ok(reply.into_response(truncated, context.config.keep_alive))
}

/// A logged request on its way to an answer.
struct Exchange<'a> {
    context: &'a Arc<SimContext>,
    request: SimRequest,
    /// The request's number in the log.
    number: usize,
}

impl Drop for Exchange<'_> {
    /// The exchange is over, with or without an answer. This is the only place that changes the log entry.
    fn drop(&mut self) {
        self.context.state().log.complete(self.number, &mut self.request);
    }
}

impl<'a> Exchange<'a> {
    /// Logs the request and takes the faults that apply to it.
    fn begin(context: &'a Arc<SimContext>, mut request: SimRequest) -> (Self, RequestFaults) {
        let mut state = context.state();
        let faults = state.faults.take(request.api);
        request.fault = faults.fault.as_ref().and_then(|(kind, _)| serde_json::to_string(kind).ok());
        let number = state.log.begin(request.clone(), context.config.log_capacity);
        drop(state);
        (Self { context, request, number }, faults)
    }

    /// The answer, and whether to truncate it. Does not return when a fault keeps the answer back.
    async fn run(mut self, connection: &Connection, faults: RequestFaults) -> (Reply, bool) {
        tokio::time::sleep(faults.delay_before).await;
        let usual = if faults.need_the_work() { self.work().await } else { Reply::json("") };
        tokio::time::sleep(faults.delay_after).await;
        let reply = match faults.fault.map(|(kind, _)| kind) {
            None => usual,
            Some(FaultKind::Truncate) => return (usual, true),
            Some(kind @ (FaultKind::Reset | FaultKind::ResetAfter | FaultKind::Close | FaultKind::Hang)) => {
                // The log entry is complete before the caller sees the end of the connection.
                drop(self);
                match kind {
                    FaultKind::Hang => {}
                    FaultKind::Close => connection.close(),
                    _ => connection.reset(),
                }
                // The server drops this future together with the connection.
                return std::future::pending().await;
            }
            Some(kind) => self.changed(kind, usual),
        };
        self.request.status = reply.status;
        self.request.answer.clone_from(&reply.body);
        self.request.delivered = true;
        (reply, false)
    }

    /// Does what the request asks for.
    async fn work(&mut self) -> Reply {
        let reply = if self.request.api.is_page() {
            pages::answer(self.context, &self.request).await
        } else {
            self.call()
        };
        self.request.answer.clone_from(&reply.body);
        reply
    }

    fn call(&mut self) -> Reply {
        let call =
            Call { config: &self.context.config, now: self.context.clock.now(), request: &self.request };
        let mut state = self.context.state();
        let was_pushing = state.pushing;
        let answer = calls::answer(&mut state, &call);
        if state.pushing && !was_pushing {
            self.context.push_now.notify_one();
        }
        drop(state);
        match answer {
            Ok(body) => Reply::json(body),
            Err(Refusal(errcode)) => self.error(errcode, None, None, false),
        }
    }

    /// An error answer with a rid. A given `errmsg` is sent unchanged.
    fn error(
        &mut self,
        errcode: i64,
        errmsg: Option<String>,
        style: Option<ErrmsgStyle>,
        as_string: bool,
    ) -> Reply {
        let rid = errmsg::rid(self.context.clock.now());
        let style = style.unwrap_or_else(|| self.context.state().errmsg_style);
        let errmsg = errmsg.unwrap_or_else(|| {
            errmsg::decorate(errcode, errmsg_of(errcode), style, self.request.client_ip, &rid)
        });
        self.request.errcode = Some(errcode);
        self.request.rid = Some(rid);
        Reply::json(errmsg::error_json(errcode, &errmsg, as_string))
    }

    /// The answer that a fault puts in place of the usual one.
    fn changed(&mut self, kind: FaultKind, usual: Reply) -> Reply {
        match kind {
            FaultKind::Errcode { errcode, errmsg } => self.error(errcode, errmsg, None, false),
            FaultKind::StringErrcode { errcode, errmsg } => self.error(errcode, errmsg, None, true),
            FaultKind::OldErrcode { errcode, errmsg_style } => {
                self.error(errcode, None, Some(errmsg_style), false)
            }
            FaultKind::Html { status } => Reply::new(status, reply::HTML, bad_gateway(status)),
            FaultKind::Status { status } => Reply::new(status, reply::TEXT, ""),
            FaultKind::TextPlain => Reply { content_type: reply::TEXT, ..usual },
            FaultKind::EmptyField => with_tokens(usual, |fields| {
                for (name, value) in fields {
                    if value.is_string() && !name.starts_with("err") {
                        *value = Value::from("");
                    }
                }
            }),
            FaultKind::ExpiresIn { seconds } => with_tokens(usual, |fields| {
                if let Some(expires_in) = fields.get_mut("expires_in") {
                    *expires_in = Value::from(seconds);
                }
            }),
            FaultKind::ErrcodeZero => with_fields(usual, |fields| {
                fields.insert("errcode".to_owned(), Value::from(0));
                fields.insert("errmsg".to_owned(), Value::from("ok"));
            }),
            FaultKind::Huge { bytes } => with_fields(usual, |fields| {
                fields.insert("padding".to_owned(), Value::from("x".repeat(bytes)));
            }),
            // `run` handles these.
            FaultKind::Delay { .. }
            | FaultKind::Reset
            | FaultKind::ResetAfter
            | FaultKind::Close
            | FaultKind::Hang
            | FaultKind::Truncate => usual,
        }
    }
}

/// The answer with changed fields, if it is a JSON object.
fn with_fields(mut reply: Reply, change: impl FnOnce(&mut Map<String, Value>)) -> Reply {
    if let Ok(Value::Object(mut fields)) = serde_json::from_str(&reply.body) {
        change(&mut fields);
        reply.body = Value::Object(fields).to_string();
    }
    reply
}

/// The answer with changed tokens. `api_query_auth` has them one level deeper than the other calls.
fn with_tokens(reply: Reply, change: impl FnOnce(&mut Map<String, Value>)) -> Reply {
    with_fields(reply, |fields| match fields.get_mut("authorization_info") {
        Some(Value::Object(inner)) => change(inner),
        _ => change(fields),
    })
}

fn bad_gateway(status: u16) -> String {
    format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}
