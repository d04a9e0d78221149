//! Merchants on their way from the scan to 同意授权. WeChat's pages know them by `uuid` in the query.

use std::collections::HashMap;

use crate::random;

/// An hour is longer than any code lives.
const VISIT_KEPT_SECS: u64 = 3600;

/// A merchant who scanned the code, or opened the mobile link.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) pre_auth_code: String,
    /// Where 同意授权 leads, without code; `None` if the link names no `redirect_uri`.
    pub(crate) redirect: Option<String>,
    pub(crate) auth_type: String,
    pub(crate) biz_appid: String,
    /// The ids of `category_id_list`; empty if it is absent.
    pub(crate) categories: Vec<String>,
    /// Whether the code is used by 同意授权 and not by the scan.
    pub(crate) consent_uses_code: bool,
    pub(crate) started_at: u64,
    /// The merchant has agreed or refused.
    pub(crate) ended: bool,
}

/// The visits of the last hour.
#[derive(Default)]
pub(crate) struct Visits(HashMap<String, Visit>);

impl Visits {
    /// Starts a visit. Returns its id.
    pub(crate) fn start(&mut self, visit: Visit) -> String {
        let now = visit.started_at;
        self.0.retain(|_, other| now < other.started_at + VISIT_KEPT_SECS);
        let id = random::hex(32);
        self.0.insert(id.clone(), visit);
        id
    }

    pub(crate) fn get(&self, id: &str) -> Option<Visit> {
        self.0.get(id).cloned()
    }

    /// Ends a visit. `false` if it has ended already.
    pub(crate) fn end(&mut self, id: &str) -> bool {
        let open = self.0.get_mut(id).filter(|visit| !visit.ended);
        open.map(|visit| visit.ended = true).is_some()
    }
}
