//! Reads a trace of `TimelineObserver`.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::failure::Failure;

/// The greatest version of the format that this program reads.
const VERSION: u64 = 1;

/// A trace, as it is in its file.
pub(super) struct Trace {
    pub(super) events: Vec<Event>,
    /// `false` if the end of the file is missing.
    pub(super) is_whole: bool,
}

/// An event of a trace. Times are in microseconds.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Event {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) cat: String,
    #[serde(default)]
    pub(super) ph: String,
    #[serde(default)]
    pub(super) ts: f64,
    #[serde(default)]
    pub(super) dur: f64,
    #[serde(default)]
    pub(super) pid: u64,
    #[serde(default)]
    pub(super) tid: u64,
    /// How far a mark reaches: `g` is the whole trace.
    #[serde(default)]
    pub(super) s: String,
    #[serde(default)]
    pub(super) args: Args,
}

/// The arguments of all kinds of events.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Args {
    pub(super) version: Option<u64>,
    pub(super) name: Option<String>,
    pub(super) permits: Option<u64>,
    pub(super) id: Option<u64>,
    pub(super) group: Option<String>,
    pub(super) priority: i64,
    pub(super) weight: Option<u64>,
    pub(super) waited_us: f64,
    pub(super) ran_us: Option<f64>,
    pub(super) outcome: Option<String>,
    pub(super) left_out_tasks: u64,
}

/// Reads a trace from a file.
pub(super) fn read(path: &Path) -> Result<Trace, Failure> {
    let name = path.display();
    let bytes = fs::read(path).map_err(|error| input(format!("cannot read {name}: {error}")))?;
    let text = String::from_utf8_lossy(&bytes);
    parse(&text).map_err(|reason| input(format!("{name} {reason}")))
}

fn input(reason: String) -> Failure {
    Failure::Input(reason)
}

fn parse(text: &str) -> Result<Trace, String> {
    if text.trim().is_empty() {
        let advice = "did the program that writes it end before its timeline had begun?";
        return Err(format!("is empty: {advice}"));
    }
    let (events, is_whole) = match serde_json::from_str::<Vec<Event>>(text) {
        Ok(events) => (events, true),
        Err(error) if error.is_eof() => (up_to_the_last_line(text)?, false),
        Err(error) => return Err(format!("is no trace of TimelineObserver: {error}")),
    };
    let begin = events.iter().find(|event| event.name == "aiopool_timeline");
    match begin.and_then(|begin| begin.args.version) {
        Some(1..=VERSION) => Ok(Trace { events, is_whole }),
        Some(newer) => Err(format!(
            "is of version {newer} of the format, and this program reads {VERSION}: use a newer aiopool"
        )),
        None => Err(
            "is a trace of something else: this reads what TimelineObserver writes. Perfetto opens the others".into(),
        ),
    }
}

/// Reads a trace whose end is missing: each line but the last one is an event.
fn up_to_the_last_line(text: &str) -> Result<Vec<Event>, String> {
    let whole = |end: usize| format!("{}]", text[..end].trim_end().trim_end_matches(','));
    let ends = [Some(text.len()), text.rfind('\n')];
    let read = |end| {
        let events: Vec<Event> = serde_json::from_str(&whole(end)).ok()?;
        (!events.is_empty()).then_some(events)
    };
    ends.into_iter()
        .flatten()
        .find_map(read)
        .ok_or_else(|| "breaks off in its first event: nothing of the run is in it".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str =
        r#"{"name":"aiopool_timeline","ph":"M","pid":0,"tid":0,"args":{"version":1}}"#;
    const TASK: &str = r#"{"name":"a","cat":"task","ph":"X","ts":1.5,"dur":2.0,"pid":1,"tid":1,"args":{"id":0,"waited_us":0.5}}"#;

    fn reason(text: &str) -> String {
        parse(text).err().expect("it is no trace")
    }

    #[test]
    fn a_trace_is_read_and_one_that_breaks_off_is_read_so_far() {
        let whole = parse(&format!("[\n{BEGIN},\n{TASK}\n]\n")).unwrap();
        assert!(whole.is_whole && whole.events.len() == 2);
        assert_eq!(
            (whole.events[1].ts, whole.events[1].args.id),
            (1.5, Some(0))
        );
        for end in [
            "",
            ",",
            ",\n",
            ",\n{\"na",
            ",\n{\"name\":\"b\",\"args\":{\"x\":[1",
        ] {
            let part = parse(&format!("[\n{BEGIN},\n{TASK}{end}")).unwrap();
            assert!(!part.is_whole && part.events.len() == 2, "{end}");
        }
    }

    #[test]
    fn what_is_no_trace_is_refused_with_what_to_do() {
        assert!(reason(" \n").contains("is empty"));
        assert!(reason("hello").contains("is no trace"));
        assert!(reason("{}").contains("is no trace"));
        assert!(reason("[\n{\"name\"").contains("breaks off"));
        assert!(reason(&format!("[\n{TASK}\n]")).contains("something else"));
        let newer = BEGIN.replace(":1}", ":2}");
        assert!(reason(&format!("[{newer}]")).contains("version 2"));
    }
}
