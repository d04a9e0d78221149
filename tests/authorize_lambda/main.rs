//! The built `authorize` binary under the Lambda runtime emulator. It invokes the built `preauthcode` binary through
//! Lambda's Invoke API, which calls the simulator; moto has the table and the secret.

#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use support::lambda::Function;
use support::moto::Moto;
use wechat_preauth::aws::DynamoDbState;
use wechat_preauth::platform::links::{Link, LinkId, LinkStore as _};
use wechat_preauth::platform::{Clock as _, SystemClock};
use wechat_preauth::wechat::code_fingerprint;
use wechat_sim::{Endpoint, Fault, Sim, SimConfig};

/// The id in the events, and its link's `return_url`.
const ID: &str = "MDEyMzQ1Njc4OWFiY2RlZg";
const RETURN_URL: &str = "https://shop.example.com/wechat/authorized";

struct Stack {
    wechat: Sim,
    state: DynamoDbState,
    moto: Arc<Moto>,
    table: String,
    _preauthcode: Function,
    invoke_url: String,
}

impl Stack {
    async fn new() -> Self {
        support::logs::start();
        let wechat = Sim::start(SimConfig::default()).await.unwrap();
        let moto = Moto::shared();
        let (secret, table) = moto.create_component(&wechat).await;
        let state = DynamoDbState::new(moto.dynamodb(), table.clone());
        let pages = format!("{0},{0}", wechat.url());
        let mut env = moto.env();
        env.extend(own(&[
            ("CREDENTIALS_SECRET_ID", &secret),
            ("STATE_TABLE", &table),
            ("MINTING", "on"),
            ("WECHAT_API_HOSTS", &wechat.url()),
            ("AUTHORIZATION_PAGE_ORIGINS", &pages),
        ]));
        let preauthcode = Function::start(env!("CARGO_BIN_EXE_preauthcode"), &env);
        let invoke_url = preauthcode.url().to_owned();
        Self { wechat, state, moto, table, _preauthcode: preauthcode, invoke_url }
    }

    fn authorize(&self, invoke_url: &str) -> Function {
        let mut env = self.moto.env();
        env.extend(own(&[
            ("AWS_ENDPOINT_URL_LAMBDA", invoke_url),
            ("STATE_TABLE", &self.table),
            ("PREAUTHCODE_FUNCTION", "_"),
            ("PAGES_ORIGIN", "https://auth.example.com"),
            ("PLATFORM_NAME", r"\u5fae\u5e97"),
        ]));
        Function::start(env!("CARGO_BIN_EXE_authorize"), &env)
    }

    /// Keeps the link of the events.
    async fn put_link(&self) -> String {
        let link_id = LinkId::parse(ID).unwrap().link_id();
        let now = SystemClock.now();
        let link = Link {
            reference: Some("order-17".into()),
            state: Some("back-office-7".into()),
            return_url: Some(RETURN_URL.into()),
            created_at: now,
            expires_at: now + 600,
            ..Link::default()
        };
        self.state.create_link(&link_id, &link, now + 7200).await.unwrap();
        link_id
    }
}

fn own(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn header<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer["multiValueHeaders"][name][0].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchant_goes_the_whole_way() {
    let stack = Stack::new().await;
    let function = stack.authorize(&stack.invoke_url);
    let link_id = stack.put_link().await;

    let page = function.invoke_file("authorize-launch-rest-api.json").unwrap();
    assert_eq!((page["statusCode"].as_u64(), header(&page, "referrer-policy")), (Some(200), "origin"));
    let html = page["body"].as_str().unwrap();
    assert!(
        html.contains("微店") && html.contains(&format!("https://auth.example.com/authorize/{ID}")),
        "{html}"
    );
    assert_eq!(stack.wechat.calls(Endpoint::CreatePreAuthCode), 0);

    for (file, page) in [
        ("authorize-start-desktop-rest-api.json", Endpoint::AuthPagePc),
        ("authorize-start-wechat-rest-api.json", Endpoint::AuthPageMobile),
    ] {
        let answer = function.invoke_file(file).unwrap();
        assert_eq!(answer["statusCode"], 303, "{file}: {answer}");
        let location = url::Url::parse(header(&answer, "location")).unwrap();
        assert_eq!(
            (location.origin().ascii_serialization(), location.path()),
            (stack.wechat.url(), page.path())
        );
        let value = |name| location.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        assert_eq!(value("redirect_uri"), format!("https://auth.example.com/authorized/{ID}"));
        let origin =
            stack.state.code_link(&code_fingerprint(&value("pre_auth_code"))).await.unwrap().unwrap();
        assert_eq!((origin.link_id, origin.state.as_deref()), (link_id.clone(), Some("back-office-7")));
    }
    assert_eq!(stack.wechat.calls(Endpoint::CreatePreAuthCode), 2);

    // A slow WeChat is waited for: its code is used up all the same.
    stack.wechat.inject(Fault::delay(Duration::from_secs(3)).on(Endpoint::CreatePreAuthCode));
    assert_eq!(function.invoke_file("authorize-start-desktop-rest-api.json").unwrap()["statusCode"], 303);

    let back = function.invoke_file("authorize-return-rest-api.json").unwrap();
    assert_eq!((back["statusCode"].as_u64(), header(&back, "referrer-policy")), (Some(303), "no-referrer"));
    let expected = format!(
        "{RETURN_URL}?auth_code=queryauthcode%40%40%40TEST-only&expires_in=600&state=back-office-7\
         &reference=order-17&link_id={link_id}"
    );
    assert_eq!(header(&back, "location"), expected);
    let again = function.invoke_file("authorize-return-rest-api.json").unwrap();
    assert_eq!((again["statusCode"].as_u64(), header(&again, "location")), (Some(200), ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_makes_links_and_checks_the_pages() {
    let stack = Stack::new().await;
    let function = stack.authorize(&stack.invoke_url);
    let over_http = function.invoke_file("authorize-link-rest-api.json").unwrap();
    assert_eq!(over_http["statusCode"], 200, "{over_http}");
    let over_http: Value = serde_json::from_str(over_http["body"].as_str().unwrap()).unwrap();
    let directly = function.invoke_file("authorize-link-direct.json").unwrap();
    for link in [over_http, directly] {
        let id = link["url"].as_str().unwrap().strip_prefix("https://auth.example.com/authorize/").unwrap();
        let link_id = LinkId::parse(id).unwrap().link_id();
        assert_eq!(link["link_id"], link_id);
        let stored = stack.state.link(&link_id).await.unwrap().unwrap();
        assert_eq!(stored.return_url.as_deref(), Some(RETURN_URL));
    }
    let refused = function.invoke(include_str!("../../events/authorize-link-bad-field.json")).await;
    assert!(refused.failed);
    assert_eq!(refused.payload["errorType"], "Request.Invalid");
    assert!(function.invoke_file("authorize-link-bad-field.json").is_err());

    // This emulator knows no dry run, so the check that succeeds is in tests/stack.
    let nowhere = stack.authorize("http://127.0.0.1:1");
    let check = nowhere.invoke_file("authorize-check-pages.json").unwrap();
    assert_eq!(
        (check["status"].as_str(), check["code"].as_str()),
        (Some("failed"), Some("Function.Unavailable"))
    );
    stack.put_link().await;
    let page = nowhere.invoke_file("authorize-start-desktop-rest-api.json").unwrap();
    assert_eq!((page["statusCode"].as_u64(), header(&page, "retry-after")), (Some(503), "5"));
    assert!(page["body"].as_str().unwrap().contains("order-17"));
}

#[test]
fn a_missing_variable_stops_the_function_by_name() {
    let start = |env: &[(&str, &str)]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_authorize"));
        command.env_clear().envs(env.iter().copied());
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
    };
    let base =
        [("STATE_TABLE", "t"), ("PREAUTHCODE_FUNCTION", "p"), ("PAGES_ORIGIN", "https://auth.example.com")];
    for missing in base {
        let rest: Vec<_> = base.into_iter().filter(|pair| *pair != missing).collect();
        assert!(start(&rest).contains(&format!("{}: must be set", missing.0)), "{}", missing.0);
    }
    for (name, value) in [
        ("PAGES_ORIGIN", "https://auth.example.com/path"),
        ("PAGES_ORIGIN", "http://auth.example.com"),
        ("PLATFORM_NAME", r"\u00zz"),
        ("PLATFORM_NAME", "01234567890123456789012345678901234567890"),
        ("AUTHORIZATION_PAGE_ORIGINS", "https://mp.weixin.qq.com"),
    ] {
        let mut env = base.to_vec();
        env.push((name, value));
        let said = start(&env);
        assert!(said.contains(&format!("{name}: ")), "{name}={value}: {said}");
    }
}
