//! Names of pools, jobs, groups and tasks. They become tokens of subjects, so their characters are limited.

use crate::fleet::error::EngineError;

/// Maximum length of a name, in bytes.
pub(crate) const MAX_NAME: usize = 64;

/// Returns `true` if `name` has 1 to 64 of the characters `A-Z`, `a-z`, `0-9`, `_` and `-`.
///
/// A dot, a star, a blank or a `>` would change the subject that the name is part of.
pub(crate) const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_NAME {
        return false;
    }
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if !(byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
            return false;
        }
        at += 1;
    }
    true
}

/// Returns `name`, or the error that says why it is none.
pub(crate) fn check_name(name: impl Into<String>) -> Result<String, EngineError> {
    let name = name.into();
    if is_name(&name) {
        Ok(name)
    } else {
        Err(EngineError::InvalidName(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_letters_digits_underscores_and_hyphens_only() {
        for good in ["a", "resize-v1", "A_9", &"x".repeat(MAX_NAME)] {
            assert!(is_name(good), "{good}");
        }
        let too_long = "x".repeat(MAX_NAME + 1);
        for bad in [
            "",
            ".",
            "*",
            ">",
            "a.b",
            "a b",
            "a*",
            "é",
            "a\n",
            "a\0",
            "a\r\nX: y",
            "a/b",
            &too_long,
        ] {
            assert!(!is_name(bad), "{bad:?}");
            assert!(check_name(bad).is_err());
        }
    }

    #[test]
    fn no_other_ascii_character_is_part_of_a_name() {
        for byte in 0..=127_u8 {
            let character = char::from(byte);
            let expected = character.is_ascii_alphanumeric() || "_-".contains(character);
            assert_eq!(is_name(&character.to_string()), expected, "{character:?}");
        }
    }
}
