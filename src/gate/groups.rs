use super::levels::LevelId;
use super::state::Gate;

/// Levels: the pool and its groups.
impl<W, A, L> Gate<W, A, L> {
    /// Adds a group below `parent`.
    pub(crate) fn add_level(&mut self, parent: LevelId, size: usize, kept: L) -> LevelId {
        self.levels.add(parent.0, size, kept)
    }

    /// Removes a group, if nobody lives in it or below it.
    pub(crate) fn remove_level(&mut self, level: LevelId) -> Option<(L, LevelId)> {
        let group = self.levels.at(level.0);
        let parent = LevelId(group.parent?);
        if group.living > 0 || !group.children.is_empty() {
            return None;
        }
        let removed = self.levels.remove(level.0)?;
        Some((removed.kept, parent))
    }

    /// What the caller keeps of a level.
    #[inline]
    pub(crate) fn kept(&self, level: LevelId) -> &L {
        &self.levels.at(level.0).kept
    }

    #[inline]
    pub(crate) fn kept_mut(&mut self, level: LevelId) -> &mut L {
        &mut self.levels.at_mut(level.0).kept
    }

    /// What the caller keeps of a level, and of each one around it.
    #[inline]
    pub(crate) fn each_kept_from(&mut self, home: LevelId, mut change: impl FnMut(&mut L)) {
        self.levels
            .each_from(home.0, |level| change(&mut level.kept));
    }

    /// A level, and each one around it.
    pub(crate) fn path(&self, level: LevelId) -> impl Iterator<Item = (LevelId, &L)> {
        self.levels
            .path(level.0)
            .map(|(at, level)| (LevelId(at), &level.kept))
    }

    pub(crate) fn resize(&mut self, level: LevelId, size: usize) {
        self.levels.at_mut(level.0).size = size;
        self.refresh(level.0);
    }

    pub(crate) fn set_paused(&mut self, level: LevelId, paused: bool) {
        self.levels.at_mut(level.0).paused = paused;
        self.refresh(level.0);
    }

    /// Lets nobody start at a level and below it, until each hold has been [released](Self::release).
    pub(crate) fn hold(&mut self, level: LevelId) {
        self.levels.at_mut(level.0).holds += 1;
        self.refresh(level.0);
    }

    pub(crate) fn release(&mut self, level: LevelId) {
        self.levels.at_mut(level.0).holds -= 1;
        self.refresh(level.0);
    }

    /// Whether a level is paused, or one around it.
    pub(crate) fn is_paused(&self, level: LevelId) -> bool {
        self.levels.path(level.0).any(|(_, level)| level.paused)
    }

    pub(crate) fn size(&self, level: LevelId) -> usize {
        self.levels.at(level.0).size
    }

    pub(crate) fn is_full(&self, level: LevelId) -> bool {
        let level = self.levels.at(level.0);
        level.held >= level.size
    }

    pub(crate) fn active(&self, level: LevelId) -> usize {
        self.levels.at(level.0).active
    }

    /// How many stand in the queue and have not started.
    #[inline]
    pub(crate) fn waiting(&self, level: LevelId) -> usize {
        self.levels.at(level.0).waiting
    }

    /// How many have started, and have lent their permits.
    pub(crate) fn lent(&self, level: LevelId) -> usize {
        self.levels.at(level.0).lent
    }

    /// The level around a group.
    #[inline]
    pub(crate) fn parent(&self, level: LevelId) -> Option<LevelId> {
        match level {
            LevelId::ROOT => None,
            group => self.levels.at(group.0).parent.map(LevelId),
        }
    }

    /// The levels at these places, of which the first is the root's. `None` when there are no more.
    pub(crate) fn levels_at(&self, first: usize, count: usize) -> Option<Vec<LevelId>> {
        let end = self.levels.end().min(first + count);
        let at = (first..end).map(|at| at as u32);
        let levels = at.filter(|at| self.levels.lives(*at)).map(LevelId);
        (first < end).then(|| levels.collect())
    }

    /// Whether a level has not been removed.
    pub(crate) fn lives(&self, level: LevelId) -> bool {
        self.levels.lives(level.0)
    }

    /// Whether a level is `outer`, or one below it.
    pub(crate) fn is_inside(&self, level: LevelId, outer: LevelId) -> bool {
        outer == LevelId::ROOT || self.levels.path(level.0).any(|(at, _)| at == outer.0)
    }

    /// How many are waiting, active, lending, or on their way out.
    #[inline]
    pub(crate) fn living(&self, level: LevelId) -> usize {
        match level {
            LevelId::ROOT => self.register.len() + self.refused,
            group => self.levels.at(group.0).living,
        }
    }

    /// How many levels there is memory for.
    #[cfg(test)]
    pub(super) fn level_capacity(&self) -> usize {
        self.levels.capacity()
    }
}
