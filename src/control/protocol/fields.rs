//! How fields of replies are written in JSON, where that differs from their Rust types.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use crate::{AioPool, TaskState};

const UNBOUNDED: &str = "inf";

/// Writes a size: a number, or `inf` if it is unbounded.
pub(super) fn write_size<S: Serializer>(size: &usize, to: S) -> Result<S::Ok, S::Error> {
    match *size {
        AioPool::UNBOUNDED => to.serialize_str(UNBOUNDED),
        size => to.serialize_u64(size as u64),
    }
}

pub(super) fn read_size<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Size {
        Bounded(usize),
        Unbounded(String),
    }
    match Size::deserialize(from)? {
        Size::Bounded(size) => Ok(size),
        Size::Unbounded(text) if text == UNBOUNDED => Ok(AioPool::UNBOUNDED),
        Size::Unbounded(text) => Err(D::Error::custom(format!("{text:?} is no size"))),
    }
}

/// Returns the name of a state, in commands and in replies.
pub(super) fn state_name(state: TaskState) -> &'static str {
    match state {
        TaskState::Waiting => "waiting",
        TaskState::Active => "active",
        TaskState::Finished => "finished",
    }
}

pub(super) fn write_state<S: Serializer>(state: &TaskState, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(state_name(*state))
}

pub(super) fn read_state<'de, D: Deserializer<'de>>(from: D) -> Result<TaskState, D::Error> {
    let name = String::deserialize(from)?;
    let states = [TaskState::Waiting, TaskState::Active, TaskState::Finished];
    let state = states.into_iter().find(|state| state_name(*state) == name);
    state.ok_or_else(|| D::Error::custom(format!("{name:?} is no state of a task")))
}

/// Writes a time in seconds.
pub(super) fn write_seconds<S: Serializer>(
    time: &Option<Duration>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => to.serialize_f64(time.as_secs_f64()),
        None => to.serialize_none(),
    }
}

pub(super) fn read_seconds<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Duration>, D::Error> {
    let seconds: Option<f64> = Option::deserialize(from)?;
    // A time that no `Duration` can hold is no time: the task is listed without it.
    Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
}

/// Writes the numbers of several sets as one sorted list.
pub(super) fn write_merged<S: Serializer>(
    sets: &[BTreeSet<u64>],
    to: S,
) -> Result<S::Ok, S::Error> {
    let merged: BTreeSet<u64> = sets.iter().flatten().copied().collect();
    to.collect_seq(merged)
}
