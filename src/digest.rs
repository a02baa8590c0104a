//! SHA-256, in hexadecimal.

use aws_lc_rs::digest::{Context, Digest, SHA256};

/// Hash over the parts, each preceded by its length, so that no two lists of parts run together.
pub fn hex(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    text(&context.finish())
}

/// SHA-256 of bytes that come in pieces.
#[derive(Clone)]
pub struct Running(Context);

impl Running {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash in hexadecimal.
    pub fn finish(self) -> String {
        text(&self.0.finish())
    }
}

impl Default for Running {
    fn default() -> Self {
        Self::new()
    }
}

fn text(digest: &Digest) -> String {
    digest
        .as_ref()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(b"0123456789abcdef"[usize::from(half)]))
        .collect()
}
