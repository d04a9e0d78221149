//! The merchant's pages in the scenario: a link, and a merchant who goes the whole way.

use std::sync::Arc;

use lambda_http::http::Method;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _};
use serde_json::json;
use wechat_preauth::api::authorize::AuthorizeHandler;
use wechat_preauth::api::in_process::InProcess;
use wechat_preauth::api::pages::Site;
use wechat_preauth::api::preauthcode::PreAuthCodeHandler;
use wechat_preauth::platform::Services;
use wechat_preauth::platform::links::{LinkServices, LinkStore, PagesOrigin};

const ORIGIN: &str = "https://auth.example.com";

pub fn pages(
    services: &Services,
    links: Arc<dyn LinkStore>,
    preauthcode: &Arc<PreAuthCodeHandler>,
) -> Arc<AuthorizeHandler> {
    let services = LinkServices {
        clock: services.clock.clone(),
        links,
        codes: Arc::new(InProcess(preauthcode.clone())),
        origin: PagesOrigin::parse(ORIGIN).unwrap(),
        metrics: services.metrics.clone(),
    };
    let site = Site::new(ORIGIN, None, ["https://mp.weixin.qq.com", "https://open.weixin.qq.com"]);
    AuthorizeHandler::new(services, site)
}

/// An owner makes a link, and a merchant opens it, starts, comes back, and comes back again; a stranger looks around.
/// Returns what nobody but the merchant may see: the link's id.
pub async fn visit(pages: &Arc<AuthorizeHandler>) -> String {
    let request = json!({ "state": "planted-value", "return_url": "https://shop.example.com/planted-text" });
    let request =
        Request::new(Body::Text(request.to_string())).with_request_context(RequestContext::PassThrough);
    let answer = pages.clone().handle(request).await.unwrap();
    let link: serde_json::Value = serde_json::from_slice(answer.body().as_ref()).unwrap();
    let id = link["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let back = [("auth_code", "planted-auth-code"), ("expires_in", "600")];
    for (method, path, query) in [
        (Method::GET, format!("/authorize/{id}"), &[][..]),
        (Method::POST, format!("/authorize/{id}"), &[("lang", "planted-text")][..]),
        (Method::GET, format!("/authorized/{id}"), &back[..]),
        (Method::GET, format!("/authorized/{id}"), &back[..]),
        (Method::GET, "/authorize/planted-text".to_owned(), &back[..]),
        (Method::PUT, "/planted-text".to_owned(), &back[..]),
    ] {
        let query: std::collections::HashMap<_, _> =
            query.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
        let context = RequestContext::ApiGatewayV1(Default::default());
        let mut request = Request::new(Body::Text("planted-body".to_owned()));
        *request.method_mut() = method;
        let request = request.with_request_context(context).with_raw_http_path(&path);
        drop(pages.clone().handle(request.with_query_string_parameters(query)).await.unwrap());
    }
    id
}
