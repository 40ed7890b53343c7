use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A NATS server of one test, in a directory of its own, on a port that was free.
pub(crate) struct Server {
    child: Child,
    binary: PathBuf,
    directory: PathBuf,
    port: u16,
    arguments: Vec<String>,
}

impl Server {
    /// Returns `None` if this machine has no server.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// A server that other hosts can reach.
    pub(crate) fn start_open() -> Option<Self> {
        Self::start_with(&["-a", "0.0.0.0"])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> Option<Self> {
        let binary = binary()?;
        let directory = new_directory();
        let arguments: Vec<String> = arguments.iter().map(|&a| a.to_owned()).collect();
        let child = spawn(&binary, &directory, "-1", &arguments);
        let mut server = Self {
            child,
            binary,
            directory,
            port: 0,
            arguments,
        };
        server.port = server.read_port();
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends the server with a signal, and starts it again on the same port, with the same files.
    pub(crate) fn restart(&mut self, signal: Signal) {
        self.restart_with(signal, |_| {});
    }

    /// Does something with the files of the server in between.
    pub(crate) fn restart_with(&mut self, signal: Signal, change: impl FnOnce(&Path)) {
        self.end(signal);
        change(&self.directory);
        let port = self.port.to_string();
        self.child = spawn(&self.binary, &self.directory, &port, &self.arguments);
        self.read_port();
    }

    fn end(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a signal");
        self.child.wait().expect("the end of the server");
        for ports in self.ports_files() {
            fs::remove_file(ports).expect("a file removed");
        }
    }

    fn ports_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.directory).expect("a directory");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let is_ports = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "ports");
        paths.filter(is_ports).collect()
    }

    fn read_port(&mut self) -> u16 {
        for _ in 0..1000 {
            if let Some(path) = self.ports_files().first() {
                let text = fs::read_to_string(path).unwrap_or_default();
                let ports: Option<serde_json::Value> = serde_json::from_str(&text).ok();
                let url = ports.and_then(|ports| ports["nats"][0].as_str().map(str::to_owned));
                if let Some(port) = url.and_then(|url| url.rsplit(':').next()?.parse().ok()) {
                    return port;
                }
            }
            let ended = self.child.try_wait().expect("a state of the server");
            assert!(ended.is_none(), "the server has ended: {ended:?}");
            sleep(Duration::from_millis(10));
        }
        panic!("the server does not start");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn spawn(binary: &Path, directory: &Path, port: &str, arguments: &[String]) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(directory.join("server.log"))
        .expect("a log");
    Command::new(binary)
        .args(["-a", "127.0.0.1", "-p", port, "-js", "-sd"])
        .arg(directory)
        .arg("--ports_file_dir")
        .arg(directory)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("a server")
}

fn binary() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("AIOPOOL_NATS_SERVER") {
        let path = PathBuf::from(path);
        assert!(path.is_file(), "AIOPOOL_NATS_SERVER names no file");
        return Some(path);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|directory| directory.join("nats-server"))
        .find(|path| path.is_file())
}

fn new_directory() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("aiopool-fleet-{}-{number}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory");
    directory
}
