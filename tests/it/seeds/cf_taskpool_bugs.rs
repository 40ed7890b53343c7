//! The bugs of cf-taskpool, each by its number, and that this pool does right.
