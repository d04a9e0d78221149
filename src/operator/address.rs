//! Finds the address that WeChat sees: WeChat's record of a refused call names it.

use serde::Serialize;
use tokio::time::Instant;

use super::Keeper;
use crate::platform::problem::{Problem, ProblemCode, Result};
use crate::platform::token::ActiveToken;
use crate::wechat::Endpoint;

/// An appid that does not exist. WeChat refuses a code call with it, which harms nothing. WeChat's record of that
/// refusal has the address that the call came from.
const UNKNOWN_APPID: &str = "wx0000000000000000";

/// The address that WeChat sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProbedAddress {
    /// The address; `None` when WeChat did not name it.
    pub client_ip: Option<String>,
    /// Whether it is one of `EGRESS_IPS`; `None` when the address or the list is not known.
    pub is_egress_ip: Option<bool>,
    /// `EGRESS_IPS`.
    pub egress_ips: Vec<String>,
    /// Whether WeChat accepts calls from it. `false`: it is not in the platform's whitelist.
    pub accepted: bool,
}

impl Keeper {
    /// Finds the address that WeChat sees. An address that WeChat refuses is an answer too.
    ///
    /// # Errors
    /// Why no call could show the address.
    pub async fn probe_address(&self, deadline: Instant) -> Result<ProbedAddress> {
        let egress = &self.services.egress;
        let (client_ip, accepted) = match self.address(deadline).await {
            Ok(seen) => (seen, true),
            Err(problem) if is_refused_address(&problem) => (problem.client_ip, false),
            Err(problem) => return Err(problem),
        };
        let is_egress_ip = client_ip.as_deref().and_then(|seen| egress.is_egress_ip(seen));
        Ok(ProbedAddress { client_ip, is_egress_ip, egress_ips: egress.shown(), accepted })
    }

    /// The address that WeChat sees, from its record of a harmless refusal. `None`: WeChat did not name it.
    ///
    /// # Errors
    /// WeChat refuses the address, or no call could show it.
    pub(super) async fn address(&self, deadline: Instant) -> Result<Option<String>> {
        let wechat = &self.services.wechat;
        let call = |active: ActiveToken, timeout| async move {
            wechat.create_preauthcode(UNKNOWN_APPID, &active.token.value, timeout).await
        };
        match self.by_token(Endpoint::CreatePreAuthCode, deadline, call).await.map_err(|problem| *problem) {
            Ok(_) => Ok(None),
            Err(problem) if is_refused_address(&problem) => Err(problem.into()),
            Err(Problem { rid: Some(rid), .. }) => {
                Ok(self.explain_rid(&rid, deadline).await?.record.client_ip)
            }
            // The refusal that was asked for, by a gateway that gives no rid.
            Err(Problem { code: ProblemCode::ConfigAppIdRejected, .. }) => Ok(None),
            Err(problem) => Err(problem.into()),
        }
    }
}

fn is_refused_address(problem: &Problem) -> bool {
    problem.code == ProblemCode::ConfigEgressIpNotRegistered
}
