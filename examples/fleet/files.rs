//! Finding files, and printing them as GNU `sha256sum` does.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

/// A file, or a place where none can be read, with the reason.
pub(crate) enum Found {
    File(PathBuf),
    Failure(PathBuf, String),
}

/// Finds the regular files at these paths, sorted by their names.
pub(crate) fn sorted(paths: Vec<PathBuf>) -> Vec<Found> {
    let mut found: Vec<Found> = paths.into_iter().flat_map(walk).collect();
    found.sort_by(|one, other| bytes_of(one.path()).cmp(&bytes_of(other.path())));
    found
}

fn walk(root: PathBuf) -> impl Iterator<Item = Found> {
    let steps = WalkDir::new(&root).into_iter();
    steps.filter_map(move |step| match step {
        Ok(entry) => file_of(entry),
        Err(error) => {
            let path = error.path().unwrap_or(&root).to_owned();
            let why = error.io_error().map(ToString::to_string);
            Some(Found::Failure(
                path,
                why.unwrap_or_else(|| error.to_string()),
            ))
        }
    })
}

/// `None` is what a walk passes over.
fn file_of(entry: DirEntry) -> Option<Found> {
    let depth = entry.depth();
    let path = entry.into_path();
    match path.metadata() {
        Ok(what) if what.is_file() => Some(Found::File(path)),
        Ok(what) if depth == 0 && !what.is_dir() => {
            Some(Found::Failure(path, "not a regular file or folder".into()))
        }
        Ok(_) => None,
        Err(error) => Some(Found::Failure(path, error.to_string())),
    }
}

impl Found {
    fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Failure(path, _) => path,
        }
    }

    /// The argument of its task: an absolute path, since a worker may be in another folder.
    pub(crate) fn name(&self) -> Option<OsString> {
        match self {
            Self::File(path) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                Some(path.into_os_string())
            }
            Self::Failure(..) => None,
        }
    }

    /// Its line: a leading backslash says that the name is escaped.
    pub(crate) fn line(&self, digest: &str) -> Vec<u8> {
        let name = bytes_of(self.path());
        let mut escaped = Vec::new();
        for byte in name.iter() {
            match byte {
                b'\\' => escaped.extend(br"\\"),
                b'\n' => escaped.extend(br"\n"),
                b'\r' => escaped.extend(br"\r"),
                byte => escaped.push(*byte),
            }
        }
        let mark: &[u8] = if escaped.len() > name.len() {
            b"\\"
        } else {
            b""
        };
        [mark, digest.as_bytes(), b"  ", &escaped, b"\n"].concat()
    }

    /// One line, whatever the name is made of: like `ls`, it shows control characters as `?`.
    pub(crate) fn shown(&self) -> String {
        let name = self.path().to_string_lossy();
        name.replace(char::is_control, "?")
    }
}

/// The bytes of a name, which need not be UTF-8.
#[cfg(unix)]
fn bytes_of(path: &Path) -> Cow<'_, [u8]> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().into()
}

#[cfg(not(unix))]
fn bytes_of(path: &Path) -> Cow<'_, [u8]> {
    path.to_string_lossy().into_owned().into_bytes().into()
}
