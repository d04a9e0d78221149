//! Makes [`ProblemCode`](super::ProblemCode) from the table in `codes`.

/// Each row is a code: its name on the wire, the HTTP status, the seconds to wait before another try, and the
/// title in every language.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $status:literal, $wait:expr, { $($language:ident: $title:literal),+ };)+) => {
        /// The stable name of a failure: `code` in a problem, `errorType` of a direct invocation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
        #[non_exhaustive]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $name)] $code,)+
        }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$code,)+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name,)+ }
            }

            /// The code with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == name)
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$code => $status,)+ }
            }

            /// Seconds after which the same request can succeed without any change; `None`: a person must act
            /// first.
            pub const fn retry_after(self) -> Option<i64> {
                match self { $(Self::$code => $wait,)+ }
            }

            /// Whether the same request can succeed later without any change.
            pub const fn retryable(self) -> bool {
                self.retry_after().is_some()
            }

            /// The title: the same for every problem with this code.
            pub const fn title(self) -> Text {
                match self { $(Self::$code => Text { $($language: $title),+ },)+ }
            }
        }

        impl std::fmt::Display for ProblemCode {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(super) use codes;

#[cfg(test)]
mod tests {
    use crate::platform::ProblemCode;

    #[test]
    fn names_and_codes_agree_both_ways() {
        for code in ProblemCode::ALL {
            assert_eq!(ProblemCode::from_name(code.as_str()), Some(*code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        assert_eq!(ProblemCode::from_name("Nonsense"), None);
    }
}
