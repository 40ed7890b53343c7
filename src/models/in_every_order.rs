//! Tries models by loom, in every order.

pub(super) use loom::future::block_on;
use loom::model::Builder;

/// Tries a model in every order. A thread is interrupted at most twice where it would not wait anyway;
/// `LOOM_MAX_PREEMPTIONS` sets another number. The model fails, too, if a waker is leaked.
pub(super) fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(model);
}
