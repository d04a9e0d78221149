//! What the server's tasks and the handles share: the configuration, the clock and the world.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::fault::Faults;
use crate::issued::Issued;
use crate::log::Log;
use crate::push::{PushRecord, PushRecords, Sender};
use crate::quota::Quota;
use crate::{ErrmsgStyle, SimClock, SimConfig};

/// Everything that outlives a request.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: SimConfig,
    pub(crate) clock: SimClock,
    pub(crate) sender: Sender,
    world: Mutex<SimState>,
    /// Wakes the ticket schedule when `api_start_push_ticket` started it again.
    pub(crate) push_now: Notify,
}

/// All that changes.
#[derive(Debug)]
pub(crate) struct SimState {
    pub(crate) whitelist: Vec<IpAddr>,
    pub(crate) answers_ip: Option<IpAddr>,
    pub(crate) callback_url: Option<String>,
    pub(crate) era: ErrmsgStyle,
    pub(crate) issued: Issued,
    pub(crate) quota: Quota,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) pushing: bool,
    pub(crate) pushes: PushRecords,
}

impl Shared {
    pub(crate) fn new(config: SimConfig, sender: Sender) -> Self {
        let clock = config.clock.clone().unwrap_or_default();
        let mut world = SimState {
            whitelist: config.whitelist.clone(),
            answers_ip: None,
            callback_url: config.callback_url.clone(),
            era: config.era,
            issued: Issued::default(),
            quota: Quota::default(),
            faults: Faults::default(),
            log: Log::default(),
            pushing: true,
            pushes: PushRecords::default(),
        };
        world.issued.issue_ticket(clock.now());
        Self { config, clock, sender, world: Mutex::new(world), push_now: Notify::new() }
    }

    /// The world. A panic elsewhere leaves it usable: every change is complete in itself.
    pub(crate) fn world(&self) -> MutexGuard<'_, SimState> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address that WeChat would say it sees: IPv4 as such, even over a dual-stack socket.
    pub(crate) fn seen_ip(&self, peer: IpAddr) -> IpAddr {
        self.world().answers_ip.unwrap_or_else(|| peer.to_canonical())
    }

    pub(crate) fn remember_push(&self, record: PushRecord) {
        self.world().pushes.add(record);
    }
}

impl SimState {
    /// Whether calls from `ip` are let in. An empty list lets everyone in.
    pub(crate) fn admits(&self, ip: IpAddr) -> bool {
        self.whitelist.is_empty() || self.whitelist.contains(&ip)
    }
}
