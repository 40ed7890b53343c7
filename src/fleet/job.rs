use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::is_name;

/// A job: a name, the type of its arguments, and that of its result.
///
/// Client and worker share the value, which is best a constant. The name is what they agree on, so it has to stand for
/// one pair of types: give a job with other arguments another name.
///
/// ```
/// use aiopool::fleet::Job;
///
/// pub const RESIZE: Job<(String, u32), Vec<u8>> = Job::new("resize-v1");
/// assert_eq!(RESIZE.name(), "resize-v1");
/// ```
///
/// Arguments and results cross as JSON, unless the job names another [`Codec`].
pub struct Job<Args, Out, C = Json> {
    name: &'static str,
    types: PhantomData<fn(Args, C) -> Out>,
}

impl<Args, Out> Job<Args, Out> {
    /// Creates a job whose values cross as JSON.
    ///
    /// # Panics
    ///
    /// If the name has other characters than `A-Z`, `a-z`, `0-9`, `_` and `-`, or not 1 to 64 of them. In a constant,
    /// this is an error of the compiler.
    pub const fn new(name: &'static str) -> Self {
        Self::with_codec(name)
    }
}

impl<Args, Out, C> Job<Args, Out, C> {
    /// Creates a job whose values cross in the codec `C`.
    ///
    /// # Panics
    ///
    /// As [`new`](Job::new).
    pub const fn with_codec(name: &'static str) -> Self {
        assert!(
            is_name(name),
            "the name of a job needs 1 to 64 characters of A-Z, a-z, 0-9, _ and -"
        );
        Self {
            name,
            types: PhantomData,
        }
    }

    /// Returns the name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<Args, Out, C> Clone for Job<Args, Out, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Args, Out, C> Copy for Job<Args, Out, C> {}

impl<Args, Out, C> fmt::Debug for Job<Args, Out, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.name).finish()
    }
}

/// How values become bytes.
///
/// [`Json`] is the one that comes with the crate. Another one is a few lines, with the types of serde:
///
/// ```
/// use aiopool::fleet::{Codec, Job};
/// use serde::{Serialize, de::DeserializeOwned};
///
/// /// JSON that people can read.
/// struct Pretty;
///
/// impl Codec for Pretty {
///     fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
///         serde_json::to_vec_pretty(value).map_err(|error| error.to_string())
///     }
///     fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
///         serde_json::from_slice(bytes).map_err(|error| error.to_string())
///     }
/// }
///
/// const ADD: Job<(u32, u32), u32, Pretty> = Job::with_codec("add");
/// # let _ = ADD;
/// ```
pub trait Codec: 'static {
    /// Writes a value.
    ///
    /// # Errors
    ///
    /// The reason why the value cannot be written.
    fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, String>;

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// The reason why the bytes are no such value. The bytes come from the server, and may be anything.
    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String>;
}

/// Values as JSON, the default.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Codec for Json {
    fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
        serde_json::to_vec(value).map_err(|error| error.to_string())
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_crosses_as_the_same_float() {
        for float in [
            0.1,
            6.666666666666667e43,
            1.7e-300,
            f64::MAX,
            f64::MIN_POSITIVE,
        ] {
            let bytes = Json::encode(&float).unwrap();
            assert_eq!(Json::decode::<f64>(&bytes), Ok(float));
        }
    }
}
