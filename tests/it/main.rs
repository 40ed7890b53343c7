//! What the pool promises, one module per behaviour, on every runtime.

mod support;

mod builder;
mod cancel;
mod chaos;
mod counters;
mod drops;
mod groups;
mod handles;
mod life;
mod limits;
mod maps;
mod nested;
mod observer;
mod order;
mod panics;
mod refusals;
mod retention;
mod runtimes;
mod seeds;
mod settling;
mod size;
mod streams;
mod then;
mod traits;
