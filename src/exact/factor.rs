//! A number times distances: the exact product, rounded once.

use core::cmp::Ordering;

use crate::element::Element;
use crate::phase::wide::Wide;

/// A number that is known to 250 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Factor {
    /// The nearest double.
    pub(crate) value: f64,
    exact: Wide,
}

impl Factor {
    /// The most products that are made at a time.
    pub(crate) const MOST: usize = 128;

    /// 2^(−numerator/denominator)
    pub(crate) fn power(numerator: u64, denominator: u64) -> Self {
        let exact = if numerator.is_multiple_of(denominator) {
            // Nothing is lost: a tie must stay one.
            Wide::from_f64(0.5).pow(numerator / denominator)
        } else {
            Wide::from_u64(2).inverse_root(denominator).pow(numerator)
        };
        Self { value: exact.to_f64(), exact }
    }

    pub(crate) fn given(value: f64) -> Self {
        Self { value, exact: Wide::from_f64(value) }
    }

    /// Whether a product with a whole number below 2²⁹ is a double.
    fn is_short(self) -> bool {
        self.value.to_bits().trailing_zeros() >= 29 && self.exact == Wide::from_f64(self.value)
    }

    /// Writes the products with `factors`, each rounded once. The plain way is the exact product,
    /// [`rounded`]; all others give its bits, and leave to it what they cannot tell.
    pub(crate) fn times<A: Element>(
        self,
        values: &[f64],
        rests: &[f64],
        are_short: bool,
        out: &mut [A],
    ) {
        let largest = largest::<A>();
        let round = |product: f64| A::from_f64(product.min(largest));
        let outs = out.iter_mut().zip(values);
        if self.is_short() && are_short {
            return outs.for_each(|(out, value)| *out = round(self.value * value));
        }
        if size_of::<A>() == size_of::<f64>() {
            let low = self.exact.sub(Wide::from_f64(self.value)).to_f64();
            for ((out, value), rest) in outs.zip(rests) {
                let product = two_product(self.value, *value);
                let error = product[1] + (low * value + self.value * rest);
                let (below, above) = around(product[0], error, 2_f64.powi(-98));
                *out =
                    A::from_f64(if below == above { below } else { self.exactly(*value, *rest) });
            }
            return;
        }
        let mut sure = [true; Self::MOST];
        for ((out, value), sure) in outs.zip(&mut sure) {
            let product = self.value * value;
            let (below, above) = around(product, 0.0, 2_f64.powi(-51));
            *out = round(below);
            *sure = *out == round(above);
        }
        for (i, out) in out.iter_mut().enumerate().filter(|(i, _)| !sure[*i]) {
            let exact = self.exactly_to_odd(values[i], rests[i]);
            *out = round(exact);
        }
    }

    fn product(self, value: f64, rest: f64) -> Wide {
        self.exact.mul(Wide::from_f64(value).add(Wide::from_f64(rest)))
    }

    /// The product rounded to f64.
    fn exactly(self, value: f64, rest: f64) -> f64 {
        self.product(value, rest).to_f64()
    }

    /// The product rounded to f64 such that it can be rounded once more: where bits were lost, the
    /// last one is odd.
    fn exactly_to_odd(self, value: f64, rest: f64) -> f64 {
        let exact = self.product(value, rest);
        let nearest = exact.to_f64();
        let lost = exact.sub(Wide::from_f64(nearest)).to_f64();
        if lost == 0.0 || nearest.to_bits() & 1 == 1 {
            nearest
        } else if (lost > 0.0) == (nearest > 0.0) {
            f64::from_bits(nearest.to_bits() + 1)
        } else {
            f64::from_bits(nearest.to_bits() - 1)
        }
    }
}

/// Two doubles on both sides of value + error, as far apart as this share of the value.
fn around(value: f64, error: f64, share: f64) -> (f64, f64) {
    let doubt = value.abs() * share;
    (value + (error - doubt), value + (error + doubt))
}

/// The product of two doubles and its error (Dekker, Veltkamp).
fn two_product(a: f64, b: f64) -> [f64; 2] {
    let split = |x: f64| {
        let high = x * 134_217_729.0 - (x * 134_217_729.0 - x);
        [high, x - high]
    };
    let (product, [a, a_low], [b, b_low]) = (a * b, split(a), split(b));
    [product, ((a * b - product) + a * b_low + a_low * b) + a_low * b_low]
}

/// The largest finite number of the type: a bias beyond it is that number, since +∞ and the −∞ of a
/// mask would make a NaN.
pub(crate) fn largest<A: Element>() -> f64 {
    /// The largest numbers of f64, f32, bf16 and f16.
    const LARGEST: [f64; 4] =
        [f64::MAX, f32::MAX as f64, 338953138925153547590470800371487866880.0, 65504.0];
    let is_one = |value: &f64| A::from_f64(*value).to_f64().total_cmp(value) == Ordering::Equal;
    LARGEST.into_iter().find(is_one).unwrap_or(f64::MAX)
}
