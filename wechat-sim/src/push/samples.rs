//! Realistic fields for every known `InfoType` of the 授权事件接收URL.

use super::xml::Field;
use crate::random;

/// Every known `InfoType`.
pub const INFO_TYPES: &[&str] = &[
    "component_verify_ticket",
    "authorized",
    "updateauthorized",
    "unauthorized",
    "notify_third_fasteregister",
    "notify_third_fastregisterbetaapp",
    "notify_third_fastverifybetaapp",
    "notify_icpfiling_verify_result",
    "notify_apply_icpfiling_result",
    "notify_3rd_wxa_auth",
    "notify_3rd_wxa_wxverify",
    "order_path_apply_result_notify",
    "order_path_audit_result_notify",
    "wxa_nickname_audit",
];

/// The fields of `info_type` besides `AppId`, `CreateTime` and `InfoType`. Their times are fixed. A push that
/// needs other times is built with its own fields.
pub(super) fn fields(info_type: &str) -> Vec<Field> {
    let appid = random::appid();
    match info_type {
        "authorized" | "updateauthorized" => vec![
            Field::text("AuthorizerAppid", appid),
            Field::text("AuthorizationCode", random::authorization_code()),
            Field::number("AuthorizationCodeExpiredTime", 1_715_946_929),
            Field::text("PreAuthCode", random::pre_auth_code()),
        ],
        "unauthorized" => vec![Field::text("AuthorizerAppid", appid)],
        "notify_third_fasteregister" => vec![
            Field::text("appid", appid),
            Field::number("status", 0),
            Field::text("auth_code", random::authorization_code()),
            Field::text("msg", "OK"),
            Field::nested("info", company(true)),
        ],
        "notify_third_fastregisterbetaapp" => vec![
            Field::text("appid", appid),
            Field::number("status", 0),
            Field::text("msg", "OK"),
            Field::nested(
                "info",
                vec![Field::text("unique_id", "unique-1"), Field::text("name", "试用小程序")],
            ),
        ],
        "notify_third_fastverifybetaapp" => vec![
            Field::text("appid", appid),
            Field::number("status", 0),
            Field::text("msg", "OK"),
            Field::nested("info", company(false)),
        ],
        "notify_icpfiling_verify_result" => vec![
            Field::text("task_id", "158389031"),
            Field::text("verify_appid", appid),
            Field::number("result", 3),
        ],
        "notify_apply_icpfiling_result" => {
            vec![Field::text("authorizer_appid", appid), Field::number("beian_status", 1024)]
        }
        "notify_3rd_wxa_auth" => vec![
            Field::text("appid", appid),
            Field::text("taskid", "taskid-1"),
            Field::number("task_status", 2),
            Field::number("apply_status", 1),
            Field::text("message", "审核通过"),
            Field::nested(
                "dispatch_info",
                vec![
                    Field::text("provider", "认证审核机构"),
                    Field::text("contact", "010-00000000"),
                    Field::number("dispatch_time", 1_715_943_329),
                ],
            ),
        ],
        "notify_3rd_wxa_wxverify" => vec![
            Field::text("appid", appid),
            Field::number("expired", 1_747_479_329),
            Field::text("message", "小程序认证即将到期"),
        ],
        _ => Vec::new(),
    }
}

/// The `info` of a company. Its code has 18 digits, too many for a JSON number read as a double.
fn company(with_task: bool) -> Vec<Field> {
    let mut fields = vec![
        Field::text("name", "测试科技有限公司"),
        Field::text("code", "914403007109310121"),
        Field::number("code_type", 1),
        Field::text("legal_persona_wechat", "wechat-id-1"),
        Field::text("legal_persona_name", "张三"),
        Field::text("component_phone", "400-000-0000"),
    ];
    if with_task {
        fields.push(Field::text("taskid", "taskid-1"));
    }
    fields
}

/// A message that belongs to the message URL.
pub(super) fn message(time: i64) -> Vec<Field> {
    vec![
        Field::text("ToUserName", "gh_0123456789ab"),
        Field::text("FromUserName", "oAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        Field::number("CreateTime", time),
        Field::text("MsgType", "event"),
        Field::text("Event", "weapp_audit_success"),
        Field::number("SuccTime", time),
    ]
}
