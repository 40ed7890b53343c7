use std::any::TypeId;
use std::cell::Cell;

/// A method of an [`Observer`](super::Observer).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    Wait = 1,
    Start = 2,
    End = 4,
    Capture = 8,
    Resize = 16,
}

thread_local! {
    /// The default method that was called last on this thread, and the type that does not implement it.
    static UNWRITTEN: Cell<Option<(TypeId, Method)>> = const { Cell::new(None) };
}

/// Called by the default methods of [`Observer`](super::Observer).
pub(super) fn unwritten<O: ?Sized + 'static>(method: Method) {
    // On a thread that is ending, this cannot be noted. The method is then called again, which does no harm.
    let _ = UNWRITTEN.try_with(|last| last.set(Some((TypeId::of::<O>(), method))));
}

/// Takes the default method that was called last on this thread, with the type that does not implement it.
pub(super) fn take_unwritten() -> Option<(TypeId, Method)> {
    UNWRITTEN.try_with(Cell::take).ok().flatten()
}
