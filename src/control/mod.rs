//! Steering a running pool from outside: a server on a TCP or Unix socket.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use aiopool::AioPool;
//! use aiopool::control::ControlServer;
//!
//! let pool = AioPool::new(10);
//! let (server, serving) = ControlServer::builder(&pool).serve_tcp("127.0.0.1:0").await?;
//! tokio::spawn(serving);                     // or any other executor
//! println!("steer it at {}", server.local_addr());
//! // …
//! server.stop().await;                       // ends all sessions, frees the port
//! # Ok::<(), std::io::Error>(())
//! # }).unwrap();
//! ```
//!
//! Who can connect can stop the work of the program. So a Unix socket is for its owner alone (mode 0600, or as
//! [`mode`](Builder::mode) says), TCP listens on loopback unless there is a [token](Builder::token), and no work starts
//! from outside that was not [registered](Builder::command) by name. [`read_only`](Builder::read_only) lets visitors
//! look, and no more. [`audit`](Builder::audit) tells who has sent what.
//!
//! Loopback is no protection from the other users of the same machine: every local user can connect to a port there.
//! Where there are others, use a Unix socket, or a token.
//!
//! Nothing is encrypted, the token neither. From another machine, go through SSH, to a socket or a port that is served
//! locally:
//!
//! ```sh
//! ssh -N -L /tmp/app.sock:/run/app.sock app.example &      # then: aiopool unix /tmp/app.sock
//! ssh -N -L 7007:127.0.0.1:7007 app.example &              # then: aiopool tcp 127.0.0.1:7007
//! ```
//!
//! # The wire
//!
//! It is that of asyncio-taskpool 1.1.4, whose client holds a session with this server. All of it is UTF-8, in
//! lines that end with `\n` (a `\r` before it is taken off). Requests are answered one after the other, each once;
//! a client may send several without waiting.
//!
//! ```text
//! session   = handshake *( line reply )
//! handshake = object             the client's first line: a JSON object, of which these keys count
//!               "terminal_width"   how wide help is to be: a number; else 80
//!               "format"           "text" (which it is otherwise) or "json"
//!               "token"            if the server has one
//!             title              the answer: SimpleTaskPool-{name} or AioPool-{name}
//!
//! line      = [ word *( blank word ) ]
//! word      = plain | quoted | nested
//! plain     = begins with any other character, and goes on to the next blank
//! quoted    = "…" or '…', with \" \' \\ \n \t \r inside; a blank or the line's end follows
//! nested    = begins with [ ( or {, and goes on to the bracket that closes it, with all blanks and texts inside,
//!             and then to the next blank
//! blank     = 1*( space | tab )
//!
//! command   = name *( option | argument )     options and arguments in any order
//! option    = -x VALUE | -xVALUE | --long VALUE | --long=VALUE, or a flag without a VALUE
//!             --long may be shortened as long as it is clear; after -- there are only arguments;
//!             -1 is an argument, as no option is a digit; a VALUE that looks like an option is to be attached
//!             -h and --help go with every command, and alone
//! value     = JSON, or what Python writes for the same: True, False, None, 'text', (1, 2)
//! ```
//!
//! | command | answer | |
//! |---|---|---|
//! | `pool-size [N]` | `10`, `inf`; with N `ok` | looks, steers |
//! | `is-full`, `is-locked` | `True` or `False` | looks |
//! | `num-running`, `num-cancelled`, `num-ended` | `3` | looks |
//! | `get-group-ids [NAME …]` | `{0, 1, 2}`, `set()` | looks |
//! | `until-closed` | `True`, when the pool is closed and empty | looks |
//! | `lock`, `unlock` | `ok` | steers |
//! | `cancel [ID …] [-m MSG]` | `ok`: all of them, or none | steers |
//! | `cancel-group NAME [-m MSG]`, `cancel-all [-m MSG]` | `ok` | steers |
//! | `flush [-r]` | `ok`: `num-ended` begins anew | steers |
//! | `gather-and-close [-r]` | `ok`, when the pool is closed and empty | steers |
//! | `functions` | a table of the registered work | looks, `AioPool` only |
//! | `func-name` | `work` | looks, `SimpleTaskPool` only |
//! | `start NUM` | `start-group-0` | steers, `SimpleTaskPool` only |
//! | `stop NUM`, `stop-all` | `[2, 1]`: the newest that ran, first | steers, `SimpleTaskPool` only |
//! | `apply NAME [-a ARGS] [-k KWARGS] [-n NUM] [-g GROUP] [-e NAME] [-c NAME]` | `apply-{NAME}-group-0` | steers, `AioPool` only |
//! | `map NAME ITEMS [-n NUM] [-g GROUP] [-e NAME] [-c NAME]` | `map-{NAME}-group-0` | steers, `AioPool` only |
//! | `starmap NAME LISTS …`, `doublestarmap NAME OBJECTS …` | `starmap-{NAME}-group-0` | steers, `AioPool` only |
//! | `resize NUM [-g GROUP]` | `ok` | steers |
//! | `pause [-g GROUP]`, `resume [-g GROUP]` | `ok` | steers |
//! | `stats [-g GROUP]` | one line: `name=demo size=10 active=3 …` | looks |
//! | `tasks [-g GROUP] [-n NUM] [-s STATE]` | a table of the first by number, at most NUM (1000) lines of it | looks |
//! | `groups [-n NUM]` | a table, at most NUM (1000) lines of it | looks |
//! | `watch [-g GROUP] [-i SECONDS]` | a stream of `stats`, one every SECONDS (1) | looks |
//!
//! **Replies as text.** One line: `ok`, or the value as Python writes it, or what went wrong. But help, wrong
//! usage and tables are several lines, and end with an empty one, their only one. Help and wrong usage begin with
//! `usage:`; wrong usage has, after the usage, a line `{command}: error: {what}`. A table begins with the names of
//! its columns.
//!
//! **Replies as JSON.** Each is one line, an object with one key, from the handshake's answer on:
//!
//! ```text
//! {"ok":null}                 done                     {"ok":"start-group-0"}   a name
//! {"ok":3}                    a count, a size          {"ok":"inf"}             a size without bound
//! {"ok":true}                 yes or no                {"ok":[0,1,2]}           numbers of tasks
//! {"ok":{"help":"usage: …"}}  help                     {"ok":["greet"]}         names of registered work
//! {"ok":{"name":…,"size":…,"active":…,"waiting":…,"paused":…,"locked":…,"full":…,"submitted":…,"started":…,
//!        "completed":…,"panicked":…,"cancelled":…,"timed_out":…,"rejected":…}}                    stats
//! {"ok":{"tasks":[{"id":…,"name":…,"group":…,"state":"active"|"waiting","priority":…,"weight":…,
//!        "waited":…,"running":…}],"more":…}}            tasks; seconds, or null if the pool is not timed
//! {"ok":[{"name":…,"size":…,"active":…,"waiting":…,"paused":…,"locked":…}]}                        groups, and
//! {"ok":[…],"more":3}                                    where not all are listed, how many more there are at least
//! {"error":{"kind":"usage","message":"argument num: …","usage":"usage: start [-h] num"}}
//! {"error":{"kind":…,"message":…}}
//! ```
//!
//! The kinds: `usage`; `closed` (the pool takes no newcomers), `no-runtime` (the pool has none yet), `size`, `not-found`, `finished`, `cancelled` (before),
//! `exists`, `too-many`, `panicked`, `read-only`; and of the connection `handshake`, `token`, `busy` (as many sessions
//! as there may be, or a newer client has got the seat), `idle`, `line-too-long`, `not-utf-8`. After `handshake`, `token`, `busy` and `idle` the server
//! closes the connection; as text these four read `error: …`.
//!
//! An answer is bounded, whatever the pool holds: a list has at most 10000 lines and about 2 MiB, `get-group-ids` at most
//! 100000 numbers. A client that takes nothing for 10 seconds of an answer of more than 64 KiB is disconnected. Where a command has to go through all tasks, the other work of the runtime goes on meanwhile.
//!
//! So is what a session takes of the program's memory: it holds the one answer that its client has not read yet, and
//! reads no more than a [line](Builder::max_line) ahead. Until then, and while the answer waits for its reader, no other
//! command of this client is carried out.
//!
//! A connection has a seat from its handshake on, if its token is right. Before, and while it ends, it has a place
//! among as many others as there are seats (at least 16, at most 256): where one more comes, the oldest of them is
//! closed at once. So connections that say nothing keep nobody out, and the server never has more than twice as
//! many descriptors as [`max_sessions`](Builder::max_sessions), or those and 256; one more for the connection that
//! is being accepted, and one with a token, for the seat that is then kept for the newest client. Where the program
//! has fewer, and the system refuses another one, the older half of the connections without a seat is closed, and
//! there are never more than the other half again (but 16): set [`max_sessions`](Builder::max_sessions) so that the
//! program has enough for its own files, too. A wrong token is answered after half a second, and
//! [counted](ControlServer::wrong_tokens).
//!
//! A client that has closed its half of the connection is answered to the end, if that takes no more than a
//! minute, or than a session may be idle; but it has no seat any more, and `watch` and `until-closed` end with it.
//!
//! `waiting` counts the tasks in the queue, and those that a [feed](crate::AioPool::feed) has yet to put there: of the
//! program, or begun by `apply`, `map`, `starmap` and `doublestarmap`. A feed tells as many as the
//! [`size_hint`](Iterator::size_hint) of its iterator is sure of; an endless one counts as one task.
//!
//! **`watch`** answers with one `stats` a line, the first at once, until the client sends its next line. Then it
//! answers `ok` (`{"ok":null}`), and the line, unless it is empty, is a command as any other. An empty line at any
//! other time is wrong usage, and is answered as such.
//!
//! **What differs from 1.1.4**: `pool-size` is the capacity, not what is left of it, and refuses nonsense; quoting;
//! help has no empty line inside; work is named, not imported, and so are the callbacks of `-e` and `-c`; the message
//! of `-m` has no effect; `unlock` opens a pool that was gathered, too. In a [`SimpleTaskPool`](crate::SimpleTaskPool) a task
//! has its number from the moment that it begins to wait: stopped before it runs, it has used one up.

mod net;
mod steer;
mod wire;
mod yields;

pub use self::net::{Address, AuditEvent, Builder, ControlServer, ListeningSocket, Peer, Serving};
pub use self::steer::Target;
pub use self::wire::quote;
