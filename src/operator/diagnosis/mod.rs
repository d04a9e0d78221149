//! Walks the chain from the credentials to a real code and says which link is broken.
//!
//! The chain is walked with the service's own steps: the token comes by the token rules (nothing is
//! minted while the stored one needs no renewal) and the code as for any caller. A problem is laid at the
//! link whose fault it is: a mint that fails for the appsecret breaks `credentials`, and `token` can then
//! not be checked.

mod checks;
mod report;

pub use report::{Check, CheckStatus, Diagnosis};

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::Keeper;
use crate::platform::clock::rfc3339;
use crate::platform::problem::{Problem, ProblemCode, Result};
use crate::platform::token::ActiveToken;
use crate::platform::{Credentials, IssueRequest, SecretsError, StateError, TicketItem, TokenItem};
use crate::wechat::errcode::{Endpoint, ErrcodeClass};
use crate::wechat::{CallError, Refusal};
use report::cause_of;

/// How long a host may take to answer.
const HOST_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the token may take: a whole mint, and then some.
const TOKEN_TIME: Duration = Duration::from_secs(10);

/// How long one call for the address may take.
const ADDRESS_CALL: Duration = Duration::from_secs(3);

/// An appid that is nobody's: a code call with it is refused and harms nothing, and WeChat can be asked by
/// the refusal's rid which address it came from.
const NOBODYS_APPID: &str = "wx0000000000000000";

/// What the first look brought.
struct Found {
    credentials: std::result::Result<std::sync::Arc<Credentials>, SecretsError>,
    state: std::result::Result<(TokenItem, TicketItem), StateError>,
}

impl Keeper {
    /// Checks every link. Never fails: what is wrong is in the report.
    pub async fn diagnose(&self, deadline: Instant) -> Diagnosis {
        let services = &self.services;
        let (credentials, hosts) =
            tokio::join!(services.credentials.read_now(), services.wechat.probe_hosts(HOST_TIMEOUT));
        let appid = self.tokens().appid().await;
        let token_by = deadline.min(Instant::now() + TOKEN_TIME);
        let token = match &appid {
            Ok(_) => self.tokens().get(token_by).await,
            Err(problem) => Err(problem.clone()),
        };
        let (code, address) = match &token {
            Ok(held) => tokio::join!(self.code_link(deadline), self.address(held)),
            Err(problem) => (Err(problem.clone()), Ok(None)),
        };
        // Read last, so that it shows what the walk left behind.
        let state = match &appid {
            Ok(appid) => {
                let (token, ticket) =
                    tokio::join!(services.tokens.token_item(appid), services.tickets.ticket_item(appid));
                token.and_then(|token| Ok((token, ticket?)))
            }
            Err(_) => Ok(Default::default()),
        };
        // The keeper's calls by secret need the appsecret.
        let credentials = credentials.and_then(|ours| ours.appsecret().map(|_| ours.clone()));
        let found = Found { credentials, state };

        let mut checks = self.first_links(&found, appid.is_ok());
        checks.extend(hosts.iter().map(checks::host));
        checks.push(self.token_link(&token, &found));
        checks.push(self.egress_link(&token, &code, address));
        checks.push(code.as_ref().map_or_else(|problem| checks::failed_check("code", problem), Clone::clone));
        for problem in [token.err(), code.err()].into_iter().flatten() {
            mark_cause(&mut checks, &problem);
        }
        blame_the_network(&mut checks);
        let checked_at = rfc3339(services.clock.now());
        Diagnosis::new(checked_at, appid.ok(), services.minting, checks)
    }

    fn first_links(&self, found: &Found, has_appid: bool) -> Vec<Check> {
        let skipped = |link, because| {
            Check::new(link, CheckStatus::Skipped, format!("cannot be checked: see {because}"))
        };
        let (credentials, push_keys) = match &found.credentials {
            Ok(ours) => (checks::credentials(ours), checks::push_keys(ours)),
            Err(error) => {
                let problem: Box<Problem> = error.clone().into();
                let link = Check::failed("credentials", &problem);
                let link = match problem.code {
                    ProblemCode::SecretsUnavailable => link.remedy(
                        "Secrets Manager does not answer this function. Check the VPC's way to it (NAT gateway or \
                         endpoint, security group), and whether AWS reports an outage.",
                    ),
                    _ => link,
                };
                (link, skipped("push_keys", "credentials"))
            }
        };
        let (state, ticket) = match &found.state {
            _ if !has_appid => (skipped("state", "credentials"), skipped("ticket", "credentials")),
            Err(error) => (
                Check::failed("state", &Box::<Problem>::from(error.clone())).remedy(
                    "Check STATE_TABLE, the function's role, and the VPC's way to DynamoDB (gateway endpoint).",
                ),
                skipped("ticket", "state"),
            ),
            Ok((token, ticket)) => {
                let now = self.services.clock.now();
                (
                    Check::new("state", CheckStatus::Ok, "readable"),
                    checks::ticket(ticket, token, self.services.minting, now),
                )
            }
        };
        vec![credentials, push_keys, state, ticket]
    }

    fn token_link(&self, token: &Result<ActiveToken>, found: &Found) -> Check {
        let now = self.services.clock.now();
        let nothing = TokenItem::default();
        let item = found.state.as_ref().map_or(&nothing, |(token, _)| token);
        match token {
            Ok(_) => checks::token(item, self.services.minting, now),
            Err(problem) => checks::with_attempts(checks::failed_check("token", problem), item, now),
        }
    }

    /// A real code. Nobody uses it: it ends by itself, and disturbs no other.
    async fn code_link(&self, deadline: Instant) -> Result<Check> {
        let started = Instant::now();
        let code = self.issuer.issue(&IssueRequest::default(), deadline).await?;
        let latency_ms = (started.elapsed().as_secs_f64() * 1e4).round() / 10.0;
        let detail = format!("issued {} in {latency_ms} ms", code.code_fingerprint);
        Ok(Check::new("code", CheckStatus::Ok, detail)
            .fact("code_fingerprint", code.code_fingerprint)
            .fact("expires_in_s", code.expires_in)
            .fact("latency_ms", latency_ms))
    }

    fn egress_link(
        &self,
        token: &Result<ActiveToken>,
        code: &Result<Check>,
        address: std::result::Result<Option<String>, CallError>,
    ) -> Check {
        let egress = &self.services.egress;
        let is_refused = |problem: &Problem| problem.code == ProblemCode::ConfigEgressIpNotRegistered;
        let met = [token.as_ref().err(), code.as_ref().err()].into_iter().flatten();
        let asked = address.as_ref().err().map(|error| Problem::from_call(error, egress));
        if let Some(problem) = met.cloned().chain(asked).find(|problem| is_refused(problem)) {
            return checks::egress_ip(problem.client_ip.as_deref(), Some(&problem), egress);
        }
        match (token, address) {
            (Err(problem), _) => {
                let because = cause_of(problem.code).unwrap_or("token");
                Check::new("egress_ip", CheckStatus::Skipped, format!("cannot be checked: see {because}"))
            }
            (Ok(_), Err(error)) => Check::new(
                "egress_ip",
                CheckStatus::Unknown,
                format!("WeChat could not be asked which address it sees: {error}"),
            ),
            (Ok(_), Ok(seen)) => checks::egress_ip(seen.as_deref(), None, egress),
        }
    }

    /// The address WeChat sees: from a refusal that names it, or by the rid of a harmless refusal.
    async fn address(&self, held: &ActiveToken) -> std::result::Result<Option<String>, CallError> {
        let (wechat, token): (_, &SecretString) = (&self.services.wechat, &held.token.value);
        let asked = Instant::now();
        let refused = wechat.create_preauthcode(NOBODYS_APPID, token, ADDRESS_CALL).await;
        self.services.metrics.call(Endpoint::CreatePreAuthCode.name(), asked.elapsed());
        match refused {
            Err(CallError::Refused(Refusal { rid: Some(rid), client_ip: None, .. })) => {
                let asked = Instant::now();
                let report = wechat.get_rid(token, &rid, ADDRESS_CALL).await;
                self.services.metrics.call(Endpoint::GetRid.name(), asked.elapsed());
                report.map(|report| report.client_ip)
            }
            Err(error)
                if matches!(
                    error.class(),
                    None | Some(ErrcodeClass::EgressIp | ErrcodeClass::TokenRejected)
                ) =>
            {
                Err(error)
            }
            // Refused as it should be, without naming an address or a rid.
            Err(_) | Ok(_) => Ok(None),
        }
    }
}

/// When no host answers, a call without an answer says nothing of its own.
fn blame_the_network(checks: &mut [Check]) {
    let is_host = |link: &Check| link.link.starts_with("host:");
    if checks.iter().filter(|link| is_host(link)).any(|host| host.status == CheckStatus::Ok) {
        return;
    }
    let unanswered =
        [ProblemCode::WeChatUnreachable, ProblemCode::WeChatTimeout].map(|code| code.as_str().into());
    for link in
        checks.iter_mut().filter(|link| link.facts.get("code").is_some_and(|code| unanswered.contains(code)))
    {
        *link = Check::new(&*link.link, CheckStatus::Skipped, "cannot be checked: see the hosts");
    }
}

/// Marks the link whose fault a problem is, if it is another than the one it was met at.
fn mark_cause(checks: &mut [Check], problem: &Problem) {
    let Some(cause_of) = cause_of(problem.code) else { return };
    if let Some(link) =
        checks.iter_mut().find(|link| link.link == cause_of && link.status != CheckStatus::Failed)
    {
        *link = link.clone().blamed(problem);
    }
}
