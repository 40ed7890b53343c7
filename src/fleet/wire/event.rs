use super::headers::{EVENT, Header};

/// What a running task tells its owner. Events are not stored, and the last one of a task may be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Started,
    /// A value of the job, as JSON.
    Progress(Vec<u8>),
}

impl Event {
    pub(crate) fn header(&self) -> Header {
        let kind = match self {
            Self::Started => "started",
            Self::Progress(_) => "progress",
        };
        (EVENT, kind.to_owned())
    }

    pub(crate) fn payload(self) -> Vec<u8> {
        match self {
            Self::Started => Vec::new(),
            Self::Progress(value) => value,
        }
    }

    /// Reads an event. `kind` is the header of its message.
    pub(crate) fn parse(kind: Option<&str>, payload: &[u8]) -> Option<Self> {
        match kind? {
            "started" => Some(Self::Started),
            "progress" => Some(Self::Progress(payload.to_vec())),
            _ => None,
        }
    }
}
