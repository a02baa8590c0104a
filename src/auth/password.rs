//! Passwords: argon2id behind a gate.
//!
//! One hash fills 19 MiB and takes some 30 ms. So at most as many run as the machine has cores,
//! each in a block of memory that is used again, on threads that let everything else go first, and
//! only so many callers may wait: a storm of sign-ins costs neither the memory of the machine nor
//! the time of everybody else.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::{constant_time, rand};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use super::hashers::Hashers;
use super::leaked::Leaked;
use crate::error::{Code, Error, Result};

/// How many callers may wait for a place behind the gate, where no setting says otherwise.
const QUEUE: usize = 256;
/// Bytes of salt and of output.
const SALT: usize = 16;
const OUTPUT: usize = 32;
/// A stored hash that asks for more memory than this (in KiB) is not ours.
const MAX_MEMORY: u32 = 256 * 1024;

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashParams {
    /// Memory in KiB, 8 to 262,144.
    pub memory_kib: u32,
    /// Passes over the memory, at least 1.
    pub passes: u32,
    /// Lanes, at least 1.
    pub lanes: u32,
}

impl Default for HashParams {
    /// 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
        }
    }
}

impl HashParams {
    /// Costs next to nothing and protects nothing: for tests.
    pub const CHEAP: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    fn argon2(self) -> Result<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(OUTPUT))
            .ok()
            .filter(|_| self.memory_kib <= MAX_MEMORY)
            .ok_or_else(|| Error::internal("the costs of a password hash are out of range"))
    }
}

/// Outcome of comparing a password with a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password, or there is no such account.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password, and its hash should be made anew at the present cost.
    RightButOutdated,
}

/// Hashes and compares passwords.
pub struct Passwords {
    params: Params,
    permits: Arc<Semaphore>,
    hashers: Hashers,
    cores: usize,
    waiting: AtomicUsize,
    queue: usize,
    spare: Arc<Mutex<Vec<Vec<Block>>>>,
    dummy: Arc<str>,
    leaked: Option<Leaked>,
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

impl Passwords {
    /// A gate as wide as the machine has cores.
    pub fn new(params: HashParams) -> Result<Self> {
        Self::with_queue(params, QUEUE)
    }

    /// The same, before which `queue` callers may wait.
    pub fn with_queue(params: HashParams, queue: usize) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with_gate(params, cores, queue)
    }

    /// A gate for `cores` hashes at once, before which `queue` callers may wait.
    pub fn with_gate(params: HashParams, cores: usize, queue: usize) -> Result<Self> {
        let params = params.argon2()?;
        let dummy = phc(&params, &random::<SALT>()?, &random::<OUTPUT>()?)?;
        Ok(Self {
            params,
            permits: Arc::new(Semaphore::new(cores)),
            hashers: Hashers::start(cores)?,
            cores,
            waiting: AtomicUsize::new(0),
            queue,
            spare: Arc::default(),
            dummy: dummy.into(),
            leaked: None,
        })
    }

    /// New passwords are looked up in this file, if there is one.
    #[must_use]
    pub fn refusing(self, leaked: Option<Leaked>) -> Self {
        Self { leaked, ..self }
    }

    /// Callers that wait for a place, for metrics.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A place in the queue before the gate, or `busy` if too many wait already. Whoever takes it
    /// before doing anything else for a caller is done with a storm at no cost.
    pub fn place(&self) -> Result<Place<'_>> {
        let place = Place(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= self.queue {
            return Err(Error::new(Code::Busy).context("too many passwords wait to be hashed"));
        }
        Ok(place)
    }

    /// Hash of a password as a PHC string. `busy` if too many wait already.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let params = self.params.clone();
        let password = normalised(password);
        self.behind_gate(self.place()?, move |memory| {
            make(&params, &password, memory)
        })
        .await
    }

    /// The same for a password that somebody is to have from now on: refused if it leaked.
    /// `pointer` is where it stands in the body.
    pub async fn hash_new(&self, pointer: &str, password: &str) -> Result<String> {
        let params = self.params.clone();
        let password = password.to_owned();
        let (leaked, pointer) = (self.leaked.clone(), pointer.to_owned());
        self.behind_gate(self.place()?, move |memory| {
            let spelt = normalised(&password);
            refuse_leaked(leaked.as_ref(), &pointer, &password, &spelt)?;
            make(&params, &spelt, memory)
        })
        .await
    }

    /// Compares a password with a stored hash. Without one (no such account, or no password set)
    /// the work is the same and the verdict `Wrong`.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verdict> {
        self.verify_from(self.place()?, password, stored).await
    }

    /// The same from a place that was taken before.
    pub async fn verify_from(
        &self,
        place: Place<'_>,
        password: &str,
        stored: Option<&str>,
    ) -> Result<Verdict> {
        let params = self.params.clone();
        let password = normalised(password);
        let known = stored.is_some();
        let stored: Arc<str> = stored.map_or_else(|| Arc::clone(&self.dummy), Arc::from);
        let verdict = self
            .behind_gate(place, move |memory| {
                compare(&params, &password, &stored, memory)
            })
            .await?;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    /// A hash of `text`, in hexadecimal, that always comes out the same and is as slow to guess
    /// from as a stored password: to recognise a repeated request that has passwords in its body.
    pub async fn fingerprint(&self, text: &str, scope: &[u8]) -> Result<String> {
        let params = self.params.clone();
        let text = text.to_owned();
        let salt = crate::digest::hex(&[b"fingerprint", scope]);
        self.behind_gate(self.place()?, move |memory| {
            let salt = salt.as_bytes().get(..SALT).unwrap_or_default();
            let output = run(&params, text.as_bytes(), salt, memory)?;
            Ok(crate::digest::hex(&[&output]))
        })
        .await
    }

    /// Hash of a password on the calling thread, past the gate: for the command line and for
    /// demonstration data, never for a request.
    pub fn hash_blocking(&self, password: &str) -> Result<String> {
        let mut memory = self.take_memory();
        let made = make(&self.params, &normalised(password), &mut memory);
        give_back(&self.spare, memory, self.cores);
        made
    }

    /// The same for a password that somebody is to have from now on: refused if it leaked.
    pub fn hash_new_blocking(&self, pointer: &str, password: &str) -> Result<String> {
        refuse_leaked(
            self.leaked.as_ref(),
            pointer,
            password,
            &normalised(password),
        )?;
        self.hash_blocking(password)
    }

    async fn behind_gate<T, F>(&self, place: Place<'_>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Vec<Block>) -> Result<T> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(Error::internal)?;
        drop(place);
        let (spare, keep) = (Arc::clone(&self.spare), self.cores);
        let mut memory = self.take_memory();
        let hash = move || {
            // The permit goes along: a caller that gives up does not widen the gate.
            let _permit = permit;
            let result = work(&mut memory);
            give_back(&spare, memory, keep);
            result
        };
        self.hashers.run(hash).await
    }

    fn take_memory(&self) -> Vec<Block> {
        self.spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default()
    }
}

fn give_back(spare: &Mutex<Vec<Vec<Block>>>, memory: Vec<Block>, keep: usize) {
    let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
    if spare.len() < keep {
        spare.push(memory);
    }
}

/// A place in the queue, given back when dropped, also when the caller goes away.
pub struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The same password typed on another keyboard gives the same bytes (NFKC).
pub(super) fn normalised(password: &str) -> String {
    password.nfkc().collect()
}

/// A password is leaked as it was typed or as it is kept.
fn refuse_leaked(leaked: Option<&Leaked>, pointer: &str, typed: &str, spelt: &str) -> Result<()> {
    match leaked {
        None => Ok(()),
        Some(leaked) if typed == spelt => leaked.refuse(pointer, &[spelt]),
        Some(leaked) => leaked.refuse(pointer, &[typed, spelt]),
    }
}

/// Random bytes from the operating system.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::internal("no random bytes to be had"))?;
    Ok(bytes)
}

fn make(params: &Params, password: &str, memory: &mut Vec<Block>) -> Result<String> {
    let salt = random::<SALT>()?;
    let output = run(params, password.as_bytes(), &salt, memory)?;
    phc(params, &salt, &output)
}

fn run(
    params: &Params,
    password: &[u8],
    salt: &[u8],
    memory: &mut Vec<Block>,
) -> Result<[u8; OUTPUT]> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let memory = memory.get_mut(..blocks).unwrap_or_default();
    let mut output = [0; OUTPUT];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, salt, &mut output, memory)
        .map_err(|error| Error::internal(error).context("argon2"))?;
    Ok(output)
}

fn phc(params: &Params, salt: &[u8], output: &[u8]) -> Result<String> {
    let wrong = |error: &dyn fmt::Display| Error::internal(format!("PHC string: {error}"));
    Ok(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(|error| wrong(&error))?,
        salt: Some(Salt::new(salt).map_err(|error| wrong(&error))?),
        hash: Some(Output::new(output).map_err(|error| wrong(&error))?),
    }
    .to_string())
}

fn compare(
    params: &Params,
    password: &str,
    stored: &str,
    memory: &mut Vec<Block>,
) -> Result<Verdict> {
    // Never say what is stored: it would reach the log.
    let unreadable = || Error::internal("a stored password hash cannot be read");
    let stored = PasswordHash::new(stored).map_err(|_| unreadable())?;
    let theirs = Params::try_from(&stored).map_err(|_| unreadable())?;
    let salt = stored.salt.ok_or_else(unreadable)?;
    let expected = stored.hash.ok_or_else(unreadable)?;
    if stored.algorithm != Algorithm::Argon2id.ident()
        || stored.version != Some(Version::V0x13.into())
        || theirs.m_cost() > MAX_MEMORY
        || expected.len() != OUTPUT
    {
        return Err(unreadable());
    }
    let output = run(&theirs, password.as_bytes(), &salt, memory)?;
    if constant_time::verify_slices_are_equal(&output, expected.as_bytes()).is_err() {
        return Ok(Verdict::Wrong);
    }
    let same_cost = theirs.m_cost() == params.m_cost()
        && theirs.t_cost() == params.t_cost()
        && theirs.p_cost() == params.p_cost();
    Ok(if same_cost {
        Verdict::Right
    } else {
        Verdict::RightButOutdated
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Passwords {
        Passwords::with_gate(HashParams::CHEAP, 2, 4).expect("valid costs")
    }

    #[test]
    fn a_hash_is_a_phc_string_with_the_default_costs() {
        let passwords = Passwords::new(HashParams::default()).expect("valid costs");
        let hash = passwords
            .hash_blocking("correct horse battery")
            .expect("hash");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        // An independent path of the library agrees.
        let parsed = PasswordHash::new(&hash).expect("PHC string");
        let verify = |password: &[u8]| {
            argon2::PasswordVerifier::verify_password(&Argon2::default(), password, &parsed)
        };
        assert!(verify(b"correct horse battery").is_ok());
        assert!(verify(b"correct horse batterY").is_err());
    }

    #[tokio::test]
    async fn right_wrong_unknown_and_outdated() {
        let passwords = cheap();
        let hash = passwords.hash("春天的提案 2026").await.expect("hash");
        assert_eq!(
            passwords
                .verify("春天的提案 2026", Some(&hash))
                .await
                .expect("verdict"),
            Verdict::Right
        );
        assert_eq!(
            passwords
                .verify("春天的提案 2027", Some(&hash))
                .await
                .expect("verdict"),
            Verdict::Wrong
        );
        assert_eq!(
            passwords
                .verify("春天的提案 2026", None)
                .await
                .expect("verdict"),
            Verdict::Wrong
        );
        let stronger = HashParams {
            memory_kib: 16,
            passes: 2,
            lanes: 1,
        };
        let stronger = Passwords::with_gate(stronger, 1, 4).expect("valid costs");
        assert_eq!(
            stronger
                .verify("春天的提案 2026", Some(&hash))
                .await
                .expect("verdict"),
            Verdict::RightButOutdated
        );
        assert!(
            passwords
                .verify("x", Some("$argon2i$v=19$m=8,t=1,p=1$"))
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn full_width_and_composed_forms_are_the_same_password() {
        let passwords = cheap();
        let hash = passwords.hash("ＡＢＣ１２３é-long").await.expect("hash");
        let verdict = passwords.verify("ABC123e\u{301}-long", Some(&hash)).await;
        assert_eq!(verdict.expect("verdict"), Verdict::Right);
    }

    #[tokio::test]
    async fn the_queue_is_bounded_and_memory_is_used_again() {
        let passwords = Arc::new(Passwords::with_gate(HashParams::CHEAP, 1, 1).expect("costs"));
        let held = Arc::clone(&passwords.permits)
            .acquire_owned()
            .await
            .expect("permit");
        let waiting = tokio::spawn({
            let passwords = Arc::clone(&passwords);
            async move { passwords.hash("first in the queue").await }
        });
        while passwords.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        let refused = passwords.hash("second in the queue").await;
        assert_eq!(refused.expect_err("busy").code(), Code::Busy);
        drop(held);
        assert!(waiting.await.expect("task").is_ok());
        assert_eq!(passwords.waiting(), 0);
        assert_eq!(passwords.spare.lock().expect("lock").len(), 1);
    }

    #[tokio::test]
    async fn a_fingerprint_is_stable_and_scoped() {
        let passwords = cheap();
        let mut prints = Vec::new();
        for (text, scope) in [
            ("body", b"a"),
            ("body", b"a"),
            ("body", b"b"),
            ("other", b"a"),
        ] {
            prints.push(
                passwords
                    .fingerprint(text, scope)
                    .await
                    .expect("fingerprint"),
            );
        }
        assert_eq!(prints[0], prints[1]);
        assert_ne!(prints[0], prints[2]);
        assert_ne!(prints[0], prints[3]);
    }
}
