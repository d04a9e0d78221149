//! One instance of the service: the provider, rules, mint and operator code that ship, on a clock, a table and a
//! WeChat of the simulation. It can be frozen and killed at any await.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use wechat_preauth::operator::{Keeper, TokenExpiry};
use wechat_preauth::platform::{
    Clock, CredentialsCache, EgressIps, IssueRequest, Issuer, Role, Services, WechatPages,
};
use wechat_preauth::telemetry::Metrics;
use wechat_preauth::wechat::{ApiHosts, Client};

use crate::checks;
use crate::history::Time;
use crate::table::SimTable;
use crate::waits;
use crate::wechat::SimTransport;
use crate::world::{Hit, World};

/// As in `src/start`.
const WARM_UP: Duration = Duration::from_secs(3);

struct SkewedClock {
    time: Time,
    skew: i64,
}

impl Clock for SkewedClock {
    fn now(&self) -> i64 {
        self.time.unix() + self.skew
    }
}

/// An environment's place; who lives in it changes with every crash.
pub struct Instance {
    pub index: usize,
    world: Arc<World>,
    frozen_until: Arc<Mutex<Option<Instant>>>,
    live: Mutex<Arc<Live>>,
    tasks: Mutex<Vec<AbortHandle>>,
}

struct Live {
    issuer: Issuer,
    keeper: Keeper,
    warm: OnceCell<()>,
    metrics: Metrics,
}

impl Live {
    fn new(world: &Arc<World>, instance: usize) -> Arc<Self> {
        let table = SimTable { world: world.clone(), instance };
        let hosts = ApiHosts::parse(ApiHosts::DEFAULT).unwrap();
        let skew = world.plan.skews.get(instance).copied().unwrap_or(0);
        let services = Services {
            clock: Arc::new(SkewedClock { time: world.time, skew }),
            tokens: Arc::new(table.clone()),
            tickets: Arc::new(table.clone()),
            credentials: Arc::new(CredentialsCache::new(table)),
            wechat: Arc::new(Client::new(SimTransport { world: world.clone(), instance }, hosts)),
            egress: EgressIps::parse("203.0.113.7").unwrap(),
            pages: WechatPages::default(),
            minting: world.plan.minting,
            metrics: Metrics::memory(),
        };
        let metrics = services.metrics.clone();
        let issuer = Issuer::new(services.clone(), Role::Caller);
        Arc::new(Self { issuer, keeper: Keeper::new(services), warm: OnceCell::new(), metrics })
    }
}

impl Instance {
    pub fn new(world: &Arc<World>, index: usize) -> Arc<Self> {
        Arc::new(Self {
            index,
            world: world.clone(),
            frozen_until: Arc::default(),
            live: Mutex::new(Live::new(world, index)),
            tasks: Mutex::default(),
        })
    }

    /// Ends everything that runs here; the next request meets a cold environment.
    pub fn crash(&self) {
        self.world.history.note(format_args!("instance {} crashes", self.index));
        self.world.fault(Some(self.index), Hit::Instance);
        for task in self.tasks.lock().unwrap().drain(..) {
            task.abort();
        }
        let dead = std::mem::replace(&mut *self.live.lock().unwrap(), Live::new(&self.world, self.index));
        checks::metrics(&self.world, self.index, &dead.metrics);
    }

    pub fn freeze(&self, ms: u64) {
        self.world.history.note(format_args!("instance {} freezes for {ms} ms", self.index));
        self.world.fault(Some(self.index), Hit::Instance);
        let thaws = self.world.time.ms() + i64::try_from(ms).unwrap();
        self.world.truth().faults.push((thaws, Some(self.index), Hit::Instance));
        checks::mint_calls_freeze(&self.world, self.index);
        *self.frozen_until.lock().unwrap() = Some(Instant::now() + Duration::from_millis(ms));
    }

    fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        let frozen = Freezable { until: self.frozen_until.clone(), thaw: None, work: Box::pin(work) };
        let task = tokio::spawn(frozen).abort_handle();
        let mut tasks = self.tasks.lock().unwrap();
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    fn live(&self) -> Arc<Live> {
        self.live.lock().unwrap().clone()
    }

    /// A caller asks for a code.
    pub fn request(self: &Arc<Self>, time: Duration) {
        let (this, live, world) = (self.clone(), self.live(), self.world.clone());
        let began = checks::request_begins(&world, self.index, time);
        let deadline = Instant::now() + time;
        self.run(async move {
            live.warm.get_or_init(|| warm_up(&live.issuer)).await;
            waits::warm_up_ends(&world);
            let result = live.issuer.issue(&IssueRequest::default(), deadline).await;
            checks::request_ends(&world, this.index, &began, &result);
        });
    }

    /// The schedule, or an operator with `force`, wakes the keeper.
    pub fn refresh(self: &Arc<Self>, force: bool) {
        let (this, live, world) = (self.clone(), self.live(), self.world.clone());
        let deadline = Instant::now() + Duration::from_secs(20);
        self.run(async move {
            let result = live.keeper.refresh(force, deadline).await;
            let shown = result.map(|refreshed| refreshed.renewed).map_err(|problem| problem.code);
            world.history.note(format_args!("keeper {} refreshed (force {force}): {shown:?}", this.index));
        });
    }

    /// The old token server hands over WeChat's newest token.
    pub fn put_token(self: &Arc<Self>) {
        let (live, world) = (self.live(), self.world.clone());
        let appid = world.appid();
        self.run(async move {
            let token = world.mint(&appid, None);
            let expiry = TokenExpiry::At(world.time.unix() + world.plan.expires_in.clamp(60, 7200));
            let result = live.keeper.put_token(&token.clone().into(), expiry, false).await;
            world.history.note(format_args!("handed over {token}: {:?}", result.map_err(|p| p.code)));
        });
    }

    /// A request that must succeed, since nothing is wrong any more.
    pub async fn must_issue(&self) -> Result<(), String> {
        let live = self.live();
        live.warm.get_or_init(|| warm_up(&live.issuer)).await;
        let deadline = Instant::now() + Duration::from_secs(20);
        let result = live.issuer.issue(&IssueRequest::default(), deadline).await;
        checks::metrics(&self.world, self.index, &live.metrics);
        result.map(drop).map_err(|problem| format!("{} {}", problem.code, problem.detail))
    }
}

async fn warm_up(issuer: &Issuer) {
    let _late = timeout(WARM_UP, issuer.tokens().warm_up()).await;
}

/// Work that makes no step while its instance is frozen; its timers run on, as Lambda's do.
struct Freezable<F> {
    until: Arc<Mutex<Option<Instant>>>,
    thaw: Option<Pin<Box<Sleep>>>,
    work: Pin<Box<F>>,
}

impl<F: Future<Output = ()>> Future for Freezable<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let until = *self.until.lock().unwrap();
        if let Some(until) = until.filter(|until| *until > Instant::now()) {
            let mut thaw = Box::pin(sleep_until(until));
            if thaw.as_mut().poll(context).is_pending() {
                self.thaw = Some(thaw);
                return Poll::Pending;
            }
        }
        self.work.as_mut().poll(context)
    }
}
