use std::fmt;
use std::hint::black_box;

/// The token. Its `Debug` output does not show it.
#[derive(Clone)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn new(token: String) -> Self {
        Self(token)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `true` if `given` is the token. The time that this takes depends only on the length of `given`, so it
    /// reveals nothing about the token.
    pub(super) fn is(&self, given: &str) -> bool {
        let (own, given) = (self.0.as_bytes(), given.as_bytes());
        let mut differs = u8::from(own.len() != given.len());
        for (index, byte) in given.iter().enumerate() {
            differs = black_box(differs | (byte ^ own[index % own.len()]));
        }
        differs == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_token_is_the_token() {
        let secret = Secret::new("abc".into());
        assert!(secret.is("abc"));
        for other in ["", "a", "ab", "abd", "Abc", "abcabc", "abcd", "cba"] {
            assert!(!secret.is(other), "{other}");
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        assert!(!format!("{:?}", Secret::new("abc".into())).contains("abc"));
    }
}
