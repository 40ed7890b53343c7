use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use super::super::protocol::PoolKind;
use crate::{AbortHandle, AioPool, SimpleTaskPool, TaskId};

/// The pool that a server controls: an [`AioPool`] with its groups, or a [`SimpleTaskPool`].
///
/// A server holds a handle to its pool like any other user of the pool.
pub struct Target {
    pub(super) pool: AioPool,
    pub(super) copies: Option<Arc<dyn Copies>>,
    pub(super) function: String,
}

/// The methods of a [`SimpleTaskPool`], for any type of function.
pub(super) trait Copies: Send + Sync {
    fn start(&self, count: usize) -> Vec<TaskId>;
    /// Returns the tasks that have not ended, in order of submission.
    fn living(&self) -> Vec<AbortHandle>;
    /// Returns up to `most` of the tasks that were submitted before another one, or of all tasks, the newest first.
    /// Tasks that have ended may be among them.
    fn newest(&self, before: Option<TaskId>, most: usize) -> Vec<AbortHandle>;
    fn running(&self) -> usize;
}

impl<F, Fut> Copies for SimpleTaskPool<F>
where
    F: FnMut() -> Fut + Send,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    fn start(&self, count: usize) -> Vec<TaskId> {
        self.start(count)
    }

    fn living(&self) -> Vec<AbortHandle> {
        self.living()
    }

    fn newest(&self, before: Option<TaskId>, most: usize) -> Vec<AbortHandle> {
        self.newest(before, most)
    }

    fn running(&self) -> usize {
        self.running()
    }
}

impl Target {
    pub(crate) fn pool(&self) -> &AioPool {
        &self.pool
    }

    pub(crate) fn name_function(&mut self, name: String) {
        self.function = name;
    }

    pub(crate) fn pool_kind(&self) -> PoolKind {
        match self.copies {
            Some(_) => PoolKind::Simple,
            None => PoolKind::Aio,
        }
    }

    /// Returns the answer to the handshake: the kind and the name of the pool.
    pub(crate) fn title(&self) -> String {
        let name = self.pool.name();
        // A pool without a name of its own is called AioPool-{n} already.
        let unnamed = name.strip_prefix("AioPool-");
        let number = unnamed.filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        let name = number.unwrap_or(name);
        match self.copies {
            Some(_) => format!("SimpleTaskPool-{name}"),
            None => format!("AioPool-{name}"),
        }
    }
}

impl From<AioPool> for Target {
    fn from(pool: AioPool) -> Self {
        Self {
            pool,
            copies: None,
            function: String::new(),
        }
    }
}

impl From<&AioPool> for Target {
    fn from(pool: &AioPool) -> Self {
        pool.clone().into()
    }
}

impl<F, Fut> From<Arc<SimpleTaskPool<F>>> for Target
where
    F: FnMut() -> Fut + Send + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    fn from(copies: Arc<SimpleTaskPool<F>>) -> Self {
        Self {
            pool: copies.pool().clone(),
            copies: Some(copies),
            function: function_name(type_name::<F>()),
        }
    }
}

impl<F, Fut> From<&Arc<SimpleTaskPool<F>>> for Target
where
    F: FnMut() -> Fut + Send + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    fn from(copies: &Arc<SimpleTaskPool<F>>) -> Self {
        copies.clone().into()
    }
}

/// Returns the last part of a type's path. A closure has no name, and is called `closure`.
fn function_name(path: &str) -> String {
    let path = path.split('<').next().unwrap_or(path);
    match path.rsplit("::").next() {
        Some("{{closure}}") | None => "closure".into(),
        Some(name) => name.into(),
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("pool", &self.pool)
            .field("simple", &self.copies.is_some())
            .finish_non_exhaustive()
    }
}
