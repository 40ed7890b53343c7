use std::fmt::{self, Display, Formatter};

use serde::Serialize;
use serde_json::Value;

use super::format::Format;

/// The first line of a client.
///
/// Its `Display` form is the line.
///
/// # Examples
///
/// ```
/// use aiopool::control::protocol::{Format, Handshake};
///
/// let handshake = Handshake { format: Format::Json, ..Handshake::default() };
/// assert_eq!(handshake.to_string(), r#"{"terminal_width":80,"format":"json"}"#);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Handshake {
    /// Width in columns to which the server wraps help texts.
    pub terminal_width: usize,
    /// The format of the answers.
    pub format: Format,
    /// The token, if the server has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Default for Handshake {
    fn default() -> Self {
        Self {
            terminal_width: 80,
            format: Format::Text,
            token: None,
        }
    }
}

impl Handshake {
    /// Reads a client's first line.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the line, and the format in which to tell the client.
    pub(crate) fn read(line: &str) -> Result<Self, (Format, String)> {
        let Ok(Value::Object(fields)) = serde_json::from_str(line) else {
            let expected =
                r#"the first line has to be a JSON object, such as {"terminal_width": 80}"#;
            return Err((Format::Text, expected.into()));
        };
        let format = match fields.get("format") {
            None | Some(Value::Null) => Format::Text,
            Some(Value::String(name)) if name == "text" => Format::Text,
            Some(Value::String(name)) if name == "json" => Format::Json,
            Some(other) => {
                let what = format!(r#""format" may be "text" or "json", and not {other}"#);
                return Err((Format::Text, what));
            }
        };
        let refuse = |what: &str| Err((format, what.to_owned()));
        let terminal_width = match fields.get("terminal_width") {
            None | Some(Value::Null) => 80,
            Some(width) => match width.as_i64() {
                Some(width) => usize::try_from(width).unwrap_or(0),
                None => return refuse(r#""terminal_width" has to be a whole number, or null"#),
            },
        };
        let token = match fields.get("token") {
            None | Some(Value::Null) => None,
            Some(Value::String(token)) => Some(token.clone()),
            Some(_) => return refuse(r#""token" has to be a text"#),
        };
        Ok(Self {
            terminal_width,
            format,
            token,
        })
    }
}

impl Display for Handshake {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// Does not show the token.
impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("terminal_width", &self.terminal_width)
            .field("format", &self.format)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .finish()
    }
}
