//! The dashboard of a fleet: its permits and tasks over time, its workers, and keys to control it.
//!
//! It works as the dashboard of a pool does, with a model of its own, and draws with the same means.

mod feed;
mod keys;
mod model;

use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use aiopool::fleet::FleetPool;
use ratatui::crossterm::event::Event;

pub(super) use self::keys::HELP;
pub(super) use self::model::{Mode, Model, Note, Seen};

use self::feed::Told;
use self::keys::{Effect, Order};
use self::model::Figures;
use super::feed::News;
use super::terminal::Screen;
use super::{Ended, show, theme};
use crate::failure::Failure;
use crate::top::view;

/// How often the server is asked, unless the user says otherwise.
pub(crate) const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);

/// Shows the fleet until a key or a signal ends the dashboard. The connection comes back by itself.
pub(crate) fn run(pool: FleetPool, hosts: String, interval: Duration) -> Result<(), Failure> {
    let mut model = Model::new(pool.name().to_owned(), hosts);
    let (told, heard) = channel();
    let (order, wanted) = channel();
    let news = forwarded(told.clone());
    super::feed::signals(news.clone())?;
    let screen = Screen::take(news.clone())?;
    super::feed::terminal(news);
    feed::server(pool, interval, wanted, told);
    let theme = theme();
    show(
        screen,
        &heard,
        interval,
        &mut model,
        |frame, model| view::fleet::draw(frame, model, theme),
        |model, now, told| {
            model.now = now;
            told.and_then(|told| take(model, told, &order))
        },
    )
}

/// Returns where keys and signals are sent to, in the form that they have for every dashboard.
fn forwarded(told: Sender<Told>) -> Sender<News> {
    let (news, heard) = channel();
    thread::spawn(move || {
        for news in heard {
            let _ = told.send(Told::Screen(news));
        }
    });
    news
}

fn take(model: &mut Model, told: Told, order: &Sender<Order>) -> Option<Ended> {
    match told {
        Told::Screen(News::Terminal(Event::Key(key))) => match keys::press(model, key) {
            Effect::Nothing => {}
            Effect::Send(wanted) => drop(order.send(wanted)),
            Effect::Quit => return Some(Ok(None)),
        },
        Told::Screen(News::Signal(signal)) => return Some(Ok(Some(signal))),
        Told::Screen(News::Failed(failure)) => return Some(Err(failure)),
        Told::Screen(_) => {}
        Told::Pool { stats, workers } => model.update(Figures::of(&stats), workers),
        Told::Lost(why) => model.lost = Some(why),
        Told::Answer { order, refusal } => {
            model.note = Some(Note {
                bad: refusal.is_some(),
                text: match refusal {
                    Some(why) => format!("{order}: {why}"),
                    None => format!("{order}: done"),
                },
            });
        }
    }
    None
}
