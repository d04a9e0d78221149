//! What is true in one schedule, whatever its instances believe: WeChat's tokens, the table, the faults.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fastrand::Rng;
use futures_util::FutureExt as _;
use secrecy::ExposeSecret as _;
use serde_json::json;
use wechat_preauth::platform::{
    MemoryState, SecretDocument, Ticket, TicketStore as _, TokenItem, TokenStore as _,
};

use crate::history::{History, Time};
use crate::plan::{Faults, Plan};

/// How long WeChat takes an old token after a new one was minted, in ms.
pub const OVERLAP_MS: i64 = 300_000;

/// A token that WeChat has given out.
#[derive(Debug, Clone)]
pub struct WechatToken {
    pub value: String,
    pub appid: String,
    pub at_ms: i64,
    pub dies_ms: i64,
    /// The instance that asked; `None` for another program.
    pub by: Option<usize>,
}

/// A mint call between its start and its end, as the instance sees it.
#[derive(Debug)]
pub struct MintCall {
    pub id: usize,
    pub instance: usize,
    pub appid: String,
    pub open: bool,
}

/// What a fault hit. `None` as the instance means all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    Table,
    CodeCall,
    MintCall,
    Secrets,
    Instance,
}

#[derive(Default)]
pub struct Truth {
    pub minted: Vec<WechatToken>,
    pub calls: Vec<MintCall>,
    pub faults: Vec<(i64, Option<usize>, Hit)>,
    pub forced_ms: Vec<i64>,
    pub component: usize,
    pub version: usize,
    pub changed_ms: Vec<i64>,
    pub component_changed_ms: Option<i64>,
    pub leases_of_wrong_clocks: Vec<i64>,
    pub tickets: Vec<String>,
    pub refused_ticket: Option<String>,
    pub table_down_until: i64,
    pub secrets_down_until: i64,
    pub whitelist_until: i64,
    /// A mint's answer that reached its instance and must be stored: token, instance, when, lease end (ms).
    pub delivered: Vec<(String, usize, i64, i64)>,
    /// Requests that have read a live lease, by their tasks.
    pub waiting: HashSet<tokio::task::Id>,
    /// The rest of the live lease, in seconds, that a request has read last, and when.
    pub rests: HashMap<tokio::task::Id, (i64, i64)>,
    pub codes: u64,
}

pub struct World {
    pub plan: Plan,
    pub time: Time,
    pub history: History,
    pub table: MemoryState,
    truth: Mutex<Truth>,
    rng: Mutex<Rng>,
}

impl World {
    pub fn new(plan: Plan, recording: bool) -> Arc<Self> {
        let time = Time::start();
        let rng = Mutex::new(Rng::with_seed(plan.seed ^ 0x5eed));
        let history = History::new(time, recording);
        history.note(format_args!("{plan:?}"));
        Arc::new(Self { plan, time, history, table: MemoryState::default(), truth: Mutex::default(), rng })
    }

    pub fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap()
    }

    /// The component that the secret names now.
    pub fn appid(&self) -> String {
        appid_of(self.truth().component)
    }

    pub fn secret(&self) -> SecretDocument {
        let truth = self.truth();
        let json = json!({ "component_appid": appid_of(truth.component), "component_appsecret": "s3cret" });
        SecretDocument { json: json.to_string().into(), version: format!("v{}", truth.version) }
    }

    /// Whether faults may begin.
    pub fn storming(&self) -> bool {
        self.time.ms() < i64::try_from(self.plan.stormy_s * 1000).unwrap()
    }

    pub fn below(&self, end: u64) -> u64 {
        self.rng.lock().unwrap().u64(..end)
    }

    /// Whether a fault with this rate happens now.
    pub fn roll(&self, per_thousand: u32) -> bool {
        self.storming() && self.rng.lock().unwrap().u32(..1000) < per_thousand
    }

    /// How long one way takes. A slow way of more than a moment counts as a fault.
    pub fn way(&self, faults: &Faults, usual_ms: u64, instance: usize, hit: Hit) -> Duration {
        let mut ms = usual_ms / 2 + self.below(usual_ms);
        if self.roll(faults.slow) {
            ms += self.below(faults.slow_ms);
            self.fault(Some(instance), hit);
        }
        Duration::from_millis(ms)
    }

    pub fn fault(&self, instance: Option<usize>, hit: Hit) {
        let now = self.time.ms();
        self.truth().faults.push((now, instance, hit));
    }

    /// Whether `instance` met a fault of one of these kinds since `since_ms`.
    pub fn was_hit(&self, instance: usize, kinds: &[Hit], since_ms: i64) -> bool {
        self.truth().faults.iter().any(|(at, whom, hit)| {
            *at >= since_ms && whom.is_none_or(|whom| whom == instance) && kinds.contains(hit)
        })
    }

    /// What the table holds, read without any fault.
    pub fn item(&self, appid: &str) -> TokenItem {
        self.table.token_item(appid).now_or_never().unwrap().unwrap()
    }

    /// Whether the secret has named another component within the time that a process takes to notice.
    pub fn component_changes(&self, now_ms: i64) -> bool {
        self.truth().component_changed_ms.is_some_and(|at| now_ms - at < 630_000)
    }

    /// The component that the table names.
    pub fn component(&self) -> Option<String> {
        self.table.component().now_or_never().unwrap().unwrap()
    }

    /// The place of a token in the order in which WeChat minted them.
    pub fn order(&self, value: &str) -> Option<usize> {
        self.truth().minted.iter().position(|token| token.value == value)
    }

    /// Whether WeChat would take this token at `at_ms`.
    pub fn is_taken(&self, value: &str, at_ms: i64) -> bool {
        self.truth().minted.iter().any(|token| token.value == value && at_ms < token.dies_ms)
    }

    /// Whether WeChat has minted no other token of its component since.
    pub fn is_newest(&self, value: &str) -> bool {
        let truth = self.truth();
        let newest = |token: &&WechatToken| value.ends_with(&format!("@{}", token.appid));
        truth.minted.iter().rev().find(newest).is_some_and(|token| token.value == value)
    }

    /// WeChat mints: the newest token lives as long as it says, the last one for five minutes at most.
    pub fn mint(&self, appid: &str, by: Option<usize>) -> String {
        let now = self.time.ms();
        let mut truth = self.truth();
        for token in truth.minted.iter_mut().filter(|token| token.appid == appid) {
            token.dies_ms = token.dies_ms.min(now + OVERLAP_MS);
        }
        let value = format!("token-{}@{appid}", truth.minted.len());
        let dies_ms = now.saturating_add(self.plan.expires_in.saturating_mul(1000));
        truth.minted.push(WechatToken {
            value: value.clone(),
            appid: appid.to_owned(),
            at_ms: now,
            dies_ms,
            by,
        });
        drop(truth);
        self.history.note(format_args!("WeChat minted {value} for {by:?}"));
        value
    }

    /// A ticket push is stored.
    pub fn ticket_arrives(&self) {
        let now = self.time.unix();
        let newest = self.truth().component;
        for component in 0..=newest {
            let appid = appid_of(component);
            let value = format!("ticket-{now}@{appid}");
            self.truth().tickets.push(value.clone());
            let ticket = Ticket { value: value.into(), create_time: now, received_at: now };
            self.table.put_ticket(&appid, &ticket).now_or_never().unwrap().unwrap();
        }
        self.history.note(format_args!("a ticket arrived"));
    }
}

pub fn appid_of(component: usize) -> String {
    format!("wx{component:016}")
}

/// The token's value, for the history.
pub fn shown(item: &TokenItem) -> String {
    let token = item.token.as_ref().map(|token| token.value.expose_secret().to_owned());
    let lease = item.lease.as_ref().map(|lease| lease.expires_at);
    let backoff = item.backoff.as_ref().map(|backoff| (backoff.code.as_str(), backoff.until));
    format!("token {token:?} lease {lease:?} backoff {backoff:?}")
}
