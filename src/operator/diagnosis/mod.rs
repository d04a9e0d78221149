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

pub use report::Diagnosis;

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Keeper;
use crate::platform::IssueRequest;
use crate::platform::check::Check;
use crate::platform::clock::rfc3339;
use crate::platform::problem::{Problem, ProblemCode, Result};

/// How long a host may take to answer, and Secrets Manager at the same time.
const HOST_TIMEOUT: Duration = Duration::from_secs(3);

/// The time that is kept for reading the table at the end.
const STATE_TIMEOUT: Duration = Duration::from_secs(2);

/// A step that has not ended this long after its deadline is stopped: the table is silent. While only WeChat is silent,
/// a step ends by itself.
const GRACE: Duration = Duration::from_millis(200);

/// How long the token may take: a whole mint, and a reserve.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the two calls for the address may take together.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(6);

impl Keeper {
    /// Makes every check by `deadline`, whatever does not answer. Never fails: what is wrong is in the report.
    pub async fn diagnose(&self, deadline: Instant) -> Diagnosis {
        use ProblemCode::{SecretsUnavailable, StateUnavailable};
        let (services, tokens) = (&self.services, self.tokens());
        let by = deadline - STATE_TIMEOUT;
        let read = async {
            let credentials = services.credentials.read_now().await?;
            // The keeper's calls by secret need the appsecret.
            credentials.appsecret()?;
            Ok(credentials)
        };
        let (credentials, hosts) = tokio::join!(
            in_time(Instant::now() + HOST_TIMEOUT + GRACE, SecretsUnavailable, read),
            services.wechat.probe_hosts(HOST_TIMEOUT)
        );
        // Without credentials, the table has the appid.
        let appid = in_time(by, StateUnavailable, tokens.appid()).await;
        let token_by = by.min(Instant::now() + TOKEN_TIMEOUT);
        let token = match &appid {
            Ok(_) => in_time(token_by + GRACE, StateUnavailable, tokens.get(token_by)).await,
            Err(problem) => Err(problem.clone()),
        };
        let (code, address) = match &token {
            Ok(_) => tokio::join!(
                in_time(by + GRACE, StateUnavailable, self.check_code(by)),
                in_time(by + GRACE, StateUnavailable, self.check_address(by))
            ),
            Err(problem) => (Err(problem.clone()), Err(problem.clone())),
        };
        // Read last, so that the report shows what the steps before have changed.
        let items = async { self.items(&appid.clone()?).await };
        let state = in_time(deadline, StateUnavailable, items).await;

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

    /// Issues a real code. It is not used and expires by itself. No other code is affected.
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

    /// The address that WeChat sees. `None`: it could not be found, which is no failure of the address.
    ///
    /// # Errors
    /// WeChat refuses the address.
    async fn check_address(&self, deadline: Instant) -> Result<Option<String>> {
        let found = self.address(deadline.min(Instant::now() + ADDRESS_TIMEOUT)).await;
        found.or_else(|problem| match problem.code {
            ProblemCode::ConfigEgressIpNotRegistered => Err(problem),
            _ => Ok(None),
        })
    }
}

/// The result of a step. A step that has not ended by `limit` waits for the secret or the table, as `silent` says.
async fn in_time<T>(limit: Instant, silent: ProblemCode, step: impl Future<Output = Result<T>>) -> Result<T> {
    timeout_at(limit, step).await.unwrap_or_else(|_elapsed| Err(Problem::no_answer_in_time(silent)))
}

/// The check of what was found, or the problem that was met instead.
fn check<T>(name: &str, found: &Result<T>, judge: impl FnOnce(&T) -> Check) -> Check {
    found.as_ref().map_or_else(|problem| Check::met(name, problem), judge)
}
