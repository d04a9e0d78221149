//! Checks the whole chain, from the credentials to a real code, and says which check failed.
//!
//! The chain is checked with the service's own steps: the token comes by the token rules, so nothing is
//! minted while the stored one needs no renewal, and the code is issued as for any caller. A check that
//! meets a problem does not always cause it: when WeChat refuses the appsecret in a mint, `credentials`
//! fails and `token` is skipped.
//!
//! | module | for |
//! |---|---|
//! | `checks` | judges what was read or asked |
//! | `causes` | finds the check that causes a problem |
//! | `report` | the answer, as JSON and as text |

mod causes;
mod checks;
mod report;

pub use report::{Check, CheckStatus, Diagnosis};

use std::time::Duration;

use tokio::time::Instant;

use super::Keeper;
use super::calls::by_token;
use crate::platform::IssueRequest;
use crate::platform::clock::rfc3339;
use crate::platform::problem::{Problem, ProblemCode, Result};
use crate::platform::token::ActiveToken;
use crate::wechat::Endpoint;

/// How long a host may take to answer.
const HOST_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the token may take: a whole mint, and a reserve.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the two calls for the address may take together.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(6);

/// An appid that nobody has. WeChat refuses a code call with it, which harms nothing, and can be asked by the
/// refusal's rid which address the call came from.
const NOBODYS_APPID: &str = "wx0000000000000000";

impl Keeper {
    /// Makes every check. Never fails: what is wrong is in the report.
    pub async fn diagnose(&self, deadline: Instant) -> Diagnosis {
        let services = &self.services;
        let (credentials, hosts) =
            tokio::join!(services.credentials.read_now(), services.wechat.probe_hosts(HOST_TIMEOUT));
        // The keeper's calls by secret need the appsecret.
        let credentials =
            credentials.and_then(|credentials| credentials.appsecret().map(|_| credentials.clone()));
        let credentials = credentials.map_err(Box::<Problem>::from);
        let appid = self.tokens().appid().await;
        let token = self.tokens().get(deadline.min(Instant::now() + TOKEN_TIMEOUT)).await;
        let (code, address) = match &token {
            Ok(_) => tokio::join!(self.check_code(deadline), self.address(deadline)),
            Err(problem) => (Err(problem.clone()), Err(problem.clone())),
        };
        // Read last, so that the report shows what the steps before have changed.
        let state = async { self.items(&appid.clone()?).await }.await;

        let (minting, now) = (services.minting, services.clock.now());
        let mut checks = vec![
            check("credentials", &credentials, |credentials| checks::credentials(credentials)),
            check("push_keys", &credentials, |credentials| checks::push_keys(credentials)),
            check("state", &state, |_| Check::ok("state", "readable")),
            check("ticket", &state, |(token, ticket)| checks::ticket(ticket, token, minting, now)),
        ];
        checks.extend(hosts.iter().map(checks::host));
        let item = state.map(|(item, _)| item).unwrap_or_default();
        checks.push(checks::token(&token, &item, minting, now));
        checks.push(checks::egress_ip(&address, &services.egress));
        checks.push(check("code", &code, Check::clone));
        causes::mark_causes(&mut checks);
        Diagnosis::new(rfc3339(now), appid.ok(), minting, checks)
    }

    /// Issues a real code. Nobody uses it: it expires by itself, and no other code is affected.
    async fn check_code(&self, deadline: Instant) -> Result<Check> {
        let started = Instant::now();
        let code = self.issuer.issue(&IssueRequest::default(), deadline).await?;
        let latency_ms = checks::milliseconds(started.elapsed());
        let detail = format!("issued {} in {latency_ms} ms", code.code_fingerprint);
        Ok(Check::ok("code", detail)
            .fact("code_fingerprint", code.code_fingerprint)
            .fact("expires_in_s", code.expires_in)
            .fact("latency_ms", latency_ms))
    }

    /// The address that WeChat sees, asked by the rid of a harmless refusal. `None`: WeChat did not tell.
    ///
    /// # Errors
    /// WeChat refuses the address.
    async fn address(&self, deadline: Instant) -> Result<Option<String>> {
        let services = &self.services;
        let by = deadline.min(Instant::now() + ADDRESS_TIMEOUT);
        let call = |active: ActiveToken, timeout| async move {
            services.wechat.create_preauthcode(NOBODYS_APPID, &active.token.value, timeout).await
        };
        let answer = by_token(services, self.tokens(), Endpoint::CreatePreAuthCode, by, call).await;
        match answer.map_err(|problem| *problem) {
            Err(problem) if problem.code == ProblemCode::ConfigEgressIpNotRegistered => Err(problem.into()),
            Err(Problem { rid: Some(rid), .. }) => {
                let request = self.explain_rid(&rid, by).await;
                Ok(request.ok().and_then(|request| request.record.client_ip))
            }
            _ => Ok(None),
        }
    }
}

/// The check of what was found, or of the problem that was met instead.
fn check<T>(name: &str, found: &Result<T>, judge: impl FnOnce(&T) -> Check) -> Check {
    found.as_ref().map_or_else(|problem| Check::met(name, problem), judge)
}
