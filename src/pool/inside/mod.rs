//! What a task can do from inside of its pool: know itself (`current`), and lend its permit (`lend`).

pub(super) mod current;
pub(super) mod lend;
