use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;

use futures_util::future::ready;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::run::Run;
use crate::fleet::error::Fail;
use crate::fleet::job::{Codec, Job};
use crate::fleet::ticket::End;

/// A run, from arguments that are not decoded yet to a result that is encoded.
pub(super) type JobFuture = Pin<Box<dyn Future<Output = End> + Send>>;

type Function = Box<dyn Fn(Run, Vec<u8>) -> JobFuture + Send + Sync>;

/// The jobs that a worker can run, by name.
///
/// ```
/// use aiopool::fleet::{Job, Registry, Run};
///
/// const LENGTH: Job<String, usize> = Job::new("length");
///
/// let registry = Registry::new().on(LENGTH, async |_: Run, text: String| Ok(text.len()));
/// assert_eq!(registry.jobs(), ["length"]);
/// ```
#[derive(Default)]
#[must_use = "give it to a `Worker`"]
pub struct Registry {
    functions: HashMap<&'static str, Function>,
}

impl Registry {
    /// Creates a registry without jobs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a job. It replaces one of the same name.
    ///
    /// A run of it may be dropped at any `await`, and may be repeated, in this process or another one: `function`
    /// should do no harm if it runs twice. [`Run::id`] is the same each time. What blocks the thread belongs on the
    /// blocking threads of the runtime, since a task that does not yield cannot be stopped.
    ///
    /// A panic in it becomes [`JobError::Panicked`](crate::fleet::JobError::Panicked).
    pub fn on<A, O, C, F, Fut>(mut self, job: Job<A, O, C>, function: F) -> Self
    where
        A: DeserializeOwned + Send + 'static,
        O: Serialize + Send + 'static,
        C: Codec,
        F: Fn(Run, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, Fail>> + Send + 'static,
    {
        let function = move |run: Run, arguments: Vec<u8>| -> JobFuture {
            match C::decode::<A>(&arguments) {
                Ok(arguments) => {
                    let result = function(run, arguments);
                    Box::pin(async move { end_of::<O, C>(result.await) })
                }
                Err(why) => Box::pin(ready(End::Decode(why))),
            }
        };
        self.functions.insert(job.name(), Box::new(function));
        self
    }

    /// Returns the names of the jobs, in alphabetical order.
    pub fn jobs(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.functions.keys().copied().collect();
        names.sort_unstable();
        names
    }

    /// Begins a run. It calls code of the user.
    pub(super) fn call(&self, job: &str, run: Run, arguments: Vec<u8>) -> JobFuture {
        match self.functions.get(job) {
            Some(function) => function(run, arguments),
            None => Box::pin(ready(End::Unknown)),
        }
    }
}

fn end_of<O: Serialize, C: Codec>(result: Result<O, Fail>) -> End {
    match result {
        Ok(result) => match C::encode(&result) {
            Ok(result) => End::Done(result),
            Err(why) => End::Failed(Fail::Fatal(format!("the result cannot be encoded: {why}"))),
        },
        Err(fail) => End::Failed(fail),
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.jobs()).finish()
    }
}
