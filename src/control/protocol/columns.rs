use std::fmt::Write;

/// Maximum width that a cell gives to its column. A wider cell moves the rest of its own line, but makes no other line
/// longer.
const WIDEST: usize = 60;

/// Maximum number of groups around a group for which its name is moved to the right.
const DEEPEST: usize = 20;

/// Lays out rows as columns, one line for each row, as the server does in its text format.
///
/// All rows should have as many cells as the first, which usually has the names of the columns. Cells should contain no
/// control characters.
///
/// # Examples
///
/// ```
/// use aiopool::control::protocol::columns;
///
/// let rows = [["id", "name"], ["0", "a"], ["10", "long one"]].map(|row| row.map(String::from).into());
/// assert_eq!(columns(&rows), "id  name\n0   a\n10  long one\n");
/// ```
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widths = cells.map(|cell| cell.chars().count());
        widths.max().unwrap_or(0).min(WIDEST)
    };
    let widths: Vec<_> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(&widths) {
            _ = write!(text, "{cell:width$}  ");
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

/// Moves the name of a group to the right: two spaces for each group around it, as the server does in its text format.
/// Beyond 20 groups, a name is moved no further, so the length of the text does not depend on what a server says.
///
/// # Examples
///
/// ```
/// use aiopool::control::protocol::indented;
///
/// assert_eq!(indented("pages", 1), "  pages");
/// assert_eq!(indented("pages", usize::MAX), indented("pages", 20));
/// ```
pub fn indented(name: &str, depth: usize) -> String {
    "  ".repeat(depth.min(DEEPEST)) + name
}
