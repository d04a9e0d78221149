//! The shared state in DynamoDB: one table with the string key `pk`. Reads are strongly consistent;
//! every write is conditional, and a failed condition returns the item in the same call. The SDK repeats a
//! write whose answer was lost, so each method recognizes its own earlier write.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::clients::cause;
use super::item::{
    Item, get_number, number, read_ticket_item, read_token_item, text, write_backoff, write_lease,
};
use crate::platform::state::{MAX_LEASE_AHEAD, MAX_MINTED_AHEAD, MAX_TICKET_AHEAD};
use crate::platform::{
    Backoff, Lease, StateError, StoredToken, Ticket, TicketItem, TicketStore, TokenItem, TokenStore,
};

/// The key of the item that names the component.
const COMPONENT: &str = "component";

/// The state in one table.
pub struct DynamoDbState {
    pub(super) client: Client,
    pub(super) table: String,
}

pub(super) enum Written {
    /// The item's attributes that the request asked for.
    Yes(Item),
    /// The condition failed; the item as it is.
    No(Item),
}

impl DynamoDbState {
    /// The state in this table.
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    pub(super) async fn read(&self, key: String) -> Result<Item, StateError> {
        let request =
            self.client.get_item().table_name(&self.table).key("pk", text(key)).consistent_read(true);
        match request.send().await {
            Ok(found) => Ok(found.item.unwrap_or_default()),
            Err(error) => Err(StateError(cause(error))),
        }
    }

    pub(super) fn update(&self, key: String) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(key))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Sets a token in its item, and does what `also` says.
    fn set_token(&self, appid: &str, token: &StoredToken, also: &str) -> UpdateItemFluentBuilder {
        const SET: &str =
            "SET #value = :value, expires_at = :expires_at, minted_at = :minted_at, uncertain = :uncertain";
        self.update(token_key(appid))
            .update_expression(format!("{SET} {also}"))
            .expression_attribute_names("#value", "value")
            .expression_attribute_values(":value", text(token.value.expose_secret()))
            .expression_attribute_values(":expires_at", number(token.expires_at))
            .expression_attribute_values(":minted_at", number(token.minted_at))
            .expression_attribute_values(":uncertain", AttributeValue::Bool(token.uncertain))
    }

    /// A change that only the holder of the lease may make.
    fn as_holder(request: UpdateItemFluentBuilder, holder: &str) -> UpdateItemFluentBuilder {
        request
            .condition_expression("#lease.holder = :holder")
            .expression_attribute_names("#lease", "lease")
            .expression_attribute_values(":holder", text(holder))
    }
}

pub(super) async fn write(request: UpdateItemFluentBuilder) -> Result<Written, StateError> {
    let error = match request.send().await {
        Ok(done) => return Ok(Written::Yes(done.attributes.unwrap_or_default())),
        Err(error) => error,
    };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
            Ok(Written::No(failed.item.clone().unwrap_or_default()))
        }
        _ => Err(StateError(cause(error))),
    }
}

fn token_key(appid: &str) -> String {
    format!("token#{appid}")
}

fn ticket_key(appid: &str) -> String {
    format!("ticket#{appid}")
}

#[async_trait]
impl TokenStore for DynamoDbState {
    async fn token_item(&self, appid: &str) -> Result<TokenItem, StateError> {
        self.read(token_key(appid)).await.map(|item| read_token_item(&item))
    }

    async fn take_lease(
        &self,
        appid: &str,
        seen: &TokenItem,
        lease: &Lease,
        now: i64,
    ) -> Result<bool, StateError> {
        let mut request = self
            .update(token_key(appid))
            .update_expression("SET #lease = :lease")
            .expression_attribute_names("#lease", "lease")
            .expression_attribute_values(":lease", write_lease(lease))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":void", number(now.saturating_add(MAX_LEASE_AHEAD)));
        let minted = match &seen.token {
            Some(token) => {
                request = request.expression_attribute_values(":minted_at", number(token.minted_at));
                "minted_at = :minted_at"
            }
            // An item that lacks any part of a token has none.
            None => {
                request = request.expression_attribute_names("#value", "value");
                "(attribute_not_exists(#value) OR attribute_not_exists(minted_at) OR attribute_not_exists(expires_at))"
            }
        };
        let backoff = match &seen.backoff {
            Some(backoff) => {
                request = request
                    .expression_attribute_names("#until", "until")
                    .expression_attribute_values(":until", number(backoff.until));
                "(backoff.#until = :until OR attribute_not_exists(backoff.#until))"
            }
            None => "attribute_not_exists(backoff)",
        };
        let condition = format!(
            "(attribute_not_exists(#lease.expires_at) OR #lease.expires_at <= :now OR #lease.expires_at > :void) \
             AND {minted} AND {backoff}"
        );
        match write(request.condition_expression(condition)).await? {
            Written::Yes(_) => Ok(true),
            // The SDK repeats a write whose answer was lost: then the lease is already ours.
            Written::No(item) => {
                Ok(read_token_item(&item).lease.is_some_and(|held| held.holder == lease.holder))
            }
        }
    }

    async fn store_token(&self, appid: &str, holder: &str, token: &StoredToken) -> Result<bool, StateError> {
        let request = Self::as_holder(self.set_token(appid, token, "REMOVE #lease, backoff"), holder);
        match write(request).await? {
            Written::Yes(_) => Ok(true),
            // A repeated write whose first try had succeeded: our token is there already.
            Written::No(item) => Ok(read_token_item(&item)
                .token
                .is_some_and(|stored| stored.value.expose_secret() == token.value.expose_secret())),
        }
    }

    async fn store_failure(
        &self,
        appid: &str,
        holder: &str,
        backoff: &Backoff,
        expires_at: Option<i64>,
    ) -> Result<bool, StateError> {
        let mut set = "SET backoff = :backoff".to_owned();
        let mut request = Self::as_holder(self.update(token_key(appid)), holder)
            .expression_attribute_values(":backoff", write_backoff(backoff));
        if let Some(expires_at) = expires_at {
            set.push_str(", expires_at = :expires_at");
            request = request.expression_attribute_values(":expires_at", number(expires_at));
        }
        match write(request.update_expression(set + " REMOVE #lease")).await? {
            Written::Yes(_) => Ok(true),
            Written::No(item) => Ok(read_token_item(&item).backoff.as_ref() == Some(backoff)),
        }
    }

    async fn release_lease(&self, appid: &str, holder: &str) -> Result<(), StateError> {
        let request =
            Self::as_holder(self.update(token_key(appid)), holder).update_expression("REMOVE #lease");
        write(request).await.map(|_| ())
    }

    async fn put_token(&self, appid: &str, token: &StoredToken, replace: bool) -> Result<bool, StateError> {
        let condition = match replace {
            true => "attribute_not_exists(minted_at) OR minted_at <= :minted_at OR minted_at > :void",
            false => {
                "attribute_not_exists(minted_at) OR ((minted_at <= :minted_at OR minted_at > :void) \
                 AND (expires_at <= :minted_at OR expires_at <= :expires_at))"
            }
        };
        let void = number(token.minted_at.saturating_add(MAX_MINTED_AHEAD));
        let request = self.set_token(appid, token, "").condition_expression(condition);
        let request = request.expression_attribute_values(":void", void);
        Ok(matches!(write(request).await?, Written::Yes(_)))
    }

    async fn component(&self) -> Result<Option<String>, StateError> {
        let item = self.read(COMPONENT.to_owned()).await?;
        Ok(item.get("component_appid").and_then(|value| value.as_s().ok()).cloned())
    }

    async fn remember_component(&self, appid: &str) -> Result<(), StateError> {
        let request = self
            .update(COMPONENT.to_owned())
            .update_expression("SET component_appid = :appid")
            .condition_expression("attribute_not_exists(component_appid) OR component_appid <> :appid")
            .expression_attribute_values(":appid", text(appid));
        write(request).await.map(|_| ())
    }
}

#[async_trait]
impl TicketStore for DynamoDbState {
    async fn ticket_item(&self, appid: &str) -> Result<TicketItem, StateError> {
        self.read(ticket_key(appid)).await.map(|item| read_ticket_item(&item))
    }

    async fn put_ticket(&self, appid: &str, ticket: &Ticket) -> Result<bool, StateError> {
        // Sets the value when the ticket is newer, which is the rule that is always kept.
        let value = |and: &str, set_received_at: &str, received_at: i64| {
            let void = ticket.received_at.saturating_add(MAX_TICKET_AHEAD);
            self.update(ticket_key(appid))
                .update_expression(format!(
                    "SET #value = :value, create_time = :create_time, received_at = {set_received_at}"
                ))
                .condition_expression(format!(
                    "(attribute_not_exists(create_time) OR create_time < :create_time OR create_time > :void){and}"
                ))
                .expression_attribute_names("#value", "value")
                .expression_attribute_values(":value", text(ticket.value.expose_secret()))
                .expression_attribute_values(":create_time", number(ticket.create_time))
                .expression_attribute_values(":void", number(void))
                .expression_attribute_values(":received_at", number(received_at))
        };
        let keep_received_at = "if_not_exists(received_at, :received_at)";
        let is_yes = |written| matches!(written, Written::Yes(_));
        if !ticket.is_heartbeat() {
            return write(value("", keep_received_at, ticket.create_time)).await.map(is_yes);
        }
        let first = value(" AND NOT received_at > :received_at", ":received_at", ticket.received_at);
        let Written::No(item) = write(first).await? else { return Ok(true) };
        // Pushes may overtake each other. A push that arrived later was stored first: its heartbeat stays.
        if get_number(&item, "received_at") > Some(ticket.received_at) {
            return write(value("", keep_received_at, ticket.received_at)).await.map(is_yes);
        }
        let heartbeat = self
            .update(ticket_key(appid))
            .update_expression("SET received_at = :received_at")
            .condition_expression("received_at < :received_at")
            .expression_attribute_values(":received_at", number(ticket.received_at));
        write(heartbeat).await.map(|_| false)
    }

    async fn claim_start_push(&self, appid: &str, now: i64, not_since: i64) -> Result<bool, StateError> {
        let claim = Uuid::new_v4().to_string();
        let request = self
            .update(ticket_key(appid))
            .update_expression("SET start_push_at = :now, start_push_by = :claim")
            .condition_expression(
                "attribute_not_exists(start_push_at) OR start_push_at <= :not_since OR start_push_at > :now",
            )
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":claim", text(&claim))
            .expression_attribute_values(":not_since", number(not_since));
        match write(request).await? {
            Written::Yes(_) => Ok(true),
            Written::No(item) => Ok(item.get("start_push_by") == Some(&text(&claim))),
        }
    }
}
