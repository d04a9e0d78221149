//! The promises, checked at every step. Each has a name under which a broken one is reported.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use wechat_preauth::platform::{Backoff, IssuedCode, Lease, Problem, ProblemCode, StateError, TokenItem};
use wechat_preauth::telemetry::{Metrics, metric};

use crate::history::BASE;
use crate::plan::Event;
use crate::world::{Hit, MintCall, World, shown};

/// A mint call needs this much of its lease: 4.5 s, 1.5 s for storing, 2 s for clocks that differ.
const MINT_NEEDS_S: i64 = 8;

/// Other instances may leave from an address that WeChat accepts, so nobody waits longer than this for one.
const ADDRESS_PAUSE_S: i64 = 15;

/// Nobody renews a clear, valid, unrefused token younger than this, in seconds.
const YOUNG_S: i64 = 300;

/// Marks a mint call as ended when the instance stops waiting for it.
pub struct OpenCall<'a>(&'a World, usize);

impl Drop for OpenCall<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.0.truth().calls.iter_mut().find(|call| call.id == self.1) {
            call.open = false;
        }
    }
}

pub fn skew(world: &World, instance: usize) -> i64 {
    world.plan.skews.get(instance).copied().unwrap_or(0)
}

pub fn mint_call_begins<'a>(world: &'a World, instance: usize, appid: &str) -> OpenCall<'a> {
    let (now, item) = (world.time.unix(), world.item(appid));
    world.history.note(format_args!("instance {instance} asks for a token of {appid}; {}", shown(&item)));
    if !world.plan.minting {
        world.history.broken("mints_while_minting_is_off", format!("instance {instance}"));
    }
    // Each lease that a wrong clock has taken may cost one extra mint.
    let others: Vec<usize> = {
        let truth = world.truth();
        let open = |call: &&MintCall| call.open && call.appid == appid && call.instance != instance;
        let lately = |taken: &&i64| world.time.ms() - **taken < 30_000;
        let allowed = truth.leases_of_wrong_clocks.iter().filter(lately).count()
            + usize::from(world.plan.is_wrong(instance));
        let right = |call: &&MintCall| !world.plan.is_wrong(call.instance);
        truth.calls.iter().filter(open).filter(right).skip(allowed).map(|call| call.instance).collect()
    };
    if !others.is_empty() {
        world.history.broken("two_mints_at_once", format!("instances {others:?} and {instance}"));
    }
    if world.plan.clocks_agree() {
        let left = item.lease.as_ref().map_or(0, |lease| lease.expires_at - now - skew(world, instance));
        if left < MINT_NEEDS_S - 1 {
            world.history.broken("mint_without_time", format!("{left} s of the lease are left"));
        }
        check_backoff(world, &item, now);
        check_young(world, &item, now);
    }
    let mut truth = world.truth();
    let id = truth.calls.len();
    truth.calls.push(MintCall { id, instance, appid: appid.to_owned(), open: true });
    drop(truth);
    OpenCall(world, id)
}

fn forced(world: &World) -> bool {
    world.truth().forced_ms.iter().any(|at| world.time.ms() - at < 30_000)
}

fn check_backoff(world: &World, item: &TokenItem, now: i64) {
    let Some(backoff) = item.backoff.as_ref().filter(|backoff| backoff.until > now + 2) else { return };
    let by_credentials = matches!(
        backoff.code,
        ProblemCode::ConfigAppIdRejected
            | ProblemCode::ConfigAppSecretRejected
            | ProblemCode::WeChatUnauthorized
    );
    let changed = !world.truth().changed_ms.is_empty();
    let overtaken = backoff.code == ProblemCode::TicketRejected || (by_credentials && changed);
    if !overtaken && !forced(world) {
        world.history.broken("call_inside_a_backoff", format!("{} s are left", backoff.until - now));
    }
}

fn check_young(world: &World, item: &TokenItem, now: i64) {
    let Some(token) = item.token.as_ref().filter(|token| token.expires_at > now + 1) else { return };
    let age = now - token.minted_at;
    // A newer one may be known to a process that could not store it.
    let newest = world.is_newest(token.value.expose_secret());
    if age < YOUNG_S - 2 && newest && !token.uncertain && !forced(world) {
        world
            .history
            .broken("mint_storm", format!("the stored token is {age} s old, valid and was not refused"));
    }
}

/// A frozen instance waits for nothing: its call counts as ended.
pub fn mint_calls_freeze(world: &World, instance: usize) {
    for call in world.truth().calls.iter_mut().filter(|call| call.instance == instance) {
        call.open = false;
    }
}

/// A mint's answer reaches its instance. From here the token must not be lost while the lease lives.
pub fn mint_answer_arrives(world: &World, instance: usize, appid: &str, token: &str) {
    let lease_end = world.item(appid).lease.map_or(0, |lease| (lease.expires_at - BASE) * 1000);
    let now = world.time.ms();
    world.history.note(format_args!("instance {instance} gets {token}"));
    world.truth().delivered.push((token.to_owned(), instance, now, lease_end));
}

/// A code call leaves an instance.
pub fn token_is_sent(world: &World, instance: usize, appid: &str, token: &str) {
    if !token.ends_with(&format!("@{appid}")) {
        world
            .history
            .broken("another_components_token", format!("instance {instance} sends {token} for {appid}"));
    }
}

/// A write reaches the table.
pub fn change<T>(
    world: &World,
    instance: usize,
    appid: &str,
    what: &str,
    holder: Option<&str>,
    apply: impl FnOnce() -> Result<T, StateError>,
) -> Result<T, StateError> {
    let before = world.item(appid);
    let result = apply();
    let after = world.item(appid);
    if shown(&before) == shown(&after) {
        return result;
    }
    world.history.note(format_args!("instance {instance} {what}({appid}): {}", shown(&after)));
    if what == "take_lease" && world.plan.is_wrong(instance) {
        world.truth().leases_of_wrong_clocks.push(world.time.ms());
    }
    let now = world.time.unix();
    let value = |item: &TokenItem| item.token.as_ref().map(|token| token.value.expose_secret().to_owned());
    let (old, new) = (value(&before), value(&after));
    if let Some(new) = new.as_ref().filter(|new| !new.ends_with(&format!("@{appid}"))) {
        world.history.broken("another_components_token", format!("{new} is stored for {appid}"));
    }
    if let (Some(old), Some(new)) = (&old, &new)
        && world.order(new) < world.order(old)
        && world.plan.clocks_agree()
    {
        world.history.broken("newer_token_overwritten", format!("{old} by {new} ({what})"));
    }
    if !world.plan.clocks_agree() {
        return result;
    }
    let leased = before.lease.as_ref().map(|lease| lease.holder.clone());
    if let Some(lease) = before.lease.filter(|lease| lease.expires_at > now + 2)
        && holder != Some(lease.holder.as_str())
        && after.lease.is_none_or(|kept| kept.holder != lease.holder)
    {
        world.history.broken("lease_of_another_removed", format!("{what} by instance {instance}"));
    }
    if before.backoff.is_some_and(|backoff| backoff.until > now + 2)
        && after.backoff.is_none()
        && holder != leased.as_deref()
    {
        world.history.broken("backoff_removed_without_the_lease", format!("{what} by instance {instance}"));
    }
    result
}

/// An instance stores why its mint failed.
pub fn failure_is_stored(world: &World, instance: usize, backoff: &Backoff) {
    let pause = backoff.until - world.time.unix() - skew(world, instance);
    if backoff.code == ProblemCode::ConfigEgressIpNotRegistered && pause > ADDRESS_PAUSE_S {
        world.history.broken("long_pause_after_an_address", format!("{pause} s by instance {instance}"));
    }
}

/// A request, as it began.
pub struct Began {
    ms: i64,
    ends_ms: i64,
}

pub fn request_begins(world: &World, instance: usize, time: Duration) -> Began {
    world.history.note(format_args!("a request for a code on instance {instance}, within {time:?}"));
    let ms = world.time.ms();
    Began { ms, ends_ms: ms + i64::try_from(time.as_millis()).unwrap() }
}

pub fn request_ends(
    world: &World,
    instance: usize,
    began: &Began,
    result: &Result<IssuedCode, Box<Problem>>,
) {
    let now = world.time.ms();
    let shown = result.as_ref().map(|code| &code.component_appid).map_err(|p| (p.code, p.retry_after));
    world.history.note(format_args!("the request on instance {instance} ends: {shown:?}"));
    let Err(problem) = result else { return };
    // A process takes up another component within ten minutes, and until then asks for the old one.
    let changing = world.component_changes(now);
    if changing || !world.plan.clocks_agree() {
        return;
    }
    let hit = |kinds: &[Hit], since: i64| world.was_hit(instance, kinds, since);
    let rest = world.truth().rests.remove(&tokio::task::id());
    if let Some((rest, read_ms)) = rest.filter(|_| problem.code == ProblemCode::TokenPending)
        // Between the read of the item and the answer, the ticket or the secret may have been read.
        && !problem.retry_after.is_some_and(|wait| (rest - (now - read_ms) / 1000 - 1..=rest.max(1)).contains(&wait))
    {
        let seen = format!("{:?}, but the lease had {rest} s left", problem.retry_after);
        world.history.broken("retry_after_is_not_the_lease", seen);
    }
    if problem.retry_after.is_some_and(|wait| !(1..=660).contains(&wait)) {
        world.history.broken("absurd_retry_after", format!("{:?}", problem.retry_after));
    }
    // The token that was stored before the request began, valid for all its time.
    let appid = world.appid();
    let stored = world.item(&appid).token;
    // A token whose expiry was brought forward may work on, but nobody can know: while another mints, it is not used.
    let waits_behind_a_mint = problem.code == ProblemCode::TokenPending
        && stored.as_ref().is_some_and(|token| token.expires_at <= world.time.unix());
    let stored = stored.map(|token| token.value.expose_secret().to_owned());
    let (usable, foreign) = {
        let truth = world.truth();
        let stored = truth.minted.iter().find(|token| Some(&token.value) == stored.as_ref());
        (
            stored.is_some_and(|token| token.at_ms + 8000 < began.ms && now + 1000 < token.dies_ms),
            truth.minted.iter().any(|token| token.by.is_none()),
        )
    };
    // Refusals are remembered for 30 s, from a slow answer on.
    let quiet = !hit(&[Hit::Table, Hit::CodeCall, Hit::Instance], began.ms.min(now - 45_000));
    // Five seconds for a start while Secrets Manager hangs.
    let enough_time =
        began.ends_ms - began.ms >= if hit(&[Hit::Secrets], began.ms - 5000) { 8000 } else { 2000 };
    // Without the secret a cold process needs the name of the component, which a dead process did not store.
    let nameless =
        problem.code == ProblemCode::SecretsUnavailable && world.component() != Some(appid.clone());
    if usable && quiet && enough_time && !nameless && !waits_behind_a_mint && world.plan.minting {
        world.history.broken("valid_token_unused", format!("instance {instance}: {}", problem.code));
    }
    let waited = tokio::task::try_id().is_some_and(|task| world.truth().waiting.remove(&task));
    if problem.code == ProblemCode::StateUnavailable && waited && began.ends_ms - now > 4000 {
        world
            .history
            .broken("gave_up_waiting", format!("instance {instance} had {} ms left", began.ends_ms - now));
    }
    // Six seconds for a mint, one for the poll that finds the lease ended.
    let ended = |lease: &Lease| ((lease.expires_at - BASE) * 1000).max(began.ms) + 7000 <= began.ends_ms;
    if problem.code == ProblemCode::TokenPending
        && world.item(&appid).lease.as_ref().is_some_and(ended)
        && !hit(&[Hit::Table, Hit::Instance, Hit::Secrets, Hit::CodeCall], began.ms)
    {
        world
            .history
            .broken("dead_holder_blocks", format!("instance {instance} waits behind an ended lease"));
    }
    if problem.code == ProblemCode::WeChatTokenRejected && !foreign && world.plan.minting {
        world.history.broken("rejected_without_a_cause", format!("instance {instance}"));
    }
}

/// What one process has counted.
pub fn metrics(world: &World, instance: usize, metrics: &Metrics) {
    let foreign = world.plan.has(|event| matches!(event, Event::ForeignMint | Event::PutToken(_)));
    if metrics.sum(metric::FOREIGN_MINT) > 0.0 && !foreign && world.plan.clocks_agree() {
        world.history.broken("false_blame", format!("instance {instance} reports a foreign mint"));
    }
}

/// At the end: every token that reached an instance in good time and in quiet is stored, or a newer one is.
pub fn nothing_was_lost(world: &World) {
    if !world.plan.clocks_agree() {
        return;
    }
    let delivered = std::mem::take(&mut world.truth().delivered);
    for (token, instance, at, lease_end) in delivered {
        let in_quiet =
            !world.was_hit(instance, &[Hit::Table, Hit::Instance], at - 1) && lease_end - at > 2500;
        let appid = token.split('@').nth(1).unwrap();
        let stored = world.item(appid).token.map(|token| token.value.expose_secret().to_owned());
        if in_quiet && stored.and_then(|stored| world.order(&stored)) < world.order(&token) {
            world.history.broken("minted_token_lost", format!("{token} of instance {instance}"));
        }
    }
}
