use std::time::Duration;

use serde_json::Value;

use super::args::Args;
use super::command::{Command, Inputs, ItemKind, Launch};
use super::syntax::{Argument, Count, Switch, ValueKind};
use crate::TaskState;

/// An entry of the command table.
pub(crate) struct Entry {
    pub(super) name: &'static str,
    pub(super) arguments: &'static [Argument],
    pub(super) switches: &'static [Switch],
    pub(super) help: &'static str,
    pub(super) only: PoolKind,
    pub(super) read: fn(&mut Args) -> Result<Command, String>,
}

/// The kinds of pools that have a command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PoolKind {
    All,
    Simple,
    Aio,
}

/// Returns the commands of a kind of pool, sorted by name.
pub(crate) fn commands(pool_kind: PoolKind) -> impl Iterator<Item = &'static Entry> {
    COMMANDS
        .iter()
        .filter(move |command| command.only == PoolKind::All || command.only == pool_kind)
}

const fn one(name: &'static str, kind: ValueKind, help: &'static str) -> Argument {
    let count = Count::One;
    Argument {
        name,
        count,
        kind,
        help,
    }
}

const MESSAGE: Switch = Switch {
    short: "-m",
    long: "msg",
    takes: Some(("MSG", ValueKind::Text)),
    help: "for clients that send one; without effect",
};

const RETURN: Switch = Switch {
    short: "-r",
    long: "return-exceptions",
    takes: None,
    help: "for clients that send it; without effect",
};

const IN_GROUP: Switch = Switch {
    short: "-g",
    long: "group-name",
    takes: Some(("GROUP_NAME", ValueKind::Text)),
    help: "this group, and not the whole pool",
};

const AS_GROUP: Switch = Switch {
    short: "-g",
    long: "group-name",
    takes: Some(("GROUP_NAME", ValueKind::Text)),
    help: "what the new group is called",
};

const AT_ONCE: Switch = Switch {
    short: "-n",
    long: "num-concurrent",
    takes: Some(("NUM_CONCURRENT", ValueKind::Number)),
    help: "how many of them run at once (1)",
};

const LINES: Switch = Switch {
    short: "-n",
    long: "num",
    takes: Some(("NUM", ValueKind::Number)),
    help: "how many lines at most (1000); never more than 10000",
};

const LONGEST: Switch = Switch {
    short: "-n",
    long: "num",
    takes: Some(("NUM", ValueKind::Number)),
    help: "how many tasks at most of those that wait, and of those that run (10); never more than 1000",
};

const IN_STATE: Switch = Switch {
    short: "-s",
    long: "state",
    takes: Some(("STATE", ValueKind::Text)),
    help: "only tasks that are so: active or waiting",
};

const NAME: Argument = one("func", ValueKind::Text, "the name of registered work");

const ON_END: Switch = Switch {
    short: "-e",
    long: "end-callback",
    takes: Some(("END_CALLBACK", ValueKind::Text)),
    help: "registered work that is given each task's number when it ends",
};

const ON_CANCEL: Switch = Switch {
    short: "-c",
    long: "cancel-callback",
    takes: Some(("CANCEL_CALLBACK", ValueKind::Text)),
    help: "registered work that is given each task's number when it is stopped",
};

const EACH: &[Switch] = &[AT_ONCE, AS_GROUP, ON_END, ON_CANCEL];

const COMMANDS: &[Entry] = &[
    Entry {
        name: "apply",
        arguments: &[NAME],
        switches: &[
            Switch {
                short: "-a",
                long: "args",
                takes: Some(("ARGS", ValueKind::Value)),
                help: "what each of them is given: any value",
            },
            Switch {
                short: "-k",
                long: "kwargs",
                takes: Some(("KWARGS", ValueKind::Value)),
                help: "what each of them is given: an object",
            },
            Switch {
                short: "-n",
                long: "num",
                takes: Some(("NUM", ValueKind::Number)),
                help: "how many of them (1)",
            },
            AS_GROUP,
            ON_END,
            ON_CANCEL,
        ],
        help: "Starts registered work, once or several times, as a group.",
        only: PoolKind::Aio,
        read: apply,
    },
    Entry {
        name: "cancel",
        arguments: &[Argument {
            name: "task_ids",
            count: Count::Many,
            kind: ValueKind::Number,
            help: "numbers of tasks",
        }],
        switches: &[MESSAGE],
        help: "Stops these tasks: all of them or, if one cannot be stopped, none.",
        only: PoolKind::All,
        read: |args| Ok(Command::Cancel(args.numbers("task_ids"))),
    },
    Entry {
        name: "cancel-all",
        arguments: &[],
        switches: &[MESSAGE],
        help: "Stops all tasks, and forgets the groups that were started from outside.",
        only: PoolKind::All,
        read: |_| Ok(Command::CancelAll),
    },
    Entry {
        name: "cancel-group",
        arguments: &[one("group_name", ValueKind::Text, "the name of a group")],
        switches: &[MESSAGE],
        help: "Stops all tasks of a group. Started from outside, it is forgotten.",
        only: PoolKind::All,
        read: |args| Ok(Command::CancelGroup(text(args, "group_name")?)),
    },
    Entry {
        name: "doublestarmap",
        arguments: &[
            NAME,
            one("kwargs_iter", ValueKind::Value, "a list of objects"),
        ],
        switches: EACH,
        help: "Starts registered work for each object of a list, as a group.",
        only: PoolKind::Aio,
        read: |args| each(args, ItemKind::Object, "kwargs_iter"),
    },
    Entry {
        name: "flush",
        arguments: &[],
        switches: &[RETURN],
        help: "Forgets the tasks that have ended: num-ended begins anew.",
        only: PoolKind::All,
        read: |_| Ok(Command::Flush),
    },
    Entry {
        name: "func-name",
        arguments: &[],
        switches: &[],
        help: "Tells what the function of the pool is called.",
        only: PoolKind::Simple,
        read: |_| Ok(Command::FuncName),
    },
    Entry {
        name: "functions",
        arguments: &[],
        switches: &[],
        help: "Lists the work that may be started by name.",
        only: PoolKind::Aio,
        read: |_| Ok(Command::Functions),
    },
    Entry {
        name: "gather-and-close",
        arguments: &[],
        switches: &[RETURN],
        help: "Locks the pool, and waits until nothing is left in it.",
        only: PoolKind::All,
        read: |_| Ok(Command::GatherAndClose),
    },
    Entry {
        name: "get-group-ids",
        arguments: &[Argument {
            name: "group_names",
            count: Count::Many,
            kind: ValueKind::Text,
            help: "names of groups",
        }],
        switches: &[],
        help: "Tells the numbers of the tasks that were started in these groups.",
        only: PoolKind::All,
        read: |args| Ok(Command::GroupIds(args.texts("group_names"))),
    },
    Entry {
        name: "groups",
        arguments: &[],
        switches: &[LINES],
        help: "Lists the groups of the pool.",
        only: PoolKind::All,
        read: |args| {
            let most = lines(args);
            Ok(Command::Groups { most })
        },
    },
    Entry {
        name: "is-full",
        arguments: &[],
        switches: &[],
        help: "Tells whether the pool runs as many tasks as it may.",
        only: PoolKind::All,
        read: |_| Ok(Command::IsFull),
    },
    Entry {
        name: "is-locked",
        arguments: &[],
        switches: &[],
        help: "Tells whether the pool refuses new tasks.",
        only: PoolKind::All,
        read: |_| Ok(Command::IsLocked),
    },
    Entry {
        name: "lock",
        arguments: &[],
        switches: &[],
        help: "Lets the pool refuse new tasks. Those that it has go on.",
        only: PoolKind::All,
        read: |_| Ok(Command::Lock),
    },
    Entry {
        name: "map",
        arguments: &[NAME, one("arg_iter", ValueKind::Value, "a list of values")],
        switches: EACH,
        help: "Starts registered work for each value of a list, as a group.",
        only: PoolKind::Aio,
        read: |args| each(args, ItemKind::Value, "arg_iter"),
    },
    Entry {
        name: "num-cancelled",
        arguments: &[],
        switches: &[],
        help: "Counts the tasks that were asked to stop from outside, and have not yet.",
        only: PoolKind::All,
        read: |_| Ok(Command::NumCancelled),
    },
    Entry {
        name: "num-ended",
        arguments: &[],
        switches: &[],
        help: "Counts the tasks that ran and have ended, since the last flush.",
        only: PoolKind::All,
        read: |_| Ok(Command::NumEnded),
    },
    Entry {
        name: "num-running",
        arguments: &[],
        switches: &[],
        help: "Counts the tasks that run.",
        only: PoolKind::All,
        read: |_| Ok(Command::NumRunning),
    },
    Entry {
        name: "pause",
        arguments: &[],
        switches: &[IN_GROUP],
        help: "Starts no more tasks. Those that run go on, new ones wait.",
        only: PoolKind::All,
        read: |args| Ok(Command::Pause(args.text("group-name"))),
    },
    Entry {
        name: "pool-size",
        arguments: &[Argument {
            name: "value",
            count: Count::Maybe,
            kind: ValueKind::Number,
            help: "how many from now on",
        }],
        switches: &[],
        help: "Tells how many tasks may run at once, or changes that.",
        only: PoolKind::All,
        read: |args| Ok(Command::PoolSize(args.number("value"))),
    },
    Entry {
        name: "resize",
        arguments: &[one("num", ValueKind::Number, "how many from now on")],
        switches: &[IN_GROUP],
        help: "Changes how many tasks may run at once.",
        only: PoolKind::All,
        read: |args| {
            let size = number(args, "num")?;
            let group = args.text("group-name");
            Ok(Command::Resize { size, group })
        },
    },
    Entry {
        name: "resume",
        arguments: &[],
        switches: &[IN_GROUP],
        help: "Starts tasks again after a pause.",
        only: PoolKind::All,
        read: |args| Ok(Command::Resume(args.text("group-name"))),
    },
    Entry {
        name: "starmap",
        arguments: &[NAME, one("args_iter", ValueKind::Value, "a list of lists")],
        switches: EACH,
        help: "Starts registered work for each list of a list, as a group.",
        only: PoolKind::Aio,
        read: |args| each(args, ItemKind::List, "args_iter"),
    },
    Entry {
        name: "start",
        arguments: &[one("num", ValueKind::Number, "how many")],
        switches: &[],
        help: "Starts so many more tasks, as a group.",
        only: PoolKind::Simple,
        read: |args| Ok(Command::Start(number(args, "num")?)),
    },
    Entry {
        name: "stats",
        arguments: &[],
        switches: &[IN_GROUP],
        help: "Tells all that the pool counts.",
        only: PoolKind::All,
        read: |args| Ok(Command::Stats(args.text("group-name"))),
    },
    Entry {
        name: "stop",
        arguments: &[one("num", ValueKind::Number, "how many")],
        switches: &[],
        help: "Stops so many tasks of those that run, the newest first, and tells their numbers.",
        only: PoolKind::Simple,
        read: |args| Ok(Command::Stop(number(args, "num")?)),
    },
    Entry {
        name: "stop-all",
        arguments: &[],
        switches: &[],
        help: "Stops all tasks that run, and tells their numbers. Those that wait start then.",
        only: PoolKind::Simple,
        read: |_| Ok(Command::StopAll),
    },
    Entry {
        name: "tasks",
        arguments: &[],
        switches: &[IN_GROUP, LINES, IN_STATE],
        help: "Lists the tasks that run or wait.",
        only: PoolKind::All,
        read: |args| {
            let group = args.text("group-name");
            let state = state(args)?;
            let most = lines(args);
            Ok(Command::Tasks { group, state, most })
        },
    },
    Entry {
        name: "times",
        arguments: &[],
        switches: &[IN_GROUP, LONGEST],
        help: "Tells how long tasks have waited and run until now, and which of them the longest.",
        only: PoolKind::All,
        read: |args| {
            let group = args.text("group-name");
            let most = count(args, 10);
            Ok(Command::Times { group, most })
        },
    },
    Entry {
        name: "tree",
        arguments: &[],
        switches: &[LINES],
        help: "Lists the groups with the most tasks, each below the group that it is in.",
        only: PoolKind::All,
        read: |args| {
            let most = lines(args);
            Ok(Command::Tree { most })
        },
    },
    Entry {
        name: "unlock",
        arguments: &[],
        switches: &[],
        help: "Lets the pool take new tasks again.",
        only: PoolKind::All,
        read: |_| Ok(Command::Unlock),
    },
    Entry {
        name: "until-closed",
        arguments: &[],
        switches: &[],
        help: "Waits until the pool is closed and empty. It does not close it.",
        only: PoolKind::All,
        read: |_| Ok(Command::UntilClosed),
    },
    Entry {
        name: "watch",
        arguments: &[],
        switches: &[
            IN_GROUP,
            Switch {
                short: "-i",
                long: "interval",
                takes: Some(("SECONDS", ValueKind::Seconds)),
                help: "how often, from 0.1 on (1)",
            },
        ],
        help: "Tells what the pool counts again and again, until the next line.",
        only: PoolKind::All,
        read: |args| {
            let group = args.text("group-name");
            let every = args.seconds("interval").unwrap_or(Duration::from_secs(1));
            Ok(Command::Watch { group, every })
        },
    },
];

fn lines(args: &mut Args) -> usize {
    count(args, 1000)
}

fn count(args: &mut Args, default: i64) -> usize {
    args.number("num").unwrap_or(default).max(0) as usize
}

fn state(args: &mut Args) -> Result<Option<TaskState>, String> {
    match args.text("state").as_deref() {
        None => Ok(None),
        Some("active") => Ok(Some(TaskState::Active)),
        Some("waiting") => Ok(Some(TaskState::Waiting)),
        Some(other) => Err(format!(
            "argument -s/--state: {other:?} is neither active nor waiting"
        )),
    }
}

fn number(args: &mut Args, name: &str) -> Result<i64, String> {
    args.number(name)
        .ok_or_else(|| format!("missing arguments: {name}"))
}

fn text(args: &mut Args, name: &str) -> Result<String, String> {
    args.text(name)
        .ok_or_else(|| format!("missing arguments: {name}"))
}

fn apply(args: &mut Args) -> Result<Command, String> {
    let input = match (args.value("args"), args.value("kwargs")) {
        (Some(_), Some(_)) => return Err("-a/--args and -k/--kwargs exclude each other".into()),
        (None, Some(input)) if !input.is_object() => {
            return Err(format!("argument -k/--kwargs: {input} is no object"));
        }
        (input, None) | (None, input) => input.unwrap_or_default(),
    };
    let count = args.number("num").unwrap_or(1);
    Ok(Command::Launch(Launch {
        function: text(args, "func")?,
        inputs: Inputs::Copies { count, input },
        group: args.text("group-name"),
        on_end: args.text("end-callback"),
        on_cancel: args.text("cancel-callback"),
    }))
}

fn each(args: &mut Args, kind: ItemKind, list: &str) -> Result<Command, String> {
    let items = match args.value(list) {
        Some(Value::Array(items)) => items,
        other => {
            return Err(format!(
                "argument {list}: {} is no list",
                other.unwrap_or_default()
            ));
        }
    };
    if let Some(odd) = items.iter().find(|item| !kind.fits(item)) {
        return Err(format!("argument {list}: {odd} is no {}", kind.name()));
    }
    let at_once = args.number("num-concurrent").unwrap_or(1);
    Ok(Command::Launch(Launch {
        function: text(args, "func")?,
        inputs: Inputs::Each {
            kind,
            items,
            at_once,
        },
        group: args.text("group-name"),
        on_end: args.text("end-callback"),
        on_cancel: args.text("cancel-callback"),
    }))
}
