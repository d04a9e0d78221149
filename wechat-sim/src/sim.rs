//! The handle for tests: starts a simulator, changes its state, and reads what happened.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::delivery::deliver;
use crate::push::{BuiltPush, Push, PushOutcome, PushRecord, build};
use crate::server::Server;
use crate::state::SimContext;
use crate::{
    Authorization, AuthorizationRules, CodeState, Endpoint, ErrmsgStyle, Fault, SimClock, SimConfig,
    SimRequest, consent,
};

/// A running simulator. Clones are handles to the same one. It stops with [`Sim::stop`] or when the last handle
/// is dropped.
#[derive(Clone)]
pub struct Sim {
    context: Arc<SimContext>,
    server: Arc<Server>,
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sim").field("addr", &self.addr()).finish_non_exhaustive()
    }
}

impl Sim {
    /// Starts listening.
    ///
    /// # Errors
    /// When the address is in use, when certificate or key cannot be read, when the EncodingAESKey is invalid,
    /// or when the callback URL is not an HTTP URL with a host.
    pub async fn start(config: SimConfig) -> io::Result<Sim> {
        let context = Arc::new(SimContext::new(config)?);
        let server = Arc::new(Server::start(Arc::clone(&context)).await?);
        Ok(Sim { context, server })
    }

    /// Closes the listener and every connection. The address is free when this returns.
    pub async fn stop(&self) {
        self.server.stop().await;
    }

    /// Listens again at the same address, with the same state, as after an outage. Does nothing while it is
    /// running.
    ///
    /// # Errors
    /// When the address is in use.
    pub async fn resume(&self) -> io::Result<()> {
        self.server.resume().await
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The origin to call, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.config().tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr())
    }

    /// The configuration it was started with.
    #[must_use]
    pub fn config(&self) -> &SimConfig {
        &self.context.config
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &SimClock {
        &self.context.clock
    }

    /// Issues a new ticket without pushing it. Older tickets stay valid until they are 12 hours old.
    pub fn issue_ticket(&self) -> String {
        self.context.issue_ticket()
    }

    /// The ticket of the next push. The first one exists from the start.
    #[must_use]
    pub fn current_ticket(&self) -> String {
        self.context.state().issued.current_ticket().to_owned()
    }

    /// Mints a token for the platform without a request.
    pub fn mint(&self) -> String {
        self.context.mint(false)
    }

    /// Mints a token as another system with the platform's credentials would. The platform's own token ends
    /// after the overlap.
    pub fn foreign_mint(&self) -> String {
        self.context.mint(true)
    }

    /// Makes every token invalid at once, without overlap: 40001.
    pub fn revoke_tokens(&self) {
        self.context.state().issued.revoke_tokens();
    }

    /// The newest token, also if it is from a foreign mint.
    #[must_use]
    pub fn current_token(&self) -> Option<String> {
        self.context.state().issued.current_token().map(str::to_owned)
    }

    /// Whether this token is valid now.
    #[must_use]
    pub fn token_works(&self, token: &str) -> bool {
        self.context.state().issued.check_token(token, self.clock().now()).is_ok()
    }

    /// How many tokens were minted, without foreign mints.
    #[must_use]
    pub fn tokens_minted(&self) -> usize {
        self.context.state().issued.tokens_minted
    }

    /// How many codes were issued.
    #[must_use]
    pub fn codes_issued(&self) -> usize {
        self.context.state().issued.codes_issued
    }

    /// The state of a pre-authorization code.
    #[must_use]
    pub fn code_state(&self, pre_auth_code: &str) -> CodeState {
        self.context.state().issued.code_state(pre_auth_code, self.clock().now())
    }

    /// Completes an authorization without the pages: marks the code as used, pushes the event in the background, and
    /// returns the `auth_code` of the redirect. The account grants every permission set. Call it inside a Tokio
    /// runtime.
    ///
    /// # Errors
    /// The code's state when it is not [`CodeState::Valid`].
    pub fn authorize(&self, pre_auth_code: &str, authorizer_appid: &str) -> Result<String, CodeState> {
        let issued = consent::authorize(&self.context, pre_auth_code, authorizer_appid, None)?;
        Ok(issued.auth_code)
    }

    /// Ends the authorization of an account, as its administrator can, and pushes `unauthorized`. `None` if the
    /// account had not authorized the platform. Without a callback URL nothing is sent.
    pub async fn unauthorize(&self, authorizer_appid: &str) -> Option<PushOutcome> {
        consent::withdraw(&self.context, authorizer_appid).await
    }

    /// The accounts that have authorized the platform, in the order of their appids.
    #[must_use]
    pub fn authorizers(&self) -> Vec<Authorization> {
        self.context.state().authorizers.all().cloned().collect()
    }

    /// The rules of the authorization pages.
    #[must_use]
    pub fn authorization(&self) -> AuthorizationRules {
        self.context.state().authorization.clone()
    }

    /// Replaces the rules of the authorization pages.
    pub fn set_authorization(&self, rules: AuthorizationRules) {
        self.context.state().authorization = rules;
    }

    /// Sets 授权发起页域名, a bare host. With `None` the pages do not check it.
    pub fn set_authorization_domain(&self, host: Option<String>) {
        self.context.state().authorization_domain = host;
    }

    /// How many requests of `api` have arrived, with or without an answer.
    #[must_use]
    pub fn calls(&self, api: Endpoint) -> usize {
        self.context.state().log.count(api)
    }

    /// The requests in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<SimRequest> {
        self.context.state().log.requests()
    }

    /// Removes the requests from the log and sets the counters to zero.
    pub fn reset_requests(&self) {
        self.context.state().log.reset();
    }

    /// Injects a fault.
    pub fn inject(&self, fault: Fault) {
        self.context.state().faults.inject(fault);
    }

    /// The faults that still wait.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.context.state().faults.waiting().to_vec()
    }

    /// Removes the faults that still wait.
    pub fn clear_faults(&self) {
        self.context.state().faults.clear();
    }

    /// Replaces the whitelist. An empty list admits every address.
    pub fn set_whitelist(&self, addresses: Vec<IpAddr>) {
        self.context.state().whitelist = addresses;
    }

    /// Uses this address for every caller. With `None` each caller has its own address again.
    pub fn set_client_ip(&self, address: Option<IpAddr>) {
        self.context.state().client_ip = address;
    }

    /// Sets the URL that receives the pushes.
    pub fn set_callback_url(&self, url: Option<String>) {
        self.context.state().callback_url = url;
    }

    /// Sets the style of errmsg.
    pub fn set_errmsg_style(&self, style: ErrmsgStyle) {
        self.context.state().errmsg_style = style;
    }

    /// Stops the ticket pushes (`false`), as WeChat sometimes does, or starts them again.
    pub fn set_pushing(&self, pushing: bool) {
        self.context.set_pushing(pushing);
    }

    /// Whether the ticket pushes run.
    #[must_use]
    pub fn is_pushing(&self) -> bool {
        self.context.state().pushing
    }

    /// Builds a push without sending it, for tests that call a handler directly.
    ///
    /// # Errors
    /// When [`Push::keys`] has an invalid EncodingAESKey.
    pub fn build_push(&self, push: &Push) -> io::Result<BuiltPush> {
        build(push, self.config(), self.clock().now(), &self.current_ticket())
    }

    /// Sends a push to the callback URL, with retries, and returns the outcome. Without a callback URL nothing
    /// is sent.
    pub async fn push(&self, push: Push) -> PushOutcome {
        let url = self.context.state().callback_url.clone();
        match url {
            Some(url) => self.push_to(&url, push).await,
            None => PushOutcome::default(),
        }
    }

    /// Sends a push to any URL.
    pub async fn push_to(&self, url: &str, push: Push) -> PushOutcome {
        deliver(&self.context, url, &push).await
    }

    /// The completed pushes, oldest first.
    #[must_use]
    pub fn pushes(&self) -> Vec<PushRecord> {
        self.context.state().pushes.all()
    }
}
