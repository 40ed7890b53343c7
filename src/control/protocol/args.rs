use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::syntax::{Argument, Count, Switch, ValueKind};
use super::value::value;

/// The options and arguments of a command, read according to its syntax.
#[derive(Debug, Default)]
pub(super) struct Args(BTreeMap<&'static str, Vec<Argued>>);

#[derive(Debug)]
enum Argued {
    Text(String),
    Number(i64),
    Seconds(Duration),
    Value(Value),
    Flag,
}

/// Why there are no arguments: the client asked for help, or made an error, with a message.
#[derive(Debug, PartialEq)]
pub(super) enum ArgError {
    Help,
    Wrong(String),
}

impl Args {
    /// Reads the words that follow the name of a command with these arguments and options.
    pub(super) fn read(
        arguments: &[Argument],
        switches: &[Switch],
        words: &[String],
    ) -> Result<Self, ArgError> {
        let mut args = Self::default();
        let mut plain = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.strip_prefix("--") {
                Some("") => plain.extend(words.by_ref()),
                Some(long) => args.long(switches, long, &mut words)?,
                None if is_option(word) => args.short(switches, word, &mut words)?,
                None => plain.push(word),
            }
        }
        args.assign(arguments, &plain)?;
        Ok(args)
    }

    fn long<'w>(
        &mut self,
        switches: &[Switch],
        word: &str,
        words: &mut impl Iterator<Item = &'w String>,
    ) -> Result<(), ArgError> {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let switch = match_long(switches, name)?;
        self.switch(switch, attached, words)
    }

    fn short<'w>(
        &mut self,
        switches: &[Switch],
        word: &str,
        words: &mut impl Iterator<Item = &'w String>,
    ) -> Result<(), ArgError> {
        let mut letters = word.chars();
        let letter = letters.nth(1);
        if letter == Some('h') {
            return Err(ArgError::Help);
        }
        let mut known = switches.iter();
        let switch = known.find(|switch| switch.short.chars().nth(1) == letter);
        let switch = switch.ok_or_else(|| unknown(word))?;
        let attached = letters.as_str();
        self.switch(
            switch,
            Some(attached).filter(|rest| !rest.is_empty()),
            words,
        )
    }

    fn switch<'w>(
        &mut self,
        switch: &Switch,
        attached: Option<&str>,
        words: &mut impl Iterator<Item = &'w String>,
    ) -> Result<(), ArgError> {
        let argued = match (switch.takes, attached) {
            (None, None) => Argued::Flag,
            (None, Some(_)) => return Err(wrong(&switch.title(), "it takes no value")),
            (Some((_, kind)), Some(word)) => read(kind, &switch.title(), word)?,
            (Some((_, kind)), None) => {
                let next = words.next().filter(|word| !is_option(word));
                let word = next.ok_or_else(|| wrong(&switch.title(), "a value has to follow"))?;
                read(kind, &switch.title(), word)?
            }
        };
        self.0.insert(switch.long, vec![argued]);
        Ok(())
    }

    /// Assigns the words that belong to no option to the positional arguments, in order.
    fn assign(&mut self, arguments: &[Argument], plain: &[&String]) -> Result<(), ArgError> {
        let mut plain = plain.iter();
        let mut missing = Vec::new();
        for argument in arguments {
            let most = match argument.count {
                Count::One | Count::Maybe => 1,
                Count::Many => usize::MAX,
            };
            let read = plain.by_ref().take(most);
            let read: Result<Vec<_>, _> = read.map(|word| read_argument(argument, word)).collect();
            let read = read?;
            if argument.count == Count::One && read.is_empty() {
                missing.push(argument.name);
            }
            self.0.insert(argument.name, read);
        }
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(ArgError::Wrong(format!("missing arguments: {missing}")));
        }
        match plain.next() {
            None => Ok(()),
            Some(word) => Err(ArgError::Wrong(format!("one argument too many: {word:?}"))),
        }
    }

    fn take(&mut self, name: &str) -> Option<Argued> {
        self.0.get_mut(name)?.pop()
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Argued::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        let mut texts: Vec<_> = std::iter::from_fn(|| self.text(name)).collect();
        texts.reverse();
        texts
    }

    pub(super) fn number(&mut self, name: &str) -> Option<i64> {
        match self.take(name)? {
            Argued::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn numbers(&mut self, name: &str) -> Vec<i64> {
        let mut numbers: Vec<_> = std::iter::from_fn(|| self.number(name)).collect();
        numbers.reverse();
        numbers
    }

    pub(super) fn seconds(&mut self, name: &str) -> Option<Duration> {
        match self.take(name)? {
            Argued::Seconds(seconds) => Some(seconds),
            _ => None,
        }
    }

    pub(super) fn value(&mut self, name: &str) -> Option<Value> {
        match self.take(name)? {
            Argued::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// Returns `true` for `-x` and `--long`, but not for `-` and `-1`.
pub(super) fn is_option(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next() == Some('-')
        && letters
            .next()
            .is_some_and(|c| c.is_alphabetic() || c == '-')
}

fn match_long<'s>(switches: &'s [Switch], name: &str) -> Result<&'s Switch, ArgError> {
    let begun: Vec<_> = switches
        .iter()
        .filter(|s| s.long.starts_with(name))
        .collect();
    let helps = "help".starts_with(name);
    match (&begun[..], helps) {
        ([], true) => Err(ArgError::Help),
        ([], false) => Err(unknown(&format!("--{name}"))),
        ([only], false) => Ok(only),
        (several, _) => match several.iter().find(|switch| switch.long == name) {
            Some(exact) => Ok(exact),
            None => Err(wrong(
                &format!("--{name}"),
                "it may stand for several options",
            )),
        },
    }
}

fn unknown(word: &str) -> ArgError {
    ArgError::Wrong(format!("there is no such option: {word}"))
}

fn wrong(title: &str, what: &str) -> ArgError {
    ArgError::Wrong(format!("argument {title}: {what}"))
}

fn read_argument(argument: &Argument, word: &str) -> Result<Argued, ArgError> {
    read(argument.kind, argument.name, word)
}

fn read(kind: ValueKind, title: &str, word: &str) -> Result<Argued, ArgError> {
    match kind {
        ValueKind::Text => Ok(Argued::Text(word.to_owned())),
        ValueKind::Number => match word.trim().parse() {
            Ok(number) => Ok(Argued::Number(number)),
            Err(_) => Err(wrong(title, &format!("{word:?} is no whole number"))),
        },
        ValueKind::Seconds => match seconds(word) {
            Some(seconds) => Ok(Argued::Seconds(seconds)),
            None => Err(wrong(title, &format!("{word:?} is no number of seconds"))),
        },
        ValueKind::Value => match value(word) {
            Ok(value) => Ok(Argued::Value(value)),
            Err(what) => Err(wrong(title, &what)),
        },
    }
}

/// Reads a number of seconds, from a tenth of a second to a day.
fn seconds(word: &str) -> Option<Duration> {
    let seconds: f64 = word.trim().parse().ok()?;
    (0.1..=86_400.0)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
}
