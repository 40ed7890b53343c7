use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Map, Number, Value};

/// Maximum nesting depth of values. It bounds the recursion of the reader.
const DEEPEST: usize = 64;

/// Reads a value in JSON, or in the Python notation for the same.
pub(crate) fn value(word: &str) -> Result<Value, String> {
    let mut reader = Reader {
        rest: word.chars().peekable(),
        depth: 0,
    };
    let value = reader.value()?;
    match reader.next_solid() {
        None => Ok(value),
        Some(more) => Err(format!("{more:?} follows after its end")),
    }
}

struct Reader<'w> {
    rest: Peekable<Chars<'w>>,
    depth: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Value, String> {
        match self.next_solid().ok_or("there is no value")? {
            '[' => Ok(Value::Array(self.items(']')?.0)),
            '(' => self.parenthesized(),
            '{' => self.object(),
            quote @ ('"' | '\'') => self.text(quote).map(Value::String),
            first => self.bare(first),
        }
    }

    /// Reads a tuple. Parentheses around one value without a comma are this value, as in Python.
    fn parenthesized(&mut self) -> Result<Value, String> {
        let (mut items, comma) = self.items(')')?;
        match items.pop() {
            Some(only) if items.is_empty() && !comma => Ok(only),
            last => {
                items.extend(last);
                Ok(Value::Array(items))
            }
        }
    }

    /// Reads the values up to `close`. Returns them, and whether there was a comma.
    fn items(&mut self, close: char) -> Result<(Vec<Value>, bool), String> {
        let (mut items, mut comma) = (Vec::new(), false);
        self.deeper()?;
        while !self.closes(close) {
            items.push(self.value()?);
            comma |= self.separated(close)?;
        }
        self.depth -= 1;
        Ok((items, comma))
    }

    fn object(&mut self) -> Result<Value, String> {
        let mut members = Map::new();
        self.deeper()?;
        while !self.closes('}') {
            let key = match self.value()? {
                Value::String(key) => key,
                other => return Err(format!("{other} is no key: a key is a text")),
            };
            if self.next_solid() != Some(':') {
                return Err(format!("no ':' after the key {key:?}"));
            }
            members.insert(key, self.value()?);
            self.separated('}')?;
        }
        self.depth -= 1;
        Ok(Value::Object(members))
    }

    fn text(&mut self, quote: char) -> Result<String, String> {
        let mut text = String::new();
        loop {
            match self.rest.next().ok_or("a text is not closed")? {
                '\\' => text.push(self.escape()?),
                c if c == quote => return Ok(text),
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.rest.next().ok_or("a text is not closed")? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            c @ ('"' | '\'' | '\\' | '/') => c,
            other => return Err(format!("\\{other} stands for nothing")),
        })
    }

    fn unicode(&mut self) -> Result<char, String> {
        let mut code = self.unit()?;
        if (0xD800..0xDC00).contains(&code)
            && self.rest.next_if_eq(&'\\').is_some()
            && self.rest.next_if_eq(&'u').is_some()
        {
            let low = self.unit()?;
            if !(0xDC00..0xE000).contains(&low) {
                return Err(format!(
                    "\\u{code:04x} is no character without its other half"
                ));
            }
            code = 0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        char::from_u32(code).ok_or_else(|| format!("\\u{code:04x} is no character"))
    }

    fn unit(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.rest.next().and_then(|c| c.to_digit(16));
            code = code * 16 + digit.ok_or("four hexadecimal digits have to follow \\u")?;
        }
        Ok(code)
    }

    fn bare(&mut self, first: char) -> Result<Value, String> {
        let mut word = String::from(first);
        while let Some(c) = self
            .rest
            .next_if(|c| c.is_alphanumeric() || "+-._".contains(*c))
        {
            word.push(c);
        }
        match &*word {
            "null" | "None" | "none" => Ok(Value::Null),
            "true" | "True" => Ok(Value::Bool(true)),
            "false" | "False" => Ok(Value::Bool(false)),
            other => other.parse::<Number>().map(Value::Number).map_err(|_| {
                format!("{other:?} is no value: a text stands in quotes, as in '\"{other}\"'")
            }),
        }
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            Err(format!("more than {DEEPEST} brackets inside of each other"))
        } else {
            Ok(())
        }
    }

    fn closes(&mut self, close: char) -> bool {
        self.skip_blanks();
        self.rest.next_if_eq(&close).is_some()
    }

    /// Skips a comma, and returns whether there was one. Without a comma, `close` has to follow.
    fn separated(&mut self, close: char) -> Result<bool, String> {
        self.skip_blanks();
        let comma = self.rest.next_if_eq(&',').is_some();
        if comma || self.rest.peek() == Some(&close) {
            Ok(comma)
        } else {
            Err(format!("neither ',' nor '{close}' after a value"))
        }
    }

    fn next_solid(&mut self) -> Option<char> {
        self.skip_blanks();
        self.rest.next()
    }

    fn skip_blanks(&mut self) {
        while self.rest.next_if(char::is_ascii_whitespace).is_some() {}
    }
}
