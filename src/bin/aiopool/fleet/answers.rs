//! What a fleet tells of itself, with the names that the answers of a control server have.

use aiopool::fleet::{FleetStats, TaskInfo, TaskState, WorkerInfo};
use serde_json::{Value, json};

pub(super) fn stats(name: &str, stats: &FleetStats) -> Value {
    json!({
        "name": name,
        "size": stats.size,
        "active": stats.active,
        "waiting": stats.waiting,
        "delayed": stats.delayed,
        "paused": stats.is_paused,
        "submitted": stats.submitted,
        "finished": stats.finished,
        "refused": stats.refused,
    })
}

pub(super) fn workers(workers: &[WorkerInfo]) -> Value {
    workers.iter().map(worker).collect()
}

fn worker(worker: &WorkerInfo) -> Value {
    json!({
        "id": worker.id,
        "pid": worker.pid,
        "slots": worker.slots,
        "running": worker.running,
        "held": worker.held,
        "started": worker.started,
        "completed": worker.completed,
        "failed": worker.failed,
        "retried": worker.retried,
        "lost": worker.lost,
        "refused": worker.refused,
        "uptime": worker.uptime_ms as f64 / 1000.0,
        "stopping": worker.is_stopping,
        "jobs": worker.jobs,
    })
}

/// Lists tasks. How many more there are is reckoned from the figures of the pool, which are a moment younger.
pub(super) fn tasks(tasks: &[TaskInfo], stats: &FleetStats) -> Value {
    let all = stats.active + stats.waiting + stats.delayed;
    json!({
        "tasks": tasks.iter().map(task).collect::<Value>(),
        "more": all.saturating_sub(tasks.len() as u64),
    })
}

fn task(task: &TaskInfo) -> Value {
    let state = match task.state {
        TaskState::Active => "active",
        TaskState::Held => "held",
        TaskState::Delayed => "delayed",
        _ => "waiting",
    };
    json!({
        "id": task.id,
        "state": state,
        "group": task.group,
        "job": task.job,
        "worker": task.worker,
        "attempt": task.attempt,
        "running": task.running.map(|running| running.as_secs_f64()),
    })
}
