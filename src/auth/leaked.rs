//! Passwords that leaked somewhere: looked up in a file that the operator provides.
//!
//! The file is that of “Have I Been Pwned”, ordered by hash: in each line the SHA-1 of a password in
//! hexadecimal, a colon, and how often it was seen. It has tens of gigabytes, so it is never read
//! as a whole: a binary search reads two lines in each step.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use data_encoding::HEXUPPER_PERMISSIVE;
use sha1::{Digest, Sha1};

use crate::error::{Error, Message, Result};

/// What an entry is found by.
type Hash = [u8; 20];

/// Characters of a hash in hexadecimal.
const HEX: usize = 40;
/// No line is longer: hash, colon, count and the end of the line, which may have two characters.
const LONGEST_LINE: usize = 64;
/// What is read at a time where one line is wanted: the rest of another one and a whole one.
const TWO_LINES: usize = 2 * LONGEST_LINE;
/// A stretch that is read as a whole.
const STRETCH: u64 = 4096;
/// Places at which the order is looked at when the service starts.
const SAMPLES: u64 = 64;

/// The file. It is opened for each look-up, so that another one can take its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaked {
    path: PathBuf,
}

/// Why the file cannot be used.
#[derive(Debug)]
pub enum Unusable {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It has no entry.
    Empty,
    /// From this byte on, there is a line of another form.
    Form(u64),
    /// The entry at this byte belongs before one that stands before it.
    Order(u64),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "it cannot be read: {error}"),
            Self::Empty => f.write_str("it is empty"),
            Self::Form(at) => write!(
                f,
                "at byte {at} it has no line such as \
                 000000005AD76BD555C1D6D771DE417A4B87E4B4:10"
            ),
            Self::Order(at) => write!(f, "it is not ordered by hash at byte {at}"),
        }
    }
}

impl std::error::Error for Unusable {}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl Leaked {
    /// The file at `path`, if it is one of this kind: its first and its last entry and some between
    /// are in order.
    pub fn at(path: &Path) -> Result<Self, Unusable> {
        let mut entries = Entries::open(path)?;
        let mut last = None;
        for sample in 0..=SAMPLES {
            // The last sample is the end less two lines, so that the last two entries are among them.
            let room = entries.size.saturating_sub(TWO_LINES as u64);
            let from = u64::try_from(u128::from(room) * u128::from(sample) / u128::from(SAMPLES))
                .unwrap_or(room);
            let mut found = entries.first_from(from)?;
            while let Some(entry) = found {
                if last.is_some_and(|last: Entry| last.at < entry.at && last.hash >= entry.hash) {
                    return Err(Unusable::Order(entry.at));
                }
                last = Some(entry);
                found = if sample == SAMPLES {
                    entries.first_from(entry.at + 1)?
                } else {
                    None
                };
            }
        }
        last.ok_or(Unusable::Empty)?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Refuses a password that is in the file; `pointer` is where it stands in the body. It reads
    /// from the disk: for threads that may wait.
    pub(super) fn refuse(&self, pointer: &str, spellings: &[&str]) -> Result<()> {
        let unusable = |error: Unusable| {
            Error::internal(error).context(format!("auth.leaked_passwords {}", self.path.display()))
        };
        let mut entries = Entries::open(&self.path).map_err(unusable)?;
        for spelling in spellings {
            let hash = Sha1::digest(spelling.as_bytes()).into();
            if entries.has(&hash).map_err(unusable)? {
                return Err(Error::invalid(
                    pointer,
                    "password_leaked",
                    Message::new(
                        "该密码已在别处泄露，容易被猜中。",
                        "This password leaked elsewhere and is among those that are tried.",
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// A line of the file.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Where it begins.
    at: u64,
    hash: Hash,
}

/// The lines of an open file.
struct Entries {
    file: File,
    size: u64,
    #[cfg(test)]
    read: u64,
}

impl Entries {
    fn open(path: &Path) -> Result<Self, Unusable> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(Unusable::Unreadable(io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self {
            file,
            size: about.len(),
            #[cfg(test)]
            read: 0,
        })
    }

    /// At most so many bytes from a place on; fewer at the end of the file.
    fn read(&mut self, from: u64, most: u64) -> Result<Vec<u8>, Unusable> {
        let mut bytes = Vec::with_capacity(usize::try_from(most).unwrap_or_default());
        self.file.seek(SeekFrom::Start(from))?;
        self.file.by_ref().take(most).read_to_end(&mut bytes)?;
        #[cfg(test)]
        {
            self.read += bytes.len() as u64;
        }
        Ok(bytes)
    }

    /// The first entry that begins at `from` or later.
    fn first_from(&mut self, from: u64) -> Result<Option<Entry>, Unusable> {
        // A line begins where the one before it ends, so look from there.
        let before = from.saturating_sub(1);
        let bytes = self.read(before, TWO_LINES as u64)?;
        let skipped = if from == 0 {
            0
        } else {
            match bytes.iter().position(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None if bytes.len() < TWO_LINES => return Ok(None),
                None => return Err(Unusable::Form(before)),
            }
        };
        let at = before + skipped as u64;
        let line = bytes.get(skipped..).unwrap_or_default();
        if line.is_empty() {
            return Ok(None);
        }
        let hash = hash_of(line).ok_or(Unusable::Form(at))?;
        Ok(Some(Entry { at, hash }))
    }

    /// Whether an entry has this hash.
    fn has(&mut self, wanted: &Hash) -> Result<bool, Unusable> {
        // If there is the entry, it begins at one of these bytes; at the first of them begins a line.
        let (mut low, mut high) = (0, self.size);
        while high - low > STRETCH {
            let middle = low + (high - low) / 2;
            match self.first_from(middle)? {
                Some(entry) if entry.hash == *wanted => return Ok(true),
                Some(entry) if entry.hash < *wanted && entry.at < high => low = entry.at,
                // Nothing begins between the middle and that entry.
                _ => high = middle,
            }
        }
        let stretch = self.read(low, high - low + LONGEST_LINE as u64)?;
        Ok(stretch
            .split(|byte| *byte == b'\n')
            .any(|line| hash_of(line).is_some_and(|hash| hash == *wanted)))
    }
}

/// The hash at the beginning of a line.
fn hash_of(line: &[u8]) -> Option<Hash> {
    let (hex, rest) = line.split_at_checked(HEX)?;
    let bytes = HEXUPPER_PERMISSIVE.decode(hex).ok()?;
    bytes
        .try_into()
        .ok()
        .filter(|_| rest.first() == Some(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as they stand in the file, with counts of all lengths.
    fn lines(passwords: impl Iterator<Item = String>, end: &str) -> Vec<u8> {
        let mut hashes: Vec<Hash> = passwords
            .map(|password| Sha1::digest(password.as_bytes()).into())
            .collect();
        hashes.sort_unstable();
        let line = |(number, hash): (usize, &Hash)| {
            let count = 7_u64.pow(u32::try_from(number % 23).expect("small"));
            format!("{}:{count}{end}", HEXUPPER_PERMISSIVE.encode(hash)).into_bytes()
        };
        hashes.iter().enumerate().flat_map(line).collect()
    }

    fn kept(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("to write");
        file
    }

    fn has(leaked: &Leaked, password: &str) -> bool {
        let refused = leaked.refuse("/password", &[password]);
        refused.is_err_and(|error| error.fields()[0].code == "password_leaked")
    }

    #[test]
    fn everything_in_the_file_is_found_and_nothing_else() {
        for end in ["\n", "\r\n"] {
            for size in [1, 2, 3, 65, 66, 67, 130, 3000] {
                let mut bytes = lines((0..size).map(|number| format!("in-{number}")), end);
                for last_end in [true, false] {
                    if !last_end {
                        bytes.truncate(bytes.len() - end.len());
                    }
                    let file = kept(&bytes);
                    let leaked = Leaked::at(file.path()).expect("a list");
                    for number in 0..size {
                        let what = || format!("{number} of {size}, {end:?}, {last_end}");
                        assert!(has(&leaked, &format!("in-{number}")), "{}", what());
                        assert!(!has(&leaked, &format!("out-{number}")), "{}", what());
                    }
                }
            }
        }
    }

    #[test]
    fn little_of_the_file_is_read() {
        let bytes = lines((0..40_000).map(|number| format!("in-{number}")), "\n");
        let file = kept(&bytes);
        let mut entries = Entries::open(file.path()).expect("a list");
        let hash = Sha1::digest(b"in-20000").into();
        assert!(entries.has(&hash).expect("to be read"));
        let most = STRETCH + 20 * TWO_LINES as u64;
        assert!(entries.read < most, "{} of {}", entries.read, bytes.len());
    }

    #[test]
    fn what_is_no_such_file_is_told() {
        let told = |bytes: &[u8]| {
            let file = kept(bytes);
            Leaked::at(file.path()).expect_err("no list").to_string()
        };
        let good = lines((0..300).map(|number| format!("in-{number}")), "\n");
        assert!(Leaked::at(kept(&good).path()).is_ok());

        assert_eq!(told(b""), "it is empty");
        assert!(told(b"correct horse battery staple\n").starts_with("at byte 0 "));
        assert!(told(&b"\n".repeat(4000)).starts_with("at byte 0 "));
        let lines: Vec<&[u8]> = good.split_inclusive(|byte| *byte == b'\n').collect();
        let turned: Vec<u8> = lines.iter().rev().copied().flatten().copied().collect();
        assert!(told(&turned).starts_with("it is not ordered by hash at byte "));
        // The last one alone is enough.
        let twice = [good.as_slice(), lines[298]].concat();
        assert!(told(&twice).starts_with("it is not ordered by hash at byte "));
        let broken = [good.as_slice(), b"FFFFFFFF"].concat();
        assert!(told(&broken).starts_with("at byte "));

        let away = Leaked::at(Path::new("no/such/file")).expect_err("no file");
        assert!(away.to_string().starts_with("it cannot be read: "));
        let folder = tempfile::tempdir().expect("a directory");
        let folder = Leaked::at(folder.path()).expect_err("a directory");
        assert!(folder.to_string().starts_with("it cannot be read: "));
    }
}
