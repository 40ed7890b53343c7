use super::control::FenceKey;
use super::name::is_name;

/// The names of a pool's streams, and its subjects.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pool: String,
}

/// Which task a message is about, as its subject says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'s> {
    /// The origin of a task between two tries.
    pub(crate) origin: Option<u64>,
    pub(crate) group: &'s str,
    pub(crate) id: &'s str,
}

impl Names {
    /// Returns the names of `pool`, which is a checked name.
    pub(crate) fn new(pool: String) -> Self {
        Self { pool }
    }

    pub(crate) fn pool(&self) -> &str {
        &self.pool
    }

    pub(crate) fn work_stream(&self) -> String {
        self.stream('W')
    }

    pub(crate) fn result_stream(&self) -> String {
        self.stream('R')
    }

    pub(crate) fn control_stream(&self) -> String {
        self.stream('C')
    }

    pub(crate) fn delayed_stream(&self) -> String {
        self.stream('D')
    }

    pub(crate) fn starts_stream(&self) -> String {
        self.stream('N')
    }

    pub(crate) fn refused_stream(&self) -> String {
        self.stream('X')
    }

    pub(crate) fn work(&self, group: &str, id: &str) -> String {
        self.subject(format_args!("w.{group}.{id}"))
    }

    pub(crate) fn result(&self, owner: &str, id: &str, origin: u64) -> String {
        self.subject(format_args!("r.{owner}.{id}.{origin}"))
    }

    /// The results of all tasks of one client.
    pub(crate) fn results_of(&self, owner: &str) -> String {
        self.subject(format_args!("r.{owner}.*.*"))
    }

    pub(crate) fn fence(&self, key: &FenceKey) -> String {
        self.subject(format_args!("c.f.{}", key.subject()))
    }

    pub(crate) fn state(&self) -> String {
        self.subject(format_args!("c.state"))
    }

    pub(crate) fn delayed(&self, origin: u64, group: &str, id: &str) -> String {
        self.subject(format_args!("d.{origin}.{group}.{id}"))
    }

    pub(crate) fn starts(&self, sequence: u64) -> String {
        self.subject(format_args!("n.{sequence}"))
    }

    /// Where a worker says that it makes the consumer anew that was created at this time.
    pub(crate) fn claim(&self, consumer: &str, created: i128) -> String {
        self.subject(format_args!("n.{consumer}-{created}"))
    }

    /// Where a worker stores that it is there.
    pub(crate) fn presence(&self, worker: &str) -> String {
        self.subject(format_args!("n.there-{worker}"))
    }

    pub(crate) fn refused(&self) -> String {
        self.subject(format_args!("x"))
    }

    pub(crate) fn event(&self, owner: &str, id: &str) -> String {
        self.subject(format_args!("e.{owner}.{id}"))
    }

    pub(crate) fn question(&self) -> String {
        self.subject(format_args!("q"))
    }

    /// All subjects of one kind: `*` for one token, `>` for any number.
    pub(crate) fn all(&self, pattern: &str) -> String {
        self.subject(format_args!("{pattern}"))
    }

    /// The tokens of `subject` behind `aiop.{pool}.{kind}.`, if it is one.
    pub(crate) fn tokens<'s>(&self, kind: &str, subject: &'s str) -> Option<Vec<&'s str>> {
        let mut tokens = subject.split('.');
        let ours = tokens.next() == Some("aiop")
            && tokens.next() == Some(&self.pool)
            && tokens.next() == Some(kind);
        ours.then(|| tokens.collect())
    }

    /// What the subject of a task says, if it is one: whoever may publish chooses the subject.
    pub(crate) fn place<'s>(&self, subject: &'s str) -> Option<Place<'s>> {
        let (origin, tokens) = match self.tokens("w", subject) {
            Some(tokens) => (None, tokens),
            None => {
                let mut tokens = self.tokens("d", subject)?;
                (Some(tokens.first()?.parse().ok()?), tokens.split_off(1))
            }
        };
        let [group, id] = tokens[..] else {
            return None;
        };
        (is_name(group) && is_name(id)).then_some(Place { origin, group, id })
    }

    fn stream(&self, kind: char) -> String {
        format!("AIOP_{}_{kind}", self.pool)
    }

    fn subject(&self, rest: std::fmt::Arguments<'_>) -> String {
        format!("aiop.{}.{rest}", self.pool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_of_a_subject_are_what_it_was_made_from() {
        let names = Names::new("thumbs".into());
        assert_eq!(
            names.tokens("w", &names.work("g", "i")),
            Some(vec!["g", "i"])
        );
        assert_eq!(
            names.tokens("r", &names.result("o", "i", 7)),
            Some(vec!["o", "i", "7"])
        );
        assert_eq!(names.tokens("w", &names.result("o", "i", 7)), None);
        assert_eq!(names.tokens("w", "aiop.other.w.g.i"), None);
        assert_eq!(names.tokens("w", ""), None);
        let place = |origin| {
            Some(Place {
                origin,
                group: "g",
                id: "i",
            })
        };
        assert_eq!(names.place(&names.work("g", "i")), place(None));
        assert_eq!(names.place(&names.delayed(7, "g", "i")), place(Some(7)));
        assert_eq!(names.place(&names.result("o", "i", 7)), None);
        for bad in [
            "aiop.thumbs.w.g.i)",
            "aiop.thumbs.w..i",
            "aiop.thumbs.d.g.i",
            "aiop.thumbs.d",
        ] {
            assert_eq!(names.place(bad), None, "{bad}");
        }
    }
}
