//! Authorization links in the state table: `link#<link_id>` and `code#<code_fingerprint>`. DynamoDB deletes both by
//! their attribute `delete_at`.

use std::num::NonZeroU32;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use uuid::Uuid;

use super::clients::cause;
use super::dynamodb::{DynamoDbState, Written, write};
use super::item::{Item, get_number, get_text, number, text};
use crate::platform::links::{CodeLink, Link, LinkStore, MAX_CODES, MAX_STARTS, Noted, Started};
use crate::platform::{Authorization, StateError};

/// When DynamoDB may delete an item, in Unix seconds: the table's TTL attribute.
const DELETE_AT: &str = "delete_at";

fn link_key(link_id: &str) -> String {
    format!("link#{link_id}")
}

fn code_key(code_fingerprint: &str) -> String {
    format!("code#{code_fingerprint}")
}

#[async_trait]
impl LinkStore for DynamoDbState {
    async fn create_link(&self, link_id: &str, link: &Link, delete_at: i64) -> Result<(), StateError> {
        self.put(write_link(link), link_key(link_id), delete_at).await
    }

    async fn link(&self, link_id: &str) -> Result<Option<Link>, StateError> {
        self.read(link_key(link_id)).await.map(|item| read_link(&item))
    }

    async fn start(&self, link_id: &str, start: &str, now: i64) -> Result<Started, StateError> {
        let request = self
            .update(link_key(link_id))
            .update_expression("SET taken.#start = :now ADD starts :one")
            .condition_expression("expires_at > :now AND size(taken) < :codes AND starts < :starts")
            .expression_attribute_names("#start", start)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":codes", number(MAX_CODES as i64))
            .expression_attribute_values(":starts", number(MAX_STARTS));
        Ok(match write(request.return_values(ReturnValue::AllNew)).await? {
            Written::Yes(item) => read_link(&item).map_or(Started::No(None), Started::Yes),
            // The SDK repeats a write whose answer was lost: then the place is taken already.
            Written::No(item) => match read_link(&item) {
                Some(link) if map(&item, "taken").is_some_and(|taken| taken.contains_key(start)) => {
                    Started::Yes(link)
                }
                link => Started::No(link),
            },
        })
    }

    async fn give_back(&self, link_id: &str, start: &str) -> Result<(), StateError> {
        let request = self
            .update(link_key(link_id))
            .update_expression("REMOVE taken.#start")
            .condition_expression("attribute_exists(taken.#start)")
            .expression_attribute_names("#start", start);
        write(request).await.map(|_| ())
    }

    async fn note_return(&self, link_id: &str, auth_code_fingerprint: &str) -> Result<Noted, StateError> {
        // The SDK repeats a write whose answer was lost: then the note is this visit's own.
        let visit = Uuid::new_v4().to_string();
        let request = self
            .update(link_key(link_id))
            .update_expression("SET came_back.#fingerprint = :visit")
            .condition_expression(
                "attribute_exists(came_back) AND attribute_not_exists(came_back.#fingerprint) \
                 AND size(came_back) < :most",
            )
            .expression_attribute_names("#fingerprint", auth_code_fingerprint)
            .expression_attribute_values(":visit", text(&visit))
            .expression_attribute_values(":most", number(MAX_CODES as i64));
        let Written::No(item) = write(request).await? else { return Ok(Noted::First) };
        Ok(match map(&item, "came_back").and_then(|came_back| came_back.get(auth_code_fingerprint)) {
            Some(noted) if *noted == text(visit) => Noted::First,
            Some(_) => Noted::Again,
            None => Noted::Full,
        })
    }

    async fn put_code_link(
        &self,
        code_fingerprint: &str,
        code_link: &CodeLink,
        delete_at: i64,
    ) -> Result<(), StateError> {
        let mut item = Item::from([("link_id".to_owned(), text(&code_link.link_id))]);
        put_text(&mut item, "reference", code_link.reference.as_ref());
        put_text(&mut item, "state", code_link.state.as_ref());
        self.put(item, code_key(code_fingerprint), delete_at).await
    }

    async fn code_link(&self, code_fingerprint: &str) -> Result<Option<CodeLink>, StateError> {
        let item = self.read(code_key(code_fingerprint)).await?;
        Ok(get_text(&item, "link_id").map(|link_id| CodeLink {
            link_id,
            reference: get_text(&item, "reference"),
            state: get_text(&item, "state"),
        }))
    }
}

impl DynamoDbState {
    /// Writes a whole item. Repeating it does no harm.
    async fn put(&self, mut item: Item, key: String, delete_at: i64) -> Result<(), StateError> {
        item.insert("pk".to_owned(), text(key));
        item.insert(DELETE_AT.to_owned(), number(delete_at));
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        request.send().await.map(|_| ()).map_err(|error| StateError(cause(error)))
    }
}

fn put_text(item: &mut Item, name: &str, value: Option<&String>) {
    item.extend(value.map(|value| (name.to_owned(), text(value))));
}

fn write_link(link: &Link) -> Item {
    let authorization = &link.authorization;
    let ids = authorization.category_ids.iter().map(|id| number(id.get())).collect();
    let mut item = Item::from([
        ("category_id_list".to_owned(), AttributeValue::L(ids)),
        ("created_at".to_owned(), number(link.created_at)),
        ("expires_at".to_owned(), number(link.expires_at)),
        ("starts".to_owned(), number(link.starts)),
        // Each start that has taken a code, with its time.
        ("taken".to_owned(), AttributeValue::M(Item::new())),
        // The fingerprint of each authorization code that came back, and the visit that brought it.
        ("came_back".to_owned(), AttributeValue::M(Item::new())),
    ]);
    item.extend(authorization.auth_type.map(|kind| ("auth_type".to_owned(), number(kind.get()))));
    put_text(&mut item, "biz_appid", authorization.biz_appid.as_ref());
    put_text(&mut item, "reference", link.reference.as_ref());
    put_text(&mut item, "state", link.state.as_ref());
    put_text(&mut item, "return_url", link.return_url.as_ref());
    item
}

fn map<'a>(item: &'a Item, name: &str) -> Option<&'a Item> {
    item.get(name)?.as_m().ok()
}

/// The link in an item; `None` when it is not one.
fn read_link(item: &Item) -> Option<Link> {
    let id = |number: i64| u32::try_from(number).ok().and_then(NonZeroU32::new);
    let ids = item.get("category_id_list").and_then(|list| list.as_l().ok());
    let ids = ids.into_iter().flatten().filter_map(|value| id(value.as_n().ok()?.parse().ok()?));
    Some(Link {
        authorization: Authorization {
            auth_type: get_number(item, "auth_type").and_then(id),
            biz_appid: get_text(item, "biz_appid"),
            category_ids: ids.collect(),
        },
        reference: get_text(item, "reference"),
        state: get_text(item, "state"),
        return_url: get_text(item, "return_url"),
        created_at: get_number(item, "created_at")?,
        expires_at: get_number(item, "expires_at")?,
        starts: get_number(item, "starts")?.try_into().ok()?,
        codes: map(item, "taken")?.len(),
    })
}
