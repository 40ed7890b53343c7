//! The parts that take one line each: the title, the counts, the times, the totals, the note.

use std::iter;
use std::time::Duration;

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::figures::{age, rate, span};
use super::theme::Theme;
use crate::top::longest::Lack;
use crate::top::model::{Mode, Model, Question, View};
use crate::top::stats::Stats;

/// Width from which on the title says how long the pool has been watched.
const WITH_WATCH: u16 = 50;

/// Width from which on there is room for means beside the percentiles.
const WITH_MEAN: u16 = 74;

/// Shows the pool, whether it is stuck, paused or locked, and how long it has been watched; without news, also since when.
pub(super) fn title(model: &Model, width: u16, theme: Theme) -> Line<'static> {
    let left = format!(" {} at {}", model.server, model.address);
    let mut right = String::new();
    match model.silence() {
        _ if model.lost.is_some() => right += "NO CONNECTION  ",
        Some(silence) => right += &format!("no news for {}  ", span(silence)),
        None => {}
    }
    for (is_so, word) in [
        (model.stats.paused, "PAUSED  "),
        (model.stats.locked, "LOCKED  "),
    ] {
        if is_so {
            right += word;
        }
    }
    right += &match model.lost {
        Some(_) => format!("as of {} ago ", span(model.age())),
        None if width < WITH_WATCH => String::new(),
        None => format!("watched for {} ", span(model.now)),
    };
    let stuck = model
        .stuck()
        .map(|quiet| format!(" STUCK for {} ", span(quiet)));
    let stuck = Span::styled(stuck.unwrap_or_default(), theme.bad());
    let taken = Span::raw(right.as_str()).width() + stuck.width();
    let room = usize::from(width).saturating_sub(taken);
    let left = cut(&left, room.saturating_sub(1));
    let gap = room.saturating_sub(Span::raw(left.as_str()).width());
    let left = left + &" ".repeat(gap);
    Line::from_iter([Span::raw(left), stuck, Span::raw(right)]).style(Modifier::REVERSED)
}

/// Returns the beginning of a text, as long as it has at most `width` columns.
fn cut(text: &str, width: usize) -> String {
    let mut begin = String::new();
    for c in text.chars() {
        begin.push(c);
        if Span::raw(begin.as_str()).width() > width {
            begin.pop();
            break;
        }
    }
    begin
}

/// Shows how long tasks wait and run.
pub(super) fn times(model: &Model, width: u16) -> [Line<'static>; 2] {
    [false, true].map(|of_running| Line::raw(times_of(model, of_running, width)))
}

fn times_of(model: &Model, of_running: bool, width: u16) -> String {
    let (name, mean) = match of_running {
        true => ("run", model.history.mean_run()),
        false => ("wait", model.history.mean_wait()),
    };
    let mean = mean.map_or("-".into(), |mean| format!("~{}", span(mean)));
    let longest = model.longest.age(of_running, &model.tasks);
    let longest = longest.map_or("-".into(), age);
    let mean = match width >= WITH_MEAN {
        true => format!("mean {mean:9}"),
        false => String::new(),
    };
    let begin = format!(" {name:6}{mean}longest {longest:9}");
    let spread = match model.longest.spread(of_running) {
        Ok(spread) => spread,
        Err(lack) => return begin + reason(lack, of_running),
    };
    let told = |time: Option<Duration>| time.map_or("-".into(), span);
    let [p50, p90, p99] = [spread.p50, spread.p90, spread.p99].map(told);
    format!("{begin}p50 {p50:8}p90 {p90:8}p99 {p99}")
}

/// Says in two lines why there are no percentiles.
fn reason(lack: Lack, is_second: bool) -> &'static str {
    match (lack, is_second) {
        (Lack::NotTimed, false) => "the pool keeps no times:",
        (Lack::NotTimed, true) => "build it with timed(true)",
        (Lack::OlderServer, false) => "the server is older:",
        (Lack::OlderServer, true) => "it knows no percentiles",
        (Lack::NotAsked, _) => "",
    }
}

/// Shows the counts in one line, where there is no room for curves.
pub(super) fn counts(model: &Model) -> Line<'static> {
    let stats = &model.stats;
    let size = stats.size.map(|size| format!(" of {size}"));
    let ended = model.history.throughput().map_or("-".into(), rate);
    Line::raw(format!(
        " {}{} active, {} wait, {ended}",
        stats.active,
        size.unwrap_or_default(),
        stats.waiting,
    ))
}

/// Shows the counts of ended tasks by outcome.
pub(super) fn totals(stats: &Stats, theme: Theme) -> Line<'static> {
    let bad = [
        ("cancelled", stats.cancelled),
        ("panicked", stats.panicked),
        ("timed out", stats.timed_out),
        ("rejected", stats.rejected),
        ("refused", stats.refused),
    ];
    let completed = Span::raw(format!(" completed {} ", stats.completed));
    let bad = bad.map(|(name, count)| {
        let style = if count > 0 {
            theme.fore(Color::Red)
        } else {
            Style::new()
        };
        Span::styled(format!(" {name} {count} "), style)
    });
    Line::from_iter(iter::once(completed).chain(bad))
}

/// Shows the open question, the size that is being typed, the result of the last command, why there is no connection, or
/// that the pool is stuck; else the position of the selection in the list, and the names of all lists.
pub(super) fn note(model: &Model, width: u16, theme: Theme) -> Line<'static> {
    let text = match (&model.mode, &model.note, &model.lost) {
        (Mode::Asking(question), ..) => Span::styled(ask(question, model), theme.bad()),
        (Mode::Typing { group, digits }, ..) => {
            let of = group.as_ref().map(|name| format!(" of the group {name}"));
            let of = of.unwrap_or_default();
            Span::styled(format!(" New size{of}: {digits}_"), Modifier::BOLD)
        }
        (_, Some(note), _) if note.bad => Span::styled(format!(" {}", note.text), theme.bad()),
        (_, Some(note), _) => Span::raw(format!(" {}", note.text)),
        (_, None, Some(why)) => Span::styled(format!(" trying again: {why}"), theme.bad()),
        (_, None, None) => match hint(model) {
            Some(hint) => Span::styled(hint, theme.bad()),
            None => return with_views(place(model), model.view, width),
        },
    };
    text.into()
}

/// Says what to look at in a pool that is stuck.
fn hint(model: &Model) -> Option<String> {
    model.stuck().filter(|_| model.view != View::Running)?;
    let waiting = model.stats.waiting;
    Some(format!(
        " 2 shows what holds the permits: nothing ends, and {waiting} wait"
    ))
}

/// Returns the position of the selection in the list that is shown.
fn place(model: &Model) -> String {
    let Some(tasks) = model.shown_tasks() else {
        let groups = &model.groups;
        return match (groups.listed.len(), groups.more) {
            (0, _) => " no groups".into(),
            (listed, 0) => format!(" {} of {listed} groups", groups.selected + 1),
            (listed, more) => format!(
                " {} of {listed} groups, and {more} more",
                groups.selected + 1
            ),
        };
    };
    let kind = match model.view {
        View::Running => "running ",
        View::Waiting => "waiting ",
        View::Tasks | View::Groups => "",
    };
    match tasks.listed.len() as u64 {
        0 => format!(" no {kind}tasks"),
        listed => {
            let all = listed + tasks.more;
            format!(" {} of {all} {kind}tasks", tasks.selected + 1)
        }
    }
}

/// Adds the names of all lists at the right end, if there is room.
fn with_views(left: String, shown: View, width: u16) -> Line<'static> {
    let mut views = Line::default();
    for (number, view) in (1..).zip(View::ALL) {
        let style = match view == shown {
            true => Modifier::REVERSED,
            false => Modifier::empty(),
        };
        views.push_span(Span::styled(format!(" {number} {} ", view.name()), style));
    }
    let left = Span::raw(left);
    let room = usize::from(width).saturating_sub(left.width() + views.width());
    match room {
        0 => left.into(),
        room => Line::from_iter([left, Span::raw(" ".repeat(room))].into_iter().chain(views)),
    }
}

fn ask(question: &Question, model: &Model) -> String {
    match question {
        Question::Cancel { id, name } => format!(" Cancel task {id}, {name}? y/n"),
        Question::CancelGroup(name) => format!(" Cancel all tasks of the group {name}? y/n"),
        Question::CancelAll => {
            let all = model.stats.active + model.stats.waiting;
            format!(" Cancel all {all} tasks? y/n")
        }
    }
}
