/// The memory of this process, in pages, without those of files: how many of these the kernel maps is its own affair.
pub(crate) fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let fields = statm.split_whitespace();
    let pages: Vec<usize> = fields.map(|field| field.parse().unwrap()).collect();
    let (resident, of_files) = (pages[1], pages[2]);
    resident - of_files
}

/// Runs one test of this binary again, in a process of its own.
pub(crate) fn alone(test: &str, body: impl FnOnce()) {
    if std::env::var_os("AIOPOOL_ALONE").is_some() {
        return body();
    }
    let itself = std::env::current_exe().unwrap();
    let mut child = std::process::Command::new(itself);
    let ran = child
        .args(["--exact", test])
        .env("AIOPOOL_ALONE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}
