use crate::hand::Mood;
use crate::points::End;
use crate::work::Conduct;

/// Something that goes wrong, or does not.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) conduct: Conduct,
    pub(crate) event: Event,
    /// How tasks may end then, if the await point itself does not stop them.
    pub(crate) ends: &'static [End],
}

/// What happens, besides what the futures of the tasks do.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Event {
    Nothing,
    /// The future that awaits is dropped after so many polls.
    Dropped(usize),
    /// The runtime has this mood from the beginning.
    Mood(Mood),
    /// The runtime ends after the first poll.
    RuntimeEnds,
    /// The runtime ends when its workers have been polled.
    RuntimeEndsLater,
    /// One worker is dropped, before or after it was polled.
    WorkerDropped,
    WorkerDroppedLater,
    /// The waker of the future that awaits panics.
    WakerPanics,
}

const VALUE: &[End] = &[End::Value];
const PANIC: &[End] = &[End::Panic];
const STOPPED: &[End] = &[End::Cancelled];
const LOST: &[End] = &[End::Cancelled, End::Rejected];
const LOST_OR_NOT: &[End] = &[End::Cancelled, End::Rejected, End::Value];

const fn fault(name: &'static str, conduct: Conduct, event: Event, ends: &'static [End]) -> Fault {
    Fault {
        name,
        conduct,
        event,
        ends,
    }
}

pub(crate) const FAULTS: &[Fault] = &[
    fault("ready", Conduct::Ready, Event::Nothing, VALUE),
    fault("never", Conduct::Never, Event::Nothing, STOPPED),
    fault("slow", Conduct::Slow, Event::Nothing, VALUE),
    fault("panics", Conduct::Panics, Event::Nothing, PANIC),
    fault(
        "panics in its destructor",
        Conduct::PanicsWhenDropped,
        Event::Nothing,
        PANIC,
    ),
    fault(
        "panics when it is stopped",
        Conduct::NeverAndPanicsWhenDropped,
        Event::Nothing,
        PANIC,
    ),
    fault(
        "dropped, never polled",
        Conduct::Slow,
        Event::Dropped(0),
        VALUE,
    ),
    fault(
        "dropped after a poll",
        Conduct::Slow,
        Event::Dropped(1),
        VALUE,
    ),
    fault(
        "dropped after two polls",
        Conduct::Slow,
        Event::Dropped(2),
        VALUE,
    ),
    fault(
        "dropped after three polls",
        Conduct::Slow,
        Event::Dropped(3),
        VALUE,
    ),
    fault(
        "dropped, and so is what panics",
        Conduct::NeverAndPanicsWhenDropped,
        Event::Dropped(2),
        PANIC,
    ),
    fault("runtime gone", Conduct::Never, Event::RuntimeEnds, LOST),
    fault(
        "runtime gone later",
        Conduct::Never,
        Event::RuntimeEndsLater,
        LOST,
    ),
    fault(
        "runtime gone, destructor panics",
        Conduct::NeverAndPanicsWhenDropped,
        Event::RuntimeEndsLater,
        &[End::Panic, End::Rejected],
    ),
    fault(
        "worker dropped",
        Conduct::Slow,
        Event::WorkerDropped,
        LOST_OR_NOT,
    ),
    fault(
        "worker dropped later",
        Conduct::Slow,
        Event::WorkerDroppedLater,
        LOST_OR_NOT,
    ),
    fault(
        "spawner refuses",
        Conduct::Ready,
        Event::Mood(Mood::Refuses),
        LOST,
    ),
    fault(
        "spawner panics",
        Conduct::Ready,
        Event::Mood(Mood::Panics),
        LOST,
    ),
    fault("waker panics", Conduct::Slow, Event::WakerPanics, VALUE),
    fault(
        "waker panics, and so does the task",
        Conduct::Panics,
        Event::WakerPanics,
        PANIC,
    ),
];
