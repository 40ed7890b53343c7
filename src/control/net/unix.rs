use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as Listening, UnixStream as Connecting};
use std::path::{Path, PathBuf};

use super::audit::Peer;
use async_net::unix::{UnixListener, UnixStream};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};

/// A listening Unix socket. If the server has made it, its file is removed when it is dropped.
pub(super) struct UnixSocket {
    listener: UnixListener,
    /// The path of the socket; empty if it has none.
    path: PathBuf,
    /// `None` for a socket that another process or the program itself has made.
    _file: Option<SocketFile>,
}

/// The file of a socket, removed on drop unless another file has replaced it.
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl UnixSocket {
    pub(super) fn bind(path: &Path, mode: u32) -> io::Result<Self> {
        make_room(path)?;
        // The socket gets its mode between `bind` and `listen`: no client can connect before `listen`.
        let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
        bind(&socket, &SocketAddrUnix::new(path)?)?;
        let file = SocketFile::new(path)?;
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        listen(&socket, 128)?;
        let listener = UnixListener::try_from(Listening::from(socket))?;
        Ok(Self {
            listener,
            path: file.path.clone(),
            _file: Some(file),
        })
    }

    /// Uses a socket that already listens. Its file stays with its maker.
    pub(super) fn listening(listener: Listening) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let path = address.as_pathname().unwrap_or(Path::new("")).to_owned();
        let listener = UnixListener::try_from(listener)?;
        Ok(Self {
            listener,
            path,
            _file: None,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept().await?;
        Ok(stream)
    }
}

/// Returns the user and the process that have connected, where the system provides them.
pub(super) fn peer(stream: &UnixStream) -> Peer {
    #[cfg(target_os = "linux")]
    if let Ok(credentials) = rustix::net::sockopt::socket_peercred(stream) {
        return Peer::Unix {
            uid: Some(credentials.uid.as_raw()),
            pid: u32::try_from(credentials.pid.as_raw_nonzero().get()).ok(),
        };
    }
    _ = stream;
    Peer::Unix {
        uid: None,
        pid: None,
    }
}

/// Removes a socket file on which no process listens any more.
fn make_room(path: &Path) -> io::Result<()> {
    let there = match fs::symlink_metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !there.file_type().is_socket() {
        let message = format!("{} is there, and is no socket", path.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    match Connecting::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            // Another process may have replaced the file since then: it must not be removed.
            if identity(path)? == (there.dev(), there.ino()) {
                fs::remove_file(path)
            } else {
                Err(in_use(path))
            }
        }
        Ok(_) => Err(in_use(path)),
        Err(error) => Err(error),
    }
}

fn in_use(path: &Path) -> io::Error {
    let message = format!("somebody listens on {} already", path.display());
    io::Error::new(io::ErrorKind::AddrInUse, message)
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let there = fs::symlink_metadata(path)?;
    Ok((there.dev(), there.ino()))
}

impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: std::path::absolute(path)?,
            identity: identity(path)?,
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // The file may have been removed, or replaced by another one.
        if identity(&self.path).is_ok_and(|there| there == self.identity) {
            _ = fs::remove_file(&self.path);
        }
    }
}
