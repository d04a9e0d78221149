//! Walks the chain from the credentials to a real code and says which link is broken.
//!
//! The chain is walked with the service's own steps: the token comes by the token rules (nothing is
//! minted while the stored one needs no renewal) and the code as for any caller. A problem is laid at the
//! link whose fault it is: a mint that fails for the appsecret breaks `credentials`, and `token` can then
//! not be checked.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::Keeper;
use super::links;
use super::report::{Link, Report, Status, culprit};
use crate::platform::clock::rfc3339;
use crate::platform::problem::{Code, Problem, Result};
use crate::platform::token::Held;
use crate::platform::{Credentials, IssueRequest, SecretsError, StateError, TicketItem, TokenItem};
use crate::wechat::errcode::{Api, Class};
use crate::wechat::{CallError, Refusal};

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
    pub async fn diagnose(&self, deadline: Instant) -> Report {
        let outside = &self.outside;
        let (credentials, hosts) =
            tokio::join!(outside.credentials.read_now(), outside.wechat.probe_hosts(HOST_TIMEOUT));
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
                    tokio::join!(outside.state.token_item(appid), outside.state.ticket_item(appid));
                token.and_then(|token| Ok((token, ticket?)))
            }
            Err(_) => Ok(Default::default()),
        };
        let found = Found { credentials, state };

        let mut links = self.first_links(&found, appid.is_ok());
        links.extend(hosts.iter().map(links::host));
        links.push(self.token_link(&token, &found));
        links.push(self.egress_link(&token, &code, address));
        links.push(code.as_ref().map_or_else(|problem| links::met_at("code", problem), Clone::clone));
        for problem in [token.err(), code.err()].into_iter().flatten() {
            blame(&mut links, &problem);
        }
        blame_the_network(&mut links);
        let checked_at = rfc3339(outside.clock.now());
        Report::new(checked_at, appid.ok(), outside.minting, links)
    }

    fn first_links(&self, found: &Found, has_appid: bool) -> Vec<Link> {
        let skipped =
            |link, because| Link::new(link, Status::Skipped, format!("cannot be checked: see {because}"));
        let (credentials, push_keys) = match &found.credentials {
            Ok(ours) => (links::credentials(ours), links::push_keys(ours)),
            Err(error) => {
                let problem: Box<Problem> = error.clone().into();
                let link = Link::failed("credentials", &problem);
                let link = match problem.code {
                    Code::SecretsUnavailable => link.remedy(
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
                Link::failed("state", &Problem::state_unavailable(error)).remedy(
                    "Check STATE_TABLE, the function's role, and the VPC's way to DynamoDB (gateway endpoint).",
                ),
                skipped("ticket", "state"),
            ),
            Ok((token, ticket)) => {
                let now = self.outside.clock.now();
                (
                    Link::new("state", Status::Ok, "readable"),
                    links::ticket(ticket, token, self.outside.minting, now),
                )
            }
        };
        vec![credentials, push_keys, state, ticket]
    }

    fn token_link(&self, token: &Result<Held>, found: &Found) -> Link {
        let now = self.outside.clock.now();
        let nothing = TokenItem::default();
        let item = found.state.as_ref().map_or(&nothing, |(token, _)| token);
        match token {
            Ok(_) => links::token(item, self.outside.minting, now),
            Err(problem) => links::with_attempts(links::met_at("token", problem), item, now),
        }
    }

    /// A real code. Nobody uses it: it ends by itself, and disturbs no other.
    async fn code_link(&self, deadline: Instant) -> Result<Link> {
        let started = Instant::now();
        let code = self.issuer.issue(&IssueRequest::default(), deadline).await?;
        let latency_ms = (started.elapsed().as_secs_f64() * 1e4).round() / 10.0;
        let detail = format!("issued {} in {latency_ms} ms", code.code_fingerprint);
        Ok(Link::new("code", Status::Ok, detail)
            .fact("code_fingerprint", code.code_fingerprint)
            .fact("expires_in_s", code.expires_in)
            .fact("latency_ms", latency_ms))
    }

    fn egress_link(
        &self,
        token: &Result<Held>,
        code: &Result<Link>,
        address: std::result::Result<Option<String>, CallError>,
    ) -> Link {
        let egress = &self.outside.egress;
        let is_refused = |problem: &Problem| problem.code == Code::ConfigEgressIpNotRegistered;
        let met = [token.as_ref().err(), code.as_ref().err()].into_iter().flatten();
        let asked = address.as_ref().err().map(|error| Problem::from_call(error, egress));
        if let Some(problem) = met.cloned().chain(asked).find(|problem| is_refused(problem)) {
            return links::egress_ip(problem.client_ip.as_deref(), Some(&problem), egress);
        }
        match (token, address) {
            (Err(problem), _) => {
                let because = culprit(problem.code).unwrap_or("token");
                Link::new("egress_ip", Status::Skipped, format!("cannot be checked: see {because}"))
            }
            (Ok(_), Err(error)) => Link::new(
                "egress_ip",
                Status::Unknown,
                format!("WeChat could not be asked which address it sees: {error}"),
            ),
            (Ok(_), Ok(seen)) => links::egress_ip(seen.as_deref(), None, egress),
        }
    }

    /// The address WeChat sees: from a refusal that names it, or by the rid of a harmless refusal.
    async fn address(&self, held: &Held) -> std::result::Result<Option<String>, CallError> {
        let (wechat, token): (_, &SecretString) = (&self.outside.wechat, &held.token.value);
        let asked = Instant::now();
        let refused = wechat.create_preauthcode(NOBODYS_APPID, token, ADDRESS_CALL).await;
        self.outside.metrics.call(Api::CreatePreAuthCode.name(), asked.elapsed());
        match refused {
            Err(CallError::Refused(Refusal { rid: Some(rid), client_ip: None, .. })) => {
                let asked = Instant::now();
                let report = wechat.get_rid(token, &rid, ADDRESS_CALL).await;
                self.outside.metrics.call(Api::GetRid.name(), asked.elapsed());
                report.map(|report| report.client_ip)
            }
            Err(error) if matches!(error.class(), None | Some(Class::EgressIp | Class::TokenRejected)) => {
                Err(error)
            }
            // Refused as it should be, without naming an address or a rid.
            Err(_) | Ok(_) => Ok(None),
        }
    }
}

/// When no host answers, a call without an answer says nothing of its own.
fn blame_the_network(links: &mut [Link]) {
    let is_host = |link: &Link| link.link.starts_with("host:");
    if links.iter().filter(|link| is_host(link)).any(|host| host.status == Status::Ok) {
        return;
    }
    let unanswered = [Code::WeChatUnreachable, Code::WeChatTimeout].map(|code| code.as_str().into());
    for link in
        links.iter_mut().filter(|link| link.facts.get("code").is_some_and(|code| unanswered.contains(code)))
    {
        *link = Link::new(&*link.link, Status::Skipped, "cannot be checked: see the hosts");
    }
}

/// Marks the link whose fault a problem is, if it is another than the one it was met at.
fn blame(links: &mut [Link], problem: &Problem) {
    let Some(culprit) = culprit(problem.code) else { return };
    if let Some(link) = links.iter_mut().find(|link| link.link == culprit && link.status != Status::Failed) {
        *link = link.clone().blamed(problem);
    }
}
