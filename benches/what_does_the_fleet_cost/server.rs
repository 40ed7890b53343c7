//! A server for one measurement.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("aiopool-bench-{}-{number}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let child = Command::new(find().expect("a nats-server"))
            .args(["-a", "127.0.0.1", "-p", "-1", "-js", "-sd"])
            .arg(&folder)
            .arg("--ports_file_dir")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let ports = folder.join(format!("nats-server_{}.ports", child.id()));
        Self {
            url: url(&ports),
            child,
            folder,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Reads the address from the file that the server writes when it listens.
fn url(ports: &Path) -> String {
    for _ in 0..1000 {
        let text = fs::read_to_string(ports).unwrap_or_default();
        let url = text.split('"').find(|word| word.starts_with("nats://"));
        if let Some(url) = url {
            return url.to_owned();
        }
        sleep(Duration::from_millis(10));
    }
    panic!("the server does not listen");
}

pub(crate) fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os("AIOPOOL_NATS_SERVER") {
        return Some(named.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join("nats-server"))
        .find(|program| program.is_file())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
