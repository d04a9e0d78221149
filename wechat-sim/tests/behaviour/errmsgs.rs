//! The texts and styles of errmsg.

use std::collections::HashSet;

use wechat_sim::{ERRCODES, Endpoint, ErrmsgStyle, Fault, FaultKind, errmsg_of};

use crate::client::{Answer, mint, start};

async fn refused(code: i64, style: ErrmsgStyle) -> Answer {
    let sim = start().await;
    sim.set_client_ip(Some("203.0.113.7".parse().unwrap()));
    sim.set_errmsg_style(style);
    sim.inject(Fault::errcode(code).on(Endpoint::ComponentToken));
    mint(&sim).await
}

/// The errmsg with its random parts replaced: `R` for a rid, `H` for a hint.
fn shape(errmsg: &str) -> String {
    let mut shape = errmsg.to_owned();
    if let Some(at) = shape.find("rid: ") {
        let rid = &shape[at + 5..];
        let groups: Vec<&str> = rid.split('-').collect();
        assert!(
            groups.len() == 3 && groups.iter().all(|group| u32::from_str_radix(group, 16).is_ok()),
            "{rid}"
        );
        assert_eq!(rid.len(), 26);
        shape.truncate(at + 5);
        shape.push('R');
    }
    for open in ["hint: [", "req_id: "] {
        if let Some(at) = shape.find(open) {
            let start = at + open.len();
            let end = start + shape[start..].find([']', ' ']).unwrap();
            shape.replace_range(start..end, "H");
        }
    }
    shape
}

#[tokio::test]
async fn every_style_has_its_shape() {
    let text = "access clientip is not registered";
    let cases = [
        (ErrmsgStyle::Rid, format!("{text} requestIP: 203.0.113.7 rid: R")),
        (ErrmsgStyle::CommaRid, format!("{text} requestIP: 203.0.113.7, rid: R")),
        (ErrmsgStyle::Hint, format!("{text} hint: [H] requestIP: 203.0.113.7")),
        (ErrmsgStyle::HintWithoutIp, format!("{text} hint: [H]")),
        (ErrmsgStyle::HintAndRid, format!("{text} hint: [H] requestIP: 203.0.113.7 rid: R")),
        (ErrmsgStyle::ReqId, format!("{text}, hints: [ req_id: H ]")),
    ];
    for (style, expected) in cases {
        assert_eq!(shape(&refused(61004, style).await.errmsg()), expected, "{style:?}");
    }
    assert_eq!(shape(&refused(61005, ErrmsgStyle::Rid).await.errmsg()), "component ticket is expired rid: R");
}

#[tokio::test]
async fn a_rid_begins_with_the_time_in_hex() {
    let sim = start().await;
    sim.clock().set(0x6176_82e0);
    sim.inject(Fault::errcode(45009));
    assert!(mint(&sim).await.errmsg().contains("rid: 617682e0-"));
}

#[tokio::test]
async fn every_errcode_of_the_table_can_be_injected_with_its_text() {
    let sim = start().await;
    for code in ERRCODES.iter().map(|known| known.code).collect::<HashSet<_>>() {
        sim.inject(Fault::errcode(code));
        let answer = mint(&sim).await;
        let text = errmsg_of(code).replace("{ip}", "127.0.0.1");
        assert_eq!(answer.errcode(), Some(code));
        assert!(answer.errmsg().starts_with(&text), "{code}: {}", answer.errmsg());
    }
    let names: HashSet<_> = ERRCODES.iter().map(|known| known.name).collect();
    assert_eq!(names.len(), ERRCODES.len(), "names are unique");
}

#[tokio::test]
async fn slashes_are_escaped_as_wechat_does() {
    let sim = start().await;
    let errmsg = "invalid appsecret, view more at http://t.cn/RAEkdVq hint: [KjmSya0537sha7]";
    sim.inject(Fault::new(FaultKind::Errcode { errcode: 40125, errmsg: Some(errmsg.to_owned()) }));
    let answer = mint(&sim).await;
    let body = r#"{"errcode":40125,"errmsg":"invalid appsecret, view more at http:\/\/t.cn\/RAEkdVq hint: [KjmSya0537sha7]"}"#;
    assert_eq!(answer.body, body);
    assert_eq!(answer.errmsg(), errmsg);
}
