//! Threads that do nothing but hash passwords.
//!
//! A hash takes a core for some 30 ms. On the threads of the runtime a storm of sign-ins would take
//! every core from the requests that only read. These threads stand behind all others in the eyes
//! of the scheduler: the storm gets the time that nobody else wants.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// By how much they stand back (`nice`). A thread of the usual standing that wakes up goes before
/// them; while others want all cores they still get a quarter of the time of an equal, so that
/// people can sign in.
#[cfg(target_os = "linux")]
const BEHIND: i32 = 5;

type Work = Box<dyn FnOnce() + Send>;

/// The threads. They end when this is dropped.
pub(super) struct Hashers {
    work: async_channel::Sender<Work>,
}

impl Hashers {
    /// Starts so many, at least one.
    pub(super) fn start(count: usize) -> Result<Self> {
        let count = count.max(1);
        let (work, wanted) = async_channel::bounded::<Work>(count);
        for number in 0..count {
            let wanted = wanted.clone();
            std::thread::Builder::new()
                .name(format!("passwords-{number}"))
                .spawn(move || {
                    stand_back();
                    while let Ok(work) = wanted.recv_blocking() {
                        // Whoever waits is told by the reply that never comes.
                        let _ = catch_unwind(AssertUnwindSafe(work));
                    }
                })
                .map_err(|error| Error::internal(error).context("cannot start a thread"))?;
        }
        Ok(Self { work })
    }

    /// Does it on one of them. It is done to its end also for a caller that goes away.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work = Box::new(move || {
            // The caller may have gone away.
            let _ = reply.send(work());
        });
        let gone = || Error::internal("a thread that hashes passwords died");
        self.work.send(work).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// On Linux a priority belongs to the thread; elsewhere it is the whole process's, and is left.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(BEHIND) {
        tracing::debug!(%error, "passwords are hashed at the priority of everything else");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_fails_its_caller_and_no_other() {
        let hashers = Hashers::start(1).expect("threads");
        let panicked: Result<()> = hashers.run(|| panic!("argon2 broke")).await;
        assert!(panicked.is_err());
        assert_eq!(hashers.run(|| Ok(7)).await.expect("seven"), 7);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn only_these_threads_stand_back() {
        let standing = || rustix::process::getpriority_process(None).map_err(Error::internal);
        let before = standing().expect("a priority");
        let hashers = Hashers::start(1).expect("threads");
        let theirs = hashers.run(standing).await.expect("a priority");
        assert_eq!(theirs, (before + BEHIND).min(19));
        assert_eq!(standing().expect("a priority"), before);
    }
}
