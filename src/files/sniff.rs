//! What a file is, by its content alone: names and declared types are claims.
//!
//! Containers are looked into as far as their table of contents goes; nothing is ever unpacked.

use std::io::{self, Read, Seek, SeekFrom};

use crate::workflow::attachments::FileType;

/// Bytes at the start that are looked at.
const HEAD: usize = 8;
/// Entries that an office document may have, and bytes that their list may take.
const MOST_ENTRIES: u16 = 10_000;
const MOST_LIST: u32 = 2 * 1024 * 1024;
/// The end record of a ZIP archive, without its comment.
const END: usize = 22;
/// Longest comment of a ZIP archive.
const COMMENT: u64 = 65_535;

/// The type of a file, if it is one of those that are taken.
pub fn file_type<F: Read + Seek>(file: &mut F) -> io::Result<Option<FileType>> {
    file.rewind()?;
    let mut head = Vec::with_capacity(HEAD);
    file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let found = match head.as_slice() {
        [b'%', b'P', b'D', b'F', b'-', ..] => Some(FileType::Pdf),
        [0xFF, 0xD8, 0xFF, ..] => Some(FileType::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A] => Some(FileType::Png),
        [b'P', b'K', 3, 4, ..] => archive(file)?,
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1] => compound(file),
        [] => None,
        _ => text(file)?.then_some(FileType::Text),
    };
    Ok(found)
}

/// Which office document a ZIP archive is; none of them with macros.
fn archive<F: Read + Seek>(file: &mut F) -> io::Result<Option<FileType>> {
    let Some(names) = names(file)? else {
        return Ok(None);
    };
    let has = |wanted: &str| names.iter().any(|name| name == wanted.as_bytes());
    let starts = |wanted: &str| names.iter().any(|name| name.starts_with(wanted.as_bytes()));
    if names.iter().any(|name| name.ends_with(b"vbaProject.bin")) {
        return Ok(None);
    }
    if has("OFD.xml") {
        return Ok(Some(FileType::Ofd));
    }
    if !has("[Content_Types].xml") {
        return Ok(None);
    }
    let kinds = [
        (starts("word/document"), FileType::Docx),
        (has("xl/workbook.xml"), FileType::Xlsx),
        (has("ppt/presentation.xml"), FileType::Pptx),
    ];
    let mut found = kinds.into_iter().filter(|(is, _)| *is);
    Ok(match (found.next(), found.next()) {
        (Some((_, kind)), None) => Some(kind),
        _ => None,
    })
}

/// The names in the list of a ZIP archive; `None` if it is broken, too large or of the 64-bit form,
/// which no document of a permitted size needs.
fn names<F: Read + Seek>(file: &mut F) -> io::Result<Option<Vec<Vec<u8>>>> {
    let size = file.seek(SeekFrom::End(0))?;
    let tail = size.min(COMMENT + END as u64);
    file.seek(SeekFrom::Start(size - tail))?;
    let mut bytes = Vec::new();
    file.by_ref().take(tail).read_to_end(&mut bytes)?;
    let Some(end) = bytes
        .windows(END)
        .enumerate()
        .rev()
        .find(|(at, window)| {
            // The comment must reach to the very end of the file.
            window.starts_with(b"PK\x05\x06")
                && at + END + usize::from(u16_at(window, 20)) == bytes.len()
        })
        .map(|(_, window)| window)
    else {
        return Ok(None);
    };
    let (count, length, start) = (u16_at(end, 10), u32_at(end, 12), u32_at(end, 16));
    if count == 0 || count > MOST_ENTRIES || length > MOST_LIST {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(u64::from(start)))?;
    let mut list = Vec::new();
    file.by_ref()
        .take(u64::from(length))
        .read_to_end(&mut list)?;
    let (mut names, mut rest) = (Vec::with_capacity(usize::from(count)), list.as_slice());
    for _ in 0..count {
        if rest.len() < 46 || !rest.starts_with(b"PK\x01\x02") {
            return Ok(None);
        }
        let name = usize::from(u16_at(rest, 28));
        let more = usize::from(u16_at(rest, 30)) + usize::from(u16_at(rest, 32));
        let Some(text) = rest.get(46..46 + name) else {
            return Ok(None);
        };
        names.push(text.to_vec());
        rest = rest.get(46 + name + more..).unwrap_or_default();
    }
    Ok(Some(names))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let two = bytes.get(at..at + 2).and_then(|two| two.try_into().ok());
    two.map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_le_bytes)
}

/// Which document of the old office programs a compound file is. An encrypted one is none.
fn compound<F: Read + Seek>(file: &mut F) -> Option<FileType> {
    file.rewind().ok()?;
    let content = cfb::CompoundFile::open(file).ok()?;
    [
        ("/WordDocument", FileType::Doc),
        ("/Workbook", FileType::Xls),
        ("/Book", FileType::Xls),
        ("/PowerPoint Document", FileType::Ppt),
    ]
    .into_iter()
    .find(|(stream, _)| content.is_stream(stream))
    .map(|(_, kind)| kind)
}

/// Whether it is text in UTF-8 without control characters.
fn text<F: Read + Seek>(file: &mut F) -> io::Result<bool> {
    file.rewind()?;
    let mut buffer = vec![0; 64 * 1024];
    let mut kept = 0;
    loop {
        let read = file.read(&mut buffer[kept..])?;
        let have = kept + read;
        let (valid, whole) = match std::str::from_utf8(&buffer[..have]) {
            Ok(text) => (text, true),
            // A character that goes on in the next piece.
            Err(error) if error.error_len().is_none() && read > 0 => {
                let valid = std::str::from_utf8(&buffer[..error.valid_up_to()]);
                (valid.unwrap_or_default(), false)
            }
            Err(_) => return Ok(false),
        };
        let odd = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}');
        if valid.contains(odd) {
            return Ok(false);
        }
        if read == 0 {
            return Ok(whole);
        }
        let used = valid.len();
        buffer.copy_within(used..have, 0);
        kept = have - used;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn of(bytes: &[u8]) -> Option<FileType> {
        file_type(&mut Cursor::new(bytes.to_vec())).expect("to read")
    }

    /// An archive of empty entries, none of them compressed.
    fn zip(names: &[&str]) -> Vec<u8> {
        let (mut out, mut list) = (Vec::new(), Vec::new());
        for name in names {
            let length = u16::try_from(name.len())
                .expect("a short name")
                .to_le_bytes();
            let start = u32::try_from(out.len()).expect("small").to_le_bytes();
            out.extend(b"PK\x03\x04");
            out.extend([0; 22]);
            out.extend(length);
            out.extend([0; 2]);
            out.extend(name.as_bytes());
            list.extend(b"PK\x01\x02");
            list.extend([0; 24]);
            list.extend(length);
            list.extend([0; 12]);
            list.extend(start);
            list.extend(name.as_bytes());
        }
        let count = u16::try_from(names.len()).expect("few").to_le_bytes();
        let start = u32::try_from(out.len()).expect("small").to_le_bytes();
        let length = u32::try_from(list.len()).expect("small").to_le_bytes();
        out.extend(list);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend([count, count].concat());
        out.extend(length);
        out.extend(start);
        out.extend([0; 2]);
        out
    }

    fn compound_with(stream: &str) -> Vec<u8> {
        let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("a file");
        let mut content = file.create_stream(stream).expect("a stream");
        content.write_all(b"content").expect("to write");
        drop(content);
        file.flush().expect("to write");
        file.into_inner().into_inner()
    }

    #[test]
    fn the_content_decides() {
        let types = "[Content_Types].xml";
        for (bytes, kind) in [
            (b"%PDF-1.7\n...".to_vec(), Some(FileType::Pdf)),
            (vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 16], Some(FileType::Jpeg)),
            (b"\x89PNG\r\n\x1a\n....".to_vec(), Some(FileType::Png)),
            (zip(&[types, "word/document.xml"]), Some(FileType::Docx)),
            (zip(&[types, "xl/workbook.xml"]), Some(FileType::Xlsx)),
            (zip(&["ppt/presentation.xml", types]), Some(FileType::Pptx)),
            (zip(&["OFD.xml", "Doc_0/Document.xml"]), Some(FileType::Ofd)),
            (compound_with("/WordDocument"), Some(FileType::Doc)),
            (compound_with("/Workbook"), Some(FileType::Xls)),
            (compound_with("/PowerPoint Document"), Some(FileType::Ppt)),
            (
                "附件说明\r\n第一条".as_bytes().to_vec(),
                Some(FileType::Text),
            ),
            ("\u{feff}说明".as_bytes().to_vec(), Some(FileType::Text)),
            ("长".repeat(100_000).into_bytes(), Some(FileType::Text)),
            (Vec::new(), None),
            (b"MZ\x90\0\x03".to_vec(), None),
            (b"\x7fELF\x02\x01".to_vec(), None),
            (b"text with \0 in it".to_vec(), None),
            (vec![0xB8, 0xBD, 0xBC, 0xFE], None), // 附件 in GBK
            ("断".as_bytes()[..2].to_vec(), None),
            (zip(&["setup.exe"]), None),
            (zip(&[types, "word/document.xml", "xl/workbook.xml"]), None),
            (
                zip(&[types, "word/document.xml", "word/vbaProject.bin"]),
                None,
            ),
            (zip(&[]), None),
            (b"PK\x03\x04broken".to_vec(), None),
            (compound_with("/EncryptedPackage"), None),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1broken".to_vec(), None),
        ] {
            let start = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
            assert_eq!(of(&bytes), kind, "{start}");
        }
    }

    #[test]
    fn a_program_before_an_archive_is_a_program() {
        let mut bytes = b"MZ\x90\0".to_vec();
        bytes.extend(zip(&["[Content_Types].xml", "word/document.xml"]));
        assert_eq!(of(&bytes), None);
    }

    #[test]
    fn every_cut_of_an_archive_is_survived() {
        let whole = zip(&["[Content_Types].xml", "word/document.xml"]);
        for length in 0..whole.len() {
            assert_ne!(of(&whole[..length]), Some(FileType::Docx), "{length}");
        }
    }
}
