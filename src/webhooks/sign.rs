//! Secrets and signatures (Standard Webhooks 1.0.0, symmetric, `v1`).

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Result};

/// Stands before the base64 text of a secret.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const LENGTH: usize = 32;

/// What service and receiver share. Never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one, from the random numbers of the system.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; LENGTH];
        aws_lc_rs::rand::fill(&mut bytes)
            .map_err(|_| Error::internal("no random bytes to be had"))?;
        Ok(Self(format!("{PREFIX}{}", STANDARD.encode(bytes))))
    }

    /// One that was kept.
    pub const fn kept(text: String) -> Self {
        Self(text)
    }

    /// The text, for the one answer that shows it and for the store.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let text = self.0.strip_prefix(PREFIX).unwrap_or(&self.0);
        STANDARD.decode(text).map_err(Error::internal)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// The header `webhook-signature`: one signature by each secret, so that a receiver that knows
/// any of them can verify. `at` is the moment of sending in seconds.
pub fn signature(secrets: &[Secret], id: &str, at: i64, body: &str) -> Result<String> {
    let signed = format!("{id}.{at}.{body}");
    let signatures = secrets.iter().map(|secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.bytes()?);
        let tag = hmac::sign(&key, signed.as_bytes());
        Ok(format!("v1,{}", STANDARD.encode(tag)))
    });
    Ok(signatures.collect::<Result<Vec<_>>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let secret = Secret::kept("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let signed = signature(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signed.expect("it"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn secrets_are_long_and_different() {
        let (one, other) = (
            Secret::random().expect("one"),
            Secret::random().expect("one"),
        );
        assert_ne!(one, other);
        assert!(one.reveal().starts_with(PREFIX));
        assert_eq!(one.bytes().expect("bytes").len(), LENGTH);
        assert_eq!(format!("{one:?}"), "Secret");
    }
}
