use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::headers::{
    BATCH, DEADLINE, DUE, GROUP, Headers, ID, JOB, NOTIFY, ORIGIN, OWNER, RETRY, TRIES, WIRE,
};
use super::limits::{MAX_DELAYS, VERSION};
use super::name::is_name;

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
    /// The sequence number of the first message. `None` in the first message itself.
    pub(crate) origin: Option<u64>,
    /// In a message of the delayed stream: when the next try is due, in milliseconds since 1970.
    pub(crate) due: Option<u64>,
    /// `false` if the message is of another version of the protocol.
    pub(crate) readable: bool,
}

impl Envelope {
    /// Returns the headers of a message with this envelope.
    pub(crate) fn headers(&self) -> Headers {
        let mut headers = vec![
            (WIRE, VERSION.to_owned()),
            (JOB, self.job.clone()),
            (OWNER, self.owner.clone()),
            (GROUP, self.group.clone()),
            (ID, self.id.clone()),
        ];
        if let Some(batch) = &self.batch {
            headers.push((BATCH, batch.clone()));
        }
        if self.notify {
            headers.push((NOTIFY, "1".to_owned()));
        }
        if !self.retry.is_empty() {
            let delays: Vec<String> = self.retry.iter().map(u64::to_string).collect();
            headers.push((RETRY, delays.join(",")));
        }
        if self.tries > 0 {
            headers.push((TRIES, self.tries.to_string()));
        }
        let numbers = [
            (DEADLINE, self.deadline),
            (ORIGIN, self.origin),
            (DUE, self.due),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                headers.push((name, number.to_string()));
            }
        }
        headers
    }

    /// Reads an envelope from headers. Whatever they contain, this neither panics nor allocates more than they are long.
    pub(crate) fn parse<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Result<Self, Malformed> {
        let version = header(WIRE).ok_or(Malformed::Missing(WIRE))?;
        Ok(Self {
            id: name(&header, ID)?.ok_or(Malformed::Missing(ID))?,
            group: name(&header, GROUP)?.ok_or(Malformed::Missing(GROUP))?,
            job: name(&header, JOB)?.ok_or(Malformed::Missing(JOB))?,
            owner: name(&header, OWNER)?.ok_or(Malformed::Missing(OWNER))?,
            batch: name(&header, BATCH)?,
            notify: header(NOTIFY).is_some(),
            deadline: number(&header, DEADLINE)?,
            retry: delays(header(RETRY))?,
            tries: number(&header, TRIES)?.unwrap_or(0),
            origin: number(&header, ORIGIN)?,
            due: number(&header, DUE)?,
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
            origin: Some(origin),
            due: Some(now.saturating_add(delay)),
            ..self.clone()
        })
    }
}

/// Why a message is no task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    Missing(&'static str),
    Invalid(&'static str),
    /// The subject belongs to another task than the headers.
    Subject,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(header) => write!(f, "the header {header} is missing"),
            Self::Invalid(header) => write!(f, "the header {header} is invalid"),
            Self::Subject => f.write_str("the subject belongs to another task than the headers"),
        }
    }
}

/// Returns `duration` in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn name<'h>(
    header: &impl Fn(&str) -> Option<&'h str>,
    key: &'static str,
) -> Result<Option<String>, Malformed> {
    match header(key) {
        None => Ok(None),
        Some(name) if is_name(name) => Ok(Some(name.to_owned())),
        Some(_) => Err(Malformed::Invalid(key)),
    }
}

fn number<'h, N: FromStr>(
    header: &impl Fn(&str) -> Option<&'h str>,
    key: &'static str,
) -> Result<Option<N>, Malformed> {
    header(key)
        .map(|text| text.parse().map_err(|_| Malformed::Invalid(key)))
        .transpose()
}

fn delays(header: Option<&str>) -> Result<Vec<u64>, Malformed> {
    let Some(text) = header else {
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
            origin: Some(9),
            due: None,
            readable: true,
        }
    }

    fn parse(headers: &Headers) -> Result<Envelope, Malformed> {
        Envelope::parse(|key| {
            headers
                .iter()
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value.as_str())
        })
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
            origin: None,
            ..envelope()
        };
        for envelope in [full, bare] {
            assert_eq!(parse(&envelope.headers()), Ok(envelope));
        }
    }

    #[test]
    fn a_bad_value_in_any_header_is_refused_and_never_a_panic() {
        let bad = [
            "",
            "a.b",
            ">",
            "-1",
            "99999999999999999999999",
            "1,,2",
            "\u{0}",
        ];
        for place in 0..envelope().headers().len() {
            for value in bad {
                let mut headers = envelope().headers();
                let key = headers[place].0;
                headers[place].1 = value.into();
                let parsed = parse(&headers);
                if key == WIRE {
                    assert!(!parsed.unwrap().readable);
                } else if key != NOTIFY {
                    let harmless = value == "-1" && [JOB, OWNER, GROUP, ID, BATCH].contains(&key)
                        || value.starts_with("999")
                            && [JOB, OWNER, GROUP, ID, BATCH].contains(&key);
                    assert_eq!(parsed.is_ok(), harmless, "{key}: {value:?}");
                }
            }
        }
        assert_eq!(parse(&vec![]), Err(Malformed::Missing(WIRE)));
    }

    #[test]
    fn a_policy_with_more_delays_than_a_header_should_hold_is_refused() {
        let mut headers = envelope().headers();
        let place = headers.iter().position(|(key, _)| *key == RETRY).unwrap();
        headers[place].1 = vec!["1"; MAX_DELAYS + 1].join(",");
        assert_eq!(parse(&headers), Err(Malformed::Invalid(RETRY)));
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
}
