//! Doubles, one at a time or in vectors, so that formulas are written once for both.

use core::ops::{Add, Mul, Neg, Sub};

/// A double, or vectors of doubles: the formulas of this folder are written once for all of them.
pub trait Real:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
{
}

impl<V> Real for V where
    V: Copy
        + Add<Output = V>
        + Sub<Output = V>
        + Mul<Output = V>
        + Neg<Output = V>
        + Add<f64, Output = V>
        + Sub<f64, Output = V>
        + Mul<f64, Output = V>
{
}

/// Two vectors that are processed together, which gives the processor two independent chains of
/// operations. Two vectors of f64 also make one of f32.
#[derive(Clone, Copy)]
pub struct Two<V>(pub(super) V, pub(super) V);

macro_rules! lanewise {
    ($($trait:ident::$method:ident)*) => {$(
        impl<V: $trait<Output = V>> $trait for Two<V> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0), self.1.$method(other.1))
            }
        }

        impl<V: $trait<f64, Output = V>> $trait<f64> for Two<V> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: f64) -> Self {
                Self(self.0.$method(other), self.1.$method(other))
            }
        }
    )*};
}

lanewise!(Add::add Sub::sub Mul::mul);

impl<V: Neg<Output = V>> Neg for Two<V> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0, -self.1)
    }
}
