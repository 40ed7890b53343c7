//! A dashboard: the pool over time, its tasks, and keys to control it.
//!
//! Every event arrives in one channel and changes the model, and then the model is drawn:
//!
//! ```text
//!  keys, sizes ─┐
//!  signals ─────┼─▶ News ─▶ Model ─▶ view
//!  server ──────┘             │
//!     ▲                       ▼
//!     └──────── commands ── keys
//! ```
//!
//! Each interval it asks the server for counts and the first tasks, and less often for an overview: the times of all tasks
//! and the tree of groups. A server that does not know the commands for the overview is shown without percentiles, and its
//! groups without their depth.
//!
//! A pool is called stuck if no task has ended for some time, by the counts of the pool, while tasks wait, it is not paused,
//! and, by the overview, something waits for nothing but permits. So a pool that waits for a rate or the end of a hold is not
//! stuck, and neither is one whose permits are held by code in place, too: no count tells when such code ends. Without an
//! overview, all permits have to be taken.

mod count;
mod feed;
#[cfg(feature = "fleet")]
pub(crate) mod fleet;
mod groups;
mod history;
mod keys;
mod longest;
mod mode;
mod model;
mod overview;
mod progress;
mod stats;
mod tasks;
mod terminal;
mod view;

use std::env;
use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use aiopool::control::protocol::Answer;
use ratatui::Frame;
use ratatui::crossterm::event::Event;

use self::feed::News;
use self::keys::Effect;
pub(crate) use self::model::Settings;
use self::model::{Model, Note};
use self::terminal::Screen;
use self::view::Theme;
use crate::connection::Connection;
use crate::failure::{Failure, complain};

/// Maximum time between two drawings, so that the times on the dashboard stay correct.
const LONGEST_STILL: Duration = Duration::from_secs(1);

/// Shows the pool until a key or a signal ends the dashboard. If the connection is lost, it says so, and connects again
/// as soon as there is a server.
pub(crate) fn run(connection: Connection, settings: Settings) -> Result<(), Failure> {
    check_terminal()?;
    feed::check_format(&connection)?;
    let mut model = Model::new(
        connection.server(),
        &connection.address().to_string(),
        settings,
    );
    let (news, heard) = channel();
    let (command, wanted) = channel();
    feed::signals(news.clone())?;
    let screen = Screen::take(news.clone())?;
    feed::terminal(news.clone());
    feed::server(connection, settings.interval, wanted, news);
    let theme = theme();
    show(
        screen,
        &heard,
        settings.interval,
        &mut model,
        |frame, model| view::draw(frame, model, theme),
        |model, now, told| {
            model.now = now;
            told.and_then(|told| take(model, told, &command))
        },
    )
}

/// Draws the model and lets it hear what it is told, again and again, until it says how the dashboard ends.
///
/// It hears of the time also when it is told nothing, so that the dashboard shows how long the server has been silent.
fn show<M, T>(
    mut screen: Screen,
    heard: &Receiver<T>,
    interval: Duration,
    model: &mut M,
    draw: impl Fn(&mut Frame<'_>, &M),
    mut hear: impl FnMut(&mut M, Duration, Option<T>) -> Option<Ended>,
) -> Result<(), Failure> {
    let start = Instant::now();
    let ended = loop {
        screen.terminal.draw(|frame| draw(frame, model))?;
        let told = heard.recv_timeout(interval.min(LONGEST_STILL));
        let is_over = matches!(told, Err(RecvTimeoutError::Disconnected));
        let ended = hear(model, start.elapsed(), told.ok());
        if let Some(ended) = ended.or(is_over.then_some(Ok(None))) {
            break ended;
        }
    };
    drop(screen);
    match ended? {
        Some(signal) => end_by(signal),
        None => Ok(()),
    }
}

/// Fails where there is no terminal to draw on.
pub(crate) fn check_terminal() -> Result<(), Failure> {
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return Ok(());
    }
    complain("a dashboard needs a terminal");
    Err(Failure::Usage)
}

/// Why the dashboard ends: a failure, a signal, or `None` at the user's wish.
type Ended = Result<Option<i32>, Failure>;

fn take(model: &mut Model, told: News, command: &Sender<String>) -> Option<Ended> {
    match told {
        News::Terminal(Event::Key(key)) => match keys::press(model, key) {
            Effect::Nothing => {}
            Effect::Send(wanted) => drop(command.send(wanted)),
            Effect::Quit => return Some(Ok(None)),
        },
        // A resize needs no action: the next drawing asks for the size.
        News::Terminal(_) => {}
        News::Signal(signal) => return Some(Ok(Some(signal))),
        News::Pool { stats, tasks } => model.update(model.now, &stats, &tasks),
        News::Overview { times, tree } => model.update_overview(model.now, times, &tree),
        News::Answer { command, answer } => model.note = Some(note(&command, answer)),
        News::Unanswered { command, why } => {
            let text = format!("{command}: {why}");
            model.note = Some(Note { text, bad: true });
        }
        News::Lost(why) => model.lose(why),
        News::Back(server) => model.regain(server),
        News::Failed(failure) => return Some(Err(failure)),
    }
    None
}

fn note(command: &str, answer: Answer) -> Note {
    let (text, bad) = match answer {
        Answer::Done { .. } => (format!("{command}: done"), false),
        Answer::Refused { refusal } => (format!("{command}: {refusal}"), true),
    };
    Note { text, bad }
}

/// Returns the theme. Colours are off if `NO_COLOR` is set and not empty: see <https://no-color.org>.
fn theme() -> Theme {
    match env::var_os("NO_COLOR") {
        Some(value) if !value.is_empty() => Theme::Plain,
        _ => Theme::Colour,
    }
}

/// Ends the program as the signal would have done if it were not caught. The terminal is restored before.
#[cfg(unix)]
fn end_by(signal: i32) -> Result<(), Failure> {
    Ok(signal_hook::low_level::emulate_default_handler(signal)?)
}

#[cfg(not(unix))]
fn end_by(_: i32) -> Result<(), Failure> {
    Ok(())
}
