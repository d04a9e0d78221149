//! A gateway answers with an HTTP error. An answer came, so no text may send the operator to the network.

use wechat_preauth::operator::Keeper;
use wechat_preauth::platform::ProblemCode;
use wechat_sim::{Endpoint, Fault, FaultKind};

use crate::support::service::{TestService, soon};

/// What the texts about the network name.
const NETWORK: [&str; 4] = ["NAT", "route", "security group", "DNS"];

fn leaves_the_network_alone(remedy: Option<&str>) {
    let remedy = remedy.expect("a remedy");
    assert!(!NETWORK.iter().any(|word| remedy.contains(word)), "{remedy}");
}

fn answer_502(world: &TestService, api: Endpoint) {
    world.wechat.inject(Fault::new(FaultKind::Html { status: 502 }).on(api).forever());
}

#[tokio::test]
async fn a_caller_is_not_sent_to_the_network() {
    for api in [Endpoint::ComponentToken, Endpoint::CreatePreAuthCode] {
        let world = TestService::new().await;
        answer_502(&world, api);
        let instance = world.instance();
        // The second answer comes from the backoff, when it was the mint that failed.
        for _request in 0..2 {
            let problem = instance.issue().await.unwrap_err();
            assert_eq!(problem.code, ProblemCode::WeChatUnreachable);
            assert!(!problem.detail.contains("no connection"), "{}", problem.detail);
            leaves_the_network_alone(problem.remedy.as_deref());
        }
    }
}

#[tokio::test]
async fn an_operator_who_diagnoses_is_not_sent_to_the_network() {
    for (api, check) in [(Endpoint::ComponentToken, "token"), (Endpoint::CreatePreAuthCode, "code")] {
        let world = TestService::new().await;
        let keeper = Keeper::new(world.services());
        if api == Endpoint::CreatePreAuthCode {
            keeper.refresh(false, soon()).await.unwrap();
        }
        answer_502(&world, api);
        if api == Endpoint::ComponentToken {
            keeper.refresh(false, soon()).await.unwrap_err();
        }
        let report = serde_json::to_value(keeper.diagnose(soon()).await).unwrap();
        let checks = report["links"].as_array().unwrap();
        let failed = |name: &str| {
            let found = checks.iter().find(|check| check["link"] == name && check["status"] == "failed");
            found.map(|check| check["remedy"].as_str().map(str::to_owned))
        };
        leaves_the_network_alone(failed(check).unwrap_or_else(|| panic!("{report:#}")).as_deref());
        let hosts = checks.iter().filter(|check| check["link"].as_str().is_some_and(is_host));
        assert!(hosts.clone().count() > 0 && hosts.clone().all(|host| host["status"] == "ok"), "{report:#}");
    }
}

fn is_host(name: &str) -> bool {
    name.starts_with("host:")
}
