//! What the pool promises, one module per behaviour, on every runtime.

mod support;

mod blocking;
mod builder;
mod cancel;
mod chaos;
mod clock;
mod counters;
mod drops;
mod feed;
mod grace;
mod groups;
mod handles;
mod in_place;
mod life;
mod limits;
mod maps;
mod nested;
mod observer;
mod order;
mod panics;
mod rate;
mod ready;
mod refusals;
mod retention;
mod runtimes;
mod scope;
mod seeds;
mod settling;
mod simple;
mod size;
mod streams;
mod then;
mod traits;
