//! Which accounts and permission sets a link shows.

use wechat_sim::{Account, AuthorizationRules, Endpoint, PERMISSION_SETS, Sim, SimConfig};

use super::{MINI_PROGRAM, MISMATCH, SERVICE_ACCOUNT, assert_shows, decide, link, open, scanned};
use crate::client::{Answer, code, start, start_with};

async fn with_rules(change: impl FnOnce(&mut AuthorizationRules)) -> Sim {
    let mut config = SimConfig::default();
    change(&mut config.authorization);
    start_with(config).await
}

async fn visit(sim: &Sim, more: &[(&str, &str)]) -> String {
    scanned(sim, &link(sim, Endpoint::AuthPagePc, &code(sim).await, more)).await
}

async fn list(sim: &Sim, more: &[(&str, &str)]) -> Answer {
    open(sim, &visit(sim, more).await).await
}

/// The numbers of the sample accounts on a page.
fn shown(page: &Answer) -> Vec<usize> {
    let samples = Account::samples().into_iter().enumerate();
    samples.filter(|(_, account)| page.body.contains(&account.appid)).map(|(number, _)| number + 1).collect()
}

#[tokio::test]
async fn auth_type_decides_which_accounts_are_shown() {
    let sim = start().await;
    let cases: [(&str, &[usize]); 7] = [
        ("1", &[1, 2]),
        ("2", &[3, 4]),
        ("3", &[1, 2, 3, 4]),
        ("4", &[5]),
        ("5", &[6]),
        ("6", &[1, 2, 3, 4, 6]),
        ("8", &[7]),
    ];
    for (auth_type, expected) in cases {
        assert_eq!(shown(&list(&sim, &[("auth_type", auth_type)]).await), expected, "{auth_type}");
    }
}

#[tokio::test]
async fn biz_appid_shows_one_account_and_wins_over_auth_type() {
    let sim = start().await;
    let one = list(&sim, &[("auth_type", "1"), ("biz_appid", MINI_PROGRAM)]).await;
    assert_eq!(shown(&one), [3]);
    let foreign = list(&sim, &[("biz_appid", "wx0000000000000000")]).await;
    assert_shows(&foreign, "仅支持指定账号“wx0000000000000000”进行授权");
    sim.set_authorization(AuthorizationRules { administrator: false, ..sim.authorization() });
    assert_shows(&list(&sim, &[("biz_appid", MINI_PROGRAM)]).await, "仅支持指定账号");
}

#[tokio::test]
async fn a_merchant_who_administers_nothing_sees_no_account() {
    let sim = with_rules(|rules| rules.administrator = false).await;
    assert_shows(&list(&sim, &[]).await, "当前微信号尚未绑定为任何小程序或公众号的管理员");
    assert_shows(&list(&sim, &[("auth_type", "2")]).await, "当前微信号尚未绑定为任何小程序的管理员");
}

#[tokio::test]
async fn accounts_of_other_kinds_do_not_fit() {
    let sim = with_rules(|rules| rules.accounts.truncate(2)).await;
    assert_shows(&list(&sim, &[("auth_type", "2")]).await, MISMATCH);
    assert_eq!(shown(&list(&sim, &[("auth_type", "3")]).await), [1, 2]);
}

#[tokio::test]
async fn category_id_list_limits_permission_sets_and_accounts() {
    let sim = start().await;
    let visit = visit(&sim, &[("category_id_list", "18|30|999")]).await;
    assert_eq!(shown(&open(&sim, &visit).await), [3, 4]);
    let page = open(&sim, &format!("{visit}&authorizer_appid={MINI_PROGRAM}")).await;
    let sets = PERMISSION_SETS.iter().map(|set| set.id);
    let offered: Vec<u32> =
        sets.filter(|id| page.body.contains(&format!("id=\"permission-{id}\""))).collect();
    assert_eq!(offered, [18, 30]);
    assert_shows(&list(&sim, &[("category_id_list", "999")]).await, MISMATCH);
    assert_shows(&list(&sim, &[("auth_type", "1"), ("category_id_list", "18")]).await, MISMATCH);
    // A set that the page did not offer is not granted.
    assert_eq!(
        decide(&sim, &visit, MINI_PROGRAM, "permission=17&permission=30&decision=agree").await.status,
        302
    );
    assert_eq!(sim.authorizers()[0].permission_sets, [30]);
}

#[tokio::test]
async fn only_published_permission_sets_are_offered() {
    let sim = with_rules(|rules| rules.permission_sets = vec![1, 2]).await;
    assert_shows(&list(&sim, &[("auth_type", "2")]).await, MISMATCH);
    let visit = visit(&sim, &[]).await;
    assert_eq!(shown(&open(&sim, &visit).await), [1, 2]);
    let page = open(&sim, &format!("{visit}&authorizer_appid={SERVICE_ACCOUNT}")).await;
    assert_shows(&page, "id=\"permission-2\"");
    assert!(!page.body.contains("id=\"permission-3\""));
}

#[tokio::test]
async fn the_permission_sets_have_the_names_of_wechats_documents() {
    let sim = start().await;
    let visit = visit(&sim, &[]).await;
    let page = open(&sim, &format!("{visit}&authorizer_appid={MINI_PROGRAM}")).await;
    for name in ["获取小程序码", "小程序开发与数据分析", "小程序客服管理", "小程序基本信息管理"]
    {
        assert_shows(&page, name);
    }
}

#[tokio::test]
async fn at_least_one_permission_set_is_granted() {
    let sim = start().await;
    let visit = visit(&sim, &[]).await;
    let again = decide(&sim, &visit, SERVICE_ACCOUNT, "decision=agree").await;
    assert_shows(&again, "role=\"alert\"");
    assert_shows(&again, "id=\"agree\"");
    assert!(!again.body.contains(" checked"));
    assert!(sim.authorizers().is_empty());
    assert_eq!(decide(&sim, &visit, SERVICE_ACCOUNT, "permission=4&decision=agree").await.status, 302);
}

#[tokio::test]
async fn an_account_that_the_list_does_not_show_cannot_be_authorized() {
    let sim = start().await;
    let visit = visit(&sim, &[("auth_type", "1")]).await;
    for appid in [MINI_PROGRAM, "wx0000000000000000"] {
        assert_shows(&open(&sim, &format!("{visit}&authorizer_appid={appid}")).await, MISMATCH);
        assert_shows(&decide(&sim, &visit, appid, "permission=18&decision=agree").await, MISMATCH);
    }
    assert!(sim.authorizers().is_empty());
}

#[tokio::test]
async fn before_the_release_only_the_test_list_can_authorize() {
    let sim = with_rules(|rules| rules.test_list = Some(vec!["gh_51a000000001".to_owned()])).await;
    let visit = visit(&sim, &[]).await;
    let form = "permission=18&permission=1&decision=agree";
    assert_shows(
        &open(&sim, &format!("{visit}&authorizer_appid={MINI_PROGRAM}")).await,
        "处于待全网发布状态",
    );
    assert_shows(&decide(&sim, &visit, MINI_PROGRAM, form).await, "处于待全网发布状态");
    assert_eq!(decide(&sim, &visit, SERVICE_ACCOUNT, form).await.status, 302);
    sim.set_authorization(AuthorizationRules { test_list: None, ..sim.authorization() });
    let published = self::visit(&sim, &[]).await;
    assert_eq!(decide(&sim, &published, MINI_PROGRAM, form).await.status, 302);
}
