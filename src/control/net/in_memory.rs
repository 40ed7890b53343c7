//! Connections inside of a program, for the checks in `models`: sockets would wake its threads from outside.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::io::{AsyncRead, AsyncWrite};

use crate::lock::Lock;
use crate::wakes::wake;

/// What clients connect to.
#[derive(Clone)]
pub(crate) struct Network(Arc<Queue<Connection>>);

/// The server's side of a [`Network`]. Once it is dropped, no client can connect.
pub(super) struct Listening(Arc<Queue<Connection>>);

/// One of the two ends of a connection. The last clone to be dropped closes it.
#[derive(Clone)]
pub(crate) struct Connection(Arc<End>);

struct End {
    incoming: Arc<Queue<u8>>,
    outgoing: Arc<Queue<u8>>,
}

/// Items from one side to the other.
struct Queue<T>(Lock<Sent<T>>);

struct Sent<T> {
    items: VecDeque<T>,
    is_closed: bool,
    reader: Option<Waker>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self(Lock::new(Sent {
            items: VecDeque::new(),
            is_closed: false,
            reader: None,
        }))
    }
}

impl<T> Queue<T> {
    /// Adds items. Returns `false` if the queue is closed.
    fn add(&self, items: impl IntoIterator<Item = T>) -> bool {
        let mut sent = self.0.lock();
        if sent.is_closed {
            return false;
        }
        sent.items.extend(items);
        let reader = sent.reader.take();
        drop(sent);
        wake(reader);
        true
    }

    fn close(&self) {
        let mut sent = self.0.lock();
        sent.is_closed = true;
        let reader = sent.reader.take();
        drop(sent);
        wake(reader);
    }

    /// Takes up to `most` items; none if the queue is closed and empty.
    fn poll_take(&self, most: usize, cx: &Context<'_>) -> Poll<Vec<T>> {
        let mut sent = self.0.lock();
        if sent.items.is_empty() && !sent.is_closed {
            sent.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = most.min(sent.items.len());
        Poll::Ready(sent.items.drain(..count).collect())
    }
}

impl Network {
    pub(super) fn new() -> (Self, Listening) {
        let connections = Arc::new(Queue::default());
        (Self(connections.clone()), Listening(connections))
    }

    pub(crate) fn connect(&self) -> io::Result<Connection> {
        let (incoming, outgoing) = <(Arc<Queue<u8>>, Arc<Queue<u8>>)>::default();
        let there = Connection::new(outgoing.clone(), incoming.clone());
        match self.0.add([there]) {
            true => Ok(Connection::new(incoming, outgoing)),
            false => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

impl Listening {
    pub(super) async fn accept(&self) -> Connection {
        let connection = poll_fn(|cx| self.0.poll_take(1, cx)).await;
        connection.into_iter().next().expect("it is open")
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.close();
        let unaccepted = std::mem::take(&mut self.0.0.lock().items);
        drop(unaccepted);
    }
}

impl Connection {
    fn new(incoming: Arc<Queue<u8>>, outgoing: Arc<Queue<u8>>) -> Self {
        Self(Arc::new(End { incoming, outgoing }))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let taken = self.0.incoming.poll_take(buffer.len(), cx);
        taken.map(|bytes| {
            buffer[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        })
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(match self.0.outgoing.add(bytes.iter().copied()) {
            true => Ok(bytes.len()),
            false => Err(io::ErrorKind::BrokenPipe.into()),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.outgoing.close();
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.outgoing.close();
        self.incoming.close();
    }
}
