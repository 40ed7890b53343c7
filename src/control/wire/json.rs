use std::fmt::{self, Display, Formatter};

use serde_json::Value;

/// A JSON value that keeps the order of its fields when it is written.
///
/// The order of a [`Value`] depends on which features of `serde_json` are enabled anywhere in the program.
#[derive(Debug)]
pub(super) enum Json {
    Scalar(Value),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub(super) const NULL: Self = Self::Scalar(Value::Null);

    pub(super) fn object<const N: usize>(fields: [(&'static str, Json); N]) -> Self {
        Self::Object(fields.into())
    }
}

impl<T: Into<Value>> From<T> for Json {
    fn from(scalar: T) -> Self {
        Self::Scalar(scalar.into())
    }
}

impl FromIterator<Json> for Json {
    fn from_iter<I: IntoIterator<Item = Json>>(items: I) -> Self {
        Self::List(items.into_iter().collect())
    }
}

impl Display for Json {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(value) => value.fmt(f),
            Self::List(items) => {
                let items = items.iter().map(|item| (None, item));
                write_all(f, ['[', ']'], items)
            }
            Self::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| (Some(*key), value));
                write_all(f, ['{', '}'], fields)
            }
        }
    }
}

/// Writes items between brackets, with keys for an object. The keys must need no escapes.
fn write_all<'j>(
    f: &mut Formatter<'_>,
    [open, close]: [char; 2],
    items: impl Iterator<Item = (Option<&'static str>, &'j Json)>,
) -> fmt::Result {
    write!(f, "{open}")?;
    for (place, (key, value)) in items.enumerate() {
        if place > 0 {
            f.write_str(",")?;
        }
        if let Some(key) = key {
            write!(f, "\"{key}\":")?;
        }
        value.fmt(f)?;
    }
    write!(f, "{close}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_in_the_order_in_which_they_were_given() {
        let inner = Json::object([("z", 1.into()), ("a", Json::NULL)]);
        let list: Json = [inner, "\"\n".into()].into_iter().collect();
        let all = Json::object([("ok", list), ("b", true.into())]);
        assert_eq!(
            all.to_string(),
            r#"{"ok":[{"z":1,"a":null},"\"\n"],"b":true}"#
        );
    }
}
