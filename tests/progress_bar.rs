//! The feature `indicatif`: what a terminal shows of a pool that is drawn on a bar.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aiopool::AioPool;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle, TermLike};
use tokio::join;

/// A terminal of one line, as far as a bar of one line needs it, which keeps all that has been drawn.
#[derive(Clone, Debug, Default)]
struct Terminal(Arc<Mutex<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    line: String,
    /// Each different line that the terminal has shown.
    lines: Vec<String>,
}

impl Terminal {
    fn bar(&self) -> ProgressBar {
        let target = ProgressDrawTarget::term_like(Box::new(self.clone()));
        let style = ProgressStyle::with_template("{pos}/{len} {eta} {msg}").unwrap();
        ProgressBar::with_draw_target(None, target).with_style(style)
    }

    /// Returns what is on the screen.
    fn line(&self) -> String {
        self.0.lock().unwrap().line.trim_end().to_owned()
    }

    /// Returns everything that was on the screen.
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().lines.clone()
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        80
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().line.push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.lock().unwrap().line.clear();
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut shown = self.0.lock().unwrap();
        let line = shown.line.trim_end().to_owned();
        if !line.is_empty() && shown.lines.last() != Some(&line) {
            shown.lines.push(line);
        }
        Ok(())
    }
}

const TICK: Duration = Duration::from_millis(5);

#[tokio::test]
async fn the_bar_shows_the_counts_and_the_time_left_and_goes_at_the_end() {
    let (terminal, pool) = (Terminal::default(), AioPool::new(2));
    let bar = terminal.bar();
    let progress = pool.progress().total(40).every(TICK);
    let work = pool.map(0..40, |_| tokio::time::sleep(2 * TICK));
    let (_, last) = join!(work, progress.draw_on(bar.clone()));
    assert_eq!(
        (last.done, bar.position(), bar.length()),
        (40, 40, Some(40))
    );
    assert!(bar.is_finished());
    assert_eq!(terminal.line(), "");
    let lines = terminal.lines();
    // Such as: 7/40 0s 2 active, 1 waiting
    let is_amid = |line: &String| line.contains("s 2 active, ") && !line.starts_with("0/40 ");
    assert!(lines.iter().any(is_amid), "{lines:?}");
    assert!(
        !lines.iter().any(|line| line.contains("failed")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn failed_tasks_are_named_and_a_bar_that_is_to_stay_is_left_full() {
    let (terminal, pool) = (Terminal::default(), AioPool::new(2));
    let bar = terminal.bar().with_finish(ProgressFinish::AndLeave);
    let feed = pool.feed(0..3, |n| async move { assert!(n < 1, "as it should") });
    feed.progress_stream().draw_on(bar).await;
    assert_eq!(terminal.line(), "3/3 0s 0 active, 0 waiting, 2 failed");
}

#[tokio::test]
async fn a_bar_whose_total_is_not_reached_stays_where_it_is() {
    let (terminal, pool) = (Terminal::default(), AioPool::new(2));
    let drawing = pool.progress().total(10).draw_on(terminal.bar());
    pool.map_n(0..4, |n| async move { n });
    pool.close();
    let last = drawing.await;
    assert_eq!((last.done, last.total), (4, Some(10)));
    assert!(terminal.line().starts_with("4/10 "), "{}", terminal.line());
}

#[tokio::test]
async fn without_a_total_the_length_of_the_bar_is_left_alone() {
    let (terminal, pool) = (Terminal::default(), AioPool::new(2));
    let (bar, other) = (terminal.bar(), terminal.bar());
    other.set_length(7);
    pool.map_n(0..4, |n| async move { n });
    pool.close();
    join!(
        pool.progress().draw_on(bar.clone()),
        pool.progress().draw_on(other.clone()),
    );
    assert_eq!((bar.length(), other.length()), (None, Some(7)));
    assert!(bar.is_finished() && other.is_finished());
}

#[tokio::test]
async fn a_drawing_that_is_dropped_leaves_the_bar_unfinished() {
    let (terminal, pool) = (Terminal::default(), AioPool::new(2));
    let bar = terminal.bar();
    let drawing = pool.progress().draw_on(bar.clone());
    tokio::select! {
        biased;
        _ = drawing => panic!("the pool is open"),
        () = std::future::ready(()) => {}
    }
    assert!(!bar.is_finished());
}
