//! Lists in a few words, for `Debug` and `Display`.

use core::fmt;

/// Shows a list of up to three items, and of a longer one the first, the last and their number.
pub(crate) struct Short<'a, T>(pub(crate) &'a [T]);

impl<T: fmt::Debug + fmt::Display> fmt::Display for Short<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [first, .., last] if self.0.len() > 3 => {
                write!(f, "[{first}, … {last}: {}]", self.0.len())
            }
            list => write!(f, "{list:?}"),
        }
    }
}

impl<T: fmt::Debug + fmt::Display> fmt::Debug for Short<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
