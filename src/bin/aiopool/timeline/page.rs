//! The page: one file, with all that it needs.

use std::io::{self, Write};

use super::run::Run;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");
/// They are one script: each may use what the others define.
const SCRIPTS: [&str; 14] = [
    include_str!("page/time.js"),
    include_str!("page/run.js"),
    include_str!("page/theme.js"),
    include_str!("page/lanes.js"),
    include_str!("page/axis.js"),
    include_str!("page/curves.js"),
    include_str!("page/rows.js"),
    include_str!("page/picture.js"),
    include_str!("page/pointer.js"),
    include_str!("page/groups.js"),
    include_str!("page/tasks.js"),
    include_str!("page/summary.js"),
    include_str!("page/actions.js"),
    include_str!("page/main.js"),
];

/// Writes the page of a run. `title` is the name of its file.
pub(super) fn write(mut out: impl Write, title: &str, run: &Run) -> io::Result<()> {
    for (text, place) in pieces(PAGE) {
        out.write_all(text.as_bytes())?;
        match place {
            "title" => out.write_all(in_html(title).as_bytes())?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "run" => out.write_all(in_script(&serde_json::to_string(run)?).as_bytes())?,
            "script" => {
                for script in SCRIPTS {
                    out.write_all(script.as_bytes())?;
                }
            }
            _ => {}
        }
    }
    out.flush()
}

/// Splits a page at its places, which look like `{{title}}`. What is put in is not looked at again.
fn pieces(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("}}")
        .map(|piece| piece.split_once("{{").unwrap_or((piece, "")))
}

/// Escapes text for the content of an element.
fn in_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// Escapes JSON for a script element. In JSON a `<` is only ever inside of a string.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_each_place_once_and_ends_no_script_early() {
        let places: Vec<_> = pieces(PAGE).map(|(_, place)| place).collect();
        assert_eq!(places, ["title", "style", "title", "run", "script", ""]);
        for script in SCRIPTS {
            assert!(!script.contains("</") && !script.contains("<!--"));
        }
        assert_eq!(in_script(r#"["</script>"]"#), r#"["\u003c/script>"]"#);
    }
}
