//! Stores the lines of the prompt from one session to the next.

use std::path::PathBuf;
use std::{env, fs};

use rustyline::history::FileHistory;
use rustyline::{Editor, Helper};

/// Loads the lines of earlier sessions. A history that is missing or cannot be read is no error.
pub(super) fn load(editor: &mut Editor<impl Helper, FileHistory>) {
    if let Some(path) = path() {
        let _ = editor.load_history(&path);
    }
}

/// Appends the new lines to the history, in a file that only its owner can read.
pub(super) fn save(editor: &mut Editor<impl Helper, FileHistory>) {
    let Some(path) = path() else { return };
    if let Some(folder) = path.parent() {
        let _ = fs::create_dir_all(folder);
    }
    let _ = editor.append_history(&path);
}

/// Returns the path of the history: `AIOPOOL_HISTORY`, `None` if that is empty, and by default a path in the system's
/// folder for such data.
fn path() -> Option<PathBuf> {
    let folder = |variable| env::var_os(variable).filter(|value| !value.is_empty());
    match env::var_os("AIOPOOL_HISTORY") {
        Some(path) if path.is_empty() => None,
        Some(path) => Some(path.into()),
        None => folder("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(folder("HOME")?).join(".local/state")))
            .map(|folder| folder.join("aiopool/history")),
    }
}
