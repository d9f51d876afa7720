//! Numbers of two doubles, the first of which is short: so short that products of first doubles are
//! exact, and their sums too.
//!
//! Compensated sums and products take a dozen operations where fused multiply-add is missing, and
//! other ones where it is not. With first doubles on a common grid nothing has to be compensated,
//! and the operations are the same everywhere.

use core::ops::{Add, Mul, Sub};

use fearless_simd::prelude::*;

use super::Waves;
use super::sincos::{Two, in_quarter, reduced, splat};
use super::turned::{Group, Number, Phase, SinCos, exponents};
use super::turns::Words;

/// A double to which this is added is rounded to a multiple of 2⁻²⁶, the grid of numbers up to one.
pub(super) const GRID: f64 = 1.5 * (1_u64 << 26) as f64;

/// Twice what turning costs at most and more, as a part of the amplitude: 15 times what a turn
/// lacks.
const DOUBT: f64 = 1.0 / (1_u128 << 69) as f64;

/// The sum of two doubles. *On the grid*, the first is a multiple of 2⁻²⁶ and the rest smaller; a
/// product or a sum of such numbers is a multiple of 2⁻⁵² and a rest, and has to go back to the
/// grid before it is a factor again.
#[derive(Clone, Copy)]
pub struct Long<V> {
    pub(super) high: V,
    pub(super) low: V,
}

impl<V: Copy + Add<Output = V> + Sub<Output = V>> Long<V> {
    #[inline(always)]
    pub(super) fn rounded(self) -> V {
        self.high + self.low
    }

    /// The same number on the grid of [`GRID`], or of a power of two of it for numbers up to that
    /// power.
    #[inline(always)]
    pub(super) fn on(self, grid: V) -> Self {
        let high = (self.rounded() + grid) - grid;
        Self { high, low: (self.high - high) + self.low }
    }
}

impl<V: Copy + Add<Output = V> + Mul<Output = V>> Mul for Long<V> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self {
            high: self.high * other.high,
            low: (self.high + self.low) * other.low + self.low * other.high,
        }
    }
}

impl<V: Add<Output = V>> Add for Long<V> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { high: self.high + other.high, low: self.low + other.low }
    }
}

impl<V: Sub<Output = V>> Sub for Long<V> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { high: self.high - other.high, low: self.low - other.low }
    }
}

/// A constant: a multiple of 2⁻²⁶, and the rest.
#[inline(always)]
fn constant<S: Simd>(simd: S, multiple: f64, low: f64) -> Long<Two<S::f64s>> {
    Long { high: splat(simd, multiple / (1_u64 << 26) as f64), low: splat(simd, low) }
}

impl<S: Simd> Number<S> for Long<Two<S::f64s>> {
    const PARTS: usize = 2;
    const DOUBT: f64 = DOUBT;

    #[inline(always)]
    fn load(simd: S, values: &[f64]) -> Self {
        let (high, low) = values.split_at(2 * S::f64s::LEN);
        Self { high: Two::load(simd, high), low: Two::load(simd, low) }
    }

    #[inline(always)]
    fn store(self, values: &mut [f64]) {
        let (high, low) = values.split_at_mut(2 * S::f64s::LEN);
        Number::<S>::store(self.high, high);
        Number::<S>::store(self.low, low);
    }

    #[inline(always)]
    fn factor(self, waves: &Waves) -> Self {
        self.on(splat(self.high.0.token(), waves.grid))
    }

    #[inline(always)]
    fn scaled(self, waves: &Waves) -> Self {
        let simd = self.high.0.token();
        let amplitude = Long { high: waves.amplitude, low: 0.0 }.on(waves.grid);
        let product =
            self * Long { high: splat(simd, amplitude.high), low: splat(simd, amplitude.low) };
        product.on(splat(simd, waves.grid))
    }

    #[inline(always)]
    fn rounded(self) -> Two<S::f64s> {
        Long::rounded(self)
    }

    #[inline(always)]
    fn shifted(self, offset: f64) -> Two<S::f64s> {
        self.high + (self.low + splat(self.high.0.token(), offset))
    }

    #[inline(always)]
    fn sincos(simd: S, phase: Phase<S>) -> SinCos<Self> {
        long_sincos(simd, phase)
    }

    #[inline(always)]
    fn near(simd: S, words: Words<'_>, position: i64) -> SinCos<Self> {
        long_sincos(simd, Phase::near(simd, words, position))
    }

    #[inline(always)]
    fn steps(waves: &Waves) -> &[f64] {
        &waves.long_steps
    }

    #[inline(always)]
    fn shown(group: Group<S>) -> Group<S> {
        group
    }

    #[inline(always)]
    fn exponents(group: Group<S>, shift: Option<u64>, _: bool) -> Two<S::u32s> {
        let large = exponents::<S>(group, shift);
        Two(large.0.bitcast(), large.1.bitcast())
    }

    #[inline(always)]
    fn masks(sure: Two<S::u64s>, _: bool, _: bool) -> Two<S::u32s> {
        Two(sure.0.bitcast(), sure.1.bitcast())
    }
}

/// Sine and cosine of a phase within 2⁻⁷², on the grid.
#[inline(always)]
fn long_sincos<S: Simd>(simd: S, phase: Phase<S>) -> SinCos<Long<Two<S::f64s>>> {
    let grid = splat(simd, GRID);
    let Phase { high, low, angle } = phase;
    let (a, b) = (reduced(simd, high.0, low.0, angle.0), reduced(simd, high.1, low.1, angle.1));
    let x = Long { high: Two(a.x, b.x), low: Two(a.y, b.y) }.on(grid);
    let z = (x * x).on(grid);
    let (sin, cos) = (long_sin(simd, x, z), long_cos(simd, z));
    let (high_a, high_b) = (
        in_quarter(simd, a.quarter, sin.high.0, cos.high.0),
        in_quarter(simd, b.quarter, sin.high.1, cos.high.1),
    );
    let (low_a, low_b) = (
        in_quarter(simd, a.quarter, sin.low.0, cos.low.0),
        in_quarter(simd, b.quarter, sin.low.1, cos.low.1),
    );
    SinCos {
        sin: Long { high: Two(high_a.0, high_b.0), low: Two(low_a.0, low_b.0) },
        cos: Long { high: Two(high_a.1, high_b.1), low: Two(low_a.1, low_b.1) },
    }
}

/// sin x for |x| ≤ π/4, z the square of x: the first terms of its series, and a polynomial for z⁴
/// and what follows, which interpolates at Chebyshev's points.
#[inline(always)]
fn long_sin<S: Simd>(simd: S, x: Long<Two<S::f64s>>, z: Long<Two<S::f64s>>) -> Long<Two<S::f64s>> {
    const REST: [f64; 6] = [
        2.7557319223985893e-06,
        -2.5052108385441657e-08,
        1.605904383670576e-10,
        -7.647163651675205e-13,
        2.8114321906094672e-15,
        -8.184494281302312e-18,
    ];
    let grid = splat(simd, GRID);
    let short = z.rounded();
    let seventh = constant(simd, -13315.0, -3.73711661686973e-09);
    let seventh = Long { low: seventh.low + short * polynomial(simd, short, REST), ..seventh };
    let fifth = (constant(simd, 559241.0, -6.953875223795573e-09) + z * seventh).on(grid);
    let third = (constant(simd, -11184811.0, 4.967053731282552e-09) + z * fifth).on(grid);
    (x + x * (z * third).on(grid)).on(grid)
}

/// cos x, likewise.
#[inline(always)]
fn long_cos<S: Simd>(simd: S, z: Long<Two<S::f64s>>) -> Long<Two<S::f64s>> {
    const REST: [f64; 6] = [
        -2.7557319223985883e-07,
        2.0876756987810156e-09,
        -1.1470745522579083e-11,
        4.779443212260593e-14,
        -1.555595293699416e-16,
        0.0,
    ];
    let grid = splat(simd, GRID);
    let short = z.rounded();
    let eighth = constant(simd, 1664.0, 6.055075024801587e-09);
    let eighth = Long { low: eighth.low + short * polynomial(simd, short, REST), ..eighth };
    let sixth = (constant(simd, -93207.0, 3.6425060696072047e-09) + z * eighth).on(grid);
    let fourth = (constant(simd, 2796203.0, -4.967053731282552e-09) + z * sixth).on(grid);
    let second = (constant(simd, -33554432.0, 0.0) + z * fourth).on(grid);
    (constant(simd, 67108864.0, 0.0) + z * second).on(grid)
}

/// Σ cᵢ · zⁱ
#[inline(always)]
fn polynomial<S: Simd>(simd: S, z: Two<S::f64s>, c: [f64; 6]) -> Two<S::f64s> {
    let pair = |i: usize| z * splat(simd, c[i + 1]) + splat(simd, c[i]);
    let square = z * z;
    (pair(4) * square + pair(2)) * square + pair(0)
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::super::kernel::{BLOCK, CENTRE, OCTET};
    use super::super::turned::exact;
    use super::super::turns::GROUP;
    use super::super::wide::Wide;
    use super::*;
    use crate::Position;

    #[inline(always)]
    fn differences<S: Simd>(a: SinCos<Long<Two<S::f64s>>>, b: SinCos<Long<Two<S::f64s>>>) -> f64 {
        let difference = |a: Long<Two<S::f64s>>, b: Long<Two<S::f64s>>| {
            let Two(low, high) = (a - b).rounded();
            low.abs().max(high.abs()).as_slice().iter().copied().fold(0.0, f64::max)
        };
        difference(a.sin, b.sin).max(difference(a.cos, b.cos))
    }

    /// How far turning drifts from the anchors of some blocks to their last centres.
    #[inline(always)]
    fn drift<S: Simd>(simd: S, waves: &Waves) -> f64 {
        let mut worst = 0.0_f64;
        for block in (0..200).map(|i| i * i * i * BLOCK) {
            let at = |step| {
                exact::<S, Long<Two<S::f64s>>>(
                    simd,
                    &waves.turns,
                    Position::Integer(block + step),
                    0,
                )
                .scaled::<S>(waves)
            };
            let turn = exact(simd, &waves.turns, Position::Integer(OCTET), 0);
            let mut centre = at(CENTRE);
            for step in (OCTET..BLOCK).step_by(OCTET as usize) {
                centre = centre.advanced::<S>(turn, waves);
                worst = worst.max(differences::<S>(centre, at(CENTRE + step)));
            }
        }
        worst
    }

    #[test]
    fn turned_values_stay_well_within_the_doubt() {
        for amplitude in [1.0, -1.999, 1e-3] {
            let frequencies: Vec<Wide> =
                (0..GROUP).map(|i| Wide::from_f64(0.7_f64.powi(i as i32))).collect();
            let waves = Waves::new(&frequencies, amplitude);
            let drift = dispatch!(Level::new(), simd => drift(simd, &waves)) / amplitude.abs();
            assert!(drift < DOUBT / 2.0, "2^{}", drift.log2());
        }
    }

    #[test]
    fn what_is_on_the_grid_is_the_same_number() {
        let long = Long { high: 0.1, low: 1e-18 };
        let on = long.on(GRID);
        assert_eq!((on.high * 2_f64.powi(26)).fract(), 0.0);
        assert_eq!((long.high - on.high) + long.low, on.low);
        assert!(on.low.abs() <= 2_f64.powi(-27));
    }
}
