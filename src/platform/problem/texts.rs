//! What callers and operators read of a problem: the details and the remedies. The codes and their titles are in
//! `codes`. Only the words that an error brings along (what is wrong with a secret's field, a push or a connection)
//! stand where the error is made.
//!
//! Each text is one row, and each language is one column of it. To add Chinese, add the field `zh` to
//! [`Text`]: the compiler then names every row that lacks it, and [`Text::get`] chooses the column. The
//! meanings of WeChat's errcodes are a column of `wechat::ERRCODES`, and get a second one there.
//!
//! [`Text::with`] replaces each `{name}` in a row by a value.

use std::fmt::Display;

/// One text in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
}

impl Text {
    /// The text in the language of this service.
    pub const fn get(self) -> &'static str {
        self.en
    }

    /// The text with these values in place of their names.
    pub fn with(self, values: &[(&str, &dyn Display)]) -> String {
        let text = self.get().to_owned();
        values
            .iter()
            .fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), &value.to_string()))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.get().to_owned()
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident { $($language:ident: $text:literal),+ })+) => {
        $($(#[$doc])* pub const $name: Text = Text { $($language: $text),+ };)+
    };
}

texts! {
    // A wrong request. `field` names a field, and no value is repeated: any value may be a secret.

    NO_SUCH_PATH { en: "the path is {path}" }
    NO_SUCH_METHOD { en: "{path} takes {methods}" }
    TOO_LARGE { en: "the request is larger than {most} bytes" }
    NOT_JSON { en: "the request is not JSON (line {line}, column {column})" }
    NOT_AN_OBJECT { en: "the request must be a JSON object" }
    /// `takes` is one of the next three.
    UNKNOWN_FIELD { en: "unknown field {field}; {takes}" }
    REQUEST_FIELDS { en: "the fields are {fields}" }
    ACTION_FIELDS { en: "{action} takes {fields}" }
    ACTION_WITHOUT_FIELDS { en: "{action} takes no field" }
    NOT_A_STRING { en: "{field} must be a string" }
    NOT_A_BOOLEAN { en: "{field} must be true or false" }
    NOT_A_POSITIVE_INTEGER { en: "{field} must be a positive integer" }
    NOT_POSITIVE_INTEGERS { en: "{field} must be an array of positive integers" }
    REFERENCE { en: "reference must be at most {most} printable ASCII characters" }
    OTHER_APPID { en: "component_appid: this service issues codes for {appid} only" }
    NEEDS_REDIRECT_URI { en: "{field} is for the links, which need redirect_uri" }
    BIZ_APPID { en: "biz_appid must be an appid" }
    CATEGORY_IDS { en: "category_id_list must hold at most {most} ids" }
    URL_LENGTH { en: "{field} is longer than {most} bytes" }
    URL_SPACE { en: "{field} must not contain white space or control characters; percent-encode them" }
    URL_SCHEME { en: "{field} must be an https:// URL" }
    URL_HOST { en: "{field} has no host" }
    URL_SYNTAX { en: "{field} is not a valid URL: {error}" }
    URL_USER { en: "{field} must not hold a user name or password" }
    URL_FRAGMENT { en: "{field} must not have a #fragment" }
    LINK_REDIRECT_URI { en: "redirect_uri is not for links: the merchant comes back to this service, and from there to \
        return_url" }
    LINK_STATE { en: "state must be at most {most} printable ASCII characters" }
    LINK_EXPIRES_IN { en: "expires_in must be {least} to {most} seconds" }
    PUSH_EVENT_SIZE { en: "the event is larger than {most} bytes" }
    PUSH_EVENT { en: "the event must be {\"query\":{\"timestamp\":\"…\",\"nonce\":\"…\",\"encrypt_type\":\"aes\",\
        \"msg_signature\":\"…\"},\"body\":\"<xml>…\"}, or {\"action\":\"check_push_keys\"}" }

    // A wrong event of the keeper.

    KEEPER_EVENT { en: "the event must be a JSON object with an action" }
    NO_ACTION { en: "action is missing; it is one of {actions}" }
    UNKNOWN_ACTION { en: "unknown action; it is one of {actions}" }
    HANDOVER { en: "this alias is for handing tokens over: it takes put_token only" }
    FORCE_WITHOUT_MINTING { en: "force: MINTING is off, so this service mints no token; hand one over with put_token" }
    CLEAR_QUOTA_CONFIRM { en: "clear_quota needs \"confirm\": true: WeChat allows ten resets a month, for all calls together" }
    CGI_PATH { en: "cgi_path must be a path without host and query, such as /cgi-bin/component/api_create_preauthcode" }
    RID { en: "explain_rid needs rid, such as 5f92a0c3-4b491949-0aa4f69d" }
    PUT_TOKEN_TOKEN { en: "put_token needs component_access_token" }
    PUT_TOKEN_EXPIRY { en: "put_token needs either expires_at, in Unix seconds, or expires_in, in seconds from now" }
    PUT_TOKEN_MINTING { en: "put_token is for MINTING=off: this service mints tokens itself, and a second minter ends \
        the tokens of the first" }
    TOKEN_LENGTH { en: "component_access_token must have 1 to {most} characters" }
    TOKEN_CHARACTERS { en: "component_access_token must be printable ASCII without spaces" }
    EXPIRES_AT { en: "expires_at must be in Unix seconds, after now ({now}) and at most {most} s later" }
    EXPIRES_IN { en: "expires_in must be 1 to {most} seconds" }
    TOKEN_EXPIRES_LATER { en: "a valid token that expires later is stored (it expires at {expires_at}); say \
        \"replace\": true to replace it" }
    TOKEN_STORED_LATER { en: "a newer token is stored already; nothing was changed" }

    // A failure of the service, on a route that anyone may call.

    GENERIC { en: "the request failed; the service's log has the reason under request_id" }

    // WeChat refused a call. The remedies belong to classes of errcodes.

    /// `meaning` is the errcode's, from `wechat::ERRCODES`.
    REFUSED { en: "{path} was refused with errcode {errcode}: {meaning}" }
    DAILY_QUOTA_REMEDY { en: "Wait for the next day, or reset the quotas with the keeper's clear_quota (ten \
        times a month). The keeper's get_quota shows how many calls were made: find out who makes them." }
    UNAUTHORIZED_REMEDY { en: "Check in open.weixin.qq.com that the component is a reviewed platform \
        (平台型第三方平台) and that component_appid in the credentials secret is the component's. WeChat \
        also answers 48001 to a token of the wrong kind: if the token was handed over with put_token, check \
        that it came from api_component_token and is not the access token of an official account, a mini \
        program or an authorizer." }
    RESTRICTED_REMEDY { en: "Look for WeChat's notice in open.weixin.qq.com and mp.weixin.qq.com: it says \
        why the platform was limited (48004: a violation; 50002: the account is frozen or closed) and how \
        to have that lifted." }
    WRONG_TOKEN_KIND_REMEDY { en: "Hand over a component access token with the keeper's put_token: one from \
        api_component_token, not the access token of an official account, a mini program or an authorizer." }
    UNPUBLISHED_REMEDY { en: "Publish the platform (全网发布) in open.weixin.qq.com, 管理中心 - 第三方平台. \
        Until then only the test accounts listed there may authorize it." }
    REQUEST_REJECTED_REMEDY { en: "Report this as a bug of this service, with rid." }
    APPID_REMEDY { en: "Correct component_appid in the credentials secret: it is the AppID of the \
        third-party platform (第三方平台), not of an official account or mini program." }
    APPSECRET_REMEDY { en: "Correct component_appsecret in the credentials secret: it is the AppSecret of \
        the third-party platform (第三方平台 - 开发配置). Check whether it was reset in WeChat's console." }
    TICKET_REMEDY { en: "A new ticket ends this. WeChat pushes one every 10 minutes. If none arrives, check \
        the callback URL, and restart the pushes with the keeper's start_push_ticket." }

    // 61004, 40164, 45035. `seen` is the address that WeChat saw, `ours` are EGRESS_IPS.

    EGRESS_IP_OURS_REMEDY { en: "WeChat saw {seen}, which is one of this service's egress IPs. Append \
        {seen} to the platform's 白名单IP地址列表 (open.weixin.qq.com, 管理中心 - 第三方平台 - 开发配置 - \
        开发资料) under 修改, which acts on the live version at once; a change made under 编辑 needs \
        全网发布. Append, never replace the list: it covers every call of the platform." }
    EGRESS_IP_FOREIGN_REMEDY { en: "WeChat saw {seen}, which is not one of this service's egress IPs \
        ({ours}): this function's traffic bypasses the NAT gateway. Check that its subnets' default route \
        is the NAT gateway and that no other way out exists (IPv6, transit gateway, proxy). Do not register \
        {seen}: it may change." }
    EGRESS_IP_UNLISTED_REMEDY { en: "WeChat saw {seen}. EGRESS_IPS is empty, so this service cannot tell \
        whether that is a fixed address of its own. If it is, append it to the platform's 白名单IP地址列表 \
        under 修改 (编辑 needs 全网发布); never replace the list." }
    EGRESS_IP_UNNAMED_REMEDY { en: "WeChat did not name the address it saw. Check that the platform's \
        白名单IP地址列表 holds all of this service's egress IPs: {ours}." }
    EGRESS_IP_UNKNOWN_REMEDY { en: "WeChat did not name the address it saw, and EGRESS_IPS is empty. \
        Compare the platform's 白名单IP地址列表 with the addresses that this function's traffic leaves \
        from." }

    // No usable answer of WeChat.

    NO_ANSWER { en: "WeChat gave no usable answer: {error}" }
    GATEWAY_REMEDY { en: "WeChat's gateway, or a proxy on the way, answered with an error, so the network \
        works. Try again in a minute. If it stays, call the API from elsewhere to see whether WeChat has an \
        outage." }
    /// WeChat, the state table or the credentials secret did not answer.
    NO_ANSWER_IN_TIME { en: "the time ran out before an answer came" }

    // A mint failed a moment ago.

    MINT_UNANSWERED { en: "WeChat gave no usable answer to the last request for a token" }
    MINT_UNANSWERED_REMEDY { en: "The keeper's diagnose shows whether WeChat's hosts answer this service." }
    /// `detail` is that of the failed mint.
    BACKOFF { en: "{detail}; WeChat is not asked for a token again before Retry-After has passed" }

    // A link of the merchant's pages.

    LINK_NOT_FOUND { en: "there is no such authorization link" }
    LINK_EXPIRED { en: "the authorization link has expired" }
    LINK_EXHAUSTED { en: "the authorization link has been used as often as a link may be" }
    FUNCTION_UNAVAILABLE { en: "the function preauthcode cannot be invoked: {error}" }
    FUNCTION_FAILED { en: "the function preauthcode answered {code} (its request_id: {request_id})" }
    PAGES_REMEDY { en: "Check PREAUTHCODE_FUNCTION and that this function's role may invoke it." }

    // The ticket and the token.

    TICKET_MISSING { en: "no component_verify_ticket has arrived yet" }
    TICKET_MISSING_REMEDY { en: "WeChat pushes a ticket every 10 minutes to the platform's 授权事件接收URL. \
        Check that it is this service's callback URL and that its 消息校验Token and EncodingAESKey are in \
        push_keys of the credentials secret. Pushes that have stopped are restarted by the keeper's \
        start_push_ticket, which cannot fetch a ticket." }
    TOKEN_MISSING { en: "MINTING is off and no valid component access token was handed over" }
    TOKEN_MISSING_REMEDY { en: "Hand one over with the keeper's put_token, or set MINTING=on once no other \
        program mints tokens for this component." }
    TOKEN_PENDING { en: "another instance is obtaining a component access token" }
    OTHER_COMPONENT { en: "the credentials secret names another component now" }
    TOKEN_REJECTED { en: "WeChat refuses the newest component access token" }
    TOKEN_REJECTED_MINTING_REMEDY { en: "If this comes again, another program mints tokens for this \
        component, and every new token ends the one before (foreign_mint in the logs). Find that program (a \
        test environment, an SDK, an old server) and stop it, or set MINTING=off and hand its tokens over \
        with the keeper's put_token." }
    TOKEN_REJECTED_HANDED_OVER_REMEDY { en: "Hand over the newest token with the keeper's put_token: \
        MINTING is off, and the token that was handed over last is no longer the newest." }

    // AWS.

    STATE_UNAVAILABLE { en: "the state table cannot be used: {error}" }
    EVENTS_UNAVAILABLE { en: "the event bus did not take the event: {error}" }
    EVENT_TOO_LARGE { en: "the event has {bytes} bytes: EventBridge accepts at most {most}" }
    SECRETS_INVALID_REMEDY { en: "Fill the secret with JSON: component_appid, component_appsecret, and for \
        the callback push_keys: [{\"token\": 消息校验Token, \"encoding_aes_key\": EncodingAESKey}]." }

    // A refused push. The operator reads these, and the receiver that forwards WeChat's pushes.

    PUSH_SIGNATURE_REMEDY { en: "If WeChat sent it: put the platform's 消息校验Token and EncodingAESKey \
        into push_keys of the credentials secret. Keep the previous pair while WeChat still uses it, and \
        add the test version's." }
    PUSH_STALE_REMEDY { en: "Forward a push at once, with the query it came with. Check the sender's clock." }
    PUSH_NOT_ENCRYPTED_REMEDY { en: "Choose 安全模式 for the platform's messages, and forward the query \
        with encrypt_type=aes." }
    PUSH_UNDECRYPTABLE_REMEDY { en: "Compare EncodingAESKey and component_appid in the credentials secret \
        with the platform's page. Two platforms must not share one callback URL." }
    MISROUTED_REMEDY { en: "This message belongs to the platform's message URL (消息与事件接收URL), but that \
        setting points at this service, which accepts authorization events only. Point it at the receiver \
        of messages. This message was acknowledged and dropped." }
    PUSH_UNREADABLE_REMEDY { en: "WeChat has changed its format: report this as a bug of this service, \
        without the push." }

    // The keeper's diagnosis: what to do when a check fails and the problem has no remedy of its own.

    NETWORK_REMEDY { en: "Check the way out: the subnets' route to the NAT gateway, the security group's \
        egress to port 443, and DNS in the VPC. When another host answers, the service uses that one." }
    SECRETS_UNAVAILABLE_REMEDY { en: "Secrets Manager does not answer this function. Check the VPC's way to \
        it (NAT gateway or endpoint, security group), and whether AWS reports an outage." }
    STATE_UNAVAILABLE_REMEDY { en: "Check STATE_TABLE, the function's role, and the VPC's way to DynamoDB \
        (gateway endpoint)." }
    PUSH_KEYS_REMEDY { en: "Put the platform's 消息校验Token and 消息加解密Key (EncodingAESKey, 43 \
        characters) into push_keys of the credentials secret: [{\"token\": …, \"encoding_aes_key\": …}], the \
        current pair first." }
    TRY_AGAIN_REMEDY { en: "Try again in a minute. If it fails again, look up errmsg and rid." }
}
