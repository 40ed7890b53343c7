use std::borrow::Cow;
use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

/// Quotes a word, if necessary, so that the server reads the same word from a line.
///
/// A client builds a line with `words.map(quote)` and a space between the words.
///
/// # Examples
///
/// ```
/// use aiopool::control::quote;
///
/// assert_eq!(quote("start-group-0"), "start-group-0");
/// assert_eq!(quote("my group"), "\"my group\"");
/// ```
pub fn quote(word: &str) -> Cow<'_, str> {
    let bare = !word.is_empty()
        && !word.starts_with(['"', '\'', '[', '(', '{'])
        && !word.contains(|c: char| c == ' ' || c.is_control());
    if bare {
        return Cow::Borrowed(word);
    }
    let mut quoted = String::from('"');
    for c in word.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

/// Why a line cannot be split into words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A quote or bracket is not closed.
    Open(char),
    /// A quoted word is not followed by a blank.
    Glued,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(opening) => write!(f, "this is not closed: {opening}"),
            Self::Glued => f.write_str("a blank has to follow a quoted word"),
        }
    }
}

/// Splits a line into words.
pub(crate) fn split(line: &str) -> Result<Vec<String>, Unreadable> {
    let mut rest = line.chars().peekable();
    let mut words = Vec::new();
    loop {
        while rest.next_if(|c| is_blank(*c)).is_some() {}
        let Some(first) = rest.next() else {
            return Ok(words);
        };
        words.push(match first {
            '"' | '\'' => quoted(first, &mut rest)?,
            '[' | '(' | '{' => nested(first, &mut rest)?,
            other => plain(String::from(other), &mut rest),
        });
    }
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

fn plain(mut word: String, rest: &mut Peekable<Chars<'_>>) -> String {
    while let Some(c) = rest.next_if(|c| !is_blank(*c)) {
        word.push(c);
    }
    word
}

fn quoted(quote: char, rest: &mut Peekable<Chars<'_>>) -> Result<String, Unreadable> {
    let mut word = String::new();
    loop {
        match rest.next().ok_or(Unreadable::Open(quote))? {
            '\\' => word.push(escaped(rest.next().ok_or(Unreadable::Open(quote))?)),
            c if c == quote => break,
            c => word.push(c),
        }
    }
    match rest.peek() {
        Some(next) if !is_blank(*next) => Err(Unreadable::Glued),
        Some(_) | None => Ok(word),
    }
}

fn escaped(c: char) -> char {
    match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        other => other,
    }
}

fn nested(first: char, rest: &mut Peekable<Chars<'_>>) -> Result<String, Unreadable> {
    let mut word = String::from(first);
    let mut open = vec![first];
    while let Some(innermost) = open.last().copied() {
        let c = rest.next().ok_or(Unreadable::Open(innermost))?;
        word.push(c);
        match c {
            '"' | '\'' => text(c, &mut word, rest)?,
            '[' | '(' | '{' => open.push(c),
            ']' | ')' | '}' => _ = open.pop(),
            _ => {}
        }
    }
    Ok(plain(word, rest))
}

/// Copies a quoted text inside of brackets unchanged: the brackets in it do not count.
fn text(quote: char, word: &mut String, rest: &mut Peekable<Chars<'_>>) -> Result<(), Unreadable> {
    loop {
        let c = rest.next().ok_or(Unreadable::Open(quote))?;
        word.push(c);
        match c {
            '\\' => word.push(rest.next().ok_or(Unreadable::Open(quote))?),
            c if c == quote => return Ok(()),
            _ => {}
        }
    }
}
