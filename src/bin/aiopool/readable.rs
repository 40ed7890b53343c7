//! Formats values for people.

use aiopool::control::protocol::{columns, indented};
use serde_json::{Map, Value};

use crate::printable::{one_line, printable};

/// Formats a value without the end of the last line. It uses the form of asyncio-taskpool where there is one.
pub(crate) fn readable(asked: &str, value: &Value) -> String {
    match value {
        Value::Null => "ok".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        // In the text protocol it may be a whole table.
        Value::String(text) => printable(text).into_owned(),
        Value::Array(items) if asked.starts_with("groups") => table(items),
        Value::Array(items) if asked.starts_with("workers") => table(items),
        Value::Array(items) if asked.starts_with("functions") => {
            let names: Vec<_> = items.iter().map(cell).collect();
            names.join("\n")
        }
        Value::Array(items) => list(items, asked.starts_with("get-group-ids")),
        Value::Object(fields) => object(asked, fields),
    }
}

fn list(items: &[Value], is_set: bool) -> String {
    let text = items
        .iter()
        .map(|item| one_line(&item.to_string()).into_owned())
        .collect::<Vec<_>>()
        .join(", ");
    match is_set {
        false => format!("[{text}]"),
        true if items.is_empty() => "set()".into(),
        true => format!("{{{text}}}"),
    }
}

fn object(asked: &str, fields: &Map<String, Value>) -> String {
    if let Some(times) = times(fields) {
        return times;
    }
    let list = fields.get("tasks").or_else(|| fields.get("groups"));
    match (fields.get("help"), list) {
        (Some(Value::String(help)), _) => printable(help.trim_end()).into_owned(),
        (_, Some(Value::Array(rows))) => match fields.get("more").and_then(Value::as_u64) {
            None | Some(0) => table(&tree_rows(rows)),
            Some(more) => format!("{}\n… and {more} more", table(&tree_rows(rows))),
        },
        _ if asked.starts_with("watch") => line(fields),
        _ => lines(fields),
    }
}

/// Formats the answer to `times` as one table of percentiles, and one of tasks below it. Returns `None` if it is another
/// answer.
fn times(fields: &Map<String, Value>) -> Option<String> {
    let spread = |name: &str| {
        let mut row = Map::from_iter([("tasks".to_owned(), name.into())]);
        row.extend(fields.get(name)?.as_object()?.clone());
        Some(Value::Object(row))
    };
    let tasks = |list: &str| fields.get(list)?.as_array();
    let spreads = [spread("running")?, spread("waiting")?];
    let longest = [tasks("longest_running")?, tasks("longest_waiting")?];
    let longest: Vec<Value> = longest.into_iter().flatten().cloned().collect();
    Some(match &longest[..] {
        [] => table(&spreads),
        longest => format!("{}\n{}", table(&spreads), table(longest)),
    })
}

/// Moves the names of groups in a tree to the right, instead of telling their depth.
fn tree_rows(rows: &[Value]) -> Vec<Value> {
    rows.iter().map(tree_row).collect()
}

fn tree_row(row: &Value) -> Value {
    let mut row = row.clone();
    if let Some(fields) = row.as_object_mut()
        && let Some(depth) = fields
            .shift_remove("depth")
            .and_then(|depth| depth.as_u64())
        && let Some(Value::String(name)) = fields.get_mut("name")
    {
        *name = indented(name, usize::try_from(depth).unwrap_or(usize::MAX));
    }
    row
}

fn line(fields: &Map<String, Value>) -> String {
    let pairs = fields
        .iter()
        .map(|(key, value)| format!("{}={}", one_line(key), cell(value)));
    pairs.collect::<Vec<_>>().join(" ")
}

fn lines(fields: &Map<String, Value>) -> String {
    let width = fields
        .keys()
        .map(|key| key.chars().count())
        .max()
        .unwrap_or(0);
    let pairs = fields
        .iter()
        .map(|(key, value)| format!("{:width$}  {}", one_line(key), cell(value)));
    pairs.collect::<Vec<_>>().join("\n")
}

/// Formats rows as columns below the names of their fields.
fn table(rows: &[Value]) -> String {
    let Some(first) = rows.first().and_then(Value::as_object) else {
        return "none".into();
    };
    let mut lines: Vec<Vec<String>> =
        vec![first.keys().map(|key| one_line(key).into_owned()).collect()];
    for row in rows {
        let cells = first
            .keys()
            .map(|key| cell(row.get(key).unwrap_or(&Value::Null)));
        lines.push(cells.collect());
    }
    let mut text = columns(&lines);
    // The end of the last line.
    text.pop();
    text
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::String(text) => one_line(text).into_owned(),
        Value::Number(number) if number.is_f64() => {
            format!("{:.3}", number.as_f64().unwrap_or_default())
        }
        other => one_line(&other.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::readable;

    #[test]
    fn tasks_and_groups_are_tables() {
        let tasks = json!({
            "tasks": [{"id": 0, "name": "a", "waited": 0.25}, {"id": 10, "name": "long one", "waited": null}],
            "more": 2
        });
        let table = "id  name      waited\n0   a         0.250\n10  long one  -\n… and 2 more";
        assert_eq!(readable("tasks -n 2", &tasks), table);
        assert_eq!(readable("tasks", &json!({"tasks": [], "more": 0})), "none");
        assert_eq!(readable("groups", &json!([{"name": "g"}])), "name\ng");
        let cut = json!({"groups": [{"name": "g"}], "more": 2});
        assert_eq!(readable("groups -n 1", &cut), "name\ng\n… and 2 more");
    }

    #[test]
    fn a_tree_is_indented_and_times_are_two_tables() {
        let tree = json!({
            "groups": [{"depth": 0, "name": "a", "active": 2}, {"depth": 1, "name": "b", "active": 1}],
            "more": 1
        });
        let expected = "name  active\na     2\n  b   1\n… and 1 more";
        assert_eq!(readable("tree", &tree), expected);
        let none = json!({"count": 0, "p50": null});
        let mut times = json!({
            "running": {"count": 3, "p50": 0.25}, "waiting": none,
            "longest_running": [{"id": 7, "state": "active"}], "longest_waiting": [],
        });
        let spreads = "tasks    count  p50\nrunning  3      0.250\nwaiting  0      -";
        let tasks = "id  state\n7   active";
        assert_eq!(readable("times", &times), format!("{spreads}\n{tasks}"));
        times["longest_running"] = json!([]);
        assert_eq!(readable("times", &times), spreads);
    }

    #[test]
    fn stats_are_lines_and_watched_stats_are_one() {
        let stats = json!({"active": 3, "size": "inf", "waiting": 0});
        assert_eq!(
            readable("stats", &stats),
            "active   3\nsize     inf\nwaiting  0"
        );
        assert_eq!(
            readable("watch -i 1", &stats),
            "active=3 size=inf waiting=0"
        );
    }
}
