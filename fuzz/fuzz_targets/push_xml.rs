//! A decrypted message of arbitrary bytes: it is read or refused without a panic, and the result is checked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use wechat_preauth_fuzz::wechat::code_fingerprint;
use wechat_preauth_fuzz::wechat::push::Push;

fuzz_target!(|data: &[u8]| {
    let Ok(xml) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(push) = Push::from_xml(xml) else {
        return;
    };
    let shown = format!("{push:?}");
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    match push {
        Push::Ticket { app_id, .. } => assert!(!app_id.is_empty()),
        Push::Event { info_type, detail, .. } => {
            assert!((1..=128).contains(&info_type.len()));
            assert!(depth(&Value::Object(detail.clone())) <= 16);
            assert_eq!(detail["InfoType"], info_type.as_str());
            // The detail has a fingerprint exactly where it has a code, and it is that code's.
            let code = detail.get("PreAuthCode").and_then(Value::as_str).filter(|code| !code.is_empty());
            let fingerprint = detail.get("code_fingerprint").and_then(Value::as_str);
            assert_eq!(fingerprint.map(str::to_owned), code.map(code_fingerprint));
            // EventBridge limits the size of an event.
            assert!(Value::Object(detail).to_string().len() <= 2 * xml.len() + 64);
        }
        Push::Message => {}
    }
});

fn depth(value: &Value) -> usize {
    let children = match value {
        Value::Object(fields) => fields.values().map(depth).max(),
        Value::Array(values) => values.iter().map(depth).max(),
        _ => return 1,
    };
    1 + children.unwrap_or(0)
}
