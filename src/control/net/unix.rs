use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as Listening, UnixStream as Connecting};
use std::path::{Path, PathBuf};

use super::audit::Peer;
use async_net::unix::{UnixListener, UnixStream};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};

/// A Unix socket that its owner alone may use. Its file goes with it.
pub(super) struct UnixSocket {
    listener: UnixListener,
    /// Where it is, as far as it is anywhere.
    path: PathBuf,
    /// `None` for a socket that somebody else has made.
    _file: Option<SocketFile>,
}

/// The file of a socket, as long as it is ours.
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl UnixSocket {
    pub(super) fn bind(path: &Path, mode: u32) -> io::Result<Self> {
        make_room(path)?;
        // Nobody can connect between `bind` and `listen`: in between it gets its mode.
        let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        rustix::io::ioctl_fioclex(&socket)?;
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

    /// Takes a socket that listens already. Its file is left to whoever made it.
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

/// Who has connected, where the system tells it.
pub(super) fn peer(stream: &UnixStream) -> Peer {
    #[cfg(target_os = "linux")]
    if let Ok(who) = rustix::net::sockopt::socket_peercred(stream) {
        return Peer::Unix {
            uid: Some(who.uid.as_raw()),
            pid: u32::try_from(who.pid.as_raw_nonzero().get()).ok(),
        };
    }
    _ = stream;
    Peer::Unix {
        uid: None,
        pid: None,
    }
}

/// Removes a socket that nobody listens on any more.
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
            // Whoever was quicker has made another one.
            match identity(path)? == (there.dev(), there.ino()) {
                true => fs::remove_file(path),
                false => Err(in_use(path)),
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
        // Somebody may have removed it, or put something else there.
        if identity(&self.path).is_ok_and(|there| there == self.identity) {
            _ = fs::remove_file(&self.path);
        }
    }
}
