use serde_json::Value;

use super::reply::Format;

/// The contents of a client's handshake.
pub(crate) struct Handshake {
    pub(crate) width: usize,
    pub(crate) format: Format,
    pub(crate) token: Option<String>,
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
        let width = match fields.get("terminal_width") {
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
            width,
            format,
            token,
        })
    }
}
