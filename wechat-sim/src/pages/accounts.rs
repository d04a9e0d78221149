//! The account list: which of the merchant's accounts can be authorized with this link.

use maud::html;

use super::{html, texts};
use crate::authorizer::{Account, AuthorizationRules, Visit, auth_type_kinds};
use crate::reply::Reply;
use crate::request::SimRequest;
use crate::state::SimContext;

/// The accounts to choose from, or the text that says why there is none.
pub(super) fn choices(rules: &AuthorizationRules, visit: &Visit) -> Result<Vec<Account>, String> {
    let own: &[Account] = if rules.administrator { &rules.accounts } else { &[] };
    let asks = |account: &&Account| !rules.offered(account.kind, &visit.categories).is_empty();
    let kinds = auth_type_kinds(&visit.auth_type).ok_or(texts::WRONG_AUTH_TYPE)?;
    let shown: Vec<Account> = if visit.biz_appid.is_empty() {
        if own.is_empty() {
            return Err(texts::not_administrator(kinds));
        }
        own.iter().filter(|account| kinds.contains(&account.kind)).filter(asks).cloned().collect()
    } else {
        // It wins over auth_type.
        let named = own.iter().filter(|account| account.appid == visit.biz_appid);
        let named: Vec<&Account> = named.collect();
        if named.is_empty() {
            return Err(texts::only_account(&visit.biz_appid));
        }
        named.into_iter().filter(asks).cloned().collect()
    };
    if shown.is_empty() { Err(texts::NO_PERMISSION_SET.to_owned()) } else { Ok(shown) }
}

pub(super) fn page(
    context: &SimContext,
    request: &SimRequest,
    id: &str,
    visit: &Visit,
) -> Result<Reply, String> {
    let accounts = choices(&context.state().authorization, visit)?;
    Ok(html::page(
        "accounts",
        "选择账号",
        &html! {
            h1 { "选择要授权的账号" }
            p.component { "第三方平台 " span { (context.config.component_appid) } }
            form method="get" action=(request.path) {
                input type="hidden" name="uuid" value=(id);
                ul.list {
                    @for account in &accounts {
                        li {
                            button.row type="submit" id=(format!("account-{}", account.appid))
                                name="authorizer_appid" value=(account.appid) {
                                span.name { (account.nick_name) }
                                span.kind { (account.kind.label()) }
                                span.appid { (account.appid) }
                            }
                        }
                    }
                }
            }
        },
    ))
}
