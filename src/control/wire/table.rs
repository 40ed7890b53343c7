use std::time::Duration;

use serde_json::Value;

use super::args::Args;
use super::call::{Begin, Call, Inputs};
use super::syntax::{Argument, Count, Switch, ValueKind};
use crate::TaskState;

/// An entry of the command table.
pub(crate) struct Command {
    pub(super) name: &'static str,
    pub(super) arguments: &'static [Argument],
    pub(super) switches: &'static [Switch],
    pub(super) help: &'static str,
    pub(super) only: PoolKind,
    pub(super) call: fn(&mut Args) -> Result<Call, String>,
}

/// The kinds of pools that have a command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PoolKind {
    All,
    Simple,
    Aio,
}

/// Returns the commands of a kind of pool, sorted by name.
pub(crate) fn commands(pool_kind: PoolKind) -> impl Iterator<Item = &'static Command> {
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

const COMMANDS: &[Command] = &[
    Command {
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
        call: apply,
    },
    Command {
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
        call: |args| Ok(Call::Cancel(args.numbers("task_ids"))),
    },
    Command {
        name: "cancel-all",
        arguments: &[],
        switches: &[MESSAGE],
        help: "Stops all tasks, and forgets the groups that were started from outside.",
        only: PoolKind::All,
        call: |_| Ok(Call::CancelAll),
    },
    Command {
        name: "cancel-group",
        arguments: &[one("group_name", ValueKind::Text, "the name of a group")],
        switches: &[MESSAGE],
        help: "Stops all tasks of a group. Started from outside, it is forgotten.",
        only: PoolKind::All,
        call: |args| Ok(Call::CancelGroup(text(args, "group_name")?)),
    },
    Command {
        name: "doublestarmap",
        arguments: &[
            NAME,
            one("kwargs_iter", ValueKind::Value, "a list of objects"),
        ],
        switches: EACH,
        help: "Starts registered work for each object of a list, as a group.",
        only: PoolKind::Aio,
        call: |args| {
            each(
                args,
                "doublestarmap",
                "kwargs_iter",
                "object",
                Value::is_object,
            )
        },
    },
    Command {
        name: "flush",
        arguments: &[],
        switches: &[RETURN],
        help: "Forgets the tasks that have ended: num-ended begins anew.",
        only: PoolKind::All,
        call: |_| Ok(Call::Flush),
    },
    Command {
        name: "func-name",
        arguments: &[],
        switches: &[],
        help: "Tells what the function of the pool is called.",
        only: PoolKind::Simple,
        call: |_| Ok(Call::FuncName),
    },
    Command {
        name: "functions",
        arguments: &[],
        switches: &[],
        help: "Lists the work that may be started by name.",
        only: PoolKind::Aio,
        call: |_| Ok(Call::Functions),
    },
    Command {
        name: "gather-and-close",
        arguments: &[],
        switches: &[RETURN],
        help: "Locks the pool, and waits until nothing is left in it.",
        only: PoolKind::All,
        call: |_| Ok(Call::GatherAndClose),
    },
    Command {
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
        call: |args| Ok(Call::GroupIds(args.texts("group_names"))),
    },
    Command {
        name: "groups",
        arguments: &[],
        switches: &[LINES],
        help: "Lists the groups of the pool.",
        only: PoolKind::All,
        call: |args| {
            let most = lines(args);
            Ok(Call::Groups { most })
        },
    },
    Command {
        name: "is-full",
        arguments: &[],
        switches: &[],
        help: "Tells whether the pool runs as many tasks as it may.",
        only: PoolKind::All,
        call: |_| Ok(Call::IsFull),
    },
    Command {
        name: "is-locked",
        arguments: &[],
        switches: &[],
        help: "Tells whether the pool refuses new tasks.",
        only: PoolKind::All,
        call: |_| Ok(Call::IsLocked),
    },
    Command {
        name: "lock",
        arguments: &[],
        switches: &[],
        help: "Lets the pool refuse new tasks. Those that it has go on.",
        only: PoolKind::All,
        call: |_| Ok(Call::Lock),
    },
    Command {
        name: "map",
        arguments: &[NAME, one("arg_iter", ValueKind::Value, "a list of values")],
        switches: EACH,
        help: "Starts registered work for each value of a list, as a group.",
        only: PoolKind::Aio,
        call: |args| each(args, "map", "arg_iter", "value", |_| true),
    },
    Command {
        name: "num-cancelled",
        arguments: &[],
        switches: &[],
        help: "Counts the tasks that were asked to stop from outside, and have not yet.",
        only: PoolKind::All,
        call: |_| Ok(Call::NumCancelled),
    },
    Command {
        name: "num-ended",
        arguments: &[],
        switches: &[],
        help: "Counts the tasks that ran and have ended, since the last flush.",
        only: PoolKind::All,
        call: |_| Ok(Call::NumEnded),
    },
    Command {
        name: "num-running",
        arguments: &[],
        switches: &[],
        help: "Counts the tasks that run.",
        only: PoolKind::All,
        call: |_| Ok(Call::NumRunning),
    },
    Command {
        name: "pause",
        arguments: &[],
        switches: &[IN_GROUP],
        help: "Starts no more tasks. Those that run go on, new ones wait.",
        only: PoolKind::All,
        call: |args| Ok(Call::Pause(args.text("group-name"))),
    },
    Command {
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
        call: |args| Ok(Call::PoolSize(args.number("value"))),
    },
    Command {
        name: "resize",
        arguments: &[one("num", ValueKind::Number, "how many from now on")],
        switches: &[IN_GROUP],
        help: "Changes how many tasks may run at once.",
        only: PoolKind::All,
        call: |args| {
            let size = number(args, "num")?;
            let group = args.text("group-name");
            Ok(Call::Resize { size, group })
        },
    },
    Command {
        name: "resume",
        arguments: &[],
        switches: &[IN_GROUP],
        help: "Starts tasks again after a pause.",
        only: PoolKind::All,
        call: |args| Ok(Call::Resume(args.text("group-name"))),
    },
    Command {
        name: "starmap",
        arguments: &[NAME, one("args_iter", ValueKind::Value, "a list of lists")],
        switches: EACH,
        help: "Starts registered work for each list of a list, as a group.",
        only: PoolKind::Aio,
        call: |args| each(args, "starmap", "args_iter", "list", Value::is_array),
    },
    Command {
        name: "start",
        arguments: &[one("num", ValueKind::Number, "how many")],
        switches: &[],
        help: "Starts so many more tasks, as a group.",
        only: PoolKind::Simple,
        call: |args| Ok(Call::Start(number(args, "num")?)),
    },
    Command {
        name: "stats",
        arguments: &[],
        switches: &[IN_GROUP],
        help: "Tells all that the pool counts.",
        only: PoolKind::All,
        call: |args| Ok(Call::Stats(args.text("group-name"))),
    },
    Command {
        name: "stop",
        arguments: &[one("num", ValueKind::Number, "how many")],
        switches: &[],
        help: "Stops so many tasks of those that run, the newest first, and tells their numbers.",
        only: PoolKind::Simple,
        call: |args| Ok(Call::Stop(number(args, "num")?)),
    },
    Command {
        name: "stop-all",
        arguments: &[],
        switches: &[],
        help: "Stops all tasks that run, and tells their numbers. Those that wait start then.",
        only: PoolKind::Simple,
        call: |_| Ok(Call::StopAll),
    },
    Command {
        name: "tasks",
        arguments: &[],
        switches: &[IN_GROUP, LINES, IN_STATE],
        help: "Lists the tasks that run or wait.",
        only: PoolKind::All,
        call: |args| {
            let group = args.text("group-name");
            let state = state(args)?;
            let most = lines(args);
            Ok(Call::Tasks { group, state, most })
        },
    },
    Command {
        name: "unlock",
        arguments: &[],
        switches: &[],
        help: "Lets the pool take new tasks again.",
        only: PoolKind::All,
        call: |_| Ok(Call::Unlock),
    },
    Command {
        name: "until-closed",
        arguments: &[],
        switches: &[],
        help: "Waits until the pool is closed and empty. It does not close it.",
        only: PoolKind::All,
        call: |_| Ok(Call::UntilClosed),
    },
    Command {
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
        call: |args| {
            let group = args.text("group-name");
            let every = args.seconds("interval").unwrap_or(Duration::from_secs(1));
            Ok(Call::Watch { group, every })
        },
    },
];

fn lines(args: &mut Args) -> usize {
    args.number("num").unwrap_or(1000).max(0) as usize
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

fn apply(args: &mut Args) -> Result<Call, String> {
    let input = match (args.value("args"), args.value("kwargs")) {
        (Some(_), Some(_)) => return Err("-a/--args and -k/--kwargs exclude each other".into()),
        (None, Some(input)) if !input.is_object() => {
            return Err(format!("argument -k/--kwargs: {input} is no object"));
        }
        (input, None) | (None, input) => input.unwrap_or_default(),
    };
    let count = args.number("num").unwrap_or(1);
    Ok(Call::Begin(Begin {
        verb: "apply",
        function: text(args, "func")?,
        inputs: Inputs::Copies { count, input },
        group: args.text("group-name"),
        on_end: args.text("end-callback"),
        on_cancel: args.text("cancel-callback"),
    }))
}

fn each(
    args: &mut Args,
    verb: &'static str,
    list: &str,
    sort: &str,
    fits: fn(&Value) -> bool,
) -> Result<Call, String> {
    let items = match args.value(list) {
        Some(Value::Array(items)) => items,
        other => {
            return Err(format!(
                "argument {list}: {} is no list",
                other.unwrap_or_default()
            ));
        }
    };
    if let Some(odd) = items.iter().find(|item| !fits(item)) {
        return Err(format!("argument {list}: {odd} is no {sort}"));
    }
    let at_once = args.number("num-concurrent").unwrap_or(1);
    Ok(Call::Begin(Begin {
        verb,
        function: text(args, "func")?,
        inputs: Inputs::Each { items, at_once },
        group: args.text("group-name"),
        on_end: args.text("end-callback"),
        on_cancel: args.text("cancel-callback"),
    }))
}
