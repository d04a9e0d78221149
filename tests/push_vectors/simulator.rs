//! The simulator's encryption meets the service's decryption: two halves that share no code.

use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use wechat_preauth::wechat::push::{Push, PushError, PushKey, PushQuery, open};
use wechat_sim::{BuiltPush, Event, Field, PushCrypt, Sim, SimConfig, XmlStyle, msg_signature};

use crate::NOW;
use crate::sender::envelope;

/// What both sides are told on the platform's page.
#[derive(Clone, Debug)]
struct Settings {
    token: String,
    encoding_aes_key: String,
    appid: String,
}

impl Settings {
    fn key(&self) -> PushKey {
        PushKey::new(self.token.as_str().into(), &self.encoding_aes_key).unwrap()
    }

    /// Signs and envelopes `message`, as the simulator does it.
    fn wire(&self, message: &str, nonce: &str, prefix: &[u8; 16]) -> (Vec<(String, String)>, Vec<u8>) {
        let encrypt = PushCrypt::new(&self.encoding_aes_key).unwrap().encrypt(prefix, message, &self.appid);
        let timestamp = NOW.to_string();
        let signature = msg_signature(&[&self.token, &timestamp, nonce, &encrypt]);
        let query = [
            ("timestamp", timestamp.as_str()),
            ("nonce", nonce),
            ("encrypt_type", "aes"),
            ("msg_signature", &signature),
        ];
        (
            query.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            envelope(&self.appid, encrypt.as_bytes()),
        )
    }

    fn open(&self, query: &[(String, String)], body: &[u8]) -> Result<Push, PushError> {
        let query = PushQuery::from_pairs(query.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        open(&query, body, &[self.key()], &self.appid, NOW)
    }
}

fn any_settings() -> impl Strategy<Value = Settings> {
    ("[A-Za-z0-9]{1,32}", "[A-Za-z0-9]{43}", "wx[0-9a-z]{1,30}")
        .prop_map(|(token, encoding_aes_key, appid)| Settings { token, encoding_aes_key, appid })
}

/// Any text that XML can hold and that reaches a reader as it was: without carriage returns, and without
/// white space at its ends, which is trimmed where it stands outside CDATA.
fn any_text() -> impl Strategy<Value = String> {
    "([ -~\n\t\u{a0}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]|\\]\\]>|&amp;|</xml>){0,300}"
        .prop_map(|text| text.trim_matches([' ', '\n', '\t']).to_owned())
}

/// A simulator with these settings whose clock stands at `NOW`, and what it makes of `push`.
fn built(settings: &Settings, push: &wechat_sim::Push) -> BuiltPush {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = SimConfig {
            component_appid: settings.appid.clone(),
            push_token: settings.token.clone(),
            encoding_aes_key: settings.encoding_aes_key.clone(),
            ..SimConfig::default()
        };
        let sim = Sim::start(config).await.unwrap();
        sim.clock().set(u64::try_from(NOW).unwrap());
        sim.clock().freeze();
        sim.build_push(push).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_simulator_encrypts_and_signs_opens_whole(
        settings in any_settings(),
        text in any_text(),
        nonce in "[0-9]{1,12}",
        prefix in any::<[u8; 16]>(),
    ) {
        let cdata = text.replace("]]>", "]]]]><![CDATA[>");
        let message = format!("<xml><InfoType>any</InfoType><Text><![CDATA[{cdata}]]></Text></xml>");
        let (query, body) = settings.wire(&message, &nonce, &prefix);
        match settings.open(&query, &body) {
            Ok(Push::Event { info_type, create_time: None, detail }) => {
                prop_assert_eq!(info_type, "any");
                prop_assert_eq!(detail.len(), 2);
                prop_assert_eq!(detail["Text"].as_str(), Some(text.as_str()));
            }
            other => prop_assert!(false, "{other:?}"),
        }

        // And with anything else on the receiving side it does not open.
        let stranger = Settings { token: format!("{}x", settings.token), ..settings.clone() };
        prop_assert_eq!(stranger.open(&query, &body).unwrap_err(), PushError::Signature);
        let elsewhere = Settings { appid: format!("{}x", settings.appid), ..settings.clone() };
        prop_assert_eq!(elsewhere.open(&query, &body).unwrap_err(), PushError::Undecryptable);
    }

    #[test]
    fn an_event_that_the_simulator_builds_arrives_with_all_its_fields(
        settings in any_settings(),
        text in any_text(),
        number in any::<i64>(),
        ticket in "ticket@@@[A-Za-z0-9_-]{1,120}",
        style in prop_oneof![Just(XmlStyle::Cdata), Just(XmlStyle::Plain), Just(XmlStyle::Declared)],
    ) {
        let fields = vec![
            Field::text("AuthorizerAppid", "wxba5fad812f8e6fb9"),
            Field::nested("info", vec![Field::text("name", text.clone()), Field::number("status", number)]),
        ];
        let push = built(&settings, &wechat_sim::Push::new(Event::info("any", fields)).style(style));
        match settings.open(&push.query, push.body.as_bytes()) {
            Ok(Push::Event { info_type, create_time, detail }) => {
                prop_assert_eq!((info_type.as_str(), create_time), ("any", Some(NOW)));
                prop_assert_eq!(
                    Value::Object(detail),
                    serde_json::json!({
                        "AppId": settings.appid,
                        "CreateTime": NOW,
                        "InfoType": "any",
                        "AuthorizerAppid": "wxba5fad812f8e6fb9",
                        "info": { "name": text, "status": number },
                    })
                );
            }
            other => prop_assert!(false, "{other:?}"),
        }

        let push = built(&settings, &wechat_sim::Push::ticket_value(ticket.clone()).style(style));
        match settings.open(&push.query, push.body.as_bytes()) {
            Ok(Push::Ticket { create_time, ticket: arrived, app_id }) => {
                prop_assert_eq!((create_time, app_id), (NOW, settings.appid));
                prop_assert_eq!(arrived.expose_secret(), ticket);
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
