//! The book: pages about the crate, and no items.
//!
//! | page | what it answers |
//! |---|---|
//! | [`guide`] | How is the pool used? From the first task to shutting down and testing. |
//! | [`cookbook`] | What does a whole program look like? A crawler, a service, an ETL job, and others, each of which runs. |
//! | [`cancellation`] | What stops a task, when, and what does each drop do? |
//! | [`comparison`] | What do others offer, how is that checked, and when is no pool needed? |
//! | `fleet`, with the feature of this name | How does a pool span many machines, and what is promised then? |
//! | [`performance`] | What does it cost, and how is that measured? |
//! | [`faq`] | What do users of tokio, futures and other pools ask for, and what is the answer here? |
//!
//! These modules exist only when the docs are built or tested. A program that uses the crate does not compile them.

pub mod cancellation;
pub mod comparison;
pub mod cookbook;
pub mod faq;
#[cfg(feature = "fleet")]
pub mod fleet;
pub mod guide;
pub mod performance;
