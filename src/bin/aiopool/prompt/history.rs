//! Where lines are kept from one session to the next.

use std::path::PathBuf;
use std::{env, fs};

use super::Line;

/// Brings back the lines of earlier sessions. That there are none, or that they cannot be read, is no reason to complain.
pub(super) fn load(editor: &mut Line) {
    if let Some(path) = path() {
        let _ = editor.load_history(&path);
    }
}

/// Adds the lines that have come since, in a file that only its owner can read.
pub(super) fn save(editor: &mut Line) {
    let Some(path) = path() else { return };
    if let Some(folder) = path.parent() {
        let _ = fs::create_dir_all(folder);
    }
    let _ = editor.append_history(&path);
}

/// `AIOPOOL_HISTORY`, and nowhere if that is empty; else where the system keeps such things.
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
