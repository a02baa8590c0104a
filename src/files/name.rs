//! The name under which a file is given back.

use unicode_normalization::UnicodeNormalization;

use crate::workflow::attachments::FileType;

/// Longest name, in characters.
pub const MAX_CHARS: usize = 200;

/// A name that is safe on every system: without path, control characters and signs that turn the
/// direction of writing; composed; at most [`MAX_CHARS`] characters with its extension.
pub fn clean(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    // What is left out must not keep apart what is composed.
    let text: String = last
        .chars()
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .nfc()
        .map(|c| match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect();
    let text = text.trim_matches(|c: char| c == '.' || c == ' ');
    let (stem, extension) = match text.rsplit_once('.') {
        Some((stem, extension)) => (stem.trim_end_matches(['.', ' ']), extension),
        None => (text, ""),
    };
    let extension = cut(extension.trim_start(), 10);
    let room = MAX_CHARS - 1 - extension.chars().count();
    let stem = cut(stem, room);
    match (stem.is_empty(), extension.is_empty()) {
        (true, _) => "file".to_owned(),
        (false, true) => stem.to_owned(),
        (false, false) => format!("{stem}.{extension}"),
    }
}

/// At most so many characters, and no blank or dot where it was cut.
fn cut(text: &str, chars: usize) -> &str {
    let end = text.char_indices().nth(chars).map(|(end, _)| end);
    let start = end.and_then(|end| text.get(..end)).unwrap_or(text);
    start.trim_end_matches(['.', ' '])
}

/// Signs without width, and those that turn the direction of writing.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Whether the extension of a clean name fits the content.
pub fn fits(name: &str, kind: FileType) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| {
        let extension = extension.to_lowercase();
        kind.extensions().contains(&extension.as_str())
    })
}

/// The value of Content-Disposition for a download (RFC 6266 with RFC 8187): always to be saved,
/// never to be shown.
pub fn disposition(name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|c| match c {
            ' '..='~' if !matches!(c, '"' | '\\' | '%' | ';') => c,
            _ => '_',
        })
        .collect();
    let mut exact = String::with_capacity(name.len() * 3);
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            exact.push(char::from(byte));
        } else {
            exact.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{exact}")
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_is_dangerous_and_keep_what_is_chinese() {
        for (given, wanted) in [
            ("调研报告（终稿）.pdf", "调研报告（终稿）.pdf"),
            ("../../etc/passwd.pdf", "passwd.pdf"),
            ("..\\..\\windows\\x.docx", "x.docx"),
            ("C:\\Users\\wang\\附件 1.pdf", "附件 1.pdf"),
            ("a\0b\r\nc.pdf", "abc.pdf"),
            ("report\u{202e}fdp.exe", "reportfdp.exe"),
            ("\u{feff}零\u{200b}宽.txt", "零宽.txt"),
            ("e\u{301}tude.pdf", "\u{e9}tude.pdf"),
            ("...", "file"),
            ("", "file"),
            (".pdf", "pdf"),
            ("a\"b;c.pdf", "a_b;c.pdf"),
            ("名 . .pdf", "名.pdf"),
            ("con:aux?.txt", "con_aux_.txt"),
            ("e\u{200b}\u{301}tude.pdf", "\u{e9}tude.pdf"),
            ("名. pdf", "名.pdf"),
            ("名.abcdefghi jk", "名.abcdefghi"),
        ] {
            assert_eq!(clean(given), wanted, "{given:?}");
        }
        let long = clean(&format!("{}.pdf", "长".repeat(5000)));
        assert_eq!(long.chars().count(), MAX_CHARS);
        assert!(long.ends_with("长.pdf"));
        assert!(clean(&"x.".repeat(5000)).chars().count() <= MAX_CHARS);
    }

    #[test]
    fn the_extension_must_fit_the_content() {
        assert!(fits("a.PDF", FileType::Pdf));
        assert!(fits("a.jpeg", FileType::Jpeg));
        assert!(!fits("a.exe", FileType::Pdf));
        assert!(!fits("pdf", FileType::Pdf));
        assert!(!fits("a.pdf.docx", FileType::Pdf));
    }

    #[test]
    fn a_download_is_saved_under_its_name() {
        assert_eq!(
            disposition("附 1.pdf"),
            "attachment; filename=\"_ 1.pdf\"; filename*=UTF-8''%E9%99%84%201.pdf"
        );
    }
}
