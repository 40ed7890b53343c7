//! Tasks that do what they are told.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::panic_any;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use aiopool::{JoinError, JoinHandle, lend};

/// The payload of the panics that belong to the game.
pub(crate) const ON_PURPOSE: &str = "on purpose";

/// What a task does next.
pub(crate) enum Order {
    End,
    Panic,
    /// It lends its permit until it is told to come back.
    Lend,
    ComeBack,
    /// It awaits the handle of the task with this number.
    Await(usize, JoinHandle<usize>),
}

/// The strings of a task.
#[derive(Clone, Default)]
pub(crate) struct Puppet(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    orders: VecDeque<Order>,
    waker: Option<Waker>,
    starts: usize,
    drops: usize,
    /// What the tasks that this one has awaited have given.
    awaited: Vec<(usize, Result<usize, JoinError>)>,
}

impl Puppet {
    /// The future of the task, which gives its number in the end.
    pub(crate) fn task(&self, number: usize) -> impl Future<Output = usize> + Send + use<> {
        let strings = Strings(self.clone());
        async move {
            let puppet = &strings.0;
            puppet.0.lock().unwrap().starts += 1;
            loop {
                match puppet.next().await {
                    Order::End => return number,
                    Order::Panic => panic_any(ON_PURPOSE),
                    Order::Lend => _ = lend(puppet.next()).await,
                    Order::ComeBack => unreachable!("it has lent nothing"),
                    Order::Await(other, handle) => {
                        let outcome = handle.await;
                        puppet.0.lock().unwrap().awaited.push((other, outcome));
                    }
                }
            }
        }
    }

    pub(crate) fn tell(&self, order: Order) {
        let mut state = self.0.lock().unwrap();
        state.orders.push_back(order);
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    async fn next(&self) -> Order {
        poll_fn(|cx| {
            let mut state = self.0.lock().unwrap();
            match state.orders.pop_front() {
                Some(order) => Poll::Ready(order),
                None => {
                    state.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// How often the future was begun, and how often it was dropped.
    pub(crate) fn seen(&self) -> (usize, usize) {
        let state = self.0.lock().unwrap();
        (state.starts, state.drops)
    }

    pub(crate) fn take_awaited(&self) -> Vec<(usize, Result<usize, JoinError>)> {
        std::mem::take(&mut self.0.lock().unwrap().awaited)
    }
}

/// The future's end of the strings.
struct Strings(Puppet);

impl Drop for Strings {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().unwrap();
        state.drops += 1;
        let left = std::mem::take(&mut state.orders);
        drop(state);
        drop(left);
    }
}
