//! The authorization pages for PCs and phones: what the link asks for, and a button to agree.

use std::sync::Arc;

use url::Url;

use crate::delivery::deliver;
use crate::push::{Event, Push, escape};
use crate::reply::{self, Reply};
use crate::request::{SimRequest, form_value};
use crate::state::SimContext;
use crate::{CodeState, Endpoint, random};

/// The lifetime of the authorization code in the redirect.
const AUTH_CODE_EXPIRES_IN: u64 = 600;
/// The lifetime of the same code in the `authorized` push, as in a captured push.
const AUTH_CODE_PUSHED_LIFETIME: u64 = 3600;

const CODE_USED: &str = "预授权码已经被使用过，不能重复使用";
const CODE_INVALID: &str = "预授权码(PreAuthCode)无效";

/// The parameters of an authorization link.
struct LinkParameters {
    code: String,
    redirect_uri: Url,
    auth_type: String,
    biz_appid: String,
    categories: String,
}

/// Shows the page, or completes the authorization when it was posted.
pub(crate) fn answer(context: &Arc<SimContext>, request: &SimRequest) -> Reply {
    let link = match link_parameters(context, request) {
        Ok(link) => link,
        Err(problem) => return problem_page(&problem),
    };
    if request.method != "POST" {
        return consent_page(request, &link);
    }
    let typed = || form_value(&request.body, "authorizer_appid").filter(|appid| !appid.is_empty());
    let named = Some(link.biz_appid).filter(|appid| !appid.is_empty());
    let authorizer = named.or_else(typed).unwrap_or_else(random::appid);
    match authorize(context, &link.code, &authorizer) {
        Err(state) => problem_page(refused(state)),
        Ok(auth_code) => {
            let mut target = link.redirect_uri;
            target
                .query_pairs_mut()
                .append_pair("auth_code", &auth_code)
                .append_pair("expires_in", &AUTH_CODE_EXPIRES_IN.to_string());
            Reply::redirect(target.into())
        }
    }
}

/// Marks the code as used, pushes `authorized` in the background, and returns the authorization code.
pub(crate) fn authorize(
    context: &Arc<SimContext>,
    code: &str,
    authorizer_appid: &str,
) -> Result<String, CodeState> {
    let now = context.clock.now();
    let url = {
        let mut state = context.state();
        match state.issued.use_code(code, now) {
            CodeState::Valid => state.callback_url.clone(),
            refused => return Err(refused),
        }
    };
    let auth_code = random::authorization_code();
    if let Some(url) = url {
        let expires = now + AUTH_CODE_PUSHED_LIFETIME;
        let push = Push::new(Event::authorized(authorizer_appid, &auth_code, expires, code)).created(now);
        let context = Arc::clone(context);
        tokio::spawn(async move { deliver(&context, &url, &push).await });
    }
    Ok(auth_code)
}

fn link_parameters(context: &SimContext, request: &SimRequest) -> Result<LinkParameters, String> {
    let query = |name: &str| request.query_value(name).unwrap_or_default();
    if query("component_appid") != context.config.component_appid {
        return Err("component_appid 无效".to_owned());
    }
    let redirect_uri = Url::parse(&query("redirect_uri"))
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or("redirect_uri 参数错误")?;
    check_domain(context, request, &redirect_uri)?;
    let code = query("pre_auth_code");
    match context.state().issued.code_state(&code, context.clock.now()) {
        CodeState::Valid => {}
        state => return Err(refused(state).to_owned()),
    }
    Ok(LinkParameters {
        code,
        redirect_uri,
        auth_type: query("auth_type"),
        biz_appid: query("biz_appid"),
        categories: query("category_id_list"),
    })
}

/// On the PC page the domain of the page with the link and that of `redirect_uri` must be the registered one.
fn check_domain(context: &SimContext, request: &SimRequest, redirect_uri: &Url) -> Result<(), String> {
    let Some(domain) = context.config.authorization_domain.as_deref() else { return Ok(()) };
    let referer = Url::parse(&request.referer).ok();
    let entry = referer.as_ref().and_then(Url::host_str).unwrap_or("空");
    // A posted form comes from this page, so its Referer is another.
    let entered = request.method == "POST" || request.api != Endpoint::AuthPagePc || entry == domain;
    if entered && redirect_uri.host_str() == Some(domain) {
        return Ok(());
    }
    Err(format!(
        "请确认授权入口页所在域名，与授权后回调页所在域名相同，并且，此两者都必须与申请第三方平台时填写的授权发起页域名相同。授权入口页所在域名：{entry}"
    ))
}

fn refused(state: CodeState) -> &'static str {
    if state == CodeState::Used { CODE_USED } else { CODE_INVALID }
}

fn auth_type_label(auth_type: &str) -> String {
    let label = match auth_type {
        "1" => "公众号",
        "2" => "小程序",
        "" | "3" => "公众号和小程序",
        "4" => "小程序推客",
        "5" => "视频号",
        "6" => "公众号、小程序和视频号",
        "8" => "带货助手",
        other => return format!("未知（{}）", escape(other)),
    };
    label.to_owned()
}

fn consent_page(request: &SimRequest, link: &LinkParameters) -> Reply {
    let or_dash = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { escape(text) };
    let (appid, readonly) = if link.biz_appid.is_empty() {
        (random::appid(), "")
    } else {
        (escape(&link.biz_appid), " readonly")
    };
    let action = escape(&format!("{}?{}", request.path, request.query));
    let body = format!(
        "<h1>授权给第三方平台</h1>\n<dl>\n\
         <dt>第三方平台</dt><dd>{component}</dd>\n\
         <dt>可授权的账号</dt><dd>{auth_type}</dd>\n\
         <dt>指定账号</dt><dd>{biz}</dd>\n\
         <dt>权限集</dt><dd>{categories}</dd>\n\
         <dt>授权后前往</dt><dd>{redirect}</dd>\n\
         <dt>预授权码</dt><dd>{code}</dd>\n</dl>\n\
         <form method=\"post\" action=\"{action}\">\n\
         <p><label for=\"authorizer_appid\">授权账号的 appid</label>\n\
         <input id=\"authorizer_appid\" name=\"authorizer_appid\" value=\"{appid}\" required{readonly}></p>\n\
         <p><button type=\"submit\">同意授权</button></p>\n</form>",
        component = escape(&request.query_value("component_appid").unwrap_or_default()),
        auth_type = auth_type_label(&link.auth_type),
        biz = or_dash(&link.biz_appid, "不限"),
        categories = or_dash(&link.categories, "全部已发布的权限集"),
        redirect = escape(link.redirect_uri.as_str()),
        code = escape(&link.code),
    );
    page("授权", &body)
}

fn problem_page(problem: &str) -> Reply {
    page("无法授权", &format!("<h1>无法授权</h1>\n<p role=\"alert\">{}</p>", escape(problem)))
}

fn page(title: &str, body: &str) -> Reply {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} - wechat-sim</title>\n\
         <style>body{{font:1rem/1.6 sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}}\
         dd{{overflow-wrap:anywhere}}input,button{{font:inherit;padding:.4rem}}</style>\n\
         </head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    );
    Reply::new(200, reply::HTML, html)
}
