//! What the terminal shows: the request and the answer of each step, and what to try next.

use http_body_util::{BodyExt as _, Full};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use wechat_sim::Push;

use crate::Error;
use crate::stack::Parts;

/// The body of the request for a link.
const LINK_REQUEST: &str = r#"{"reference":"order-18","state":"back-office-7"}"#;

/// The body of the first request.
const REQUEST: &str =
    r#"{"redirect_uri":"https://shop.example.com/wechat/authorized","reference":"order-17"}"#;

/// Prints the service's warnings to standard error, as plain lines.
pub fn start_log() {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
}

pub fn started(parts: &Parts, service: &str) {
    println!("WeChat, simulated   {}", parts.wechat.url());
    println!("the service         {service}\n");
}

/// WeChat pushes the verify ticket to the callback.
pub async fn ticket_push(parts: &Parts, service: &str) -> Result<bool, Error> {
    let callback = format!("{service}/wechat/callback");
    parts.wechat.set_callback_url(Some(callback.clone()));
    println!("1. WeChat pushes component_verify_ticket, encrypted, to {callback}");
    let outcome = parts.wechat.push(Push::ticket()).await;
    for attempt in &outcome.attempts {
        let status = attempt.status.map(|status| status.to_string());
        println!("   the callback answers {} {}", status.as_deref().unwrap_or("nothing"), attempt.body);
    }
    println!();
    Ok(outcome.delivered)
}

/// A caller asks for a code.
pub async fn first_code(service: &str) -> Result<bool, Error> {
    println!("2. a caller sends\n   POST {service}/preauthcode\n   {REQUEST}\n");
    let (status, body) = post(&format!("{service}/preauthcode"), REQUEST).await?;
    println!("   and gets {status}\n{body:#}\n");
    Ok(status.is_success())
}

/// An owner asks for a link to send to a merchant: its address.
pub async fn first_link(service: &str) -> Result<Option<String>, Error> {
    println!("3. an owner sends\n   POST {service}/authorization-links\n   {LINK_REQUEST}\n");
    let (status, body) = post(&format!("{service}/authorization-links"), LINK_REQUEST).await?;
    println!("   and gets {status}\n{body:#}\n");
    Ok(body["url"].as_str().map(str::to_owned))
}

async fn post(url: &str, body: &'static str) -> Result<(StatusCode, Value), Error> {
    let request = hyper::Request::post(url).header("content-type", "application/json");
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request.body(Full::<Bytes>::from(body))?).await?;
    let status = answer.status();
    Ok((status, serde_json::from_slice(&answer.into_body().collect().await?.to_bytes())?))
}

pub fn what_to_try(parts: &Parts, service: &str, link: Option<&str>) {
    let wechat = parts.wechat.url();
    println!(
        "Try it:
   curl -s -X POST {service}/preauthcode

Let WeChat refuse the next code, then ask again:
   curl -s {wechat}/_sim/faults -d '{{\"api\":\"create_preauthcode\",\"errcode\":61004,\"times\":1}}'
   curl -s {wechat}/_sim/faults -d '{{\"api\":\"create_preauthcode\",\"errcode\":45009,\"times\":1}}'
   curl -s {wechat}/_sim/faults -d '{{\"api\":\"create_preauthcode\",\"errcode\":-1,\"times\":3}}'
Stop WeChat, and start it again:
   curl -s -X POST {service}/sim/stop
   curl -s -X POST {service}/sim/start
Let the table of links fail, and mend it:
   curl -s -X POST {service}/sim/table-down
   curl -s -X POST {service}/sim/table-up
Let the keeper walk the chain:
   curl -s {service}/diagnose
Push an event, such as an authorization:
   curl -s {wechat}/_sim/push -d '{{\"event\":\"authorized\"}}'
More of what the simulator can do:
   curl -s {wechat}/_sim/help

Ctrl-C ends it."
    );
    if let Some(link) = link {
        println!("\nOpen this in a browser, and authorize the platform as a merchant does:\n\n   {link}\n");
    }
}
