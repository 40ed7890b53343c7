//! `aiopool timeline`: turns a trace of `TimelineObserver` into a page.
//!
//! `trace` reads the file, `run` sorts its events into columns, and `page` writes them into a page. The files of the page are
//! in the folder `page`: they load nothing, and use no library.

mod page;
mod run;
mod trace;

use std::io::{self, BufWriter, IsTerminal};
use std::path::Path;

use self::run::Run;
use crate::failure::Failure;

/// Writes the page of the run in this file to standard output.
pub(crate) fn run(path: &Path) -> Result<(), Failure> {
    let trace = trace::read(path)?;
    let out = io::stdout();
    if out.is_terminal() {
        let advice = "the page is for a browser: write it to a file, as with > run.html";
        return Err(Failure::Input(advice.into()));
    }
    let title = path.file_stem().unwrap_or(path.as_os_str());
    page::write(
        BufWriter::new(out.lock()),
        &title.to_string_lossy(),
        &Run::of(trace),
    )?;
    Ok(())
}
