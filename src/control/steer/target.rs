use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use super::super::wire::PoolKind;
use crate::{AbortHandle, AioPool, SimpleTaskPool, TaskId};

/// What a server steers: an [`AioPool`] with its groups, or a [`SimpleTaskPool`].
///
/// A server holds on to its pool as any other user does.
pub struct Target {
    pub(super) pool: AioPool,
    pub(super) copies: Option<Arc<dyn Copies>>,
    pub(super) function: String,
}

/// A [`SimpleTaskPool`], whatever its function is.
pub(super) trait Copies: Send + Sync {
    fn start(&self, count: usize) -> Vec<TaskId>;
    /// Returns the tasks that have not ended, in order of submission.
    fn living(&self) -> Vec<AbortHandle>;
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

    fn running(&self) -> usize {
        self.running()
    }
}

impl Target {
    pub(in crate::control) fn pool(&self) -> &AioPool {
        &self.pool
    }

    pub(in crate::control) fn name_function(&mut self, name: String) {
        self.function = name;
    }

    pub(in crate::control) fn sort(&self) -> PoolKind {
        match self.copies {
            Some(_) => PoolKind::Simple,
            None => PoolKind::Aio,
        }
    }

    /// What clients are told first.
    pub(in crate::control) fn title(&self) -> String {
        let name = self.pool.name();
        // A pool that was given no name is AioPool-{n} already.
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

/// The last part of a path; a closure has no name.
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
