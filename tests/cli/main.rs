//! The program `aiopool` against a server of this crate, and against what asyncio-taskpool 1.1.4 was recorded to say.

mod ours;
#[cfg(unix)]
mod patience;
mod recorded;
mod seats;

use std::io::Write;
use std::process::{Command, Stdio};

/// What a run of the program came to.
#[derive(Debug, PartialEq)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs it with these arguments, and with this to read at the prompt.
fn aiopool(args: &[&str], script: &str) -> Ran {
    let mut program = Command::new(env!("CARGO_BIN_EXE_aiopool"));
    program.args(args).env_remove("AIOPOOL_TOKEN");
    run(program, script)
}

fn run(mut program: Command, script: &str) -> Ran {
    let program = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    // It may end without having read it.
    let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

fn says(code: i32, out: &str, err: &str) -> Ran {
    Ran {
        code: Some(code),
        out: out.into(),
        err: err.into(),
    }
}

#[test]
fn where_nobody_listens_it_says_so_and_ends_with_3() {
    let ran = aiopool(&["unix", "/no/such.sock", "stats"], "");
    let reason =
        "aiopool: cannot connect to /no/such.sock: No such file or directory (os error 2)\n";
    assert_eq!(ran, says(3, "", reason));
    assert_eq!(aiopool(&["tcp", "127.0.0.1:1"], "").code, Some(3));
    assert_eq!(aiopool(&["top", "tcp", "127.0.0.1:1"], "").code, Some(3));
}

#[test]
fn a_command_line_that_cannot_be_right_ends_with_2() {
    for args in [
        &[][..],
        &["tcp"],
        &["tcp", "localhost", "stats"],
        &["unix"],
        &["top"],
        &["top", "--interval", "0", "unix", "/run/x"],
        &["top", "--stuck-after", "0", "unix", "/run/x"],
        &["top", "--stuck-after", "soon", "unix", "/run/x"],
        &["bogus"],
    ] {
        let ran = aiopool(args, "");
        assert!(
            ran.code == Some(2) && ran.out.is_empty() && !ran.err.is_empty(),
            "{args:?}: {ran:?}"
        );
    }
}

#[test]
fn help_and_completions_are_printed() {
    for args in [
        &["--help"][..],
        &["tcp", "--help"],
        &["top", "--help"],
        &["--version"],
    ] {
        let ran = aiopool(args, "");
        assert!(
            ran.code == Some(0) && ran.out.contains("aiopool"),
            "{args:?}: {ran:?}"
        );
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = aiopool(&["completions", shell], "");
        assert!(
            ran.code == Some(0) && ran.out.contains("completions"),
            "{shell}: {ran:?}"
        );
    }
}
