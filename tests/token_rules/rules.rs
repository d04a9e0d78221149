//! The rules as pure functions, at their boundaries.

use wechat_preauth::platform::token::rules::{Decision, TokenRequest, decide, is_due, is_foreign_mint};
use wechat_preauth::platform::{Backoff, Lease, ProblemCode, Role, StoredToken, TokenItem};

const NOW: i64 = 1_795_343_400;

/// A token of this age with this much life left, both in seconds.
fn token(age: i64, left: i64) -> StoredToken {
    StoredToken { value: "stored".into(), expires_at: NOW + left, minted_at: NOW - age, uncertain: false }
}

fn uncertain(age: i64, left: i64) -> StoredToken {
    StoredToken { uncertain: true, ..token(age, left) }
}

fn item(token: StoredToken) -> TokenItem {
    TokenItem { token: Some(token), ..TokenItem::default() }
}

fn backoff(left: i64) -> Backoff {
    Backoff {
        code: ProblemCode::WeChatBusy,
        errcode: Some(-1),
        client_ip: None,
        count: 1,
        until: NOW + left,
        ticket_create_time: None,
        credentials_version: None,
    }
}

fn lease(left: i64) -> Lease {
    Lease { holder: "other".into(), expires_at: NOW + left }
}

fn request(role: Role) -> TokenRequest<'static> {
    TokenRequest { role, refused: None, force: false, minting: true }
}

/// The decision as one word, with the seconds of `Refused`.
fn decision(item: &TokenItem, request: TokenRequest<'_>) -> String {
    match decide(item, request, NOW, false) {
        Decision::Use(_) => "use".into(),
        Decision::Mint => "mint".into(),
        Decision::Wait => "wait".into(),
        Decision::BackOff(_) => "back off".into(),
        Decision::Refused(wait) => format!("refused {wait}"),
        Decision::Missing => "missing".into(),
    }
}

#[test]
fn a_token_is_renewed_with_600_seconds_left_by_the_keeper_and_with_300_by_callers() {
    for (left, keeper, caller) in [
        (601, "use", "use"),
        (600, "mint", "use"),
        (301, "mint", "use"),
        (300, "mint", "mint"),
        (1, "mint", "mint"),
        (0, "mint", "mint"),
    ] {
        let item = item(token(7200 - left, left));
        assert_eq!(decision(&item, request(Role::Keeper)), keeper, "{left} s left");
        assert_eq!(decision(&item, request(Role::Caller)), caller, "{left} s left");
    }
}

#[test]
fn a_valid_token_younger_than_300_seconds_is_not_renewed_whatever_its_life() {
    for (age, expected) in [(0, "use"), (299, "use"), (300, "mint")] {
        assert_eq!(decision(&item(token(age, 60)), request(Role::Keeper)), expected, "{age} s old");
    }
    let forced = TokenRequest { force: true, ..request(Role::Keeper) };
    assert_eq!(decision(&item(token(0, 7200)), forced), "mint");
}

#[test]
fn an_uncertain_token_is_renewed_from_60_seconds_by_the_keeper_and_from_180_by_callers() {
    for (age, keeper, caller) in
        [(59, "use", "use"), (60, "mint", "use"), (179, "mint", "use"), (180, "mint", "mint")]
    {
        let item = item(uncertain(age, 300 - age));
        assert_eq!(decision(&item, request(Role::Keeper)), keeper, "{age} s old");
        assert_eq!(decision(&item, request(Role::Caller)), caller, "{age} s old");
    }
}

#[test]
fn a_refused_token_is_replaced_from_300_seconds_after_its_mint() {
    let refused = |stored: &StoredToken| {
        let stored = stored.clone();
        let request = TokenRequest { refused: Some(&stored), ..request(Role::Caller) };
        decision(&item(stored.clone()), request)
    };
    assert_eq!(refused(&token(0, 7200)), "refused 300");
    assert_eq!(refused(&token(299, 6901)), "refused 1");
    assert_eq!(refused(&token(300, 6900)), "mint");
    assert_eq!(refused(&token(10, 6)), "refused 290");
    assert_eq!(refused(&token(10, 5)), "mint", "it may have expired on its way");
    assert_eq!(refused(&uncertain(0, 300)), "mint", "it was never certain to be the newest");
    assert_eq!(refused(&token(-61, 7200)), "mint", "its age comes from a wrong clock");
}

#[test]
fn a_refused_request_waits_for_a_mint_that_is_under_way() {
    let stored = token(10, 7190);
    let leased = TokenItem { lease: Some(lease(10)), ..item(stored.clone()) };
    let request = TokenRequest { refused: Some(&stored), ..request(Role::Caller) };
    assert_eq!(decision(&leased, request), "wait");
}

#[test]
fn a_refusal_without_a_stored_token_is_no_arithmetic_on_extremes() {
    let refused = token(0, 7200);
    let request = TokenRequest { refused: Some(&refused), ..request(Role::Caller) };
    assert_eq!(decision(&TokenItem::default(), request), "mint");
    for extreme in [i64::MIN, i64::MAX] {
        let stored = StoredToken { minted_at: extreme, expires_at: extreme, ..token(0, 0) };
        for role in [Role::Caller, Role::Keeper] {
            let _ = is_due(&stored, role, NOW);
            let _ = is_foreign_mint(&item(stored.clone()), &stored, NOW);
            let _ = decision(&item(stored.clone()), TokenRequest { refused: Some(&stored), ..request });
        }
    }
}

#[test]
fn a_lease_or_backoff_of_a_wrong_clock_is_void() {
    for (left, expected) in [(1, "wait"), (60, "wait"), (61, "mint"), (3600, "mint"), (0, "mint")] {
        let item = TokenItem { lease: Some(lease(left)), ..TokenItem::default() };
        assert_eq!(decision(&item, request(Role::Caller)), expected, "a lease for {left} s");
    }
    for (left, expected) in [(1, "back off"), (360, "back off"), (361, "mint"), (3600, "mint"), (0, "mint")] {
        let item = TokenItem { backoff: Some(backoff(left)), ..TokenItem::default() };
        assert_eq!(decision(&item, request(Role::Caller)), expected, "a backoff for {left} s");
    }
    let forever = TokenItem {
        lease: Some(Lease { holder: "x".into(), expires_at: i64::MAX }),
        backoff: Some(Backoff { until: i64::MAX, ..backoff(0) }),
        token: None,
    };
    assert_eq!(decision(&forever, request(Role::Caller)), "mint");
}

#[test]
fn a_backoff_ends_with_its_reason_and_by_force() {
    let item = TokenItem { backoff: Some(backoff(10)), ..TokenItem::default() };
    assert!(matches!(decide(&item, request(Role::Caller), NOW, true), Decision::Mint));
    let forced = TokenRequest { force: true, ..request(Role::Keeper) };
    assert_eq!(decision(&item, forced), "mint");
}

#[test]
fn during_a_backoff_a_token_that_may_be_dead_is_tried_before_nothing() {
    for stored in [token(1000, 0), token(7199, -10), uncertain(1000, -700)] {
        let item = TokenItem { backoff: Some(backoff(10)), ..item(stored.clone()) };
        assert_eq!(decision(&item, request(Role::Caller)), "use");
        let again = TokenRequest { refused: Some(&stored), ..request(Role::Caller) };
        assert_eq!(decision(&item, again), "back off", "and not after WeChat refused it");
        let older = StoredToken { value: "older".into(), minted_at: stored.minted_at - 1, ..stored.clone() };
        let older = TokenRequest { refused: Some(&older), ..request(Role::Caller) };
        assert_eq!(decision(&item, older), "use", "WeChat refused an older one");
    }
    let dead = TokenItem { backoff: Some(backoff(10)), ..item(token(7200, 0)) };
    assert_eq!(decision(&dead, request(Role::Caller)), "back off");
}

#[test]
fn while_minting_is_off_nothing_is_minted() {
    let off = |item: &TokenItem, refused| {
        decision(item, TokenRequest { minting: false, refused, force: true, role: Role::Keeper })
    };
    let stored = token(7000, 200);
    assert_eq!(off(&TokenItem::default(), None), "missing");
    assert_eq!(off(&item(stored.clone()), Some(&stored)), "refused 300");
}

#[test]
fn a_foreign_mint_is_a_refusal_between_five_minutes_after_the_mint_and_ten_before_the_end() {
    for (age, left, foreign) in
        [(299, 6901, false), (300, 6900, true), (6599, 601, true), (6600, 600, false), (-61, 7261, false)]
    {
        let stored = token(age, left);
        assert_eq!(is_foreign_mint(&item(stored.clone()), &stored, NOW), foreign, "{age} s old");
    }
    let stored = token(1000, 6200);
    let newer = StoredToken { value: "newer".into(), ..token(10, 7190) };
    assert!(!is_foreign_mint(&item(newer), &stored, NOW), "the table has a newer one");
    let leased = TokenItem { lease: Some(lease(-100)), ..item(stored.clone()) };
    assert!(!is_foreign_mint(&leased, &stored, NOW), "a mint of ours did not end");
    let stored = uncertain(1000, 6200);
    assert!(!is_foreign_mint(&item(stored.clone()), &stored, NOW), "it was never certain to be the newest");
}
