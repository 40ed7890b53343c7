//! The parts that take one line each: the title, the times, the totals, the note.

use std::iter;
use std::time::Duration;

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::figures::{age, span};
use super::theme::Theme;
use crate::top::model::{Mode, Model, Question, Stats};

/// Shows the pool, whether it is paused or locked, and how long it has been watched; without news, also since when.
pub(super) fn title(model: &Model, width: u16) -> Line<'static> {
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
        None => format!("watched for {} ", span(model.now)),
    };
    let room = usize::from(width).saturating_sub(right.chars().count());
    let left: String = left.chars().take(room.saturating_sub(1)).collect();
    Line::styled(format!("{left:room$}{right}"), Modifier::REVERSED)
}

/// Shows how long tasks wait and run.
pub(super) fn times(model: &Model) -> Line<'static> {
    let mean = |mean: Option<Duration>| mean.map_or("-".into(), |mean| format!("~{}", span(mean)));
    let longest = |active| model.tasks.longest(active).map_or("-".into(), age);
    Line::raw(format!(
        " wait  mean {}, longest now {}     run  mean {}, longest now {}",
        mean(model.history.mean_wait()),
        longest(false),
        mean(model.history.mean_run()),
        longest(true),
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

/// Shows the open question, the size that is being typed, the result of the last command, or why there is no
/// connection; else the position of the selection in the list.
pub(super) fn note(model: &Model, theme: Theme) -> Line<'static> {
    match (&model.mode, &model.note, &model.lost) {
        (Mode::Asking(question), ..) => Line::styled(ask(question, model), theme.bad()),
        (Mode::Typing(size), ..) => Line::styled(format!(" New size: {size}_"), Modifier::BOLD),
        (_, Some(note), _) if note.bad => Line::styled(format!(" {}", note.text), theme.bad()),
        (_, Some(note), _) => Line::raw(format!(" {}", note.text)),
        (_, None, Some(why)) => Line::styled(format!(" trying again: {why}"), theme.bad()),
        (_, None, None) if model.tasks.listed.is_empty() => Line::raw(" no tasks"),
        (_, None, None) => {
            let all = model.tasks.listed.len() as u64 + model.tasks.more;
            Line::raw(format!(" {} of {all} tasks", model.tasks.selected + 1))
        }
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
