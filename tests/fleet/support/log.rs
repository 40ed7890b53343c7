//! What ran when: each worker process writes a line at the start and at the end of each run.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::clock;

/// The log of a worker process.
pub(crate) struct Log {
    file: File,
}

/// A run that goes on.
pub(crate) struct LoggedRun {
    log: &'static Log,
    id: String,
}

impl Log {
    pub(crate) fn open(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Self {
            file: file.expect("a log"),
        }
    }

    pub(crate) fn run(&'static self, id: &str, attempt: u32) -> LoggedRun {
        self.write(&format!("start {id} {} {attempt}\n", clock::now()));
        LoggedRun {
            log: self,
            id: id.to_owned(),
        }
    }

    /// One call writes one line, whatever other threads write.
    fn write(&self, line: &str) {
        (&self.file).write_all(line.as_bytes()).expect("a line");
    }
}

impl Drop for LoggedRun {
    fn drop(&mut self) {
        let line = format!("end {} {}\n", self.id, clock::now());
        self.log.write(&line);
    }
}

/// One run, in nanoseconds of the shared clock.
#[derive(Clone, Debug)]
pub(crate) struct RunTime {
    pub(crate) worker: String,
    pub(crate) id: String,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// Times in which a process did nothing, as it was stopped, and when it was gone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standstill {
    pub(crate) stopped: Vec<(u64, u64)>,
    pub(crate) gone: Option<u64>,
}

/// Reads the runs of a worker. Those without an end have ended with their process, or go on.
pub(crate) fn read(worker: &str, path: &PathBuf, standstill: &Standstill) -> Vec<RunTime> {
    let text = fs::read_to_string(path).unwrap_or_default();
    // A worker may get a task again that it has lost, a moment before the first run of it is dropped.
    let mut open: HashMap<&str, Vec<u64>> = HashMap::new();
    let mut runs = Vec::new();
    let mut add = |id: &str, start: u64, end: u64| {
        runs.extend(
            pieces(start, end, &standstill.stopped).map(|(start, end)| RunTime {
                worker: worker.to_owned(),
                id: id.to_owned(),
                start,
                end,
            }),
        );
    };
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["start", id, time, _] => {
                open.entry(id)
                    .or_default()
                    .push(time.parse().expect("a time"));
            }
            ["end", id, time] => {
                let start = open.get_mut(id).expect("a start").remove(0);
                add(id, start, time.parse().expect("a time"));
            }
            _ => {}
        }
    }
    for (id, starts) in open {
        for start in starts {
            add(id, start, standstill.gone.unwrap_or(u64::MAX));
        }
    }
    runs
}

/// The parts of a run in which its process was not stopped.
fn pieces(start: u64, end: u64, stopped: &[(u64, u64)]) -> impl Iterator<Item = (u64, u64)> {
    let mut pieces = Vec::new();
    let mut from = start;
    for (stop, go_on) in stopped {
        if *stop > from && *stop < end {
            pieces.push((from, *stop));
        }
        if *stop < end && *go_on > from {
            from = from.max(*go_on);
        }
    }
    if from < end {
        pieces.push((from, end));
    }
    pieces.into_iter()
}

/// How often each task has started.
pub(crate) fn starts(runs: &[RunTime]) -> HashMap<String, usize> {
    let mut starts = HashMap::new();
    for run in runs {
        *starts.entry(run.id.clone()).or_default() += 1;
    }
    starts
}

/// The most runs at a time at the start of one that starts after `since`.
pub(crate) fn most_at_a_start(runs: &[RunTime], since: u64) -> usize {
    let at = |time: u64| {
        let there = |run: &&RunTime| run.start <= time && time < run.end;
        runs.iter().filter(there).count()
    };
    let starts = runs.iter().map(|run| run.start);
    let later = starts.filter(|start| *start > since);
    later.map(at).max().unwrap_or(0)
}

/// The most runs at a time, and for how many nanoseconds there were more than `cap`.
pub(crate) fn concurrency(runs: &[RunTime], cap: usize) -> (usize, u64) {
    let mut steps: Vec<(u64, i64)> = runs
        .iter()
        .flat_map(|run| [(run.start, 1), (run.end, -1)])
        .collect();
    // An end comes before a start of the same nanosecond.
    steps.sort_unstable();
    let (mut now, mut most, mut above, mut since) = (0_i64, 0_i64, 0_u64, 0_u64);
    let cap = i64::try_from(cap).expect("a size");
    for (time, step) in steps {
        if now > cap {
            above += time - since;
        }
        since = time;
        now += step;
        most = most.max(now);
    }
    (usize::try_from(most).expect("a number of runs"), above)
}
