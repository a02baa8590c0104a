//! Use cases: each function is one transaction. The layer exists only where something is decided.

pub mod act;
pub mod attachments;
pub mod audit;
pub mod batch;
pub mod bulk;
pub mod calendars;
pub mod checking;
pub mod ctx;
#[cfg(feature = "seeded-defects")]
mod defects;
pub mod feed;
pub mod limits;
pub mod live;
pub mod notify;
pub mod openid;
pub mod policy;
pub mod publish;
pub mod referrals;
pub mod sealing;
pub mod second_factor;
pub mod setup;
pub mod signin;
pub mod succession;
pub mod timed;
pub mod webhooks;
pub mod write;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;

use crate::auth::leaked::Leaked;
use crate::auth::password::{HashParams, Passwords};
use crate::auth::remembered::Remembered;
use crate::auth::throttle::AddressLimit;
use crate::auth::token::{Keys, Parties};
use crate::clock::Clock;
use crate::config::{Limits, Mail, SecondFactor};
use crate::error::{Error, Result};
use crate::files::{Files, Storage};
use crate::jobs::tally::Tally;
use crate::mail::Mailer;
use crate::openid::{self as protocol, OpenId};
use crate::store::{Db, signing_keys};
use crate::webhooks::{Sender, Settings};

pub use ctx::Ctx;
pub use write::{Answer, Body};

/// What every use case works with.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The storage of files.
    pub files: Arc<Files>,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Counts the requests of callers.
    limiter: Arc<limits::Limiter>,
    /// Hashes and compares passwords.
    pub passwords: Arc<Passwords>,
    /// How many refused sign-ins an address has.
    address_limit: AddressLimit,
    /// Refused sign-ins are answered at multiples of this time only.
    refusal_step: Duration,
    /// The keys that sign access tokens.
    pub keys: Arc<Keys>,
    remembered: Arc<Remembered>,
    /// Who issues access tokens, and for whom.
    pub parties: Arc<Parties>,
    /// The way to the mail server, if there is one.
    mailer: Option<Arc<Mailer>>,
    /// How long messages are kept that were read.
    pub(crate) keep_read: SignedDuration,
    /// The open event streams of this process.
    pub live: Arc<live::Live>,
    /// Sends messages to subscriptions.
    pub sender: Arc<Sender>,
    /// Who must have a second factor, and for how long a proof of it counts.
    pub second_factor: Arc<SecondFactor>,
    /// Speaks with identity providers.
    pub openid: Arc<OpenId>,
    /// How long a worker may hold a job at least.
    pub lease: SignedDuration,
    /// What the workers of this process have done.
    pub tally: Tally,
    /// Refusals and reads that were repeated lately.
    pub(crate) watch: Arc<audit::Watch>,
    /// How often the audit trail is sealed.
    pub(crate) seal_every: SignedDuration,
    /// Counts up when there may be work for the workers.
    wanted: Arc<watch::Sender<u64>>,
}

/// What the configuration says about the use cases.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// The `iss` of access tokens: the public address of the service.
    pub issuer: String,
    /// The `aud` of access tokens.
    pub audience: String,
    /// How many requests a caller may make.
    pub limits: Limits,
    /// What a password hash costs.
    pub password_params: HashParams,
    /// Passwords that may wait to be hashed.
    pub password_queue: usize,
    /// Passwords that leaked, if there is a file of them.
    pub leaked: Option<Leaked>,
    /// How many refused sign-ins an address has.
    pub address_limit: AddressLimit,
    /// Where files are kept.
    pub storage: Storage,
    /// The mail server, if there is one.
    pub mail: Option<Mail>,
    /// How long messages are kept that were read.
    pub keep_read: SignedDuration,
    /// How messages are sent to subscriptions.
    pub webhooks: Settings,
    /// How long a worker may hold a job before another one takes it over.
    pub lease: SignedDuration,
    /// The second factor.
    pub second_factor: SecondFactor,
    /// How identity providers are spoken with.
    pub openid: protocol::Settings,
    /// How often the audit trail is sealed.
    pub seal_every: SignedDuration,
}

impl App {
    /// Over a migrated database. The first instance to start makes the first signing key.
    pub async fn new(db: Db, clock: Arc<dyn Clock>, settings: AppSettings) -> Result<Self> {
        let (costs, queue) = (settings.password_params, settings.password_queue);
        let passwords = Passwords::with_queue(costs, queue)?.refusing(settings.leaked);
        let passwords = Arc::new(passwords);
        let mailer = settings.mail.as_ref().map(Mailer::new).transpose()?;
        let mailer = mailer.map(Arc::new);
        let storage = settings.storage;
        let files = tokio::task::spawn_blocking(move || Files::open(&storage))
            .await
            .map_err(Error::internal)??;
        let now = clock.now();
        let keys = db
            .write("auth.keys.ensure", move |tx| signing_keys::ensure(tx, now))
            .await?;
        let keys = Arc::new(Keys::new(keys));
        let openid = Arc::new(OpenId::new(settings.openid)?);
        let sender = Arc::new(Sender::new(settings.webhooks)?);
        let parties = Arc::new(Parties {
            issuer: settings.issuer,
            audience: settings.audience,
        });
        Ok(Self {
            db,
            files: Arc::new(files),
            clock,
            limiter: Arc::new(limits::Limiter::new(settings.limits)),
            passwords,
            address_limit: settings.address_limit,
            refusal_step: signin::REFUSAL_STEP,
            keys,
            remembered: Arc::default(),
            parties,
            mailer,
            keep_read: settings.keep_read,
            live: Arc::default(),
            sender,
            second_factor: Arc::new(settings.second_factor),
            openid,
            lease: settings.lease,
            tally: Tally::new().map_err(Error::internal)?,
            watch: Arc::default(),
            seal_every: settings.seal_every,
            wanted: Arc::new(watch::Sender::new(0)),
        })
    }

    /// Something was written: the workers of this process look some milliseconds later. Those of others find it
    /// within a second.
    pub fn wake_workers(&self) {
        self.wanted
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The way to the mail server.
    pub(crate) fn mailer(&self) -> Option<Arc<Mailer>> {
        self.mailer.clone()
    }

    /// How this process tells people.
    pub fn post(&self) -> notify::Post {
        notify::Post {
            mail: self.mailer.is_some(),
        }
    }

    /// Changes when the workers may have something to do.
    pub fn wanted(&self) -> watch::Receiver<u64> {
        self.wanted.subscribe()
    }
}
