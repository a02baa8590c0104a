//! How secrets are kept in the database: enciphered with a key of the configuration, if there is
//! one.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Result};

/// Stands before what is enciphered.
const ENCIPHERED: &str = "aes256gcm:";
/// Stands before what is not.
const PLAIN: &str = "plain:";

/// Keeps secrets.
#[derive(Clone)]
pub struct Keeper {
    /// Name of the setting that holds the key, for the log.
    setting: &'static str,
    key: Option<[u8; 32]>,
}

impl Keeper {
    /// With the key of a setting, or without one: secrets then stand in the database as they are.
    pub const fn new(setting: &'static str, key: Option<[u8; 32]>) -> Self {
        Self { setting, key }
    }

    /// What is stored of `secret`, which belongs to `owner` and can be read for it alone.
    pub fn keep(&self, secret: &str, owner: &str) -> Result<String> {
        let Some(key) = &self.key else {
            return Ok(format!("{PLAIN}{secret}"));
        };
        let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(Error::internal)?;
        let mut text = secret.as_bytes().to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(owner.as_bytes()), &mut text)
            .map_err(Error::internal)?;
        let mut all = nonce.as_ref().to_vec();
        all.extend(text);
        Ok(format!("{ENCIPHERED}{}", STANDARD.encode(all)))
    }

    /// The secret of `owner` from what is stored. An error where the key is another one or gone.
    pub fn read(&self, stored: &str, owner: &str) -> Result<String> {
        if let Some(secret) = stored.strip_prefix(PLAIN) {
            return Ok(secret.to_owned());
        }
        let unreadable = || {
            let setting = self.setting;
            Error::internal(format!("{setting} is not the one the secret was kept with"))
        };
        let key = self.key.as_ref().ok_or_else(unreadable)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(Error::internal)?;
        let all = stored
            .strip_prefix(ENCIPHERED)
            .and_then(|text| STANDARD.decode(text).ok())
            .ok_or_else(unreadable)?;
        let (nonce, text) = all.split_at_checked(NONCE_LEN).ok_or_else(unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(Error::internal)?;
        let mut text = text.to_vec();
        let secret = key
            .open_in_place(nonce, Aad::from(owner.as_bytes()), &mut text)
            .map_err(|_| unreadable())?;
        String::from_utf8(secret.to_vec()).map_err(|_| unreadable())
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.key.is_some() {
            "Keeper(key)"
        } else {
            "Keeper(no key)"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_with_the_same_key_for_the_same_owner_only() {
        let keeper = Keeper::new("webhooks.key", Some([7; 32]));
        let stored = keeper.keep("whsec_abc", "whok_1").expect("to keep");
        assert!(!stored.contains("whsec"));
        assert_ne!(stored, keeper.keep("whsec_abc", "whok_1").expect("to keep"));
        assert_eq!(keeper.read(&stored, "whok_1").expect("it"), "whsec_abc");
        assert!(keeper.read(&stored, "whok_2").is_err());
        assert!(
            Keeper::new("webhooks.key", Some([8; 32]))
                .read(&stored, "whok_1")
                .is_err()
        );
        assert!(
            Keeper::new("webhooks.key", None)
                .read(&stored, "whok_1")
                .is_err()
        );
        let plain = Keeper::new("webhooks.key", None)
            .keep("whsec_abc", "whok_1")
            .expect("to keep");
        assert_eq!(keeper.read(&plain, "whok_1").expect("it"), "whsec_abc");
    }
}
