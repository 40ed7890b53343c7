use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use aiopool::control::Address;

/// A server of asyncio-taskpool 1.1.4, as long as it is there.
pub(super) struct PythonServer {
    process: Child,
    pub(super) port: u16,
    pub(super) address: Address,
}

impl PythonServer {
    pub(super) fn start(python: &str, kind: &str, size: usize) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/control/python/server.py");
        let mut process = Command::new(python)
            .arg(script)
            .args([kind, &size.to_string()])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut port).unwrap();
        let port = port.trim().parse().unwrap();
        let address = Address::Tcp((Ipv4Addr::LOCALHOST, port).into());
        Self {
            process,
            port,
            address,
        }
    }
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Where a Python is that has asyncio-taskpool. Without one, the test says why, and is over.
pub(super) fn python() -> Option<String> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let found = FOUND.get_or_init(find).clone();
    if found.is_none() {
        eprintln!("skipped: it needs a python3 with venv");
    }
    found
}

fn find() -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/python-client");
    if !script.exists() {
        return None;
    }
    let ran = Command::new(script)
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("asyncio-taskpool-1.1.4"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "no asyncio-taskpool: {said}");
    let path = String::from_utf8(ran.stdout).unwrap().trim().to_owned();
    (!path.is_empty()).then_some(path)
}
