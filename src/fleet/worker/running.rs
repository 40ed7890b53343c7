use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

use super::registry::{JobFuture, Registry};
use super::run::Run;
use crate::fleet::ticket::{End, Start, Ticket};

/// A task of the local pool that is a run of a task of the fleet.
///
/// It calls the job at its first poll, stops when its ticket is no longer valid, and reports how it has ended, once,
/// after all that belongs to the job has been dropped.
pub(super) struct Running {
    state: State,
    ticket: Arc<Ticket>,
    key: u64,
    ends: Option<UnboundedSender<(u64, End)>>,
}

enum State {
    NotCalled(Box<Call>),
    Called(JobFuture),
    Over,
}

struct Call {
    registry: Arc<Registry>,
    job: String,
    run: Run,
    arguments: Vec<u8>,
}

impl Call {
    fn call(self) -> JobFuture {
        self.registry.call(&self.job, self.run, self.arguments)
    }
}

impl Running {
    pub(super) fn new(
        start: Start,
        registry: Arc<Registry>,
        ends: UnboundedSender<(u64, End)>,
        progress: tokio::sync::mpsc::Sender<(u64, Vec<u8>)>,
    ) -> Self {
        let run = Run {
            id: start.id,
            group: start.group,
            attempt: start.attempt,
            key: start.key,
            progress,
        };
        Self {
            state: State::NotCalled(Box::new(Call {
                registry,
                job: start.job,
                run,
                arguments: start.arguments,
            })),
            ticket: start.ticket,
            key: start.key,
            ends: Some(ends),
        }
    }

    fn poll_job(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let mut future = match std::mem::replace(&mut self.state, State::Over) {
            State::NotCalled(call) => call.call(),
            State::Called(future) => future,
            State::Over => return Poll::Ready(End::Dropped),
        };
        let polled = future.as_mut().poll(cx);
        self.state = State::Called(future);
        polled
    }

    /// Drops the job, then reports. A panic of its destructor is left to the local pool.
    fn finish(&mut self, end: End) -> Result<(), Box<dyn Any + Send>> {
        let state = std::mem::replace(&mut self.state, State::Over);
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(state)));
        if let Some(ends) = self.ends.take() {
            let _ = ends.send((self.key, end));
        }
        dropped
    }
}

impl Future for Running {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.ticket.register(cx.waker());
        let (end, panic) = if this.ticket.is_valid(Instant::now()) {
            // What panics is not in the state meanwhile, and is dropped by the panic.
            match catch_unwind(AssertUnwindSafe(|| this.poll_job(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(end)) => (end, None),
                Err(panic) => (End::Panicked(message_of(&*panic)), Some(panic)),
            }
        } else {
            (End::Stopped, None)
        };
        let dropped = this.finish(end);
        if let Some(panic) = panic.or(dropped.err()) {
            resume_unwind(panic);
        }
        Poll::Ready(())
    }
}

/// The local pool may drop a task: it is closed, or its runtime ends.
impl Drop for Running {
    fn drop(&mut self) {
        if self.ends.is_some() {
            let _ = self.finish(End::Dropped);
        }
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Job;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::sync::mpsc;

    const JOB: Job<u32, u32> = Job::new("job");

    struct Bench {
        running: Running,
        ticket: Arc<Ticket>,
        ends: mpsc::UnboundedReceiver<(u64, End)>,
    }

    fn bench(registry: Registry, job: &str) -> Bench {
        let now = Instant::now();
        let ticket = Arc::new(Ticket::new(now + Duration::from_secs(60), now));
        let (ends, ended) = mpsc::unbounded_channel();
        let start = Start {
            key: 7,
            id: "i".into(),
            group: "g".into(),
            job: job.into(),
            attempt: 1,
            arguments: b"3".to_vec(),
            ticket: ticket.clone(),
        };
        Bench {
            running: Running::new(start, Arc::new(registry), ends, mpsc::channel(1).0),
            ticket,
            ends: ended,
        }
    }

    fn poll(running: &mut Running) -> Poll<()> {
        let waker = std::task::Waker::noop();
        Pin::new(running).poll(&mut Context::from_waker(waker))
    }

    #[test]
    fn a_job_ends_with_its_result_or_with_why_there_is_none() {
        let doubling = || Registry::new().on(JOB, async |_: Run, n: u32| Ok(2 * n));
        let mut done = bench(doubling(), "job");
        assert_eq!(poll(&mut done.running), Poll::Ready(()));
        assert_eq!(done.ends.try_recv(), Ok((7, End::Done(b"6".to_vec()))));
        let mut unknown = bench(doubling(), "other");
        assert_eq!(poll(&mut unknown.running), Poll::Ready(()));
        assert_eq!(unknown.ends.try_recv(), Ok((7, End::Unknown)));
    }

    #[test]
    fn a_job_whose_ticket_is_not_valid_is_not_polled_once_more() {
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = polls.clone();
        let registry = Registry::new().on(JOB, move |_, _: u32| {
            let counted = counted.clone();
            std::future::poll_fn(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
                Poll::<Result<u32, crate::fleet::Fail>>::Pending
            })
        });
        let mut bench = bench(registry, "job");
        assert_eq!(poll(&mut bench.running), Poll::Pending);
        assert_eq!(poll(&mut bench.running), Poll::Pending);
        bench.ticket.stop();
        assert_eq!(poll(&mut bench.running), Poll::Ready(()));
        assert_eq!(bench.ends.try_recv(), Ok((7, End::Stopped)));
        assert_eq!(polls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_panic_is_reported_and_passed_on_to_the_local_pool() {
        let registry = Registry::new().on(JOB, async |_: Run, n: u32| match n {
            3 => panic!("no {n}"),
            n => Ok(n),
        });
        let mut bench = bench(registry, "job");
        let passed_on = catch_unwind(AssertUnwindSafe(|| poll(&mut bench.running)));
        assert!(passed_on.is_err());
        drop(bench.running);
        assert_eq!(bench.ends.try_recv(), Ok((7, End::Panicked("no 3".into()))));
        assert!(bench.ends.try_recv().is_err());
    }

    #[test]
    fn a_task_that_the_local_pool_drops_is_reported_as_that() {
        let mut bench = bench(Registry::new(), "job");
        drop(bench.running);
        assert_eq!(bench.ends.try_recv(), Ok((7, End::Dropped)));
    }
}
