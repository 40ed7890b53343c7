//! Converts arguments into one line for the server.

use aiopool::control::quote;

use crate::connection::Wire;

/// Joins words into one line from which the server reads the same words.
pub(crate) fn line(words: &[String], wire: Wire) -> Result<String, &'static str> {
    let needs_quotes = |word: &String| word.is_empty() || word.contains(char::is_whitespace);
    match wire {
        Wire::Json => Ok(words
            .iter()
            .map(|word| quote(word))
            .collect::<Vec<_>>()
            .join(" ")),
        Wire::Text if words.iter().any(needs_quotes) => {
            Err("this server knows no quotes: an argument cannot have spaces, as in ['x','y']")
        }
        Wire::Text => Ok(words.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::line;
    use crate::connection::Wire;

    fn sent(words: &[&str], wire: Wire) -> Option<String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        line(&words, wire).ok()
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
            assert_eq!(sent(words, Wire::Json).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_server_without_quotes_gets_no_word_that_needs_them() {
        let words = ["apply", "asyncio.sleep", "-a", "(1,)"];
        assert_eq!(sent(&words, Wire::Text), Some(words.join(" ")));
        for word in ["", "(1, 2)", "a\tb", "a\nb"] {
            assert_eq!(sent(&["apply", word], Wire::Text), None, "{word:?}");
        }
    }
}
