//! Telling people: from audiences to inboxes and mails, the daily digest, and sending.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::App;
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, MailId, NotificationId, ProposalId, UserId};
use crate::jobs::kind::JobKind;
use crate::mail::{Line, MailKind, MailStatus, Sent, compose};
use crate::store::jobs::{self, Claim, Wanted};
use crate::store::mails::{self, NewMail};
use crate::store::notifications::{self, NewNotification, NotificationRow};
use crate::store::outbox::Parcel;
use crate::store::readers::{self, Readers};
use crate::store::sql_types::Json;
use crate::store::{Tx, accounts, calendars, notification_settings, outbox, proposals, wakes};
use crate::workflow::access::Reach;
use crate::workflow::calendar::Calendar;
use crate::workflow::deadline::local_date;
use crate::workflow::desk::{Audience, Scope};
use crate::workflow::reminders::{Reminder, Step, digest_day, morning, working_after};
use crate::workflow::role::Actor;
use crate::workflow::topics::{
    self, CaseName, Delivery, Detail, Headline, Topic, hidden_from_handling_side,
};

/// Messages that one mail shows; the rest is counted.
const LONGEST_MAIL: i64 = 200;
/// Readers whose digests are made in one transaction.
const READERS: i64 = 50;
/// How often a digest looks whether the reminders of its morning are made.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How long it waits for them: what comes later goes into the digest of the next working day.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// How this process tells people.
#[derive(Debug, Clone, Copy)]
pub struct Post {
    /// There is a mail server.
    pub mail: bool,
}

/// Something that people are told.
struct Message {
    topic: &'static Topic,
    source_key: String,
    /// Acts with the same key are one mail.
    mail_key: String,
    proposal: ProposalId,
    at: Timestamp,
    detail: Detail,
    scopes: Vec<Scope>,
    actor: Option<UserId>,
}

/// Puts what happened into inboxes, in the transaction that publishes it, with a number of
/// statements that does not depend on how many read it.
pub fn deliver(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    parcels: &[Parcel],
    post: Post,
    now: Timestamp,
) -> Result<()> {
    let telling: Vec<Parcel> = parcels
        .iter()
        .filter(|parcel| {
            parcel.stream_kind == "proposal" && parcel.told.iter().any(|told| !told.is_empty())
        })
        .cloned()
        .collect();
    if telling.is_empty() {
        return Ok(());
    }
    let facts = notifications::facts(tx, committee, &telling)?;
    let mut messages = Vec::new();
    for parcel in &telling {
        for (seq, told) in (parcel.first_seq..).zip(&parcel.told) {
            let Some((name, at, actor)) = facts.get(&(parcel.stream, seq)) else {
                continue;
            };
            let Some(topic) = topics::topic(name).filter(|_| !told.is_empty()) else {
                continue;
            };
            messages.push(Message {
                topic,
                source_key: format!("e:{}:{seq}", parcel.stream.uuid().simple()),
                mail_key: format!("e:{}:{}", parcel.stream.uuid().simple(), parcel.first_seq),
                proposal: parcel.stream.cast(),
                at: *at,
                detail: Detail::default(),
                scopes: told.iter().filter_map(Audience::scope).collect(),
                actor: *actor,
            });
        }
    }
    tell(tx, committee, &messages, post, now, false)
}

/// Reminds those who owe something; nobody twice of the same.
pub fn remind(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    proposal: ProposalId,
    reminders: &[Reminder],
    post: Post,
    now: Timestamp,
) -> Result<()> {
    let messages: Vec<_> = reminders
        .iter()
        .filter_map(|reminder| {
            let left = match reminder.step {
                Step::Ahead(days) => Some(days),
                Step::OnDay | Step::Overdue => None,
            };
            Some(Message {
                topic: topics::topic(reminder.step.topic())?,
                source_key: format!("r:{}", reminder.key),
                mail_key: format!("r:{}", reminder.key),
                proposal,
                at: now,
                detail: Detail {
                    clock: Some(reminder.kind),
                    due_on: Some(reminder.due_on),
                    working_days_left: left,
                },
                scopes: reminder
                    .audiences
                    .iter()
                    .filter_map(Audience::scope)
                    .collect(),
                actor: None,
            })
        })
        .collect();
    tell(tx, committee, &messages, post, now, true)
}

/// What is written for some messages.
#[derive(Default)]
struct Written {
    inbox: Vec<NewNotification>,
    mails: BTreeMap<(String, UserId), NewMail>,
    digest: bool,
}

fn tell(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    messages: &[Message],
    post: Post,
    now: Timestamp,
    reminding: bool,
) -> Result<()> {
    let scopes: BTreeSet<Scope> = messages
        .iter()
        .flat_map(|message| message.scopes.iter().copied())
        .collect();
    if scopes.is_empty() {
        return Ok(());
    }
    let readers = readers::find(tx, committee, &scopes)?;
    let telling: Vec<_> = messages
        .iter()
        .map(|message| (message, who(message, &readers)))
        .collect();
    // What happened is published once; a reminder may be worked out once more.
    let known = if reminding {
        let users = telling.iter().flat_map(|(_, users)| users).copied();
        let sources: Vec<_> = messages.iter().map(|one| &*one.source_key).collect();
        notifications::told(tx, committee, &users.collect(), &sources)?
    } else {
        BTreeSet::new()
    };
    let day = digest_day(now, reminding, &*calendar(tx, committee)?);
    let mut written = Written::default();
    for (message, users) in telling {
        for user in users {
            if !known.contains(&(user, message.source_key.clone())) {
                written.add(message, user, &readers, post, (now, day));
            }
        }
    }
    // Identifiers of one moment have no order of their own: they get that of what happened.
    let mut ids: Vec<_> = written.inbox.iter().map(|new| new.id).collect();
    ids.sort_unstable();
    for (new, id) in written.inbox.iter_mut().zip(ids) {
        new.id = id;
    }
    let mails: Vec<_> = written.mails.into_values().collect();
    mails::insert(tx, committee, &mails, now)?;
    notifications::insert(tx, committee, &written.inbox)?;
    want_sent(tx, committee, &mails, now)?;
    if written.digest {
        want_digest(tx, committee, day, now)?;
    }
    Ok(())
}

/// The accounts that a message is for.
fn who(message: &Message, readers: &Readers) -> BTreeSet<UserId> {
    let mut all = BTreeSet::new();
    for scope in &message.scopes {
        // A rater gets a copy of the own form, whatever else the account may do.
        let own = matches!(scope, Scope::Member(_) | Scope::Organisation(_));
        let hidden = hidden_from_handling_side(message.topic.name) && !own;
        let found = readers.of(*scope).into_iter();
        all.extend(found.filter(|user| !(hidden && readers.is_on_handling_side(*user))));
    }
    all
}

impl Written {
    fn add(
        &mut self,
        message: &Message,
        user: UserId,
        readers: &Readers,
        post: Post,
        (now, day): (Timestamp, Date),
    ) {
        // Nobody needs a mail about what he did himself, but for the copy of a form.
        let own = message.actor == Some(user) && message.topic.name != "feedback.given";
        let group = message.topic.group;
        let chosen = readers.chosen(user);
        let delivery = chosen
            .filter(|chosen| post.mail && chosen.email.is_some() && !own)
            .map_or(Delivery::Off, |chosen| chosen.delivery(group));
        let mail = (delivery == Delivery::Immediate).then(|| {
            let key = (message.mail_key.clone(), user);
            let mail = self.mails.entry(key).or_insert_with(|| NewMail {
                id: MailId::new(now),
                user,
                kind: MailKind::Act,
                key: message.mail_key.clone(),
            });
            mail.id
        });
        let digest_on = (delivery == Delivery::Digest).then_some(day);
        self.digest |= digest_on.is_some();
        self.inbox.push(NewNotification {
            id: NotificationId::new(now),
            user,
            topic: message.topic.name,
            group,
            source_key: message.source_key.clone(),
            proposal: message.proposal,
            detail: Json(serde_json::to_value(&message.detail).unwrap_or_default()),
            at: message.at,
            read: own,
            digest_on,
            mail,
        });
    }
}

fn want_sent(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    mails: &[NewMail],
    now: Timestamp,
) -> Result<()> {
    let jobs: Vec<_> = mails
        .iter()
        .map(|mail| Wanted {
            committee,
            kind: JobKind::SendMail,
            key: mail.id.to_string(),
            payload: Value::Null,
            at: now,
        })
        .collect();
    jobs::want_all(tx, &jobs, now)
}

fn want_digest(tx: &mut Tx<'_>, committee: CommitteeId, day: Date, now: Timestamp) -> Result<()> {
    let wanted = Wanted {
        committee,
        kind: JobKind::Digest,
        key: day.to_string(),
        payload: Value::Null,
        at: morning(day).max(now),
    };
    jobs::want(tx, &wanted, now)
}

/// What messages say to an account, in their order: without the title of a case that the account
/// may not read (any more).
pub fn headlines(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    actor: &Actor,
    rows: &[NotificationRow],
) -> Result<Vec<(Headline, Option<CaseName>)>> {
    let cases: BTreeSet<ProposalId> = rows.iter().map(|row| row.proposal_id).collect();
    let cases: Vec<_> = cases.into_iter().collect();
    let names: BTreeMap<ProposalId, CaseName> =
        proposals::among(tx, committee, &Reach::of(actor), &cases)?
            .into_iter()
            .map(|row| {
                let name = CaseName {
                    title: row.title,
                    case_no: row.case_no,
                };
                (row.id, name)
            })
            .collect();
    rows.iter()
        .map(|row| {
            let detail: Detail = row.detail.clone().to()?;
            let case = names.get(&row.proposal_id);
            Ok((topics::headline(&row.topic, &detail, case), case.cloned()))
        })
        .collect()
}

/// Makes the digests of a day: one mail for each reader with everything that waits. What comes
/// after a reader's digest waits for the next working day. As long as reminders of this morning
/// are being made, by whichever worker, the job goes back into the queue, but not for ever.
pub async fn digest(app: &App, claim: Claim) -> Result<()> {
    let (committee, now) = (claim.job.committee_id, app.clock.now());
    let day: Date = claim.job.job_key.parse().map_err(Error::internal)?;
    let waits_since: Timestamp = match claim.job.payload.0["waits_since"].as_str() {
        Some(since) => since.parse().map_err(Error::internal)?,
        None => now,
    };
    let patient = now.duration_since(waits_since) < PATIENCE;
    let waits = patient
        && app
            .db
            .read("digest.look", move |tx| is_telling(tx, committee, now))
            .await?;
    if waits {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let post = app.post();
    app.db
        .write("digest.make", move |tx| {
            let payload = json!({ "waits_since": waits_since });
            if waits {
                return jobs::again(tx, &claim, &payload, now);
            }
            let readers = notifications::waiting_for_digest(tx, committee, day, READERS)?;
            let done = i64::try_from(readers.len()).is_ok_and(|count| count < READERS);
            make_digests(tx, committee, readers, day, post, now)?;
            if done {
                jobs::finish(tx, &claim)
            } else {
                jobs::again(tx, &claim, &payload, now)
            }
        })
        .await?;
    app.wake_workers();
    Ok(())
}

/// Whether anybody of a committee is still to be told of something that has happened by now.
fn is_telling(tx: &mut Tx<'_>, committee: CommitteeId, now: Timestamp) -> Result<bool> {
    Ok(wakes::any_of(tx, committee, now)?
        || jobs::any_open(tx, committee, JobKind::WakeCase, now)?
        || outbox::any_of(tx, committee)?)
}

fn make_digests(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    readers: Vec<UserId>,
    day: Date,
    post: Post,
    now: Timestamp,
) -> Result<()> {
    let settings = notification_settings::of(tx, committee, &readers.iter().copied().collect())?;
    let key = format!("d:{day}");
    let mut mails = Vec::new();
    let next = working_after(local_date(now).max(day), &*calendar(tx, committee)?);
    let mut later = false;
    for user in readers {
        let address = settings.get(&user).and_then(|one| one.email.as_ref());
        if !post.mail || address.is_none() {
            notifications::postpone(tx, committee, user, day, None)?;
        } else if mails::exists(tx, committee, user, &key)? {
            notifications::postpone(tx, committee, user, day, Some(next))?;
            later = true;
        } else {
            let mail = NewMail {
                id: MailId::new(now),
                user,
                kind: MailKind::Digest,
                key: key.clone(),
            };
            mails::insert(tx, committee, std::slice::from_ref(&mail), now)?;
            notifications::into_digest(tx, committee, user, day, mail.id)?;
            mails.push(mail);
        }
    }
    want_sent(tx, committee, &mails, now)?;
    if later {
        want_digest(tx, committee, next, now)?;
    }
    Ok(())
}

/// A mail that is to be sent, with everything it says.
struct Ready {
    to: String,
    letter: crate::mail::Letter,
    at: Timestamp,
}

/// Sends a mail. That it was sent, and the end of the job, are one transaction; where the service
/// dies between the server's yes and that transaction the mail is offered once more, under the
/// same Message-ID.
pub async fn send(app: &App, claim: Claim) -> Result<()> {
    let committee = claim.job.committee_id;
    let id: MailId = claim.job.job_key.parse().map_err(Error::internal)?;
    let Some(mailer) = app.mailer() else {
        return Err(Error::internal("mail is switched off in this process"));
    };
    let links = Arc::clone(&mailer);
    let ready = app
        .db
        .read("mail.read", move |tx| {
            prepare(tx, committee, id, |case| links.link(case))
        })
        .await?;
    let (status, answer) = match &ready {
        None => (MailStatus::Dropped, String::new()),
        Some(ready) => match mailer.send(id, &ready.to, &ready.letter, ready.at).await {
            Ok(Sent::Taken(answer)) => (MailStatus::Sent, answer),
            Ok(Sent::Refused(answer)) => (MailStatus::Bounced, answer),
            Err(error) => {
                let last = JobKind::SendMail
                    .retry()
                    .pause(claim.job.attempts, 0)
                    .is_none();
                if last {
                    let (now, words) = (app.clock.now(), error.to_string());
                    app.db
                        .write("mail.give_up", move |tx| {
                            mails::finish(tx, committee, id, MailStatus::Failed, &words, now)
                        })
                        .await?;
                }
                return Err(error);
            }
        },
    };
    if status == MailStatus::Bounced {
        tracing::warn!(mail = %id, answer, "a mail was refused");
    }
    let now = app.clock.now();
    app.db
        .write("mail.finish", move |tx| {
            mails::finish(tx, committee, id, status, &answer, now)?;
            jobs::finish(tx, &claim)
        })
        .await
}

/// What a mail says now; `None` if there is nobody to send it to, or it is sent.
fn prepare(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: MailId,
    link: impl Fn(&str) -> String,
) -> Result<Option<Ready>> {
    let Some(mail) = mails::find(tx, committee, id)? else {
        return Ok(None);
    };
    let account = accounts::find(tx, committee, mail.user_id)?;
    let chosen = notification_settings::find(tx, committee, mail.user_id)?;
    let (Some(account), Some(to)) = (account.filter(|one| !one.disabled), chosen.email) else {
        return Ok(None);
    };
    let actor = Actor {
        user: Some(account.id),
        name: account.display_name.clone(),
        member: account.member_id,
        grants: accounts::grants(tx, committee, account.id)?,
    };
    let mut rows = notifications::of_mail(tx, committee, id, 10_000)?;
    let total = rows.len();
    rows.truncate(usize::try_from(LONGEST_MAIL).unwrap_or(usize::MAX));
    let said = headlines(tx, committee, &actor, &rows)?;
    let lines: Vec<Line> = rows
        .iter()
        .zip(said)
        .map(|(row, (headline, _))| Line {
            group: row.topic_group,
            headline,
            link: link(&row.proposal_id.to_string()),
        })
        .collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let name = &account.display_name;
    Ok(Some(Ready {
        to,
        letter: compose(mail.kind, chosen.language, name, &lines, total),
        at: mail.created_at.0,
    }))
}

/// The calendar that says which days are worked.
fn calendar(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<Arc<Calendar>> {
    let current = calendars::current(tx, committee)?;
    calendars::version(tx, committee, current)
}
