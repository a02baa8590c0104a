//! Text as it is searched.

use unicode_normalization::UnicodeNormalization;

/// Compatibility-normalised and in lower case, so that full-width and half-width forms and upper
/// and lower case are found alike on both databases.
pub fn fold(text: &str) -> String {
    // A letter can have a mark of its own in lower case, which has its place among those that follow.
    let lower = text.nfkc().collect::<String>().to_lowercase();
    lower.nfkc().collect()
}

/// A `LIKE` pattern that finds `text` anywhere, with `\` as the escape character.
pub fn contains_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in fold(text).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_folded_stays_as_it_is() {
        for text in [
            "５Ｇ基站",
            "\u{130}\u{344}C",
            "\u{130}\u{328}",
            "ǅ",
            "ΑΣ",
            "ﬁ℡",
        ] {
            let folded = fold(text);
            assert_eq!(fold(&folded), folded, "{text}");
        }
    }

    #[test]
    fn full_width_forms_are_found() {
        assert_eq!(fold("５Ｇ基站"), "5g基站");
        assert_eq!(contains_pattern("50%"), "%50\\%%");
    }
}
