use super::headers::{EVENT, Headers};

/// What a running task tells its owner. Events are not stored, and the last one of a task may be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Started,
    /// A value of the job, as JSON.
    Progress(Vec<u8>),
}

impl Event {
    pub(crate) fn headers(&self) -> Headers {
        let kind = match self {
            Self::Started => "started",
            Self::Progress(_) => "progress",
        };
        vec![(EVENT, kind.to_owned())]
    }

    pub(crate) fn payload(self) -> Vec<u8> {
        match self {
            Self::Started => Vec::new(),
            Self::Progress(value) => value,
        }
    }

    pub(crate) fn parse<'h>(
        header: impl Fn(&str) -> Option<&'h str>,
        payload: &[u8],
    ) -> Option<Self> {
        match header(EVENT)? {
            "started" => Some(Self::Started),
            "progress" => Some(Self::Progress(payload.to_vec())),
            _ => None,
        }
    }
}
