use std::collections::{BTreeMap, BTreeSet};

/// The free numbers in names such as `{begin}-group-7`, for each `{begin}`.
#[derive(Default)]
pub(super) struct FreeNames(BTreeMap<String, Numbers>);

/// The free numbers: all from `next` on, and those in `freed`, which are below it.
#[derive(Default)]
struct Numbers {
    next: u64,
    freed: BTreeSet<u64>,
}

impl FreeNames {
    /// Returns the first free name with this beginning. `taken` returns `true` for names in use, of which this type may
    /// not know.
    pub(super) fn first(&mut self, begin: &str, taken: impl Fn(&str) -> bool) -> String {
        let numbers = self.0.entry(begin.to_owned()).or_default();
        loop {
            let name = format!("{begin}-group-{}", numbers.first());
            if !taken(&name) {
                return name;
            }
            let first = numbers.first();
            numbers.take(first);
        }
    }

    /// Marks a name as used, whether `first` returned it or not.
    pub(super) fn take(&mut self, name: &str) {
        if let Some((numbers, number)) = self.find(name) {
            numbers.take(number);
        }
    }

    /// Marks a name as free.
    pub(super) fn free(&mut self, name: &str) {
        if let Some((numbers, number)) = self.find(name) {
            numbers.free(number);
        }
    }

    fn find(&mut self, name: &str) -> Option<(&mut Numbers, u64)> {
        let (begin, number) = name.rsplit_once("-group-")?;
        let parsed: u64 = number.parse().ok()?;
        // `+7` and `07` parse as 7, but a name never contains them.
        let numbers = self.0.get_mut(begin)?;
        (parsed.to_string() == number).then_some((numbers, parsed))
    }
}

impl Numbers {
    fn first(&self) -> u64 {
        self.freed.first().copied().unwrap_or(self.next)
    }

    fn take(&mut self, number: u64) {
        if number == self.next {
            self.next += 1;
        }
        self.freed.remove(&number);
    }

    fn free(&mut self, number: u64) {
        if number < self.next {
            self.freed.insert(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_first_free_name_is_that_of_a_search_from_the_start() {
        let (mut names, mut given) = (FreeNames::default(), BTreeSet::new());
        let mut state = 1_u64;
        let mut roll = |sides: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % sides
        };
        for _ in 0..3_000 {
            match roll(4) {
                0 => {
                    let other = format!("a-group-{}", roll(20));
                    if given.insert(other.clone()) {
                        names.take(&other);
                    }
                }
                1 => {
                    let other = format!("a-group-{}", roll(20));
                    if given.remove(&other) {
                        names.free(&other);
                    }
                }
                _ => {
                    let searched = (0..).map(|n| format!("a-group-{n}"));
                    let expected = searched.clone().find(|name| !given.contains(name));
                    let first = names.first("a", |name| given.contains(name));
                    assert_eq!(Some(&first), expected.as_ref());
                    if roll(2) == 0 {
                        names.take(&first);
                        given.insert(first);
                    }
                }
            }
        }
    }
}
