//! Reads the token from a place that other users cannot see.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, complain};

/// Reads the token from the first line of a file.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string());
    let token = text.and_then(|text| match text.lines().next() {
        Some(token) if !token.is_empty() => Ok(token.to_owned()),
        _ => Err("it has no first line".into()),
    });
    token.map_err(|error| {
        complain(format_args!("no token from {}: {error}", path.display()));
        Failure::Usage
    })
}
