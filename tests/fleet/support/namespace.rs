use std::process::Command;

/// A network namespace with one cable to this one, which can be cut. It needs root.
pub(crate) struct Namespace {
    name: String,
    cable: String,
    number: u8,
}

impl Namespace {
    /// Returns `None` where namespaces are not allowed.
    pub(crate) fn new(number: u8) -> Option<Self> {
        let namespace = Self {
            name: format!("aiopool{}-{number}", std::process::id()),
            cable: format!("aio{}{number}", std::process::id() % 100_000),
            number,
        };
        let Self { name, cable, .. } = &namespace;
        let here = format!("{}/24", namespace.host());
        let there = format!("10.213.{number}.2/24");
        let inside = format!("{cable}p");
        let made = ip(&["netns", "add", name])
            && ip(&[
                "link", "add", cable, "type", "veth", "peer", "name", &inside,
            ])
            && ip(&["link", "set", &inside, "netns", name])
            && ip(&["addr", "add", &here, "dev", cable])
            && ip(&["link", "set", cable, "up"])
            && ip(&["-n", name, "addr", "add", &there, "dev", &inside])
            && ip(&["-n", name, "link", "set", &inside, "up"]);
        made.then_some(namespace)
    }

    /// The address of this side.
    pub(crate) fn host(&self) -> String {
        format!("10.213.{}.1", self.number)
    }

    /// What is put before a command to run it there.
    pub(crate) fn wrapper(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    pub(crate) fn cut(&self) {
        assert!(ip(&["link", "set", &self.cable, "down"]));
    }

    pub(crate) fn mend(&self) {
        assert!(ip(&["link", "set", &self.cable, "up"]));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&["link", "del", &self.cable]);
        ip(&["netns", "del", &self.name]);
    }
}

fn ip(arguments: &[&str]) -> bool {
    let output = Command::new("ip").args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}
