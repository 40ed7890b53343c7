//! Converts arguments into one line for the server.

use aiopool::control::protocol::{Format, quote};

/// Joins words into one line from which the server reads the same words.
pub(crate) fn line(words: &[String], format: Format) -> Result<String, &'static str> {
    let needs_quotes = |word: &String| word.is_empty() || word.contains(char::is_whitespace);
    match format {
        Format::Json => Ok(words
            .iter()
            .map(|word| quote(word))
            .collect::<Vec<_>>()
            .join(" ")),
        Format::Text if words.iter().any(needs_quotes) => {
            Err("this server knows no quotes: an argument cannot have spaces, as in ['x','y']")
        }
        Format::Text => Ok(words.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use aiopool::control::protocol::Format;

    use super::line;

    fn sent(words: &[&str], format: Format) -> Option<String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        line(&words, format).ok()
    }

    #[test]
    fn what_the_shell_took_apart_arrives_as_the_same_words() {
        for (words, expected) in [
            (&["resize", "20"][..], "resize 20"),
            (
                &["cancel", "1", "-m", "too slow"],
                r#"cancel 1 -m "too slow""#,
            ),
            (
                &["map", "f", r#"["a b", "c"]"#],
                r#"map f "[\"a b\", \"c\"]""#,
            ),
            (&["apply", "f", "-g", ""], r#"apply f -g """#),
            (&["apply", "f", "-a", "\n\\ "], r#"apply f -a "\n\\ ""#),
            (&["apply", "a\"b"], r#"apply a"b"#),
        ] {
            assert_eq!(sent(words, Format::Json).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_server_without_quotes_gets_no_word_that_needs_them() {
        let words = ["apply", "asyncio.sleep", "-a", "(1,)"];
        assert_eq!(sent(&words, Format::Text), Some(words.join(" ")));
        for word in ["", "(1, 2)", "a\tb", "a\nb"] {
            assert_eq!(sent(&["apply", word], Format::Text), None, "{word:?}");
        }
    }
}
