//! `api_get_authorizer_info`: an authorizer's account and what it has granted.

use serde_json::{Value, json};

use super::call::{Answer, Call, authorizer, func_info};
use crate::AccountKind;
use crate::authorizer::Account;
use crate::state::SimState;

/// 微信认证.
const VERIFIED: i64 = 0;
/// 正常.
const NORMAL: i64 = 1;

pub(super) fn answer(state: &mut SimState, call: &Call<'_>) -> Answer {
    let body = call.component_object(state)?;
    let authorization = authorizer(state, &body)?;
    let mut granted = json!({
        "authorizer_appid": authorization.account.appid,
        "func_info": func_info(authorization),
    });
    if authorization.redeemed {
        granted["authorizer_refresh_token"] = Value::from(authorization.refresh_token.as_str());
    }
    let info = authorizer_info(&authorization.account);
    Ok(json!({ "authorizer_info": info, "authorization_info": granted }).to_string())
}

fn authorizer_info(account: &Account) -> Value {
    let mut info = json!({
        "nick_name": account.nick_name,
        "head_img": "http://wx.qlogo.cn/mmopen/wechat-sim/0",
        "service_type_info": { "id": account.service_type },
        "verify_type_info": { "id": VERIFIED },
        "user_name": account.original_id,
        "alias": "",
        "qrcode_url": "http://mmbiz.qpic.cn/mmbiz_jpg/wechat-sim/0",
        "business_info": { "open_pay": 0, "open_shake": 0, "open_scan": 0, "open_card": 0, "open_store": 0 },
        "idc": 1,
        "principal_name": "小城书店有限公司",
        "signature": "",
        "account_status": NORMAL,
    });
    match account.kind {
        AccountKind::OfficialAccount => {}
        AccountKind::MiniProgram | AccountKind::Promoter => {
            info["register_type"] = Value::from(0);
            info["MiniProgramInfo"] = json!({
                "network": {
                    "RequestDomain": [], "WsRequestDomain": [], "UploadDomain": [],
                    "DownloadDomain": [], "BizDomain": [], "UDPDomain": [],
                },
                "categories": [{ "first": "工具", "second": "效率" }],
                "visit_status": 0,
            });
        }
        AccountKind::Channels => info["channels_info"] = json!({ "id": 0 }),
        AccountKind::Talent => info["talent_info"] = json!({ "id": 0 }),
    }
    info
}
