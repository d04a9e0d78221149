//! Push keys: what is accepted, and how several of them are tried.

use wechat_preauth::wechat::push::{Push, PushError, PushKey, PushKeyError};

use crate::sender::Sender;
use crate::{APPID, NOW};

const EVENT: &str = "<xml><InfoType>unauthorized</InfoType></xml>";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn sender(token: &str, key: &str) -> Sender {
    Sender { token: token.to_owned(), encoding_aes_key: key.to_owned(), ..Sender::default() }
}

fn rejected(token: &str, key: &str) -> PushKeyError {
    PushKey::new(token.into(), key).unwrap_err()
}

#[test]
fn an_encoding_aes_key_may_end_in_any_letter_or_digit() {
    for last in LETTERS.chars() {
        let key = format!("abcdefghijklmnopqrstuvwxyz0123456789ABCDEF{last}");
        let sender = sender("AAAAA", &key);
        let opened = sender.push(EVENT).open(&[sender.key()], APPID, NOW);
        assert!(matches!(opened, Ok(Push::Event { .. })), "{last}: {opened:?}");
    }
}

#[test]
fn a_wrong_push_key_is_named_and_not_shown() {
    let key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    for (token, key, expected) in [
        ("", key, PushKeyError::TokenEmpty),
        ("secret ", key, PushKeyError::TokenCharacter { position: 7 }),
        ("se\ncret", key, PushKeyError::TokenCharacter { position: 3 }),
        ("sécret", key, PushKeyError::TokenCharacter { position: 2 }),
        ("secret", "", PushKeyError::AesKeyLength { chars: 0 }),
        ("secret", &key[1..], PushKeyError::AesKeyLength { chars: 42 }),
        ("secret", &format!("{key}="), PushKeyError::AesKeyLength { chars: 44 }),
        ("secret", &key.replace('a', "é"), PushKeyError::AesKeyCharacter { position: 1 }),
        ("secret", &key.replace('G', "="), PushKeyError::AesKeyCharacter { position: 43 }),
        ("secret", &key.replace('b', "+"), PushKeyError::AesKeyCharacter { position: 2 }),
        ("secret", &key.replace('b', "/"), PushKeyError::AesKeyCharacter { position: 2 }),
    ] {
        let error = rejected(token, key);
        assert_eq!(error, expected);
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("cret") && !text.contains("cdef"), "{text}");
        }
    }
}

#[test]
fn every_configured_key_opens_its_pushes() {
    let senders = [
        sender("current", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"),
        sender("previous", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"),
        sender("test-version", "ABCDEFG0123456789abcdefghijklmnopqrstuvwxyz"),
    ];
    let keys = senders.each_ref().map(Sender::key);
    for sender in &senders {
        assert!(sender.push(EVENT).open(&keys, APPID, NOW).is_ok());
    }
    let stranger = self::sender("stranger", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG");
    let refused = stranger.push(EVENT).open(&keys, APPID, NOW);
    assert_eq!(refused.unwrap_err(), PushError::Signature);
}

#[test]
fn the_same_token_may_stand_beside_several_aes_keys() {
    let current = sender("AAAAA", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG");
    let previous = sender("AAAAA", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG");
    let keys = [current.key(), previous.key()];
    for sender in [&current, &previous] {
        assert!(sender.push(EVENT).open(&keys, APPID, NOW).is_ok());
    }
    let third = sender("AAAAA", "ABCDEFG0123456789abcdefghijklmnopqrstuvwxyz");
    let refused = third.push(EVENT).open(&keys, APPID, NOW);
    assert_eq!(refused.unwrap_err(), PushError::Undecryptable);
}

#[test]
fn only_keys_whose_signature_fits_decrypt() {
    // The AES key of one entry with the Token of the other: the signature decides which key is tried.
    let mixed = sender("current", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG");
    let keys = [
        sender("current", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG").key(),
        sender("previous", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG").key(),
    ];
    let refused = mixed.push(EVENT).open(&keys, APPID, NOW);
    assert_eq!(refused.unwrap_err(), PushError::Undecryptable);
}

#[test]
fn without_keys_everything_is_unsigned() {
    let refused = Sender::default().push(EVENT).open(&[], APPID, NOW);
    assert_eq!(refused.unwrap_err(), PushError::Signature);
}
