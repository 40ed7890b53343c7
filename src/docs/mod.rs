//! The book: pages about the crate, and no items.
//!
//! | page | what it answers |
//! |---|---|
//! | [`guide`] | How is the pool used? From the first task to shutting down and testing. |
//! | [`cookbook`] | What does a whole program look like? A crawler, a service, an ETL job, and others, each of which runs. |
//! | [`cancellation`] | What stops a task, when, and what does each drop do? |
//!
//! These modules exist only when the docs are built or tested. A program that uses the crate does not compile them.

pub mod cancellation;
pub mod cookbook;
pub mod guide;
