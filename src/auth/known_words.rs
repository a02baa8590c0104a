//! Words that a password must not contain because people of the place would try them first: what
//! the place is about, the code of the committee, and the names of the account.

use super::password::normalised;

/// What the place is about. The pinyin of 提案 is not here: `tian` is also the beginning of much
/// else. The list stands in `docs/sign-in.md`, too.
pub const WORDS: &[&str] = &[
    "jianjian", "cppcc", "zhengxie", "weiyuan", "政协", "政協", "提案", "委员", "委員", "件件",
];

/// A word of fewer letters or digits is part of too many others.
const MIN_ASCII: usize = 4;
/// The same where there are other characters, such as those of Chinese names.
const MIN_OTHERS: usize = 2;

/// Whose password it is to be.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// Sign-in name.
    pub username: &'a str,
    /// Name shown to others.
    pub display_name: &'a str,
    /// Code of the committee.
    pub committee: &'a str,
}

/// The first word of the place in a password, which is normalised and in small letters. The sign-in
/// name has a rule of its own and is not told twice.
pub(super) fn found(password: &str, owner: &Owner<'_>) -> Option<String> {
    let username = spelt(owner.username);
    let name = spelt(owner.display_name);
    let parts = name.split(|sign: char| !sign.is_alphanumeric());
    let of_owner = [spelt(owner.committee), name.clone()]
        .into_iter()
        .chain(parts.map(str::to_owned))
        .filter(|word| is_long_enough(word) && *word != username);
    let of_place = WORDS.iter().map(|word| (*word).to_owned());
    of_place
        .chain(of_owner)
        .find(|word| password.contains(word.as_str()))
}

fn spelt(word: &str) -> String {
    normalised(word.trim()).to_lowercase()
}

fn is_long_enough(word: &str) -> bool {
    let least = if word.is_ascii() {
        MIN_ASCII
    } else {
        MIN_OTHERS
    };
    word.chars().count() >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner<'_> = Owner {
        username: "chen.wei",
        display_name: "陈巍",
        committee: "yunling",
    };

    fn word(password: &str, owner: &Owner<'_>) -> Option<String> {
        found(&normalised(password).to_lowercase(), owner)
    }

    #[test]
    fn words_of_the_place_are_found_however_they_are_written() {
        for (password, wanted) in [
            ("lantern-over-water", None),
            ("灯火照见回信的人呀", None),
            ("my-ZhengXie-4711", Some("zhengxie")),
            ("ｊｉａｎｊｉａｎ-4711", Some("jianjian")),
            ("云川政协2026年", Some("政协")),
            ("灯火照见提案的人呀", Some("提案")),
            ("YunLing-4711", Some("yunling")),
            ("yun-ling-4711", None),
            ("陈巍的灯火照见回信", Some("陈巍")),
            ("陈家的灯火照见回信", None),
        ] {
            assert_eq!(word(password, &OWNER).as_deref(), wanted, "{password}");
        }
        for listed in WORDS {
            assert_eq!(*listed, spelt(listed), "{listed} would never be found");
            assert!(word(&format!("4711-{listed}-4711"), &OWNER).is_some());
        }
    }

    #[test]
    fn names_count_whole_and_in_parts_unless_they_are_short() {
        let named = |display_name| Owner {
            display_name,
            committee: "yl",
            ..OWNER
        };
        for (display_name, password, wanted) in [
            ("Lin Anna", "lantern-anna-river", Some("anna")),
            ("Lin Anna", "blinking-lantern", None),
            ("Lin An", "my lin an lantern", Some("lin an")),
            ("阿依古丽·买买提", "买买提的灯火照见", Some("买买提")),
            ("巍", "巍峨的灯火照见回信", None),
            ("  ", "blinking  lantern", None),
            ("", "lantern-over-water", None),
            ("林", "yl-lantern-yl-river", None),
            ("Chen.Wei", "my-chen.wei-lantern", Some("chen")),
            ("ZhouMing", "my-zhouming-lantern", Some("zhouming")),
        ] {
            let found = word(password, &named(display_name));
            assert_eq!(found.as_deref(), wanted, "{display_name}: {password}");
        }
    }

    #[test]
    fn a_display_name_that_is_the_sign_in_name_is_not_told_twice() {
        let owner = Owner {
            username: "zhouming",
            display_name: "ZhouMing",
            ..OWNER
        };
        assert_eq!(word("my-zhouming-lantern", &owner), None);
        assert_eq!(
            word("my-zhouming-yunling", &owner).as_deref(),
            Some("yunling")
        );
    }

    #[test]
    fn the_list_is_written_down() {
        let page = include_str!("../../docs/sign-in.md");
        for listed in WORDS {
            assert!(page.contains(&format!("`{listed}`")), "{listed}");
        }
    }
}
