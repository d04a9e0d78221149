//! How old a push may be: by the query's `timestamp`, and by the `CreateTime` inside the encryption.

use wechat_preauth::wechat::push::{MAX_AGE_S, MAX_AHEAD_S, Push, PushError};

use crate::sender::{Sender, Wire};
use crate::{APPID, NOW};

const EVENT: &str = "<xml><InfoType>unauthorized</InfoType></xml>";

fn open_at(wire: &Wire, now: i64) -> Result<Push, PushError> {
    wire.open(&[Sender::default().key()], APPID, now)
}

fn ticket(create_time: &str) -> String {
    format!(
        "<xml><InfoType>component_verify_ticket</InfoType><AppId>{APPID}</AppId>\
         <CreateTime>{create_time}</CreateTime><ComponentVerifyTicket>t</ComponentVerifyTicket></xml>"
    )
}

fn event(create_time: &str) -> String {
    format!("<xml><InfoType>authorized</InfoType><CreateTime>{create_time}</CreateTime></xml>")
}

/// Checks that `wire` is accepted for a day, and from ten minutes before it was sent.
fn is_accepted_for_a_day(wire: &Wire) {
    for (now, accepted) in [
        (NOW + MAX_AGE_S, true),
        (NOW + MAX_AGE_S + 1, false),
        (NOW - MAX_AHEAD_S, true),
        (NOW - MAX_AHEAD_S - 1, false),
        (i64::MIN, false),
        (i64::MAX, false),
    ] {
        match open_at(wire, now) {
            Ok(_) => assert!(accepted, "{now}"),
            Err(PushError::Stale { age_s }) => {
                assert!(!accepted, "{now}");
                assert_eq!(age_s, now.saturating_sub(NOW));
            }
            Err(other) => panic!("{now}: {other:?}"),
        }
    }
}

#[test]
fn a_push_is_accepted_for_a_day_and_ten_minutes_ahead() {
    is_accepted_for_a_day(&Sender::default().push(EVENT));
}

#[test]
fn a_push_is_as_old_as_its_create_time() {
    // The query says whatever the test's clock says, so only `CreateTime` can refuse the push.
    for message in [ticket, event] {
        for (age, accepted) in
            [(MAX_AGE_S, true), (MAX_AGE_S + 1, false), (-MAX_AHEAD_S, true), (-MAX_AHEAD_S - 1, false)]
        {
            let opened = open_at(&Sender::default().push(message(&(NOW - age).to_string())), NOW);
            match opened {
                Ok(_) => assert!(accepted, "{age}"),
                Err(error) => assert_eq!((error, accepted), (PushError::Stale { age_s: age }, false)),
            }
        }
    }
}

#[test]
fn a_create_time_that_no_clock_shows_is_refused() {
    for create_time in [i64::MAX, i64::MIN, NOW * 1000, 0, -1] {
        for message in [ticket, event] {
            let refused = open_at(&Sender::default().push(message(&create_time.to_string())), NOW);
            let age_s = NOW.saturating_sub(create_time);
            assert_eq!(refused.unwrap_err(), PushError::Stale { age_s }, "{create_time}");
        }
    }
    for create_time in ["9223372036854775808", "soon", "", "+1", "1.5", "<a>1</a>"] {
        for message in [ticket, event] {
            let refused = open_at(&Sender::default().push(message(create_time)), NOW);
            assert_eq!(refused.unwrap_err(), PushError::Field { name: "CreateTime" }, "{create_time}");
        }
    }
}

#[test]
fn a_timestamp_has_exactly_ten_digits() {
    for timestamp in
        ["171594332", "17159433290", "1715943329000", "01715943329", "0", "+171594332", "-171594332"]
    {
        let sender = Sender { timestamp: timestamp.to_owned(), ..Sender::default() };
        let refused = open_at(&sender.push(EVENT), NOW).unwrap_err();
        assert_eq!(refused, PushError::InvalidParameter { name: "timestamp" }, "{timestamp}");
    }
}

#[test]
fn a_captured_push_stays_old_when_its_timestamp_and_nonce_change_places() {
    // WeChat signs the sorted texts without separators, so the signature does not say which of two texts of
    // digits is the timestamp. Here the nonce reads as a time some years later.
    let later = NOW + 100_000_000;
    let sender = Sender { nonce: later.to_string(), ..Sender::default() };
    for message in [ticket, event] {
        let captured = sender.push(message(&NOW.to_string()));
        assert!(open_at(&captured, NOW).is_ok());
        let replayed = captured.with("timestamp", &later.to_string()).with("nonce", &NOW.to_string());
        assert_eq!(open_at(&replayed, later).unwrap_err(), PushError::Stale { age_s: 100_000_000 });
    }
}
