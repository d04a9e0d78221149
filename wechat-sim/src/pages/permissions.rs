//! The permission sets of the chosen account, 同意授权 and 取消.

use std::sync::Arc;

use maud::html;

use super::{accounts, html, redirect, texts, visit};
use crate::CodeState;
use crate::authorizer::{Account, PermissionSet, Visit};
use crate::consent;
use crate::reply::Reply;
use crate::request::{SimRequest, form_value, form_values};
use crate::state::SimContext;

/// What the chosen account is asked for.
struct Choice {
    account: Account,
    offered: Vec<&'static PermissionSet>,
}

/// Checks that this account can be authorized with this link.
fn choose(context: &SimContext, visit: &Visit, appid: &str) -> Result<Choice, String> {
    let state = context.state();
    let rules = &state.authorization;
    let mut choices = accounts::choices(rules, visit)?.into_iter();
    let account = choices.find(|account| account.appid == appid).ok_or(texts::NO_PERMISSION_SET)?;
    if rules.test_list.as_ref().is_some_and(|list| !list.contains(&account.original_id)) {
        return Err(texts::NOT_PUBLISHED.to_owned());
    }
    let offered = rules.offered(account.kind, &visit.categories);
    Ok(Choice { account, offered })
}

pub(super) fn page(
    context: &SimContext,
    request: &SimRequest,
    id: &str,
    visit: &Visit,
    appid: &str,
) -> Result<Reply, String> {
    Ok(form(context, request, id, &choose(context, visit, appid)?, None))
}

/// 同意授权 or 取消.
pub(super) async fn decide(context: &Arc<SimContext>, request: &SimRequest, id: &str) -> Reply {
    match decided(context, request, id) {
        Ok(Decision::Refused) => refused_page(),
        Ok(Decision::Again(reply)) => reply,
        Ok(Decision::Agreed { visit, account, permission_sets }) => {
            let issued = consent::agree(context, &visit.pre_auth_code, account, permission_sets).await;
            match visit.redirect {
                Some(location) => {
                    Reply::redirect(redirect::with_code(&location, &issued.auth_code, issued.expires_in))
                }
                None => done_page(),
            }
        }
        Err(problem) => html::problem_page(&problem),
    }
}

enum Decision {
    Agreed {
        visit: Visit,
        account: Account,
        permission_sets: Vec<u32>,
    },
    Refused,
    /// The form again.
    Again(Reply),
}

fn decided(context: &SimContext, request: &SimRequest, id: &str) -> Result<Decision, String> {
    let visit = visit::open(context, id)?;
    if form_value(&request.body, "decision").as_deref() != Some("agree") {
        context.state().visits.end(id);
        return Ok(Decision::Refused);
    }
    let appid = request.query_value("authorizer_appid").unwrap_or_default();
    let choice = choose(context, &visit, &appid)?;
    let ticked: Vec<String> = form_values(&request.body, "permission").collect();
    let granted = choice.offered.iter().map(|set| set.id).filter(|id| ticked.contains(&id.to_string()));
    let permission_sets: Vec<u32> = granted.collect();
    if permission_sets.is_empty() {
        return Ok(Decision::Again(form(context, request, id, &choice, Some(texts::CHOOSE_ONE))));
    }
    let mut state = context.state();
    // Of two simultaneous posts only one ends the visit.
    if !state.visits.end(id) {
        return Err(texts::CODE_USED.to_owned());
    }
    if visit.consent_uses_code {
        match state.issued.use_code(&visit.pre_auth_code, context.clock.now()) {
            CodeState::Valid => {}
            state => return Err(texts::refused(state).to_owned()),
        }
    }
    Ok(Decision::Agreed { visit, account: choice.account, permission_sets })
}

/// Every set is ticked, and the merchant can change that.
fn form(
    context: &SimContext,
    request: &SimRequest,
    id: &str,
    choice: &Choice,
    problem: Option<&str>,
) -> Reply {
    let Choice { account, offered } = choice;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("uuid", id)
        .append_pair("authorizer_appid", &account.appid)
        .finish();
    html::page(
        "permissions",
        "确认授权",
        &html! {
            h1 { "授权给第三方平台" }
            p.component { "第三方平台 " span { (context.config.component_appid) } }
            p #account.chosen {
                span.name { (account.nick_name) }
                span.kind { (account.kind.label()) }
                span.appid { (account.appid) }
            }
            form method="post" action=(format!("{}?{query}", request.path)) {
                fieldset {
                    legend { "权限集" }
                    @if let Some(problem) = problem {
                        p #problem.problem role="alert" { (problem) }
                    }
                    @for set in offered {
                        label.row for=(format!("permission-{}", set.id)) {
                            input type="checkbox" id=(format!("permission-{}", set.id))
                                name="permission" value=(set.id) checked[problem.is_none()];
                            span.name { (set.name) }
                            span.purpose { (set.purpose) }
                        }
                    }
                }
                button #agree.primary type="submit" name="decision" value="agree" { "同意授权" }
                button #refuse.secondary type="submit" name="decision" value="refuse" { "取消" }
            }
        },
    )
}

fn refused_page() -> Reply {
    html::page(
        "refused",
        "已取消授权",
        &html! {
            h1 { "已取消授权" }
            p.hint { "没有账号被授权。请关闭此页面。" }
        },
    )
}

/// WeChat's own page, for a link without `redirect_uri`.
fn done_page() -> Reply {
    html::page(
        "done",
        "授权成功",
        &html! {
            h1 { "授权成功" }
            p.hint { "链接没有 redirect_uri，所以授权后停留在微信的页面。" }
        },
    )
}
