//! The operator changes the component in the credentials secret. Here the environment knows the old component from
//! the table only, because it started while Secrets Manager was down. `tests/keeper/component.rs` has the other
//! way: an environment that used the old component until then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use wechat_preauth::platform::{
    CredentialsCache, CredentialsSource, IssueRequest, ProblemCode, Role, SecretDocument, SecretsError,
    StoredToken, TokenStore as _,
};

use crate::faulty_state::{Access, Fate};
use crate::scripted_wechat::{Call, Reply};
use crate::timed_service::{A, B, LIMIT, TimedInstance, TimedService, document, secs};
use crate::value;

/// A secret that is down until it names component B.
#[derive(Clone, Default)]
struct DownUntilB(Arc<AtomicBool>);

#[async_trait]
impl CredentialsSource for DownUntilB {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        match self.0.load(Ordering::Relaxed) {
            true => Ok(document(B)),
            false => Err(SecretsError::Unavailable("down".into())),
        }
    }
}

/// An environment that knows component A and its token from the table only.
async fn started_without_the_secret(service: &TimedService, role: Role) -> (TimedInstance, DownUntilB) {
    service.caller().issue().await.unwrap();
    let secret = DownUntilB::default();
    let source = secret.clone();
    let instance =
        service.instance(role, |services| services.credentials = Arc::new(CredentialsCache::new(source)));
    instance.issuer.tokens().warm_up().await;
    assert_eq!(instance.issue().await.unwrap().component_appid, A);
    (instance, secret)
}

/// No call named one component and carried the other one's token, and none such is stored.
async fn nothing_is_mixed(service: &TimedService) {
    for seen in service.wechat.seen() {
        let fits = seen.token.as_ref().is_none_or(|token| token.ends_with(&format!("@{}", seen.appid)));
        assert!(fits, "{seen:?}");
    }
    for appid in [A, B] {
        if let Some(token) = service.table.token_item(appid).await.unwrap().token {
            assert!(value(&token).ends_with(&format!("@{appid}")), "{} is stored for {appid}", value(&token));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_component_known_from_the_table_is_never_used_for_the_one_in_the_secret() {
    for role in [Role::Caller, Role::Keeper] {
        let service = TimedService::new().await;
        let (instance, secret) = started_without_the_secret(&service, role).await;
        let token_of_a = value(&service.stored().await);

        secret.0.store(true, Ordering::Relaxed);
        sleep(secs(10)).await;
        assert_eq!(instance.issue().await.unwrap_err().code, ProblemCode::TicketMissing);
        service.ticket_arrives(B).await;
        assert_eq!(value(&instance.refresh(false).await.unwrap()), format!("token-2@{B}"));
        assert_eq!(instance.issue().await.unwrap().component_appid, B);
        nothing_is_mixed(&service).await;
        assert_eq!(value(&service.stored().await), token_of_a, "A's own token stays");
    }
}

#[tokio::test(start_paused = true)]
async fn a_component_that_changes_during_a_request_leaves_no_token_of_the_old_one() {
    let service = TimedService::new().await;
    let (instance, secret) = started_without_the_secret(&service, Role::Keeper).await;
    // B has an old token, which has ended.
    let old = StoredToken {
        value: format!("old@{B}").into(),
        uncertain: false,
        expires_at: service.now() + 1,
        minted_at: 0,
    };
    service.table.put_token(B, &old, false).await.unwrap();
    service.ticket_arrives(B).await;
    sleep(secs(7000)).await;

    // The request begins with A, whose token is due. While it reads the table the secret names B.
    let names_b = secret.clone();
    instance.table.decide(move |access| {
        if access != Access::ReadToken {
            return Fate::WORKS;
        }
        names_b.0.store(true, Ordering::Relaxed);
        Fate::WORKS.slow(secs(6))
    });
    assert_eq!(
        value(&instance.refresh(false).await.unwrap()),
        format!("token-1@{A}"),
        "A's token is still valid"
    );
    instance.table.works();
    assert_eq!(service.wechat.mints(), 1, "nothing is minted for a component that the secret does not name");

    sleep(secs(10)).await;
    assert_eq!(instance.issue().await.unwrap().component_appid, B);
    assert_eq!(service.wechat.mints(), 2);
    nothing_is_mixed(&service).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_refused_before_the_change_is_not_replaced_by_the_old_components() {
    let service = TimedService::new().await;
    let (instance, secret) = started_without_the_secret(&service, Role::Caller).await;
    service.ticket_arrives(B).await;
    sleep(secs(400)).await;
    // A failed read of the secret is remembered for 5 s: it ends between the refusal and the replacement.
    instance.issue().await.unwrap();
    service.wechat.revoke_tokens();
    sleep(secs(4)).await;
    let names_b = secret.clone();
    service.wechat.decide(move |_| {
        names_b.0.store(true, Ordering::Relaxed);
        crate::scripted_wechat::Reply::USUAL.after(secs(2))
    });
    assert_eq!(instance.issue().await.unwrap().component_appid, B);
    nothing_is_mixed(&service).await;
}

#[tokio::test(start_paused = true)]
async fn another_component_in_the_secret_is_taken_up_after_ten_minutes() {
    let service = TimedService::new().await;
    let caller = service.caller();
    assert_eq!(caller.issue().await.unwrap().component_appid, A);
    service.credentials.set(Ok(document(B)));
    service.ticket_arrives(B).await;
    for (seconds, appid) in [(599, A), (1, B), (6000, B)] {
        sleep(secs(seconds)).await;
        assert_eq!(caller.issue().await.unwrap().component_appid, appid);
    }
    assert_eq!(service.wechat.mints(), 2);
    nothing_is_mixed(&service).await;
}

/// The code is not handed out: the caller named component A.
#[tokio::test(start_paused = true)]
async fn a_caller_of_one_component_gets_no_code_of_the_next_when_the_component_changes_during_the_request() {
    let service = TimedService::new().await;
    let instance = service.caller();
    instance.issue().await.unwrap();
    // The credentials are ten minutes old when WeChat refuses the token.
    sleep(secs(598)).await;
    service.credentials.set(Ok(document(B)));
    service.ticket_arrives(B).await;
    service.wechat.revoke_tokens();
    let mut slow = true;
    service.wechat.decide(move |call| match call {
        Call::Code if std::mem::take(&mut slow) => Reply::USUAL.after(secs(3)),
        _ => Reply::USUAL,
    });
    let request = IssueRequest { component_appid: Some(A.to_owned()), ..IssueRequest::default() };
    let problem = instance.issuer.issue(&request, Instant::now() + LIMIT).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::RequestInvalid);
    assert_eq!(service.wechat.seen().last().unwrap().appid, B, "the component has changed meanwhile");
}
