/// The virtual times of a node, in a pool with fair share.
///
/// A node has members: its own queue, which has one share, and the groups below it. Each member has a virtual time.
/// When a task of the member starts, this time advances by the weight of the task, divided by the share of the member.
/// The member with the least time is the next. This is start-time fair queueing.
///
/// # Invariants
///
/// 1. `now` is the time of the member whose turn was the last, before that turn. It never goes back.
/// 2. The time of a member counts as `now` if it is less. So a member that had nothing to start, or could start
///    nothing, has no turns in arrears.
/// 3. By (1) and (2) no time changes by itself while the member waits for its turn, because no member has a turn before
///    one with a lesser time.
#[derive(Debug)]
pub(super) struct Turns {
    /// The virtual time of the node.
    pub(super) now: u128,
    /// The virtual time of the node's own queue.
    own: u128,
    /// The virtual time of the node as a member of the node around it.
    pub(super) member: u128,
    /// How far `member` advances for a task of weight 1.
    stride: u64,
}

/// How far the time of a member with one share advances for a task of weight 1.
///
/// Large, so that no share is rounded by much; the times still have room for 2^88 tasks.
const STRIDE: u64 = 1 << 40;

impl Turns {
    pub(super) const NONE: Self = Self {
        now: 0,
        own: 0,
        member: 0,
        stride: STRIDE,
    };

    pub(super) fn set_share(&mut self, share: u32) {
        self.stride = STRIDE / u64::from(share.max(1));
    }

    /// Returns the virtual time of the node's own queue.
    pub(super) fn own(&self) -> u128 {
        self.own.max(self.now)
    }

    /// Counts a turn of the node's own queue.
    #[inline]
    pub(super) fn take_own(&mut self, weight: usize) {
        self.now = self.own();
        self.own = advanced(self.now, STRIDE, weight);
    }

    /// Counts a turn of the node at the node around it, where it is `now`. Returns the virtual time of this turn.
    pub(super) fn take(&mut self, now: u128, weight: usize) -> u128 {
        let turn = self.member.max(now);
        self.member = advanced(turn, self.stride, weight);
        turn
    }
}

// It saturates where nobody could wait for it: then the members have turns by age.
fn advanced(time: u128, stride: u64, weight: usize) -> u128 {
    time.saturating_add(u128::from(stride) * weight as u128)
}
