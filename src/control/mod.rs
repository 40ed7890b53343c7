//! Remote control of a running pool: a server on a TCP or Unix socket, and a client.
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
//! A client that can connect can stop the work of the program. For this reason, only the owner of a Unix socket can
//! connect to it (mode 0600, unless [`mode`](Builder::mode) sets another one), TCP listens on loopback unless there is
//! a [token](Builder::token), and a client can only start work that the program has [registered](Builder::command) by
//! name. With [`read_only`](Builder::read_only), clients can read but change nothing. [`audit`](Builder::audit) reports
//! which client has sent which line.
//!
//! Loopback gives no protection from the other users of the same machine: every local user can connect to a port there.
//! On a machine with other users, use a Unix socket or a token.
//!
//! Nothing is encrypted, not even the token. From another machine, connect through SSH to a socket or a port that is
//! served locally:
//!
//! ```sh
//! ssh -N -L /tmp/app.sock:/run/app.sock app.example &      # then: aiopool unix /tmp/app.sock
//! ssh -N -L 7007:127.0.0.1:7007 app.example &              # then: aiopool tcp 127.0.0.1:7007
//! ```
//!
//! # Clients
//!
//! The program `aiopool` (feature `cli`) is a client for people. [`Client`] is one for programs in Rust; it blocks. The
//! module [`protocol`] has commands and replies as values, for clients on other sockets.
//!
//! # The wire protocol
//!
//! The protocol is that of asyncio-taskpool 1.1.4, and the client of that package can use this server. All text is
//! UTF-8, in lines that end with `\n` (a `\r` before it is removed). The server answers requests in order, each
//! once; a client may send several requests without waiting.
//!
//! ```text
//! session   = handshake *( line reply )
//! handshake = object             the client's first line: a JSON object with these keys, all optional:
//!               "terminal_width"   the width of help texts, a number; the default is 80
//!               "format"           "text" (the default) or "json"
//!               "token"            required if the server has a token
//!             title              the server's answer: SimpleTaskPool-{name} or AioPool-{name}
//!
//! line      = [ word *( blank word ) ]
//! word      = unquoted | quoted | nested
//! unquoted  = begins with any other character, and extends to the next blank
//! quoted    = "…" or '…', with \" \' \\ \n \t \r inside; a blank or the end of the line follows
//! nested    = begins with [ ( or {, extends to the bracket that closes it, with all blanks and quoted texts inside,
//!             and from there to the next blank
//! blank     = 1*( space | tab )
//!
//! command   = name *( option | argument )     options and arguments in any order
//! option    = -x VALUE | -xVALUE | --long VALUE | --long=VALUE, or a flag without a VALUE
//!             --long may be shortened as long as it is unambiguous; after -- there are only arguments;
//!             -1 is an argument, as no option is a digit; a VALUE that looks like an option has to be attached
//!             every command accepts -h and --help, which are also commands of their own
//! value     = JSON, or the Python notation for the same: True, False, None, 'text', (1, 2)
//! ```
//!
//! Commands that read are allowed on every server; commands that change something are refused on a
//! [read-only](Builder::read_only) server.
//!
//! | command | answer | |
//! |---|---|---|
//! | `pool-size [N]` | `10`, `inf`; with N `ok` | reads; with N changes |
//! | `is-full`, `is-locked` | `True` or `False` | reads |
//! | `num-running`, `num-cancelled`, `num-ended` | `3` | reads |
//! | `get-group-ids [NAME …]` | `{0, 1, 2}`, `set()` | reads |
//! | `until-closed` | `True`, when the pool is closed and empty | reads |
//! | `lock`, `unlock` | `ok` | changes |
//! | `cancel [ID …] [-m MSG]` | `ok`: all of these tasks, or none | changes |
//! | `cancel-group NAME [-m MSG]`, `cancel-all [-m MSG]` | `ok` | changes |
//! | `flush [-r]` | `ok`: `num-ended` starts again at 0 | changes |
//! | `gather-and-close [-r]` | `ok`, when the pool is closed and empty | changes |
//! | `functions` | a table of the registered work | reads, `AioPool` only |
//! | `func-name` | `work` | reads, `SimpleTaskPool` only |
//! | `start NUM` | `start-group-0` | changes, `SimpleTaskPool` only |
//! | `stop NUM`, `stop-all` | `[2, 1]`: the active tasks that were stopped, newest first | changes, `SimpleTaskPool` only |
//! | `apply NAME [-a ARGS] [-k KWARGS] [-n NUM] [-g GROUP] [-e NAME] [-c NAME]` | `apply-{NAME}-group-0` | changes, `AioPool` only |
//! | `map NAME ITEMS [-n NUM] [-g GROUP] [-e NAME] [-c NAME]` | `map-{NAME}-group-0` | changes, `AioPool` only |
//! | `starmap NAME LISTS …`, `doublestarmap NAME OBJECTS …` | `starmap-{NAME}-group-0` | changes, `AioPool` only |
//! | `resize NUM [-g GROUP]` | `ok` | changes |
//! | `pause [-g GROUP]`, `resume [-g GROUP]` | `ok` | changes |
//! | `stats [-g GROUP]` | one line: `name=demo size=10 active=3 …` | reads |
//! | `tasks [-g GROUP] [-n NUM] [-s STATE]` | a table of the first tasks by number, at most NUM (1000) lines | reads |
//! | `groups [-n NUM]` | a table, at most NUM (1000) lines | reads |
//! | `tree [-n NUM]` | a table of the NUM (1000) groups with the most tasks, each below the group that it is in | reads |
//! | `times [-g GROUP] [-n NUM]` | two tables: percentiles of waiting and running, and the NUM (10) tasks that have run, and the NUM that have waited, longest | reads |
//! | `watch [-g GROUP] [-i SECONDS]` | a stream of `stats`, one every SECONDS (1) | reads |
//!
//! **Replies as text.** A reply is one line: `ok`, the value in Python notation, or an error message. Help, wrong usage
//! and tables have several lines and end with an empty line, the only one in them. Help and wrong usage begin with
//! `usage:`; wrong usage has, after the usage, a line `{command}: error: {what}`. A table begins with the names of its
//! columns.
//!
//! **Replies as JSON.** Each reply is one line, an object with one key, beginning with the answer to the handshake:
//!
//! ```text
//! {"ok":null}                 done                     {"ok":"start-group-0"}   a name
//! {"ok":3}                    a count, a size          {"ok":"inf"}             an unbounded size
//! {"ok":true}                 yes or no                {"ok":[0,1,2]}           numbers of tasks
//! {"ok":{"help":"usage: …"}}  help                     {"ok":["greet"]}         names of registered work
//! {"ok":{"name":…,"size":…,"active":…,"waiting":…,"paused":…,"locked":…,"full":…,"submitted":…,"started":…,
//!        "completed":…,"panicked":…,"cancelled":…,"timed_out":…,"rejected":…}}                    stats
//! {"ok":{"tasks":[{"id":…,"name":…,"group":…,"state":"active"|"waiting","priority":…,"weight":…,
//!        "waited":…,"running":…}],"more":…}}            tasks; seconds, or null if the pool is not timed
//! {"ok":[{"name":…,"size":…,"active":…,"waiting":…,"paused":…,"locked":…}]}                        groups
//! {"ok":[…],"more":3}                                    groups, if the list is cut: at least 3 more exist
//! {"ok":{"groups":[{"depth":…,"name":…,"size":…,"active":…,"waiting":…,"paused":…,"locked":…}],"more":…}}   tree
//! {"ok":{"timed":…,"lacks_permits":…,"in_place":…,"waiting":{"count":…,"p50":…,"p90":…,"p99":…,"longest":…},
//!        "running":{…},"longest_waiting":[…],"longest_running":[…]}}     times; the lists as for tasks
//! {"error":{"kind":"usage","message":"argument num: …","usage":"usage: start [-h] num"}}
//! {"error":{"kind":…,"message":…}}
//! ```
//!
//! The kinds of errors of commands are: `usage`, `closed` (the pool takes no new tasks), `no-runtime` (the pool has no
//! runtime yet), `size`, `not-found`, `finished`, `cancelled` (the task was cancelled before), `exists`, `too-many`,
//! `panicked` and `read-only`. The kinds of errors of the connection are: `handshake`, `token`, `busy` (the maximum
//! number of sessions is reached, or a newer client has taken the reserved session), `idle`, `line-too-long` and `not-utf-8`. After
//! `handshake`, `token`, `busy` and `idle` the server closes the connection; as text, these four read `error: …`.
//!
//! A group that a client has paused exists and is paused until a client or the program resumes it, or the server ends, even
//! if the program has no handle of it.
//!
//! **`tree`** lists the groups with the most tasks, active and waiting. Each comes before the groups inside of it, and of those
//! inside of the same group the one with the most tasks comes first. `depth` is the number of groups around a group; as
//! text, the name has two more spaces in front for each of them. The groups that `start` has made have no group around
//! them.
//!
//! **`times`** goes through all tasks once, and tells how long those that have not started have waited until now, and how
//! long the others have run until now. A pool keeps no times of tasks that have ended. If it is not
//! [timed](crate::Builder::timed), and has no observer, all times are null, and the tasks with the lowest numbers are listed
//! as the longest. A percentile may be up to 4 % more than the exact one. A task that has lent its permit counts as running. Each
//! task is told as it was when the pass met it, and may have ended since.
//! `lacks_permits` tells if anything waits for nothing but permits: no pause, no hold and no rate keeps it back. `in_place`
//! is the number of permits that code [in place](crate::AioPool::run) holds. Together with `stats`, they tell a pool that is
//! stuck from one that has to wait: nothing ends for long, although something waits that only lacks permits, and all
//! permits are held by tasks, whose ends are counted.
//!
//! The size of an answer is bounded, whatever the pool holds: a list of tasks or groups has at most 10000
//! lines, or 1000 for `times`, and that of tasks or of a tree about 2 MiB; `get-group-ids` lists at most 100000 numbers. A client is disconnected if it
//! takes nothing for 10 seconds of an answer of more than 64 KiB. While a command goes through all tasks, the other work of the runtime continues.
//!
//! The memory that a session uses is bounded, too: it holds the one answer that its client has not read yet, and reads
//! at most one [line](Builder::max_line) ahead. Until an answer is ready, and while it waits for the client to read it,
//! no other command of this client is executed.
//!
//! A connection is a session from its handshake on, if its token is right. Before the handshake, and while it ends, the
//! connection is pending. There may be as many pending connections as sessions, but at least 16 and at most 256: when
//! one more connection comes, the oldest pending one is closed at once. So connections that send nothing do not keep
//! others out, and the server never has more descriptors than [`max_sessions`](Builder::max_sessions) and the maximum
//! number of pending connections; one more for the connection that is being accepted, and with a token one more for the
//! session that is reserved for the newest client. If the program has fewer descriptors and the system refuses another
//! one, the older half of the pending connections is closed, and from then on there are never more of them than the
//! other half, or 16. Set [`max_sessions`](Builder::max_sessions) so that the program has enough descriptors for its own
//! files, too. A wrong token is answered after half a second, and [counted](ControlServer::wrong_tokens).
//!
//! A client that has closed its half of the connection still gets its answers, each if the command takes no more than a
//! minute, or the idle timeout if that is shorter. Such a client no longer counts as a session, and its `watch` and
//! `until-closed` end at once.
//!
//! `waiting` counts the tasks in the queue and the tasks that a [feed](crate::AioPool::feed) has yet to put there. The
//! feed may be one of the program, or one that `apply`, `map`, `starmap` or `doublestarmap` has started. For a feed,
//! the lower bound of the [`size_hint`](Iterator::size_hint) of its iterator is counted; an endless feed counts as one
//! task.
//!
//! **`watch`** answers with one `stats` per line, the first at once, until the client sends its next line. Then the
//! server answers `ok` (`{"ok":null}`), and the line, unless it is empty, is executed as any other command. An empty
//! line at any other time is wrong usage, and is answered as such.
//!
//! **Differences from 1.1.4**: `pool-size` is the capacity, not the free part of it, and refuses invalid sizes; words
//! can be quoted; help contains no empty line; work is named, not imported, and so are the callbacks of `-e` and `-c`;
//! the message of `-m` has no effect; `unlock` also opens a pool that was gathered. In a
//! [`SimpleTaskPool`](crate::SimpleTaskPool) a task has its number as soon as it begins to wait: if it is stopped
//! before it runs, its number is used up.

mod client;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod net;
pub mod protocol;
mod steer;
mod timer;

pub use self::client::{Client, ClientBuilder, ClientError, LineSender};
pub use self::net::{Address, AuditEvent, Builder, ControlServer, ListeningSocket, Peer, Serving};
#[cfg(all(test, aiopool_shuttle))]
pub(crate) use self::net::{Connection, Network};
pub use self::protocol::quote;
#[cfg(all(test, any(aiopool_loom, aiopool_shuttle)))]
pub(crate) use self::steer::CallbackQueue;
pub use self::steer::Target;
