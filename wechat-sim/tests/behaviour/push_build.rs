//! Built pushes: encryption, signature, format and flaws. The receiver here shares no code with the crate, so that
//! a mistake in one of them is found.

use aes::Aes256;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use wechat_sim::{BuiltPush, Event, Field, Flaw, INFO_TYPES, Push, PushCrypt, Sim, XmlStyle, msg_signature};

use crate::client::start;

/// The decrypted content of a push.
pub struct Opened {
    pub message: String,
    pub appid: String,
}

fn decode(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(text)
}

fn encrypted_part(body: &str) -> Option<&str> {
    Some(body.split_once("<Encrypt><![CDATA[")?.1.split_once("]]></Encrypt>")?.0)
}

fn try_open(body: &str, encoding_aes_key: &str) -> Result<Opened, &'static str> {
    if body.contains("<!DOCTYPE") || !body.trim_end().ends_with("</xml>") {
        return Err("outer");
    }
    let mut bytes = decode(encrypted_part(body).ok_or("no Encrypt")?).map_err(|_| "base64")?;
    if bytes.is_empty() || !bytes.len().is_multiple_of(32) {
        return Err("blocks");
    }
    let key: [u8; 32] = decode(&format!("{encoding_aes_key}=")).unwrap().try_into().unwrap();
    let iv: [u8; 16] = key[..16].try_into().unwrap();
    let mut cipher = cbc::Decryptor::<Aes256>::new(&key.into(), &iv.into());
    for block in bytes.chunks_exact_mut(16) {
        cipher.decrypt_block(block.try_into().unwrap());
    }
    let pad = usize::from(*bytes.last().unwrap());
    if !(1..=32).contains(&pad) || bytes[bytes.len() - pad..].iter().any(|&byte| usize::from(byte) != pad) {
        return Err("padding");
    }
    let plain = &bytes[16..bytes.len() - pad];
    let length = u32::from_be_bytes(plain[..4].try_into().unwrap()) as usize;
    let (message, appid) = plain[4..].split_at_checked(length).ok_or("length")?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| "utf-8");
    Ok(Opened { message: text(message)?, appid: text(appid)? })
}

pub fn open(body: &str, encoding_aes_key: &str) -> Opened {
    try_open(body, encoding_aes_key).unwrap_or_else(|what| panic!("{what}: {body}"))
}

fn query<'a>(push: &'a BuiltPush, name: &str) -> &'a str {
    push.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

fn signature_holds(sim: &Sim, push: &BuiltPush) -> bool {
    let (token, encrypt) = (sim.config().push_token.as_str(), encrypted_part(&push.body).unwrap_or(""));
    msg_signature(&[token, query(push, "timestamp"), query(push, "nonce"), encrypt])
        == query(push, "msg_signature")
}

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    token: String,
    encoding_aes_key: String,
    appid: String,
    timestamp: String,
    nonce: String,
    msg_signature: String,
    encrypt: String,
    message: String,
    random: String,
}

#[test]
fn encryption_and_signature_match_the_known_answers() {
    let known: Vectors = serde_json::from_str(include_str!("../vectors/push.json")).unwrap();
    assert_eq!(known.vectors.len(), 5);
    for vector in known.vectors {
        let crypt = PushCrypt::new(&vector.encoding_aes_key).unwrap();
        let prefix: [u8; 16] = vector.random.as_bytes().try_into().unwrap();
        let encrypt = crypt.encrypt(&prefix, &vector.message, &vector.appid);
        assert_eq!(encrypt, vector.encrypt, "{}", vector.name);
        let parts = [vector.token.as_str(), &vector.timestamp, &vector.nonce, &vector.encrypt];
        assert_eq!(msg_signature(&parts), vector.msg_signature, "{}", vector.name);
    }
}

#[tokio::test]
async fn a_ticket_push_has_the_real_shape() {
    let sim = start().await;
    let push = sim.build_push(&Push::ticket()).unwrap();
    let names: Vec<&str> = push.query.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["signature", "timestamp", "nonce", "encrypt_type", "msg_signature"]);
    assert_eq!(query(&push, "timestamp"), sim.clock().now().to_string());
    assert!(signature_holds(&sim, &push));
    let appid = &sim.config().component_appid;
    assert!(
        push.body
            .starts_with(&format!("<xml>\n    <AppId><![CDATA[{appid}]]></AppId>\n    <Encrypt><![CDATA["))
    );
    assert!(push.body.ends_with("]]></Encrypt>\n</xml>"));

    let opened = open(&push.body, &sim.config().encoding_aes_key);
    assert_eq!(&opened.appid, appid);
    assert_eq!(
        opened.message,
        format!(
            "<xml><AppId><![CDATA[{appid}]]></AppId>\n<CreateTime>{}</CreateTime>\n\
             <InfoType><![CDATA[component_verify_ticket]]></InfoType>\n\
             <ComponentVerifyTicket><![CDATA[{}]]></ComponentVerifyTicket>\n</xml>",
            sim.clock().now(),
            sim.current_ticket(),
        )
    );
    assert_eq!(sim.current_ticket().len(), 95);
}

#[tokio::test]
async fn every_info_type_has_a_sample_with_its_nested_fields() {
    let sim = start().await;
    for info_type in INFO_TYPES {
        let push = sim.build_push(&Push::sample(info_type)).unwrap();
        let message = open(&push.body, &sim.config().encoding_aes_key).message;
        assert!(message.contains(&format!("<InfoType><![CDATA[{info_type}]]></InfoType>")), "{message}");
    }
    let register = sim.build_push(&Push::sample("notify_third_fasteregister")).unwrap().message;
    assert!(register.contains("<info>\n<name><![CDATA["));
    assert!(register.contains("<code><![CDATA[914403007109310121]]></code>"));
}

#[tokio::test]
async fn time_nonce_keys_and_style_can_be_chosen() {
    let sim = start().await;
    let event = Event::info("custom", vec![Field::text("a", "1 < 2 ]]> & \"3\""), Field::number("n", 7)]);
    let push = Push::new(event).created(1_700_000_000).stamped(1_700_000_001).nonce("42");
    let built = sim.build_push(&push.clone()).unwrap();
    assert_eq!((query(&built, "timestamp"), query(&built, "nonce")), ("1700000001", "42"));
    assert!(built.message.contains("<CreateTime>1700000000</CreateTime>"));
    assert!(built.message.contains("<a><![CDATA[1 < 2 ]]]]><![CDATA[> & \"3\"]]></a>\n<n>7</n>"));
    let plain = sim.build_push(&push.clone().style(XmlStyle::Plain)).unwrap();
    assert!(plain.message.contains("<a>1 &lt; 2 ]]&gt; &amp; &quot;3&quot;</a>"));
    let declared = sim.build_push(&push.clone().style(XmlStyle::Declared)).unwrap();
    assert!(
        declared.message.starts_with("<?xml version=\"1.0\"?>\n<xml>")
            && declared.message.ends_with("</xml>\n")
    );

    let other = "ABCDEFGabcdefghijklmnopqrstuvwxyz0123456789";
    let keyed = sim.build_push(&push.keyed("othertoken", other)).unwrap();
    assert!(!signature_holds(&sim, &keyed));
    assert_eq!(open(&keyed.body, other).message, keyed.message);
}

/// Whether the signature is correct, and what a careful receiver finds wrong first.
fn verdict(sim: &Sim, flaw: Flaw) -> (bool, String) {
    let push = sim.build_push(&Push::ticket().with(flaw)).unwrap();
    let what = match try_open(&push.body, &sim.config().encoding_aes_key) {
        Err(step) => step.to_owned(),
        Ok(opened) if opened.appid != sim.config().component_appid => "appid".to_owned(),
        Ok(opened) if opened.message.contains("<!DOCTYPE") => "inner doctype".to_owned(),
        Ok(opened) if !opened.message.starts_with("<xml>") => "inner not xml".to_owned(),
        Ok(opened) if opened.message.len() > 1_000_000 => "large".to_owned(),
        Ok(_) => "fine".to_owned(),
    };
    (signature_holds(sim, &push), what)
}

#[tokio::test]
async fn each_flaw_is_found_at_the_step_that_its_name_says() {
    let sim = start().await;
    let expected = |flaw| match flaw {
        Flaw::WrongSignature | Flaw::MissingSignature => (false, &["fine"][..]),
        Flaw::WrongKey => (true, &["padding", "length", "utf-8"][..]),
        Flaw::WrongAppId => (true, &["appid"][..]),
        Flaw::Truncated => (false, &["outer"][..]),
        Flaw::TruncatedCiphertext => (true, &["blocks"][..]),
        Flaw::BadPadding => (true, &["padding"][..]),
        Flaw::BadLength => (true, &["length"][..]),
        Flaw::BadBase64 => (true, &["base64"][..]),
        Flaw::Oversized => (true, &["large"][..]),
        Flaw::Dtd | Flaw::EntityBomb => (true, &["outer"][..]),
        Flaw::InnerDtd | Flaw::InnerEntityBomb => (true, &["inner doctype"][..]),
        Flaw::NotXml => (false, &["outer"][..]),
        Flaw::InnerNotXml => (true, &["inner not xml"][..]),
        Flaw::PlainTextMode => (false, &["no Encrypt"][..]),
        Flaw::StaleTimestamp | Flaw::FutureTimestamp => (true, &["fine"][..]),
        Flaw::FlippedBit => (false, &["length", "utf-8"][..]),
        Flaw::FlippedBitSigned => (true, &["length", "utf-8"][..]),
    };
    for flaw in Flaw::ALL {
        let (signed, steps) = expected(flaw);
        let (holds, step) = verdict(&sim, flaw);
        assert_eq!(holds, signed, "{flaw:?}");
        assert!(steps.contains(&step.as_str()), "{flaw:?}: {step}");
    }
    let stale = sim.build_push(&Push::ticket().with(Flaw::StaleTimestamp)).unwrap();
    assert_eq!(query(&stale, "timestamp"), (sim.clock().now() - 48 * 3600).to_string());
    let message = sim.build_push(&Push::new(Event::Message)).unwrap().message;
    assert!(message.contains("<MsgType>") && !message.contains("<InfoType>"));
    let bomb = sim.build_push(&Push::ticket().with(Flaw::InnerEntityBomb)).unwrap().message;
    assert!(bomb.contains("<AuthorizerAppid>&l9;</AuthorizerAppid>"));
}
