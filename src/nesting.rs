//! Limits how deep the ends of tasks nest inside each other.
//!
//! The end of a task runs user code: it drops the future, calls callbacks and wakes the tasks that wait. This code
//! may end other tasks, and so on: a future may own the handle of a task whose future owns the next handle, in a
//! chain of any length. The first few such steps run in place, so that what a caller asks for is done when the call
//! returns. Deeper steps go into a queue of the thread, so that they do not overflow the stack. The deepest step in
//! place runs this queue before it returns.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use crate::sync::thread_local;
use crate::unwind::shielded;

type Step = Box<dyn FnOnce()>;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

thread_local! {
    static POSTPONED: RefCell<VecDeque<Step>> = const { RefCell::new(VecDeque::new()) };
}

/// Maximum number of steps that run inside each other.
const DEEPEST: u32 = 8;

/// A step that runs in place, until this value is dropped.
pub(crate) struct Within(());

/// Begins a step, or returns `None` if it would be too deep. Then the caller [postpones](postpone) it.
#[inline]
pub(crate) fn enter() -> Option<Within> {
    let deeper = DEPTH.try_with(Cell::get).unwrap_or(0) + 1;
    (deeper <= DEEPEST).then(|| {
        set_depth(deeper);
        Within(())
    })
}

/// Runs a step when the deepest step in place has finished.
#[cold]
pub(crate) fn postpone(step: impl FnOnce() + 'static) {
    let mut step: Option<Step> = Some(Box::new(step));
    // An error means that the thread is ending. Then `step` has not been taken, and runs here.
    let _ = POSTPONED.try_with(|postponed| postponed.borrow_mut().extend(step.take()));
    if let Some(step) = step {
        step();
    }
}

#[inline]
fn set_depth(depth: u32) {
    let _ = DEPTH.try_with(|now| now.set(depth));
}

#[cold]
fn work_off() {
    let next = || POSTPONED.try_with(|postponed| postponed.borrow_mut().pop_front());
    while let Ok(Some(step)) = next() {
        shielded(step);
    }
}

impl Drop for Within {
    #[inline]
    fn drop(&mut self) {
        let depth = DEPTH.try_with(Cell::get).unwrap_or(1);
        // The depth is reduced only after this, so that steps which these steps cause are postponed, too.
        if depth == DEEPEST {
            work_off();
        }
        set_depth(depth - 1);
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    fn descend(left: u32, done: Rc<Cell<u32>>) {
        let step = move || {
            if left > 0 {
                descend(left - 1, done.clone());
            }
            done.set(done.get() + 1);
        };
        match enter() {
            Some(_within) => step(),
            None => postpone(step),
        }
    }

    #[test]
    fn a_step_returns_when_all_that_it_has_caused_is_done() {
        let done = Rc::new(Cell::new(0));
        for steps in [1, DEEPEST, DEEPEST + 1, 1_000_000] {
            done.set(0);
            descend(steps - 1, done.clone());
            assert_eq!(done.get(), steps);
        }
    }
}
