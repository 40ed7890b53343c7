use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::event::{Event, Totals};
use super::note::Note;
use crate::lock::Lock;
use crate::unwind::{caught, discard};

/// The size from which on a buffer is sent to the thread.
const CHUNK: usize = 64 * 1024;
/// The number of buffers that may wait for the thread.
const CHUNKS: usize = 256;
/// The longest time that an event stays in the buffer, as long as the thread does not write.
const FLUSH: Duration = Duration::from_secs(1);

/// The way to the file: a buffer, and a thread that writes.
///
/// Each buffer ends behind an event. So what has been written at any time, with a `]` behind it, is an array.
pub(super) struct Output {
    buffer: Arc<Lock<Buffer>>,
    thread: Lock<Option<JoinHandle<io::Result<Totals>>>>,
}

/// What is to be written next, and the account of all.
struct Buffer {
    chunk: Chunk,
    /// The size of all that was accepted, in bytes.
    size: u64,
    limit: u64,
    is_cut: bool,
    totals: Totals,
    /// `None` when the thread takes no more.
    thread: Option<SyncSender<Chunk>>,
}

/// Some events, as text.
#[derive(Default)]
struct Chunk {
    text: Vec<u8>,
    events: u64,
    /// The number of tasks whose last event is in the text.
    ends: u64,
}

impl Output {
    pub(super) fn new(writer: impl Write + Send + 'static, limit: u64) -> io::Result<Self> {
        let (to_thread, chunks) = sync_channel(CHUNKS);
        let buffer = Arc::new(Lock::new(Buffer {
            chunk: Chunk::default(),
            size: 0,
            limit,
            is_cut: false,
            totals: Totals::default(),
            thread: Some(to_thread),
        }));
        let rest = buffer.clone();
        let run = move || match caught(|| write(writer, &chunks, &rest)) {
            Ok(written) => written,
            Err(payload) => {
                discard(payload);
                Err(io::Error::other("the writer of the timeline panicked"))
            }
        };
        let thread = thread::Builder::new()
            .name("aiopool-timeline".into())
            .spawn(run)?;
        let thread = Lock::new(Some(thread));
        Ok(Self { buffer, thread })
    }

    pub(super) fn set_limit(&self, limit: u64) {
        self.buffer.lock().limit = limit;
    }

    /// Writes what the notes say. Never waits for the thread: if that is too slow, the events are left out.
    pub(super) fn push(&self, now: u64, notes: &[Note]) {
        let chunk = Chunk::of(notes);
        let full = self.buffer.lock().add(now, chunk);
        let Some((chunk, thread)) = full else { return };
        match thread.try_send(chunk) {
            Ok(()) => {}
            Err(TrySendError::Full(chunk)) => self.buffer.lock().leave_out(&chunk),
            Err(TrySendError::Disconnected(chunk)) => {
                let mut buffer = self.buffer.lock();
                buffer.thread = None;
                buffer.leave_out(&chunk);
            }
        }
    }

    /// Waits until all has been written, and returns the account. `None` if that was done before.
    pub(super) fn finish(&self, unfinished: u64) -> Option<io::Result<Totals>> {
        let thread = self.thread.lock().take()?;
        let sender = {
            let mut buffer = self.buffer.lock();
            buffer.totals.unfinished = unfinished;
            buffer.thread.take()
        };
        drop(sender);
        let ended = thread.join();
        Some(ended.unwrap_or_else(|_| Err(io::Error::other("the thread of the timeline panicked"))))
    }
}

impl Chunk {
    fn of(notes: &[Note]) -> Self {
        let mut chunk = Self::default();
        for note in notes {
            chunk.ends += u64::from(note.is_end());
            note.each_event(|event| chunk.add(event));
        }
        chunk
    }

    fn add(&mut self, event: &Event<'_>) {
        self.text.extend(b",\n");
        // Neither a map with other keys than text nor a writer that fails: so it cannot fail.
        let _ = serde_json::to_writer(&mut self.text, event);
        self.events += 1;
    }

    fn append(&mut self, mut other: Self) {
        self.text.append(&mut other.text);
        self.events += other.events;
        self.ends += other.ends;
    }
}

impl Buffer {
    /// Accepts some events, or leaves them out. Returns what is to be sent to the thread.
    fn add(&mut self, now: u64, chunk: Chunk) -> Option<(Chunk, SyncSender<Chunk>)> {
        if self.thread.is_none() || !self.has_room(now, &chunk) {
            self.leave_out(&chunk);
            return None;
        }
        self.size += chunk.text.len() as u64;
        self.chunk.append(chunk);
        if self.chunk.text.len() < CHUNK {
            return None;
        }
        let thread = self.thread.clone()?;
        Some((std::mem::take(&mut self.chunk), thread))
    }

    fn has_room(&mut self, now: u64, chunk: &Chunk) -> bool {
        if !self.is_cut && self.size + chunk.text.len() as u64 > self.limit {
            self.is_cut = true;
            self.chunk.add(&Event::cut(now));
        }
        !self.is_cut
    }

    fn leave_out(&mut self, chunk: &Chunk) {
        self.totals.left_out_events += chunk.events;
        self.totals.left_out_tasks += chunk.ends;
    }

    fn take(&mut self) -> Chunk {
        let chunk = std::mem::take(&mut self.chunk);
        self.totals.tasks += chunk.ends;
        chunk
    }
}

/// Writes the trace, on the thread.
fn write(
    mut writer: impl Write,
    chunks: &Receiver<Chunk>,
    buffer: &Lock<Buffer>,
) -> io::Result<Totals> {
    let begin = serde_json::to_vec(&Event::begin())?;
    writer.write_all(b"[\n")?;
    writer.write_all(&begin)?;
    let mut tasks = 0;
    loop {
        match chunks.recv_timeout(FLUSH) {
            Ok(chunk) => {
                writer.write_all(&chunk.text)?;
                tasks += chunk.ends;
            }
            Err(RecvTimeoutError::Timeout) => {
                let chunk = buffer.lock().take();
                writer.write_all(&chunk.text)?;
                writer.flush()?;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let (mut rest, mut totals) = {
        let mut buffer = buffer.lock();
        (buffer.take(), buffer.totals)
    };
    totals.tasks += tasks;
    rest.add(&Event::end(totals));
    writer.write_all(&rest.text)?;
    writer.write_all(b"\n]\n")?;
    writer.flush()?;
    Ok(totals)
}
