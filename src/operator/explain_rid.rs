//! Shows what WeChat recorded of an earlier request, by its rid.

use serde::Serialize;
use tokio::time::Instant;

use super::Keeper;
use crate::platform::problem::Result;
use crate::platform::token::ActiveToken;
use crate::wechat::RequestRecord;
use crate::wechat::errcode::Endpoint;

/// An earlier request.
#[derive(Debug, Serialize)]
pub struct ExplainedRid {
    /// The request's id.
    pub rid: String,
    /// What WeChat recorded, without secrets.
    #[serde(flatten)]
    pub record: RequestRecord,
    /// Whether WeChat saw one of `EGRESS_IPS`; `None` when the address or the list is not known.
    pub is_egress_ip: Option<bool>,
}

impl Keeper {
    /// Asks WeChat what it recorded of an earlier request.
    ///
    /// # Errors
    /// Why the record is not available.
    pub async fn explain_rid(&self, rid: &str, deadline: Instant) -> Result<ExplainedRid> {
        let (wechat, egress) = (&self.services.wechat, &self.services.egress);
        let call = |active: ActiveToken, timeout| async move {
            wechat.get_rid(&active.token.value, rid, timeout).await
        };
        let record = self.by_token(Endpoint::GetRid, deadline, call).await?;
        let is_egress_ip = record.client_ip.as_deref().and_then(|seen| egress.is_egress_ip(seen));
        Ok(ExplainedRid { rid: rid.to_owned(), record, is_egress_ip })
    }
}
