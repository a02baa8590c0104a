//! The second factor: codes that follow from a shared secret and the time (TOTP, RFC 6238), and
//! recovery codes for whoever lost the device.
//!
//! SHA-1, six digits, thirty seconds: what every authenticator knows. HMAC does not need a hash
//! that resists collisions.

use std::fmt::{self, Write};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;

use super::password::random;
use crate::digest;
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, UserId};

/// Digits of a code.
pub const DIGITS: usize = 6;
/// Seconds for which a code is shown.
pub const PERIOD: i64 = 30;
/// By how many periods the clock of an authenticator may differ.
const DRIFT: i64 = 1;
/// Bytes of a secret: as many as the hash has (RFC 4226, section 4).
const SECRET: usize = 20;
/// Bytes of a recovery code. 120 random bits cannot be guessed from a plain hash.
const RECOVERY: usize = 15;
/// Recovery codes given at once.
pub const RECOVERY_CODES: usize = 10;

/// The secret that an authenticator shares with the service. Debug output never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A new one.
    pub fn generate() -> Result<Self> {
        Ok(Self(random::<SECRET>()?.to_vec()))
    }

    /// From its text form.
    pub fn parse(text: &str) -> Result<Self> {
        BASE32_NOPAD
            .decode(text.as_bytes())
            .map(Self)
            .map_err(|_| Error::internal("a stored secret is not base32"))
    }

    /// In base32, as people type it into an authenticator.
    pub fn reveal(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// The address that an authenticator reads from a picture.
    pub fn uri(&self, label: &str, account: &str) -> String {
        let (label, account) = (escaped(label), escaped(account));
        let secret = self.reveal();
        format!(
            "otpauth://totp/{label}:{account}?secret={secret}&issuer={label}&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
        )
    }

    /// The code of a period.
    pub fn code(&self, period: i64) -> String {
        let counter = u64::try_from(period).unwrap_or(0);
        format!("{:0DIGITS$}", hotp(&self.0, counter) % 1_000_000)
    }

    /// The period whose code this is: the present one or one of its neighbours, behind the one
    /// whose code was used last. `None` for a wrong code and for one that was used.
    pub fn period_of(&self, code: &str, now: Timestamp, used: i64) -> Option<i64> {
        let present = period(now);
        let mut found = None;
        // Every candidate is compared, so that the time tells nothing.
        for candidate in present - DRIFT..=present + DRIFT {
            let equal =
                verify_slices_are_equal(self.code(candidate).as_bytes(), code.as_bytes()).is_ok();
            if equal && candidate > used && found.is_none() {
                found = Some(candidate);
            }
        }
        found
    }
}

/// The number of the period of a moment.
pub fn period(now: Timestamp) -> i64 {
    now.as_second().div_euclid(PERIOD)
}

/// The truncated HMAC of a counter (RFC 4226, section 5.3), 31 bits.
fn hotp(key: &[u8], counter: u64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let start = usize::from(tag.last().copied().unwrap_or(0) & 0x0f);
    let word = tag
        .get(start..start + 4)
        .and_then(|bytes| bytes.try_into().ok());
    u32::from_be_bytes(word.unwrap_or_default()) & 0x7fff_ffff
}

/// Everything but letters, digits and `-._~` as `%XX`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A code for whoever lost the device, good for one time. Debug output never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode")
    }
}

impl RecoveryCode {
    /// As many as are given at once.
    pub fn generate() -> Result<Vec<Self>> {
        (0..RECOVERY_CODES)
            .map(|_| Ok(Self(BASE32_NOPAD.encode(&random::<RECOVERY>()?))))
            .collect()
    }

    /// What somebody typed: small letters, blanks and hyphens do no harm. `None` if it was never
    /// one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let bare: String = text
            .chars()
            .filter(|letter| !matches!(letter, '-' | ' '))
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        let bytes = BASE32_NOPAD.decode(bare.as_bytes()).ok()?;
        (bytes.len() == RECOVERY).then_some(Self(bare))
    }

    /// In groups of four, as it is shown once.
    pub fn reveal(&self) -> String {
        let letters: Vec<char> = self.0.chars().collect();
        let groups: Vec<String> = letters
            .chunks(4)
            .map(|group| group.iter().collect())
            .collect();
        groups.join("-")
    }

    /// What is stored of it.
    pub fn hash(&self, committee: CommitteeId, user: UserId) -> String {
        let owner = [
            committee.uuid().as_bytes().as_slice(),
            user.uuid().as_bytes(),
        ]
        .concat();
        digest::hex(&[b"recovery code", &owner, self.0.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"12345678901234567890";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    #[test]
    fn the_vectors_of_rfc_4226() {
        let wanted = [
            755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871,
            520_489,
        ];
        for (counter, code) in (0..).zip(wanted) {
            assert_eq!(hotp(KEY, counter) % 1_000_000, code, "{counter}");
        }
    }

    #[test]
    fn the_vectors_of_rfc_6238() {
        for (second, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            let counter = u64::try_from(period(at(second))).expect("a period");
            assert_eq!(hotp(KEY, counter) % 100_000_000, code, "{second}");
        }
        assert_eq!(
            Secret(KEY.to_vec()).code(period(at(1_111_111_109))),
            "081804"
        );
    }

    #[test]
    fn a_code_counts_for_its_period_and_its_neighbours_and_once() {
        let secret = Secret::generate().expect("a secret");
        let now = at(1_800_000_000);
        let present = period(now);
        for drift in -1..=1 {
            let code = secret.code(present + drift);
            assert_eq!(secret.period_of(&code, now, 0), Some(present + drift));
            assert_eq!(secret.period_of(&code, now, present + drift), None);
        }
        for drift in [-3, -2, 2, 3] {
            assert_eq!(
                secret.period_of(&secret.code(present + drift), now, 0),
                None
            );
        }
        for wrong in ["", "000", "abcdef", "1234567", "１２３４５６"] {
            assert_eq!(secret.period_of(wrong, now, 0), None, "{wrong}");
        }
    }

    #[test]
    fn the_address_names_service_account_and_secret() {
        let secret = Secret(KEY.to_vec());
        assert_eq!(
            secret.uri("件件", "chen.wei"),
            "otpauth://totp/%E4%BB%B6%E4%BB%B6:chen.wei?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=%E4%BB%B6%E4%BB%B6&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(Secret::parse(&secret.reveal()).expect("a secret"), secret);
        assert!(!format!("{secret:?}").contains("GEZD"));
    }

    #[test]
    fn recovery_codes_are_read_as_people_type_them() {
        let codes = RecoveryCode::generate().expect("codes");
        assert_eq!(codes.len(), RECOVERY_CODES);
        let now = Timestamp::UNIX_EPOCH;
        let (committee, user) = (CommitteeId::new(now), UserId::new(now));
        for code in &codes {
            let shown = code.reveal();
            assert_eq!(shown.len(), 29);
            for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', " ")] {
                let read = RecoveryCode::parse(&typed).expect("a code");
                assert_eq!(read.hash(committee, user), code.hash(committee, user));
            }
            assert_ne!(
                code.hash(committee, user),
                code.hash(committee, UserId::new(now))
            );
        }
        for wrong in [
            "",
            "123456",
            "AAAA-AAAA-AAAA-AAAA",
            "AAAA-AAAA-AAAA-AAAA-AAAA-AAA1",
        ] {
            assert!(RecoveryCode::parse(wrong).is_none(), "{wrong}");
        }
    }
}
