//! The handle: starts a simulator, moves its world, and looks at what happened.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::push::{
    BuiltPush, Push, PushCrypt, PushOutcome, PushRecord, Sender, build, deliver, run_schedule,
};
use crate::shared::Shared;
use crate::{CodeState, Endpoint, ErrmsgStyle, Fault, Recorded, SimClock, SimConfig, pages, server};

/// A running simulator. Clones are handles to the same one; it stops with [`Sim::stop`] or when the
/// last handle is dropped.
#[derive(Clone, Debug)]
pub struct Sim {
    shared: Arc<Shared>,
    server: Arc<Server>,
}

struct Server {
    addr: SocketAddr,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    accepting: Mutex<Option<JoinHandle<()>>>,
    schedule: Mutex<JoinHandle<()>>,
    tls: Option<TlsAcceptor>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Server {
    fn abort_schedule(&self) {
        lock(&self.schedule).abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.abort_schedule();
        // The accepting task ends by itself once the sender in `stop` is gone.
    }
}

fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shared: &Arc<Shared>,
) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel();
    (stop, tokio::spawn(server::run(listener, tls, Arc::clone(shared), stopped)))
}

fn schedule(shared: &Arc<Shared>) -> JoinHandle<()> {
    tokio::spawn(run_schedule(Arc::clone(shared), shared.config.push_interval))
}

impl Sim {
    /// Starts listening.
    ///
    /// # Errors
    /// When the address is taken, when certificate or key cannot be read, or when the EncodingAESKey
    /// is not one.
    pub async fn start(config: SimConfig) -> io::Result<Sim> {
        PushCrypt::new(&config.encoding_aes_key)?;
        let tls = config.tls.as_ref().map(server::acceptor).transpose()?;
        let sender = Sender::new(config.callback_ca.as_deref())?;
        let listener = TcpListener::bind(config.listen).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared::new(config, sender));
        let (stop, accepting) = accept(listener, tls.clone(), &shared);
        let server = Server {
            addr,
            stop: Mutex::new(Some(stop)),
            accepting: Mutex::new(Some(accepting)),
            schedule: Mutex::new(schedule(&shared)),
            tls,
        };
        Ok(Sim { shared, server: Arc::new(server) })
    }

    /// Closes the listener and every connection, and returns when they are closed: the address is
    /// free again.
    pub async fn stop(&self) {
        self.server.abort_schedule();
        drop(lock(&self.server.stop).take());
        let accepting = lock(&self.server.accepting).take();
        if let Some(accepting) = accepting {
            // It fails only if the server panicked; it is gone either way.
            let _ = accepting.await;
        }
    }

    /// Listens again, at the same address and with everything as it was: an outage is over. Does
    /// nothing when it has not been stopped.
    ///
    /// # Errors
    /// When the address has been taken meanwhile.
    pub async fn resume(&self) -> io::Result<()> {
        if lock(&self.server.stop).is_some() {
            return Ok(());
        }
        let listener = TcpListener::bind(self.server.addr).await?;
        let (stop, accepting) = accept(listener, self.server.tls.clone(), &self.shared);
        *lock(&self.server.stop) = Some(stop);
        *lock(&self.server.accepting) = Some(accepting);
        *lock(&self.server.schedule) = schedule(&self.shared);
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr
    }

    /// The origin to call, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.shared.config.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.server.addr)
    }

    /// The configuration it was started with.
    #[must_use]
    pub fn config(&self) -> &SimConfig {
        &self.shared.config
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &SimClock {
        &self.shared.clock
    }

    /// Makes a new valid ticket, without pushing it. Older tickets stay valid for their 12 hours.
    pub fn issue_ticket(&self) -> String {
        self.shared.world().issued.issue_ticket(self.shared.clock.now())
    }

    /// The ticket that the next push carries. There is one from the start.
    #[must_use]
    pub fn current_ticket(&self) -> String {
        self.shared.world().issued.current_ticket().to_owned()
    }

    /// Mints a token as the platform itself would, without a request: it counts as ours.
    pub fn mint(&self) -> String {
        let config = &self.shared.config;
        let now = self.shared.clock.now();
        self.shared.world().issued.mint(now, config.token_lifetime, config.token_overlap)
    }

    /// Somebody else mints a token for this platform: ours dies after the overlap.
    pub fn foreign_mint(&self) -> String {
        let token = self.mint();
        self.shared.world().issued.tokens_minted -= 1;
        token
    }

    /// Refuses every token given out so far, at once and without overlap: 40001.
    pub fn revoke_tokens(&self) {
        self.shared.world().issued.revoke_tokens();
    }

    /// The newest token, whoever minted it.
    #[must_use]
    pub fn current_token(&self) -> Option<String> {
        self.shared.world().issued.current_token().map(str::to_owned)
    }

    /// Whether calls with this token would be let in now.
    #[must_use]
    pub fn token_works(&self, token: &str) -> bool {
        self.shared.world().issued.check_token(token, self.shared.clock.now()).is_ok()
    }

    /// How many tokens were minted, strangers' not counted.
    #[must_use]
    pub fn tokens_minted(&self) -> usize {
        self.shared.world().issued.tokens_minted
    }

    /// How many codes were given out.
    #[must_use]
    pub fn codes_issued(&self) -> usize {
        self.shared.world().issued.codes_issued
    }

    /// What a pre-authorization code is worth.
    #[must_use]
    pub fn code_state(&self, pre_auth_code: &str) -> CodeState {
        self.shared.world().issued.code_state(pre_auth_code, self.shared.clock.now())
    }

    /// Completes an authorization without the page: uses the code up, pushes `authorized` in the
    /// background, and gives the authorization code. Call it inside a Tokio runtime.
    ///
    /// # Errors
    /// The code's state when it is not [`CodeState::Valid`].
    pub fn authorize(&self, pre_auth_code: &str, authorizer_appid: &str) -> Result<String, CodeState> {
        pages::authorize(&self.shared, pre_auth_code, authorizer_appid)
    }

    /// How many requests of `api` have arrived, answered or not.
    #[must_use]
    pub fn calls(&self, api: Endpoint) -> usize {
        self.shared.world().log.count(api)
    }

    /// The requests in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.world().log.entries()
    }

    /// Forgets requests and counters.
    pub fn reset_requests(&self) {
        self.shared.world().log.reset();
    }

    /// Lets something go wrong.
    pub fn inject(&self, fault: Fault) {
        self.shared.world().faults.inject(fault);
    }

    /// The faults still waiting.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.world().faults.waiting().to_vec()
    }

    /// Forgets all faults that still wait.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// Replaces the whitelist. Empty lets everyone in.
    pub fn set_whitelist(&self, addresses: Vec<IpAddr>) {
        self.shared.world().whitelist = addresses;
    }

    /// The address to see in place of the callers' own; `None` sees the real one again.
    pub fn set_answers_ip(&self, address: Option<IpAddr>) {
        self.shared.world().answers_ip = address;
    }

    /// Where pushes go.
    pub fn set_callback_url(&self, url: Option<String>) {
        self.shared.world().callback_url = url;
    }

    /// The shape of error messages from now on.
    pub fn set_era(&self, era: ErrmsgStyle) {
        self.shared.world().era = era;
    }

    /// Stops the ticket pushes (`false`), as WeChat sometimes does, or starts them again.
    pub fn set_pushing(&self, pushing: bool) {
        self.shared.world().pushing = pushing;
        if pushing {
            self.shared.push_now.notify_one();
        }
    }

    /// Whether the ticket pushes run.
    #[must_use]
    pub fn is_pushing(&self) -> bool {
        self.shared.world().pushing
    }

    /// Builds a push without sending it, for tests that call a handler directly.
    ///
    /// # Errors
    /// When [`Push::keys`] holds an EncodingAESKey that is not one.
    pub fn build_push(&self, push: &Push) -> io::Result<BuiltPush> {
        let ticket = self.current_ticket();
        build(push, &self.shared.config, self.shared.clock.now(), &ticket)
    }

    /// Sends a push to the callback URL, with retries, and waits for what comes of it. Without a
    /// callback URL nothing is attempted.
    pub async fn push(&self, push: Push) -> PushOutcome {
        let url = self.shared.world().callback_url.clone();
        match url {
            Some(url) => self.push_to(&url, push).await,
            None => PushOutcome::default(),
        }
    }

    /// Sends a push to any URL.
    pub async fn push_to(&self, url: &str, push: Push) -> PushOutcome {
        deliver(&self.shared, url, &push).await
    }

    /// The pushes sent so far, finished ones only.
    #[must_use]
    pub fn pushes(&self) -> Vec<PushRecord> {
        self.shared.world().pushes.all()
    }
}
