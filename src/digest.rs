//! SHA-256, in hexadecimal.

use std::fmt::Write;

use aws_lc_rs::digest::{Context, SHA256};

/// Hash over the parts, each preceded by its length, so that no two lists of parts run together.
pub fn hex(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    digest
        .as_ref()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
