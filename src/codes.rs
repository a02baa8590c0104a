//! One macro for the field's code lists: identifier, zh-CN label, English label.

use std::fmt::Write;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

/// A label in the two languages of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Label {
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    #[schema(max_length = 200, example = "已立案")]
    pub zh: &'static str,
    /// English.
    #[schema(max_length = 200, example = "filed")]
    pub en: &'static str,
}

/// The text is not a value of the code list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{value}' is not a value of {list}")]
pub struct UnknownCode {
    /// Name of the list.
    pub list: &'static str,
    /// What was given.
    pub value: String,
}

/// The schema of a code list, which lists the values with their labels.
pub fn schema(about: &str, values: &[(&str, Label)]) -> RefOr<Schema> {
    let mut description = format!("{}\n", about.trim());
    for (code, label) in values {
        // Writing to a String cannot fail.
        let _ = write!(description, "\n- `{code}` {} {}", label.zh, label.en);
    }
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(values.iter().map(|(code, _)| *code)))
        .into()
}

/// Declares a code list: an enum with its binding identifiers and labels.
#[macro_export]
macro_rules! code_list {
    ($(#[doc = $doc:literal])+ pub enum $name:ident {
        $($(#[$vdoc:meta])* $variant:ident = $code:literal, $zh:literal, $en:literal;)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord,
                 serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(
                #[doc = concat!($zh, " — ", $en)]
                $(#[$vdoc])*
                #[serde(rename = $code)]
                $variant,
            )+
        }

        impl $name {
            /// Every value, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The binding identifier.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The labels in zh-CN and English.
            pub const fn label(self) -> $crate::codes::Label {
                match self { $(Self::$variant => $crate::codes::Label { zh: $zh, en: $en }),+ }
            }
        }

        // Not derived: the derive does not see a name that a macro passes on.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::codes::schema(
                    concat!($($doc),+),
                    &[$(($code, $crate::codes::Label { zh: $zh, en: $en })),+],
                )
            }
        }

        impl utoipa::ToSchema for $name {}

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::codes::UnknownCode;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($code => Ok(Self::$variant),)+
                    _ => Err($crate::codes::UnknownCode {
                        list: stringify!($name),
                        value: text.to_owned(),
                    }),
                }
            }
        }
    };
}
