//! The page names the versions that the tests use.

const PAGE: &str = include_str!("../../../src/docs/comparison.md");
const MANIFEST: &str = include_str!("../Cargo.toml");

/// The version of a dependency that the manifest asks for exactly.
fn exact(name: &str) -> &'static str {
    let line = MANIFEST
        .lines()
        .find(|line| line.starts_with(&format!("{name} = ")));
    let (_, version) = line.and_then(|line| line.split_once("\"=")).expect(name);
    version.split_once('"').expect(name).0
}

#[test]
fn the_page_names_the_versions_that_are_tested() {
    let rows: Vec<_> = PAGE.lines().filter(|line| line.starts_with("| ")).collect();
    for (short, name, cell) in [
        ("by hand", "tokio", "tokio "),
        ("tracker", "tokio-util", "tokio-util "),
        ("buffer", "futures", "futures "),
        ("co", "futures-concurrency", "futures-concurrency "),
        ("bounded", "bounded_join_set", ""),
        ("tower", "tower", "tower "),
    ] {
        let end = format!("| {cell}{} |", exact(name));
        let is_named = |row: &&str| row.starts_with(&format!("| {short} |")) && row.ends_with(&end);
        assert!(rows.iter().any(is_named), "{short}: {end}");
    }
}
