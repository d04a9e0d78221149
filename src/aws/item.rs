//! How the platform's state looks as DynamoDB items, both ways. The attribute names are a contract:
//! other programs may read `token#…`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::platform::{Backoff, Lease, ProblemCode, StoredToken, Ticket, TicketItem, TokenItem};

/// An item's attributes.
pub type Item = HashMap<String, AttributeValue>;

pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub fn number(value: impl Into<i64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

pub fn get_text(item: &Item, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

pub fn get_number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub fn read_token_item(item: &Item) -> TokenItem {
    let token = (|| {
        Some(StoredToken {
            value: get_text(item, "value")?.into(),
            expires_at: get_number(item, "expires_at")?,
            minted_at: get_number(item, "minted_at")?,
            uncertain: item.get("uncertain").and_then(|mark| mark.as_bool().ok()).copied().unwrap_or(false),
        })
    })();
    let lease = item.get("lease").and_then(|lease| lease.as_m().ok()).and_then(|lease| {
        Some(Lease { holder: get_text(lease, "holder")?, expires_at: get_number(lease, "expires_at")? })
    });
    let backoff = item.get("backoff").and_then(|backoff| backoff.as_m().ok()).map(read_backoff);
    TokenItem { token, lease, backoff }
}

/// Whatever is there counts as a backoff. One that was ignored could never be cleared, because a lease is taken
/// only when the item still holds the backoff that was seen.
fn read_backoff(item: &Item) -> Backoff {
    Backoff {
        // A later version of this service may have codes of its own.
        code: get_text(item, "code")
            .and_then(|name| ProblemCode::from_name(&name))
            .unwrap_or(ProblemCode::WeChatError),
        errcode: get_number(item, "errcode"),
        client_ip: get_text(item, "client_ip"),
        count: get_number(item, "count").and_then(|count| count.try_into().ok()).unwrap_or(1),
        until: get_number(item, "until").unwrap_or_default(),
        ticket_create_time: get_number(item, "ticket_create_time"),
        credentials_version: get_text(item, "credentials_version"),
    }
}

pub fn write_lease(lease: &Lease) -> AttributeValue {
    AttributeValue::M(HashMap::from([
        ("holder".into(), text(&lease.holder)),
        ("expires_at".into(), number(lease.expires_at)),
    ]))
}

pub fn write_backoff(backoff: &Backoff) -> AttributeValue {
    let mut item = HashMap::from([
        ("code".into(), text(backoff.code.as_str())),
        ("count".into(), number(backoff.count)),
        ("until".into(), number(backoff.until)),
    ]);
    let optional = [
        ("errcode", backoff.errcode.map(number)),
        ("client_ip", backoff.client_ip.clone().map(text)),
        ("ticket_create_time", backoff.ticket_create_time.map(number)),
        ("credentials_version", backoff.credentials_version.clone().map(text)),
    ];
    item.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    AttributeValue::M(item)
}

pub fn read_ticket_item(item: &Item) -> TicketItem {
    let ticket = (|| {
        Some(Ticket {
            value: get_text(item, "value")?.into(),
            create_time: get_number(item, "create_time")?,
            received_at: get_number(item, "received_at")?,
        })
    })();
    TicketItem { ticket, start_push_at: get_number(item, "start_push_at") }
}
