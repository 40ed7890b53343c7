use std::fmt::{self, Write};
use std::str::FromStr;
use std::time::Duration;

use super::headers::{Header, TASK};
use super::limits::{MAX_DELAYS, VERSION};
use super::name::is_name;
use super::names::{Names, Place};

/// What a task is, apart from its arguments, which are the payload of its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    pub(crate) group: String,
    pub(crate) job: String,
    /// The client that reads the outcome.
    pub(crate) owner: String,
    /// The `map` or `itermap` that the task is an item of.
    pub(crate) batch: Option<String>,
    /// `true` if the owner waits to hear that the task has started.
    pub(crate) notify: bool,
    /// In milliseconds since 1970. The task is not run after it.
    pub(crate) deadline: Option<u64>,
    /// The delays before the tries that are left, in milliseconds.
    pub(crate) retry: Vec<u64>,
    /// How many tries have failed.
    pub(crate) tries: u32,
    /// How often it was put behind the others since, as the pool had become too small for it.
    pub(crate) moves: u32,
    /// How often it has started since without an end that is known, before it was moved.
    pub(crate) starts: u32,
    /// The sequence number of the first message. `None` in the first message itself.
    pub(crate) origin: Option<u64>,
    /// In a message of the delayed stream: when the next try is due, in milliseconds since 1970.
    pub(crate) due: Option<u64>,
    /// `false` if the message is of another version of the protocol.
    pub(crate) readable: bool,
}

/// Fields of the header, which begins with the version of the protocol. The group and the id of a task are in its subject.
const JOB: &str = "job";
const OWNER: &str = "owner";
const BATCH: &str = "batch";
const NOTIFY: &str = "notify";
const DEADLINE: &str = "deadline";
const RETRY: &str = "retry";
const TRIES: &str = "tries";
const MOVES: &str = "moves";
const STARTS: &str = "starts";
const ORIGIN: &str = "origin";
const DUE: &str = "due";

impl Envelope {
    /// Returns the header of a message with this envelope, such as `1 job=resize owner=x`. There is only one, and it does
    /// not say the owner of an id that begins with it, as each byte costs client and server time.
    pub(crate) fn header(&self) -> Header {
        let mut text = format!("{VERSION} {JOB}={}", self.job);
        let mut add = |name: &str, value: &dyn fmt::Display| {
            _ = write!(text, " {name}={value}");
        };
        if owner_of(&self.id) != Some(&self.owner) {
            add(OWNER, &self.owner);
        }
        if let Some(batch) = &self.batch {
            add(BATCH, batch);
        }
        if self.notify {
            add(NOTIFY, &1);
        }
        if !self.retry.is_empty() {
            let delays: Vec<String> = self.retry.iter().map(u64::to_string).collect();
            add(RETRY, &delays.join(","));
        }
        let counts = [
            (TRIES, self.tries),
            (MOVES, self.moves),
            (STARTS, self.starts),
        ];
        for (name, count) in counts {
            if count > 0 {
                add(name, &count);
            }
        }
        let numbers = [
            (DEADLINE, self.deadline),
            (ORIGIN, self.origin),
            (DUE, self.due),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                add(name, &number);
            }
        }
        (TASK, text)
    }

    /// Reads the envelope of a message with this subject. Whatever the header contains, this neither panics nor
    /// allocates more than it is long.
    pub(crate) fn parse(
        names: &Names,
        subject: &str,
        header: Option<&str>,
    ) -> Result<Self, Malformed> {
        let Place { group, id, .. } = names.place(subject).ok_or(Malformed::Subject)?;
        let text = header.ok_or(Malformed::NoHeader)?;
        let (version, fields) = text.split_once(' ').unwrap_or((text, ""));
        let field = |name: &str| {
            let mut fields = fields.split(' ').filter_map(|field| field.split_once('='));
            fields.find(|field| field.0 == name).map(|field| field.1)
        };
        Ok(Self {
            id: id.to_owned(),
            group: group.to_owned(),
            job: name(field, JOB)?.ok_or(Malformed::Missing(JOB))?,
            owner: name(field, OWNER)?
                .or_else(|| owner_of(id).map(str::to_owned))
                .ok_or(Malformed::Missing(OWNER))?,
            batch: name(field, BATCH)?,
            notify: field(NOTIFY).is_some(),
            deadline: number(field, DEADLINE)?,
            retry: delays(field(RETRY))?,
            tries: number(field, TRIES)?.unwrap_or(0),
            moves: number(field, MOVES)?.unwrap_or(0),
            starts: number(field, STARTS)?.unwrap_or(0),
            origin: number(field, ORIGIN)?,
            due: number(field, DUE)?,
            readable: version == VERSION,
        })
    }

    /// Returns the envelope of the next try, which is due at `due`, and `None` if no try is left.
    ///
    /// `after` replaces the delay of the policy.
    pub(crate) fn next_try(&self, origin: u64, after: Option<Duration>, now: u64) -> Option<Self> {
        let (delay, left) = self.retry.split_first()?;
        let delay = after.map_or(*delay, millis);
        Some(Self {
            retry: left.to_vec(),
            tries: self.tries.saturating_add(1),
            moves: 0,
            starts: 0,
            origin: Some(origin),
            due: Some(now.saturating_add(delay)),
            ..self.clone()
        })
    }

    /// Returns the envelope of the same try behind the others, after so many starts without an end that is known.
    pub(crate) fn moved(&self, origin: u64, starts: u32, now: u64) -> Self {
        Self {
            moves: self.moves.saturating_add(1),
            starts,
            origin: Some(origin),
            due: Some(now),
            ..self.clone()
        }
    }

    /// Returns the id of the message that has this envelope, as one of the task with this origin: the server stores it once.
    pub(crate) fn message_id(&self, origin: u64) -> String {
        format!("try.{origin}.{}.{}", self.tries, self.moves)
    }
}

/// Returns the owner of the task `id`, if a client has made this id: it is the client's token and a number.
fn owner_of(id: &str) -> Option<&str> {
    let (owner, _) = id.rsplit_once('-')?;
    is_name(owner).then_some(owner)
}

/// Why a message is no task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    NoHeader,
    Missing(&'static str),
    Invalid(&'static str),
    /// The subject is not that of a task.
    Subject,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader => write!(f, "the header {TASK} is missing"),
            Self::Missing(field) => write!(f, "the header {TASK} has no {field}"),
            Self::Invalid(field) => write!(f, "the header {TASK} has an invalid {field}"),
            Self::Subject => f.write_str("the subject is not that of a task"),
        }
    }
}

/// Returns `duration` in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn name<'h>(
    field: impl Fn(&str) -> Option<&'h str>,
    key: &'static str,
) -> Result<Option<String>, Malformed> {
    match field(key) {
        None => Ok(None),
        Some(name) if is_name(name) => Ok(Some(name.to_owned())),
        Some(_) => Err(Malformed::Invalid(key)),
    }
}

fn number<'h, N: FromStr>(
    field: impl Fn(&str) -> Option<&'h str>,
    key: &'static str,
) -> Result<Option<N>, Malformed> {
    field(key)
        .map(|text| text.parse().map_err(|_| Malformed::Invalid(key)))
        .transpose()
}

fn delays(field: Option<&str>) -> Result<Vec<u64>, Malformed> {
    let Some(text) = field else {
        return Ok(Vec::new());
    };
    if text.split(',').count() > MAX_DELAYS {
        return Err(Malformed::Invalid(RETRY));
    }
    text.split(',')
        .map(|delay| delay.parse().map_err(|_| Malformed::Invalid(RETRY)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            id: "i".into(),
            group: "g".into(),
            job: "resize-v1".into(),
            owner: "o".into(),
            batch: Some("b".into()),
            notify: true,
            deadline: Some(5),
            retry: vec![100, 200],
            tries: 1,
            moves: 2,
            starts: 3,
            origin: Some(9),
            due: None,
            readable: true,
        }
    }

    fn parse(header: &str) -> Result<Envelope, Malformed> {
        Envelope::parse(&Names::new("p".into()), "aiop.p.w.g.i", Some(header))
    }

    fn header(envelope: &Envelope) -> String {
        envelope.header().1
    }

    #[test]
    fn an_envelope_is_read_as_it_was_written() {
        let full = envelope();
        let bare = Envelope {
            batch: None,
            notify: false,
            deadline: None,
            retry: vec![],
            tries: 0,
            moves: 0,
            starts: 0,
            origin: None,
            ..envelope()
        };
        assert_eq!(header(&bare), "1 job=resize-v1 owner=o");
        for envelope in [full, bare] {
            assert_eq!(parse(&header(&envelope)), Ok(envelope));
        }
    }

    #[test]
    fn the_owner_is_said_only_where_the_id_does_not_say_it() {
        let names = Names::new("p".into());
        let read_back = |id: &str, owner: &str| {
            let (id, owner) = (id.to_owned(), owner.to_owned());
            let written = Envelope {
                id,
                owner,
                ..envelope()
            };
            let subject = names.work(&written.group, &written.id);
            let header = header(&written);
            let read = Envelope::parse(&names, &subject, Some(&header));
            assert_eq!(read, Ok(written));
            header.contains(OWNER)
        };
        assert!(!read_back("o-7", "o"));
        assert!(!read_back("a-b-7", "a-b"));
        for (id, owner) in [("a-b-7", "a"), ("o", "o"), ("p-7", "o"), ("-7", "o")] {
            assert!(read_back(id, owner), "{id} of {owner}");
        }
    }

    #[test]
    fn a_bad_value_in_any_field_is_refused_and_never_a_panic() {
        let good = header(&envelope());
        for field in good.split(' ').skip(1) {
            let (key, value) = field.split_once('=').unwrap();
            for bad in ["", "a.b", ">", "1,,2", "\u{0}", "a=b"] {
                let parsed = parse(&good.replace(field, &format!("{key}={bad}")));
                assert_eq!(parsed.is_ok(), key == NOTIFY, "{key}: {bad:?}");
            }
            if value.parse::<u64>().is_ok() && key != NOTIFY {
                let bad = parse(&good.replace(field, &format!("{key}=99999999999999999999999")));
                assert!(bad.is_err(), "{key}");
            }
        }
        assert_eq!(parse(""), Err(Malformed::Missing(JOB)));
        assert_eq!(parse("1 job=x"), Err(Malformed::Missing(OWNER)));
        assert!(!parse("2 job=x owner=o").unwrap().readable);
        let names = Names::new("p".into());
        let no_header = Envelope::parse(&names, "aiop.p.w.g.i", None);
        assert_eq!(no_header, Err(Malformed::NoHeader));
        for subject in [
            "",
            "aiop.p.r.g.i",
            "aiop.p.w.g",
            "aiop.p.d.x.g.i",
            "aiop.q.w.g.i",
        ] {
            let other = Envelope::parse(&names, subject, Some(&good));
            assert_eq!(other, Err(Malformed::Subject), "{subject:?}");
        }
    }

    #[test]
    fn fields_of_a_later_time_are_passed_over() {
        let known = parse("1 job=x owner=o").unwrap();
        assert_eq!(parse("1 colour=red job=x  owner=o new"), Ok(known));
    }

    #[test]
    fn a_policy_with_more_delays_than_a_header_should_hold_is_refused() {
        let many = vec!["1"; MAX_DELAYS + 1].join(",");
        let parsed = parse(&format!("1 job=x owner=o retry={many}"));
        assert_eq!(parsed, Err(Malformed::Invalid(RETRY)));
    }

    #[test]
    fn each_try_takes_one_delay_and_keeps_the_origin() {
        let second = envelope().next_try(9, None, 1000).unwrap();
        assert_eq!(
            (second.tries, second.due, second.origin),
            (2, Some(1100), Some(9))
        );
        let third = second
            .next_try(9, Some(Duration::from_secs(1)), 1000)
            .unwrap();
        assert_eq!((third.tries, third.due), (3, Some(2000)));
        assert_eq!(third.next_try(9, None, 1000), None);
    }

    #[test]
    fn a_task_that_is_moved_is_in_the_same_try_and_in_another_message() {
        let moved = envelope().moved(9, 4, 1000);
        assert_eq!((moved.tries, moved.moves, moved.starts), (1, 3, 4));
        assert_eq!((moved.due, &moved.retry), (Some(1000), &vec![100, 200]));
        assert_ne!(moved.message_id(9), envelope().message_id(9));
        let next = moved.next_try(9, None, 1000).unwrap();
        assert_eq!((next.tries, next.moves, next.starts), (2, 0, 0));
    }
}
