//! The password policy of a committee (口令策略): what a new password must be, how long it holds,
//! when an account is locked and a sign-in ends for want of use.
//!
//! Two profiles. `modern` follows today's advice (NIST SP 800-63B): length and a list of common
//! passwords, nothing that makes people write them down. `mlps3` is what an assessor of the
//! classified protection of level 3 (等保三级) asks for; its parameters may be stricter, never laxer.

use std::collections::HashSet;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::known_words::{self, Owner};
use super::password::normalised;
use super::throttle::Lock;
use crate::code_list;
use crate::error::{Code, Error, Message, Result};

/// Fewest characters of a password, after normalisation, whatever a policy says.
pub const MIN_LENGTH: i32 = 8;
/// Most characters of a password.
pub const MAX_LENGTH: i32 = 256;
/// The length to recommend.
pub const RECOMMENDED_LENGTH: i32 = 15;
/// Shorter user names may be part of a password.
const MIN_NAME_IN_PASSWORD: usize = 3;
/// An account without a lock of its own is locked for this long, should a policy ask for locks.
const LOCK_MINUTES: i32 = 15;

code_list! {
    /// Which rules for passwords and sign-ins a committee keeps.
    pub enum PasswordProfile {
        Modern = "modern", "现代口令规则", "length and a list of common passwords";
        Mlps3 = "mlps3", "等级保护三级", "classified protection, level 3";
    }
}

/// The password policy of a committee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PasswordPolicy {
    /// Which rules it keeps at least.
    pub profile: PasswordProfile,
    /// Fewest characters.
    pub min_length: i32,
    /// Of how many of the four classes a password has characters at least.
    pub min_classes: i32,
    /// Days after which a password must be changed.
    pub max_age_days: Option<i32>,
    /// How many of the last passwords, the present one among them, cannot be taken again.
    pub history: i32,
    /// Failures in a row that lock an account.
    pub lock_after_failures: Option<i32>,
    /// Minutes for which it is locked.
    pub lock_minutes: i32,
    /// Minutes after which a sign-in that is not used ends.
    pub idle_minutes: Option<i32>,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self::of(PasswordProfile::Modern)
    }
}

/// A policy as it is set. What is left out is as the profile has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordPolicyIn {
    /// Which rules it keeps at least.
    pub profile: PasswordProfile,
    /// Fewest characters of a password. `modern` and `mlps3`: 8.
    #[serde(default)]
    #[schema(nullable = false, minimum = 8, maximum = 20, example = 10)]
    pub min_length: Option<i32>,
    /// Of how many classes (capital letters, small letters, digits, everything else) a password
    /// has characters at least. `modern`: 1; `mlps3`: 3 or more.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 4, example = 3)]
    pub min_classes: Option<i32>,
    /// Days after which a password must be changed. `modern`: never; `mlps3`: 90 or fewer.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 365, example = 90)]
    pub max_age_days: Option<i32>,
    /// How many of the last passwords, the present one among them, cannot be taken again.
    /// `modern`: 1; `mlps3`: 5 or more.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 10, example = 5)]
    pub history: Option<i32>,
    /// Failures in a row that lock an account. `modern`: never, it is delayed only; `mlps3`: 5 or
    /// fewer.
    #[serde(default)]
    #[schema(nullable = false, minimum = 3, maximum = 20, example = 5)]
    pub lock_after_failures: Option<i32>,
    /// Minutes for which it is locked. `mlps3`: 15 or more.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 1440, example = 15)]
    pub lock_minutes: Option<i32>,
    /// Minutes after which a sign-in that is not used ends. `modern`: 7 days, as every sign-in;
    /// `mlps3`: 30 or fewer.
    #[serde(default)]
    #[schema(nullable = false, minimum = 5, maximum = 1440, example = 30)]
    pub idle_minutes: Option<i32>,
}

impl PasswordPolicyIn {
    /// The policy, if it keeps the rules of its profile.
    pub fn checked(self) -> Result<PasswordPolicy> {
        let least = PasswordPolicy::of(self.profile);
        let policy = PasswordPolicy {
            profile: self.profile,
            min_length: self.min_length.unwrap_or(least.min_length),
            min_classes: self.min_classes.unwrap_or(least.min_classes),
            max_age_days: self.max_age_days.or(least.max_age_days),
            history: self.history.unwrap_or(least.history),
            lock_after_failures: self.lock_after_failures.or(least.lock_after_failures),
            lock_minutes: self.lock_minutes.unwrap_or(least.lock_minutes),
            idle_minutes: self.idle_minutes.or(least.idle_minutes),
        };
        policy.check_profile()?;
        Ok(policy)
    }
}

impl PasswordPolicy {
    /// What a profile asks for at least.
    pub const fn of(profile: PasswordProfile) -> Self {
        match profile {
            PasswordProfile::Modern => Self {
                profile,
                min_length: MIN_LENGTH,
                min_classes: 1,
                max_age_days: None,
                history: 1,
                lock_after_failures: None,
                lock_minutes: LOCK_MINUTES,
                idle_minutes: None,
            },
            PasswordProfile::Mlps3 => Self {
                profile,
                min_length: MIN_LENGTH,
                min_classes: 3,
                max_age_days: Some(90),
                history: 5,
                lock_after_failures: Some(5),
                lock_minutes: LOCK_MINUTES,
                idle_minutes: Some(30),
            },
        }
    }

    /// 422 with every parameter that is laxer than the profile allows.
    fn check_profile(&self) -> Result<()> {
        if self.profile == PasswordProfile::Modern {
            return Ok(());
        }
        let least = Self::of(self.profile);
        let at_most = |own: Option<i32>, most: Option<i32>| {
            most.is_none_or(|most| own.is_some_and(|own| own <= most))
        };
        let rules = [
            ("/min_classes", self.min_classes >= least.min_classes),
            (
                "/max_age_days",
                at_most(self.max_age_days, least.max_age_days),
            ),
            ("/history", self.history >= least.history),
            (
                "/lock_after_failures",
                at_most(self.lock_after_failures, least.lock_after_failures),
            ),
            ("/lock_minutes", self.lock_minutes >= least.lock_minutes),
            (
                "/idle_minutes",
                at_most(self.idle_minutes, least.idle_minutes),
            ),
        ];
        let broken = rules.iter().filter(|(_, kept)| !kept);
        let error = broken.fold(Error::new(Code::InvalidInput), |error, (pointer, _)| {
            error.field(
                *pointer,
                "laxer_than_profile",
                Message::new(
                    "比所选口令策略类型的要求宽松。",
                    "Laxer than the chosen profile allows.",
                ),
            )
        });
        if error.fields().is_empty() {
            Ok(())
        } else {
            Err(error)
        }
    }

    /// When failures lock an account, and for how long.
    pub fn lock(&self) -> Option<Lock> {
        self.lock_after_failures.map(|after| Lock {
            after,
            time: SignedDuration::from_mins(i64::from(self.lock_minutes)),
        })
    }

    /// Whether a password that was set then must be changed now. One of which nobody knows when it
    /// was set is old.
    pub fn is_expired(&self, changed_at: Option<Timestamp>, now: Timestamp) -> bool {
        self.max_age_days.is_some_and(|days| {
            let age = SignedDuration::from_hours(24 * i64::from(days));
            changed_at.is_none_or(|at| now.duration_since(at) >= age)
        })
    }

    /// After which time without use a sign-in ends.
    pub fn idle(&self) -> Option<SignedDuration> {
        self.idle_minutes
            .map(|minutes| SignedDuration::from_mins(i64::from(minutes)))
    }

    /// Checks a new password; `pointer` is where it stands in the body. Every broken rule is told.
    pub fn check(&self, pointer: &str, password: &str, owner: &Owner<'_>) -> Result<()> {
        let spelt = normalised(password);
        let password = spelt.to_lowercase();
        let username = normalised(owner.username).to_lowercase();
        let mut error = Error::new(Code::InvalidInput);
        let mut broken = |code, message| {
            let before = std::mem::replace(&mut error, Error::new(Code::InvalidInput));
            error = before.field(pointer, code, message);
        };
        let length = password.chars().count();
        if is_shorter(length, self.min_length) {
            broken("password_too_short", too_short(self.min_length));
        }
        if !is_shorter(length, MAX_LENGTH + 1) {
            broken(
                "password_too_long",
                Message::new(
                    "密码最多 256 个字符。",
                    "A password has at most 256 characters.",
                ),
            );
        }
        if classes(&spelt) < self.min_classes {
            broken("password_too_simple", too_simple(self.min_classes));
        }
        let has_name =
            username.chars().count() >= MIN_NAME_IN_PASSWORD && password.contains(&username);
        if has_name || password == username {
            broken(
                "password_has_username",
                Message::new(
                    "密码不能包含用户名。",
                    "A password must not contain the user name.",
                ),
            );
        }
        if let Some(word) = known_words::found(&password, owner) {
            broken("password_has_known_word", has_known_word(&word));
        }
        let is_common = COMMON.contains(password.trim()) || is_monotonous(&password);
        if !is_shorter(length, MIN_LENGTH) && is_common {
            broken(
                "password_too_common",
                Message::new(
                    "该密码过于常见，容易被猜中。",
                    "This password is among the first that anybody would try.",
                ),
            );
        }
        if error.fields().is_empty() {
            Ok(())
        } else {
            Err(error)
        }
    }
}

fn is_shorter(length: usize, least: i32) -> bool {
    i32::try_from(length).is_ok_and(|length| length < least)
}

fn too_short(least: i32) -> Message {
    Message::new(
        format!("密码至少 {least} 个字符。"),
        format!("A password has at least {least} characters."),
    )
}

fn too_simple(least: i32) -> Message {
    Message::new(
        format!("密码须包含大写字母、小写字母、数字、其他字符中的至少 {least} 类。"),
        format!(
            "A password has characters of at least {least} of these: capital letters, small letters, digits, others."
        ),
    )
}

fn has_known_word(word: &str) -> Message {
    Message::new(
        format!("密码不能包含“{word}”：熟悉本单位的人最先会猜这样的词。"),
        format!(
            "A password must not contain “{word}”: people who know the place would try it first."
        ),
    )
}

/// How many classes of characters a password has: capital letters, small letters, digits, and
/// everything else, such as signs and Chinese characters.
fn classes(password: &str) -> i32 {
    let has = |class: fn(char) -> bool| i32::from(password.chars().any(class));
    has(char::is_uppercase)
        + has(char::is_lowercase)
        + has(|c| c.is_ascii_digit())
        + has(|c| !c.is_uppercase() && !c.is_lowercase() && !c.is_ascii_digit())
}

static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// One or two characters repeated, or a run such as `23456789` or `hgfedcba`.
fn is_monotonous(password: &str) -> bool {
    let chars: Vec<u32> = password.chars().map(u32::from).collect();
    let distinct: HashSet<_> = chars.iter().collect();
    let run = |up: bool| {
        chars.windows(2).all(|pair| match pair {
            [a, b] if up => *b == a + 1,
            [a, b] => *a == b + 1,
            _ => true,
        })
    };
    distinct.len() <= 2 || run(true) || run(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MLPS3: PasswordPolicy = PasswordPolicy::of(PasswordProfile::Mlps3);

    fn broken(result: Result<()>) -> Vec<&'static str> {
        match result {
            Ok(()) => Vec::new(),
            Err(error) => error.fields().iter().map(|field| field.code).collect(),
        }
    }

    fn owner(username: &str) -> Owner<'_> {
        Owner {
            username,
            display_name: "陈巍",
            committee: "yunling",
        }
    }

    fn codes(password: &str, username: &str) -> Vec<&'static str> {
        broken(PasswordPolicy::default().check("/password", password, &owner(username)))
    }

    #[test]
    fn rules_for_new_passwords() {
        assert_eq!(codes("lantern-over-water", "chen.wei"), [""; 0]);
        assert_eq!(codes("灯火照见回信的人呀", "chen.wei"), [""; 0]);
        assert_eq!(codes("short", "chen.wei"), ["password_too_short"]);
        assert_eq!(codes(&"x1y".repeat(90), "chen.wei"), ["password_too_long"]);
        assert_eq!(
            codes("My-CHEN.wei-77", "chen.wei"),
            ["password_has_username"]
        );
        assert_eq!(codes("ａdmin-of-it", "admin"), ["password_has_username"]);
        assert_eq!(
            codes("YunLing-4711", "chen.wei"),
            ["password_has_known_word"]
        );
        assert_eq!(
            broken(MLPS3.check("/password", "Tap-zhengxie-7", &owner("chen.wei"))),
            ["password_has_known_word"]
        );
        for common in [
            "Password1",
            "ｐａｓｓｗｏｒｄ",
            "aaaaaaaaaa",
            "abababab",
            "23456789",
            "hgfedcba",
        ] {
            assert_eq!(
                codes(common, "chen.wei"),
                ["password_too_common"],
                "{common}"
            );
        }
    }

    #[test]
    fn level_three_asks_for_three_classes_of_characters() {
        for (password, wanted) in [
            ("lantern-over-water", 2),
            ("Lantern-over-water", 3),
            ("Lantern-over-water-7", 4),
            ("lantern7over7water", 2),
            ("灯火照见回信的人呀", 1),
            ("灯火照见回信的人 Q7", 3),
            ("ÉTÉ-été-2026", 4),
        ] {
            assert_eq!(classes(password), wanted, "{password}");
            let simple = broken(MLPS3.check("/password", password, &owner("chen.wei")));
            assert_eq!(simple.is_empty(), wanted >= 3, "{password}: {simple:?}");
        }
        let both = broken(MLPS3.check("/password", "short", &owner("chen.wei")));
        assert_eq!(both, ["password_too_short", "password_too_simple"]);
    }

    #[test]
    fn a_longer_password_can_be_asked_for() {
        let policy = PasswordPolicy {
            min_length: 12,
            ..PasswordPolicy::default()
        };
        let check = |password| broken(policy.check("/password", password, &owner("chen.wei")));
        assert_eq!(check("lantern-ove"), ["password_too_short"]);
        assert_eq!(check("lantern-over"), [""; 0]);
    }

    #[test]
    fn the_list_of_common_passwords_is_normalised() {
        for line in include_str!("common_passwords.txt").lines() {
            assert_eq!(line, normalised(line).to_lowercase());
            assert!(
                !is_shorter(line.chars().count(), MIN_LENGTH),
                "{line} is too short anyway"
            );
        }
    }

    #[test]
    fn a_profile_can_be_made_stricter_but_not_laxer() {
        let plain = |profile| PasswordPolicyIn {
            profile,
            min_length: None,
            min_classes: None,
            max_age_days: None,
            history: None,
            lock_after_failures: None,
            lock_minutes: None,
            idle_minutes: None,
        };
        for profile in PasswordProfile::ALL {
            let policy = plain(*profile).checked().expect("the profile itself");
            assert_eq!(policy, PasswordPolicy::of(*profile));
        }
        let strict = PasswordPolicyIn {
            min_length: Some(14),
            min_classes: Some(4),
            max_age_days: Some(30),
            history: Some(10),
            lock_after_failures: Some(3),
            lock_minutes: Some(60),
            idle_minutes: Some(10),
            ..plain(PasswordProfile::Mlps3)
        };
        assert!(strict.checked().is_ok());
        let lax = PasswordPolicyIn {
            min_classes: Some(2),
            max_age_days: Some(91),
            history: Some(4),
            lock_after_failures: Some(6),
            lock_minutes: Some(14),
            idle_minutes: Some(31),
            ..plain(PasswordProfile::Mlps3)
        };
        assert_eq!(broken(lax.checked().map(drop)), ["laxer_than_profile"; 6]);
        let modern = PasswordPolicyIn {
            profile: PasswordProfile::Modern,
            ..lax
        };
        assert!(modern.checked().is_ok());
    }

    #[test]
    fn passwords_grow_old_where_the_policy_says_so() {
        let now: Timestamp = "2026-11-23T08:00:00Z".parse().expect("moment");
        let days = |days: i64| Some(now - SignedDuration::from_hours(24 * days));
        assert!(!MLPS3.is_expired(days(89), now));
        assert!(MLPS3.is_expired(days(90), now));
        assert!(MLPS3.is_expired(None, now));
        assert!(!PasswordPolicy::default().is_expired(days(9000), now));
        assert!(!PasswordPolicy::default().is_expired(None, now));
    }
}
