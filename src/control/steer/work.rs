use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

/// The work that clients may start by name.
#[derive(Default)]
pub(crate) struct Works(BTreeMap<String, Work>);

/// Creates the future of a task from its JSON input.
pub(super) type Work = Arc<dyn Fn(Value) -> BoxFuture<'static, ()> + Send + Sync>;

impl Works {
    pub(crate) fn add<F, Fut>(&mut self, name: String, function: F)
    where
        F: Fn(Value) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
    {
        let work: Work = Arc::new(move |input| function(input).map(drop).boxed());
        self.0.insert(name, work);
    }

    pub(super) fn find(&self, name: &str) -> Option<Work> {
        self.0.get(name).cloned()
    }

    /// Returns the names of all registered work, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for Works {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
