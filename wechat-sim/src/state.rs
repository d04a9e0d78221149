//! The configuration, the clock and the state of one simulator. All its tasks and handles share them.

use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::authorizer::{Authorizers, Visits};
use crate::fault::Faults;
use crate::issued::Issued;
use crate::log::Log;
use crate::push::{PushCrypt, PushRecords, Sender, check_callback_url};
use crate::quota::Quota;
use crate::{AuthorizationRules, ErrmsgStyle, SimClock, SimConfig};

/// Everything that lives as long as the simulator.
pub(crate) struct SimContext {
    pub(crate) config: SimConfig,
    pub(crate) clock: SimClock,
    pub(crate) sender: Sender,
    state: Mutex<SimState>,
    /// Wakes the ticket schedule when the pushes start again.
    pub(crate) push_now: Notify,
}

/// Everything that changes.
pub(crate) struct SimState {
    pub(crate) whitelist: Vec<IpAddr>,
    /// The address to use for every caller instead of its own.
    pub(crate) client_ip: Option<IpAddr>,
    pub(crate) callback_url: Option<String>,
    pub(crate) errmsg_style: ErrmsgStyle,
    pub(crate) issued: Issued,
    pub(crate) authorization_domain: Option<String>,
    pub(crate) authorization: AuthorizationRules,
    pub(crate) visits: Visits,
    pub(crate) authorizers: Authorizers,
    pub(crate) quota: Quota,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) pushing: bool,
    pub(crate) pushes: PushRecords,
}

impl SimContext {
    /// Checks the configuration and makes the first ticket.
    pub(crate) fn new(config: SimConfig) -> io::Result<Self> {
        PushCrypt::new(&config.encoding_aes_key)?;
        if let Some(url) = &config.callback_url {
            check_callback_url(url)?;
        }
        let context = Self {
            clock: config.clock.clone().unwrap_or_default(),
            sender: Sender::new(config.callback_ca.as_deref())?,
            state: Mutex::new(SimState {
                whitelist: config.whitelist.clone(),
                client_ip: None,
                callback_url: config.callback_url.clone(),
                errmsg_style: config.errmsg_style,
                issued: Issued::default(),
                authorization_domain: config.authorization_domain.clone(),
                authorization: config.authorization.clone(),
                visits: Visits::default(),
                authorizers: Authorizers::default(),
                quota: Quota::default(),
                faults: Faults::default(),
                log: Log::default(),
                pushing: true,
                pushes: PushRecords::default(),
            }),
            push_now: Notify::new(),
            config,
        };
        context.issue_ticket();
        Ok(context)
    }

    /// Locks the state. If a task panicked while it held the lock, the others go on with the state as it is.
    pub(crate) fn state(&self) -> MutexGuard<'_, SimState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The caller's address as WeChat would name it: an IPv4 address also when it came over an IPv6 socket.
    pub(crate) fn client_ip(&self, peer: IpAddr) -> IpAddr {
        self.state().client_ip.unwrap_or_else(|| peer.to_canonical())
    }

    pub(crate) fn issue_ticket(&self) -> String {
        self.state().issued.issue_ticket(self.clock.now())
    }

    /// Mints a token without a request. `foreign`: not counted in `tokens_minted`.
    pub(crate) fn mint(&self, foreign: bool) -> String {
        let (lifetime, overlap) = (self.config.token_lifetime, self.config.token_overlap);
        let issued = &mut self.state().issued;
        let token = issued.mint(self.clock.now(), lifetime, overlap);
        issued.tokens_minted -= usize::from(foreign);
        token
    }

    /// Stops the ticket pushes, or starts them again with a push at once.
    pub(crate) fn set_pushing(&self, pushing: bool) {
        self.state().pushing = pushing;
        if pushing {
            self.push_now.notify_one();
        }
    }
}

impl SimState {
    /// Whether the whitelist admits `ip`. An empty list admits every address.
    pub(crate) fn admits(&self, ip: IpAddr) -> bool {
        self.whitelist.is_empty() || self.whitelist.contains(&ip)
    }
}
