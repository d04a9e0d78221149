//! What can be shown to a merchant.

/// The accounts that a merchant may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accounts {
    /// One certain account.
    One,
    /// Those of an `auth_type`, as WeChat numbers them.
    Of(Option<u32>),
}

/// One page, with what it shows. `id` is the link's id. There is no `Debug`: a handoff's URL holds a code.
#[derive(Clone, Copy)]
pub enum Page<'a> {
    /// Before WeChat's page: what will happen, and the button that starts it.
    Launch {
        /// The link's id.
        id: &'a str,
        /// The accounts that may be chosen.
        accounts: Accounts,
    },
    /// A direct link to WeChat's page, for a browser that sends no Referer after a redirect.
    Handoff {
        /// The link's id.
        id: &'a str,
        /// WeChat's page.
        url: &'a str,
    },
    /// WeChat sent the merchant back with an `auth_code`.
    Authorized,
    /// The merchant came back once more with the same `auth_code`.
    AlreadyAuthorized {
        /// The owner's page, without the `auth_code`.
        back: Option<&'a str>,
    },
    /// The merchant came back without a usable `auth_code`.
    NotAuthorized {
        /// The link's id.
        id: &'a str,
    },
    /// Something is in the way.
    Problem {
        /// What it is.
        trouble: Trouble,
        /// The link's id: with it the merchant can start again where that helps.
        id: Option<&'a str>,
        /// The owner's own name for this authorization.
        reference: Option<&'a str>,
        /// Lambda's request id.
        request_id: &'a str,
        /// Seconds after which another try can succeed.
        retry_after: Option<i64>,
    },
}

impl Page<'_> {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Problem { trouble, .. } => trouble.status(),
            _ => 200,
        }
    }
}

/// Each trouble is a variant with its HTTP status.
macro_rules! troubles {
    ($($(#[$doc:meta])* $name:ident = $status:literal;)+) => {
        /// What can be in the way of a merchant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Trouble {
            $($(#[$doc])* $name,)+
        }

        impl Trouble {
            /// Every trouble.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }
        }
    };
}

troubles! {
    /// WeChat or AWS is slow or down: another try soon can succeed.
    Busy = 503;
    /// The same, when the merchant has come back from WeChat: there is nothing to authorize again.
    Unconfirmed = 503;
    /// The quota of WeChat or of the platform is used up.
    Quota = 503;
    /// The platform's own settings at WeChat are wrong, such as its whitelist or secret. The merchant cannot help it.
    Setup = 503;
    /// WeChat has not sent the platform its ticket yet.
    NoTicket = 503;
    /// The link has expired.
    LinkEnded = 410;
    /// There is no such link.
    LinkUnknown = 404;
    /// The link was used to start as often as a link may be.
    TooManyTries = 429;
    /// The path does not take this method. The caller adds the header `Allow`.
    MethodNotAllowed = 405;
    /// There is no such path.
    NotFound = 404;
    /// A fault of this service.
    Internal = 500;
}
