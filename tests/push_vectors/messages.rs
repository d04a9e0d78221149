//! What becomes of the messages that WeChat sends.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use wechat_preauth::wechat::push::{Push, PushError};

use crate::sender::Sender;
use crate::{APPID, NOW};

fn detail(xml: &str) -> Value {
    match Push::from_xml(xml) {
        Ok(Push::Event { detail, .. }) => Value::Object(detail),
        other => panic!("{other:?}"),
    }
}

fn missing(xml: &str, name: &'static str) {
    assert_eq!(Push::from_xml(xml).unwrap_err(), PushError::Field { name }, "{xml}");
}

#[test]
fn a_fast_registration_keeps_its_company_code_as_text() {
    let xml = "<?xml version=\"1.0\"?>\n<xml><AppId><![CDATA[wx1]]></AppId>\n\
        <CreateTime>1535442403</CreateTime>\n\
        <InfoType><![CDATA[notify_third_fasteregister]]></InfoType>\n\
        <appid><![CDATA[wx2]]></appid>\n<status>0</status>\n\
        <auth_code><![CDATA[xxxxx]]></auth_code>\n<msg>OK</msg>\n<info>\n\
        <name><![CDATA[某公司]]></name>\n<code><![CDATA[911101085923662400]]></code>\n\
        <code_type>1</code_type>\n<legal_persona_wechat><![CDATA[123]]></legal_persona_wechat>\n\
        <legal_persona_name><![CDATA[candy]]></legal_persona_name>\n\
        <component_phone><![CDATA[1234567]]></component_phone>\n</info>\n</xml>\n";
    assert_eq!(
        detail(xml),
        json!({
            "AppId": "wx1",
            "CreateTime": 1_535_442_403,
            "InfoType": "notify_third_fasteregister",
            "appid": "wx2",
            "status": 0,
            "auth_code": "xxxxx",
            "msg": "OK",
            "info": {
                "name": "某公司",
                "code": "911101085923662400",
                "code_type": 1,
                "legal_persona_wechat": "123",
                "legal_persona_name": "candy",
                "component_phone": "1234567",
            },
        })
    );
}

#[test]
fn a_failed_fast_registration_has_a_negative_status() {
    let xml = "<xml><InfoType>notify_third_fasteregister</InfoType><status>-1</status>\
        <msg><![CDATA[authorize third party failed]]></msg></xml>";
    assert_eq!(
        detail(xml),
        json!({
            "InfoType": "notify_third_fasteregister",
            "status": -1,
            "msg": "authorize third party failed",
        })
    );
}

#[test]
fn the_four_numeric_fields_are_numbers_only_when_they_are_integers() {
    for (text, value) in [
        ("0", json!(0)),
        ("-1", json!(-1)),
        (" 85016 ", json!(85016)),
        ("<![CDATA[3]]>", json!(3)),
        ("9223372036854775807", json!(i64::MAX)),
        ("9223372036854775808", json!("9223372036854775808")),
        ("+1", json!("+1")),
        ("1.5", json!("1.5")),
        ("", json!("")),
        ("none", json!("none")),
        ("<![CDATA[ 3]]>", json!(" 3")),
        ("<a>3</a>", json!({"a": "3"})),
    ] {
        for name in ["AuthorizationCodeExpiredTime", "status", "code_type"] {
            let found = detail(&format!("<xml><InfoType>x</InfoType><{name}>{text}</{name}></xml>"));
            assert_eq!(found[name], value, "{name} {text}");
        }
    }
}

#[test]
fn an_unknown_event_passes_with_all_it_brings() {
    let xml = "<xml><list><item>1</item><item><![CDATA[2]]></item><item/></list>\
        <one>a</one><two>a</two><one><deep><er>b</er></deep></one><one/>\
        <status>1</status><status>x</status>\
        <InfoType>never_heard_of</InfoType></xml>";
    let push = Push::from_xml(xml).unwrap();
    assert!(matches!(&push, Push::Event { create_time: None, .. }));
    assert_eq!(push.info_type(), Some("never_heard_of"));
    assert_eq!(
        detail(xml),
        json!({
            "list": {"item": ["1", "2", ""]},
            "one": ["a", {"deep": {"er": "b"}}, ""],
            "two": "a",
            "status": [1, "x"],
            "InfoType": "never_heard_of",
        })
    );
}

#[test]
fn an_empty_pre_auth_code_has_no_fingerprint() {
    let found = detail("<xml><InfoType>updateauthorized</InfoType><PreAuthCode/></xml>");
    assert_eq!(found, json!({"InfoType": "updateauthorized", "PreAuthCode": ""}));
}

#[test]
fn a_fingerprint_sent_by_somebody_else_is_replaced() {
    let found = detail(
        "<xml><code_fingerprint>x</code_fingerprint><PreAuthCode>test</PreAuthCode>\
         <InfoType>authorized</InfoType></xml>",
    );
    assert_eq!(
        found,
        json!({"InfoType": "authorized", "PreAuthCode": "test", "code_fingerprint": "9f86d081884c"})
    );
}

#[test]
fn a_fingerprint_sent_by_somebody_else_without_a_code_is_left_out() {
    let xml = "<xml><InfoType>x</InfoType><code_fingerprint>a&#10;b</code_fingerprint></xml>";
    assert_eq!(detail(xml), json!({"InfoType": "x"}));
    assert_eq!(format!("{:?}", Push::from_xml(xml).unwrap()), "x");
}

#[test]
fn a_ticket_is_read_in_any_order_and_from_plain_text() {
    let xml = "<xml>\n<ComponentVerifyTicket> ticket@@@x </ComponentVerifyTicket>\n\
        <InfoType>component_verify_ticket</InfoType><New>1</New>\n\
        <CreateTime> 1413192605 </CreateTime>\n<AppId>wx1</AppId></xml>";
    let Ok(Push::Ticket { create_time, ticket, app_id }) = Push::from_xml(xml) else {
        panic!("no ticket");
    };
    assert_eq!(create_time, 1_413_192_605);
    assert_eq!(ticket.expose_secret(), "ticket@@@x");
    assert_eq!(app_id, "wx1");
}

#[test]
fn a_ticket_push_without_one_of_its_fields_is_refused() {
    let fields = [
        ("AppId", "<AppId>wx1</AppId>"),
        ("CreateTime", "<CreateTime>1</CreateTime>"),
        ("ComponentVerifyTicket", "<ComponentVerifyTicket>t</ComponentVerifyTicket>"),
    ];
    let message = |fields: String| format!("<xml><InfoType>component_verify_ticket</InfoType>{fields}</xml>");
    let all = fields.map(|(_, field)| field).concat();
    assert!(Push::from_xml(&message(all.clone())).is_ok());
    for (name, field) in fields {
        missing(&message(all.replace(field, "")), name);
        missing(&message(all.replace(field, &format!("<{name}/>"))), name);
        missing(&message(format!("{all}{field}")), name);
        let nested = format!("<{name}><a>1</a></{name}>");
        missing(&message(all.replace(field, &nested)), name);
    }
    let worded = all.replace(">1<", ">soon<");
    missing(&message(worded), "CreateTime");
}

#[test]
fn a_ticket_of_another_component_is_refused() {
    let ticket = |appid: &str| {
        format!(
            "<xml><InfoType>component_verify_ticket</InfoType><AppId>{appid}</AppId>\
             <CreateTime>{NOW}</CreateTime><ComponentVerifyTicket>t</ComponentVerifyTicket></xml>"
        )
    };
    let sender = Sender::default();
    let keys = [sender.key()];
    assert!(sender.push(ticket(APPID)).open(&keys, APPID, NOW).is_ok());
    let refused = sender.push(ticket("wx2")).open(&keys, APPID, NOW);
    assert_eq!(refused.unwrap_err(), PushError::Field { name: "AppId" });
}

#[test]
fn a_field_that_decides_must_be_there_once_and_plain() {
    for xml in [
        "<xml><InfoType/></xml>",
        "<xml><InfoType><![CDATA[]]></InfoType></xml>",
        "<xml><InfoType><a>authorized</a></InfoType></xml>",
        "<xml><InfoType>authorized</InfoType><InfoType>authorized</InfoType></xml>",
        "<xml><InfoType>a\nb</InfoType></xml>",
    ] {
        missing(xml, "InfoType");
    }
    let long = |len: usize| format!("<xml><InfoType>{}</InfoType></xml>", "x".repeat(len));
    assert!(Push::from_xml(&long(128)).is_ok());
    missing(&long(129), "InfoType");
    missing("<xml><InfoType>x</InfoType><PreAuthCode><a>1</a></PreAuthCode></xml>", "PreAuthCode");
    missing(
        "<xml><InfoType>x</InfoType><PreAuthCode>1</PreAuthCode><PreAuthCode>2</PreAuthCode></xml>",
        "PreAuthCode",
    );
    missing(
        "<xml><InfoType>x</InfoType><CreateTime>1</CreateTime><CreateTime>2</CreateTime></xml>",
        "CreateTime",
    );
}

#[test]
fn a_message_without_info_type_is_for_the_other_url() {
    for xml in [
        "<xml><MsgType>text</MsgType><Content>hi</Content></xml>",
        "<xml><MsgType>event</MsgType><Event>unsubscribe</Event></xml>",
        "<xml><a><InfoType>component_verify_ticket</InfoType></a></xml>",
        "<xml/>",
    ] {
        assert!(matches!(Push::from_xml(xml), Ok(Push::Message)), "{xml}");
    }
}

#[test]
fn an_account_that_is_no_appid_is_not_shown() {
    for account in ["a b", "wx1\nlevel=error", "", "微信", &"x".repeat(65)] {
        let push = Push::from_xml(&format!(
            "<xml><InfoType>unauthorized</InfoType><AuthorizerAppid>{account}</AuthorizerAppid></xml>"
        ))
        .unwrap();
        assert_eq!(push.authorizer_appid(), None);
        assert_eq!(format!("{push:?}"), "unauthorized");
    }
}
