//! The texts that callers and operators read for a problem code: titles, details and remedies.
//!
//! Each text is one row, and each language is one column of it. To add Chinese, add the field `zh` to
//! [`Text`]: the compiler then names every row that lacks it, and [`Text::get`] chooses the column. The
//! meanings of WeChat's errcodes are a column of `wechat::ERRCODES`, and get a second one there.
//!
//! `{name}` in a row is a place that [`Text::with`] fills.

use super::code::ProblemCode;

/// One text in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
}

impl Text {
    /// The text in the language of this service.
    #[must_use]
    pub const fn get(self) -> &'static str {
        self.en
    }

    /// The text with these values in its places.
    #[must_use]
    pub fn with(self, values: &[(&str, &str)]) -> String {
        let fill = |text: String, (name, value): &(&str, &str)| text.replace(&format!("{{{name}}}"), value);
        values.iter().fold(self.get().to_owned(), fill)
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

/// The title of a code: the same for every problem with this code.
#[must_use]
pub const fn title(code: ProblemCode) -> Text {
    match code {
        ProblemCode::RequestInvalid => Text { en: "The request is not valid" },
        ProblemCode::RequestNotFound => Text { en: "There is nothing at this path" },
        ProblemCode::RequestMethodNotAllowed => Text { en: "This path does not take this method" },
        ProblemCode::WeChatBusy => Text { en: "WeChat is busy" },
        ProblemCode::WeChatTokenRejected => Text { en: "WeChat refuses the component access token" },
        ProblemCode::WeChatRateLimited => Text { en: "WeChat's quota for this minute is used up" },
        ProblemCode::WeChatDailyQuotaExhausted => Text { en: "WeChat's quota for this day is used up" },
        ProblemCode::WeChatUnauthorized => Text { en: "The platform may not use this API" },
        ProblemCode::WeChatRequestRejected => Text { en: "WeChat could not read this service's request" },
        ProblemCode::WeChatError => Text { en: "WeChat refused the call" },
        ProblemCode::WeChatUnreachable => Text { en: "WeChat gave no usable answer" },
        ProblemCode::WeChatTimeout => Text { en: "WeChat did not answer in time" },
        ProblemCode::ConfigEgressIpNotRegistered => Text { en: "The egress IP is not in WeChat's whitelist" },
        ProblemCode::ConfigAppIdRejected => Text { en: "WeChat refuses the component appid" },
        ProblemCode::ConfigAppSecretRejected => Text { en: "WeChat refuses the component appsecret" },
        ProblemCode::TicketMissing => Text { en: "No verify ticket has arrived" },
        ProblemCode::TicketRejected => Text { en: "WeChat refuses the verify ticket" },
        ProblemCode::TokenMissing => Text { en: "No component access token was handed over" },
        ProblemCode::TokenPending => Text { en: "A component access token is being obtained" },
        ProblemCode::SecretsUnavailable => Text { en: "The credentials cannot be read" },
        ProblemCode::SecretsInvalid => Text { en: "The credentials secret is not usable" },
        ProblemCode::StateUnavailable => Text { en: "The state table cannot be used" },
        ProblemCode::PushSignatureRejected => Text { en: "The push is not signed with a known Token" },
        ProblemCode::PushStale => Text { en: "The push is too old or in the future" },
        ProblemCode::PushMalformed => Text { en: "This is not an encrypted push" },
        ProblemCode::PushUndecryptable => Text { en: "The push cannot be decrypted" },
        ProblemCode::PushUnreadable => Text { en: "The push's message cannot be read" },
        ProblemCode::EventsUnavailable => Text { en: "The event bus cannot be used" },
        ProblemCode::Internal => Text { en: "Internal error" },
    }
}

texts! {
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
    NO_TIME { en: "there was no time left to ask WeChat" }

    // A mint failed a moment ago.

    MINT_UNANSWERED { en: "WeChat gave no usable answer to the last token request" }
    MINT_UNANSWERED_REMEDY { en: "The keeper's diagnose shows whether WeChat's hosts answer this service." }
    /// `detail` is that of the failed mint.
    BACKOFF { en: "{detail}; WeChat is not asked for a token again before Retry-After has passed" }

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

    // A refused push. Its sender reads these: WeChat, or whoever forwards WeChat's pushes.

    PUSH_SIGNATURE_REMEDY { en: "If WeChat sent it: put the platform's 消息校验Token and EncodingAESKey \
        into push_keys of the credentials secret. Keep the previous pair while WeChat still uses it, and \
        add the test version's." }
    PUSH_STALE_REMEDY { en: "Forward a push at once, with the query it came with. Check the sender's clock." }
    PUSH_NOT_ENCRYPTED_REMEDY { en: "Choose 安全模式 for the platform's messages, and forward the query \
        with encrypt_type=aes." }
    PUSH_UNDECRYPTABLE_REMEDY { en: "Compare EncodingAESKey and component_appid in the credentials secret \
        with the platform's page. Two platforms must not share one callback URL." }
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
