use serde::{Deserialize, Serialize};

use super::name::is_name;
use super::names::Names;

/// The tasks that a fence is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FenceKey {
    All,
    Group(String),
    Batch(String),
    Id(String),
}

impl FenceKey {
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Group(name) => format!("group.{name}"),
            Self::Batch(name) => format!("batch.{name}"),
            Self::Id(name) => format!("id.{name}"),
        }
    }

    fn parse(tokens: &[&str]) -> Option<Self> {
        match tokens {
            ["all"] => Some(Self::All),
            ["group", name] if is_name(name) => Some(Self::Group((*name).to_owned())),
            ["batch", name] if is_name(name) => Some(Self::Batch((*name).to_owned())),
            ["id", name] if is_name(name) => Some(Self::Id((*name).to_owned())),
            _ => None,
        }
    }
}

/// Cancels the tasks of `key` that were accepted up to the sequence number `upto`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    pub(crate) key: FenceKey,
    pub(crate) upto: u64,
}

/// A message of the control stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Fence(Fence),
    Paused(bool),
}

/// A message of the control stream that says nothing to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ControlError;

#[derive(Serialize, Deserialize)]
struct UpTo {
    upto: u64,
}

#[derive(Serialize, Deserialize)]
struct State {
    paused: bool,
}

impl Control {
    /// Returns the subject and the payload of the message.
    pub(crate) fn message(&self, names: &Names) -> (String, Vec<u8>) {
        let (subject, payload) = match self {
            Self::Fence(fence) => (
                names.fence(&fence.key),
                serde_json::to_vec(&UpTo { upto: fence.upto }),
            ),
            Self::Paused(paused) => (
                names.state(),
                serde_json::to_vec(&State { paused: *paused }),
            ),
        };
        (subject, payload.unwrap_or_default())
    }

    pub(crate) fn parse(
        names: &Names,
        subject: &str,
        payload: &[u8],
    ) -> Result<Self, ControlError> {
        let tokens = names.tokens("c", subject).ok_or(ControlError)?;
        match tokens.split_first() {
            Some((&"state", [])) => serde_json::from_slice(payload)
                .map(|State { paused }| Self::Paused(paused))
                .map_err(|_| ControlError),
            Some((&"f", key)) => {
                let key = FenceKey::parse(key).ok_or(ControlError)?;
                serde_json::from_slice(payload)
                    .map(|UpTo { upto }| Self::Fence(Fence { key, upto }))
                    .map_err(|_| ControlError)
            }
            _ => Err(ControlError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_message_is_read_as_it_was_written_and_anything_else_is_refused() {
        let names = Names::new("p".into());
        let keys = [
            FenceKey::All,
            FenceKey::Group("g".into()),
            FenceKey::Batch("b".into()),
            FenceKey::Id("i".into()),
        ];
        let fences = keys.map(|key| Control::Fence(Fence { key, upto: 3 }));
        for control in fences.into_iter().chain([Control::Paused(true)]) {
            let (subject, payload) = control.message(&names);
            assert_eq!(Control::parse(&names, &subject, &payload), Ok(control));
        }
        for (subject, payload) in [
            ("aiop.p.c.f.all", "{}"),
            ("aiop.p.c.f.all", "{\"upto\":-1}"),
            ("aiop.p.c.f.group", "{\"upto\":1}"),
            ("aiop.p.c.f.other.x", "{\"upto\":1}"),
            ("aiop.p.c.state", "[]"),
            ("aiop.p.c", "{}"),
            ("aiop.q.c.state", "{\"paused\":true}"),
        ] {
            let parsed = Control::parse(&names, subject, payload.as_bytes());
            assert_eq!(parsed, Err(ControlError), "{subject} {payload}");
        }
    }
}
