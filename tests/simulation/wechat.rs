//! WeChat as one instance reaches it: requests and answers are delayed, lost and refused as the seed says.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::sleep;
use wechat_preauth::wechat::{Transport, TransportKind};

use crate::checks;
use crate::waits;
use crate::world::{Hit, World};

/// One instance's way to WeChat.
pub struct SimTransport {
    pub world: Arc<World>,
    pub instance: usize,
}

impl std::fmt::Debug for SimTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SimTransport({})", self.instance)
    }
}

const MINT: &str = "/cgi-bin/component/api_component_token";
const CODE: &str = "/cgi-bin/component/api_create_preauthcode";

#[async_trait]
impl Transport for SimTransport {
    async fn post(&self, url: url::Url, body: String) -> Result<(u16, Vec<u8>), TransportKind> {
        let (world, instance) = (self.world.clone(), self.instance);
        let (path, faults) = (url.path().to_owned(), world.plan.wechat);
        let hit = if path == MINT { Hit::MintCall } else { Hit::CodeCall };
        let body: Value = serde_json::from_str(&body).unwrap();
        let appid = body["component_appid"].as_str().unwrap_or_default().to_owned();
        waits::call_begins(&world);
        let _open = (path == MINT).then(|| checks::mint_call_begins(&world, instance, &appid));
        if world.roll(faults.refused) {
            world.fault(Some(instance), hit);
            sleep(Duration::from_millis(5)).await;
            return Err(TransportKind::connect("connection refused"));
        }
        let (there, back) = (world.way(&faults, 50, instance, hit), world.way(&faults, 50, instance, hit));
        let (lost_request, lost_answer) = (world.roll(faults.lost_request), world.roll(faults.lost_answer));
        let hangs = world.below(2) == 0;
        if lost_request || lost_answer {
            world.fault(Some(instance), hit);
        }
        let (answer, answered) = oneshot::channel();
        let wechat = world.clone();
        // A task of its own: WeChat processes what it got, whatever becomes of the caller.
        tokio::spawn(async move {
            sleep(there).await;
            let reply = (!lost_request).then(|| process(&wechat, instance, &url, &body));
            sleep(back).await;
            match reply {
                Some(reply) if !lost_answer => drop(answer.send(reply)),
                _ if hangs => {
                    sleep(Duration::from_secs(60)).await;
                    drop(answer);
                }
                _ => drop(answer),
            }
        });
        let reply = answered.await.map_err(|_| TransportKind::broken("connection reset"))?;
        if let Some(token) = reply["component_access_token"].as_str() {
            checks::mint_answer_arrives(&world, instance, &appid, token);
        }
        Ok((200, reply.to_string().into_bytes()))
    }

    async fn head(&self, _url: url::Url) -> Result<(), TransportKind> {
        Ok(())
    }
}

fn refusal(errcode: i64, errmsg: &str) -> Value {
    json!({ "errcode": errcode, "errmsg": format!("{errmsg} rid: 5f92a0c3-4b491949-0aa4f69d") })
}

fn process(world: &World, instance: usize, url: &url::Url, body: &Value) -> Value {
    let path = url.path();
    let hit = if path == MINT { Hit::MintCall } else { Hit::CodeCall };
    if world.time.ms() < world.truth().whitelist_until {
        world.fault(Some(instance), hit);
        return refusal(61004, "access clientip is not registered requestIP: 203.0.113.7");
    }
    if world.roll(world.plan.wechat.errcode) {
        world.fault(Some(instance), hit);
        return match (path, world.below(4)) {
            (MINT, 0) => refusal(48001, "api unauthorized"),
            _ => refusal(-1, "system error"),
        };
    }
    let appid = body["component_appid"].as_str().unwrap_or_default();
    match path {
        MINT => {
            let ticket = body["component_verify_ticket"].as_str().unwrap_or_default();
            if world.truth().refused_ticket.as_deref() == Some(ticket) {
                world.fault(Some(instance), hit);
                return refusal(61006, "component ticket is invalid");
            }
            let value = world.mint(appid, Some(instance));
            json!({ "component_access_token": value, "expires_in": world.plan.expires_in })
        }
        CODE => {
            let token = url.query_pairs().find(|(name, _)| name == "access_token").unwrap().1.into_owned();
            checks::token_is_sent(world, instance, appid, &token);
            if !world.is_taken(&token, world.time.ms()) {
                world.history.note(format_args!("WeChat refuses {token} of instance {instance}"));
                return refusal(40001, "invalid credential, access_token is invalid or not latest");
            }
            let mut truth = world.truth();
            truth.codes += 1;
            json!({ "pre_auth_code": format!("preauthcode@@@{}", truth.codes), "expires_in": 1800 })
        }
        "/cgi-bin/openapi/quota/get" => {
            json!({ "errcode": 0, "errmsg": "ok", "quota": { "daily_limit": 1000, "used": 1, "remain": 999 } })
        }
        _ => json!({ "errcode": 0, "errmsg": "ok" }),
    }
}
