//! The behaviour that the tests of cf-taskpool show.
