//! Asks the server, in a thread of its own.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use aiopool::fleet::{EngineError, FleetPool, FleetStats, WorkerInfo};
use async_io::block_on;
use futures_util::future::try_join;

use super::keys::Order;
use crate::top::feed::News;

/// News for the dashboard.
#[derive(Debug)]
pub(super) enum Told {
    /// A key, a signal, or a failure of the terminal.
    Screen(News),
    Pool {
        stats: FleetStats,
        workers: Vec<WorkerInfo>,
    },
    /// There is no answer.
    Lost(String),
    Answer {
        order: Order,
        refusal: Option<String>,
    },
}

/// Asks at each interval, and sends the user's orders in between.
pub(super) fn server(
    pool: FleetPool,
    interval: Duration,
    wanted: Receiver<Order>,
    told: Sender<Told>,
) {
    thread::spawn(move || {
        loop {
            let asked = Instant::now();
            let seen = block_on(try_join(pool.stats(), pool.workers()));
            let news = match seen {
                Ok((stats, workers)) => Told::Pool { stats, workers },
                Err(error) => Told::Lost(error.to_string()),
            };
            let pause = interval.saturating_sub(asked.elapsed());
            if told.send(news).is_err() || !obey(&pool, pause, &wanted, &told) {
                return;
            }
        }
    });
}

/// Waits for this time, or until an order was obeyed. Returns `false` if the dashboard ends.
fn obey(pool: &FleetPool, pause: Duration, wanted: &Receiver<Order>, told: &Sender<Told>) -> bool {
    match wanted.recv_timeout(pause) {
        Ok(order) => {
            let refusal = block_on(execute(pool, &order)).err();
            let refusal = refusal.map(|error| error.to_string());
            told.send(Told::Answer { order, refusal }).is_ok()
        }
        Err(RecvTimeoutError::Timeout) => true,
        Err(RecvTimeoutError::Disconnected) => false,
    }
}

async fn execute(pool: &FleetPool, order: &Order) -> Result<(), EngineError> {
    match order {
        Order::Pause => pool.pause().await,
        Order::Resume => pool.resume().await,
        Order::Resize(size) => pool.resize(*size).await,
        Order::CancelAll => pool.cancel_all().await,
    }
}
