//! ALiBi: attention with linear biases.

use core::fmt;

use super::distance::{Distances, PAGE, distances};
use super::{AttentionBias, DependsOn, check_heads, check_row};
use crate::add::{Multiples, Put, put_multiples};
use crate::element::Element;
use crate::error::{Error, check_parameter};
use crate::exact::{Factor, largest, smallest_normal};
use crate::positions::Positions;
use crate::short::Short;

/// The formula of the bias, for a query at i, a key at j and the slope m.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AlibiForm {
    /// −m · (i − j): the paper's form, for causal attention. A key after the query gets a positive
    /// bias, which a causal mask hides.
    Causal,
    /// −m · |i − j|: encoders (Jina BERT), MLX, x-transformers.
    Symmetric,
    /// m · j, for every query: BLOOM and Falcon. Each row differs from the causal form by a
    /// constant, so a softmax gives the same weights.
    Keys,
}

/// ALiBi (Press et al. 2021, *Train short, test long*): the distance times a slope for each head.
///
/// bias\[h, i, j\] = −mₕ · (i − j), and each value is the exact product, rounded once, except
/// Falcon's. Slopes are powers of 2 with rational exponents; irrational ones are known to 250 bits.
///
/// | system | constructor |
/// |---|---|
/// | the authors' code, BLOOM, x-transformers | [`new`](Self::new) |
/// | MPT with `alibi_bias_max` | [`with_bias_max`](Self::with_bias_max) |
/// | the paper's text | [`geometric`](Self::geometric) |
/// | Falcon | [`falcon`](Self::falcon) |
///
/// ```
/// use positional_encodings::{Alibi, AttentionBias, Positions};
///
/// let alibi = Alibi::new(8)?;
/// let bias: ndarray::Array3<f32> = alibi.encode(&Positions::from(2..3), &Positions::from(0..3))?;
/// assert_eq!([0, 1, 2].map(|key| bias[[0, 0, key]]), [-1.0, -0.5, 0.0]); // head 0, slope 1/2
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Alibi {
    slopes: Vec<Factor>,
    /// Classes of heads whose slopes are powers of two times the slope of the first, with these
    /// powers: 32 heads make four classes.
    classes: Vec<Vec<(usize, f64)>>,
    form: AlibiForm,
    rounding: Rounding,
}

/// Shows the bias as a caption: `ALiBi, 8 heads, slopes [0.5, … 0.00390625: 8], causal`.
impl fmt::Display for Alibi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ALiBi, {} heads, slopes {}", self.slopes.len(), Short(&self.slopes()))?;
        f.write_str(match self.form {
            AlibiForm::Causal => ", causal",
            AlibiForm::Symmetric => ", symmetric",
            AlibiForm::Keys => ", of keys",
        })?;
        f.write_str(if self.rounding == Rounding::Bf16 { ", in bf16" } else { "" })
    }
}

impl fmt::Debug for Alibi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alibi")
            .field("heads", &self.slopes.len())
            .field("slopes", &Short(&self.slopes()))
            .field("form", &self.form)
            .field("rounding", &self.rounding)
            .finish()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rounding {
    /// The exact product is rounded to the element type.
    Once,
    /// Slopes, and then products, are rounded to bf16.
    Bf16,
}

impl Alibi {
    /// Makes ALiBi with the slopes of the authors' code. For n heads, n a power of two, they are
    /// 2^(−8k/n), k = 1…n; for other numbers of heads, those of the next lower power of two,
    /// followed by every second slope of the next higher one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no heads or more than 65,536.
    ///
    /// ```
    /// use positional_encodings::Alibi;
    /// assert_eq!(Alibi::new(3)?.slopes(), [1.0 / 16.0, 1.0 / 256.0, 1.0 / 4.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn new(heads: usize) -> Result<Self, Error> {
        Self::with_bias_max(heads, 8)
    }

    /// Makes ALiBi with MPT's slopes, 2^(−max·k/n), where max is `alibi_bias_max` and n the number
    /// of heads, or the next power of two. If there are fewer than n heads, slopes of even k come
    /// first, then those of odd k. With `bias_max` 8 they are those of [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no heads or more than 65,536, or for `bias_max` outside
    /// 1…64.
    pub fn with_bias_max(heads: usize, bias_max: u32) -> Result<Self, Error> {
        check_heads(heads)?;
        let (value, is_met) = (f64::from(bias_max), (1..=64).contains(&bias_max));
        check_parameter("alibi_bias_max", value, is_met, "a number from 1 to 64")?;
        let n = heads.next_power_of_two() as u64;
        let (evens, odds) = ((2..=n).step_by(2), (1..=n).step_by(2));
        // For a power of two, all k are used in order.
        let in_order = (1..=n).take(if n == heads as u64 { heads } else { 0 });
        let order = in_order.chain(evens.chain(odds)).take(heads);
        Ok(Self::of(order.map(|k| Factor::power(u64::from(bias_max) * k, n))))
    }

    /// Makes ALiBi with the slopes of the paper's text, 2^(−8k/n), k = 1…n, for any number n of
    /// heads.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no heads or more than 65,536.
    pub fn geometric(heads: usize) -> Result<Self, Error> {
        check_heads(heads)?;
        Ok(Self::of((1..=heads as u64).map(|k| Factor::power(8 * k, heads as u64))))
    }

    /// Makes Falcon's ALiBi: the slopes of [`new`](Self::new) rounded to bf16, times the position
    /// of the key, and the product rounded to bf16. At position 2,048 its error is up to 7. Falcon
    /// adds it to the products of queries and keys before it divides the sums by √(width of a
    /// head).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no heads or more than 65,536.
    pub fn falcon(heads: usize) -> Result<Self, Error> {
        let exact = Self::new(heads)?;
        let rounded = exact.slopes.iter().map(|slope| Factor::given(to_bf16(slope.value)));
        Ok(Self { form: AlibiForm::Keys, rounding: Rounding::Bf16, ..Self::of(rounded) })
    }

    /// Makes ALiBi with the given slopes, one for each head, for example learned ones, or the
    /// slopes of a shard's heads. A head without a bias has slope 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no slopes or more than 65,536, or for a slope that is not
    /// within the range of f32.
    pub fn from_slopes(slopes: &[f64]) -> Result<Self, Error> {
        check_heads(slopes.len())?;
        for &slope in slopes {
            let is_met = slope.abs() <= f64::from(f32::MAX);
            check_parameter("slope", slope, is_met, "within the range of f32")?;
        }
        Ok(Self::of(slopes.iter().map(|&slope| Factor::given(slope))))
    }

    /// Sets the formula of the bias; [`AlibiForm::Causal`] by default, and [`AlibiForm::Keys`] for
    /// [`falcon`](Self::falcon).
    pub fn with_form(self, form: AlibiForm) -> Self {
        Self { form, ..self }
    }

    /// Returns the formula of the bias.
    pub fn form(&self) -> AlibiForm {
        self.form
    }

    /// Returns the slope of each head, rounded to the nearest double. Where the bias rounds slopes
    /// ([`falcon`](Self::falcon)), these are the slopes before that.
    pub fn slopes(&self) -> Vec<f64> {
        self.slopes.iter().map(|slope| slope.value).collect()
    }

    /// Sets the slopes, one for each head; the form and the rounding stay. A slope that is not
    /// changed stays exact.
    pub(crate) fn set_slopes<A: Element>(&mut self, values: &[A]) -> Result<(), Error> {
        let given =
            Self::from_slopes(&values.iter().map(|value| value.to_f64()).collect::<Vec<_>>())?;
        let slopes = self.slopes.iter().zip(given.slopes).map(|(own, given)| {
            let is_same = A::from_f64(own.value).to_f64() == given.value;
            if is_same { *own } else { given }
        });
        let slopes: Vec<_> = slopes.collect();
        *self = Self { form: self.form, rounding: self.rounding, ..Self::of(slopes.into_iter()) };
        Ok(())
    }

    fn of(slopes: impl Iterator<Item = Factor>) -> Self {
        let slopes: Vec<_> = slopes.collect();
        let mut classes: Vec<Vec<(usize, f64)>> = Vec::new();
        for (head, slope) in slopes.iter().enumerate() {
            let power = |first: usize| slope.power_over(slopes[first]).filter(|k| k.abs() < 100);
            let own =
                classes.iter_mut().take(64).find_map(|class| Some((power(class[0].0)?, class)));
            match own {
                Some((power, class)) => class.push((head, 2_f64.powi(power))),
                None => classes.push(vec![(head, 1.0)]),
            }
        }
        Self { slopes, classes, form: AlibiForm::Causal, rounding: Rounding::Once }
    }

    fn put_row<A: Element>(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        out: &mut [A],
        put: Put,
    ) {
        self.factors(query, keys, |start, factors| {
            let (bits, most) = bits_and_largest(&factors);
            let (values, row) = (&*factors.values, [keys.len(), start]);
            let mut products = [A::Angle::from_f64(0.0); PAGE];
            let numbers = &mut products[..values.len()];
            let mut of_heads = |slope: Factor, is_normal: bool, heads: &[(usize, f64)]| {
                match self.rounding {
                    Rounding::Once => {
                        slope.times::<A>(values, factors.rests, (bits, is_normal), numbers)
                    }
                    Rounding::Bf16 => numbers.iter_mut().zip(values).for_each(|(out, value)| {
                        let rounded = A::from_f64(to_bf16(to_bf16(slope.value) * value));
                        *out = A::Angle::from_f64(rounded.to_f64());
                    }),
                }
                put_multiples(Multiples { numbers, heads, out, row, put });
            };
            let is_normal = |&(head, _): &(usize, f64)| {
                let slope = self.slopes[head].value.abs();
                slope >= smallest_normal::<A>() && slope * most <= largest::<A>()
            };
            for heads in &self.classes {
                // Multiplication by a power of two is exact unless the product is subnormal, so one
                // rounding serves all heads of the class.
                if bits < 64 && self.rounding == Rounding::Once && heads.iter().all(is_normal) {
                    of_heads(self.slopes[heads[0].0], true, heads);
                    continue;
                }
                for &(head, _) in heads {
                    of_heads(self.slopes[head], false, &[(head, 1.0)]);
                }
            }
        });
    }

    /// Calls `visit` with the factors by which slopes are multiplied, in blocks of keys, and with
    /// the index of the first key of each block.
    pub(crate) fn factors(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        mut visit: impl FnMut(usize, Distances<'_>),
    ) {
        let origin = Positions::from(0..1);
        let query = if self.form == AlibiForm::Keys { &origin } else { query };
        let is_symmetric = self.form == AlibiForm::Symmetric;
        distances(query, keys, |start, Distances { values, rests, fall }| {
            if !fall {
                let turned = rests.iter_mut().zip(&*values);
                let turned = turned.filter(|(_, value)| !is_symmetric || **value > 0.0);
                turned.for_each(|(rest, _)| *rest = 0.0 - *rest);
            }
            // A distance of 0 becomes 0, not −0.
            let size = |value: f64| if is_symmetric { value.abs() } else { value };
            values.iter_mut().for_each(|value| *value = 0.0 - size(*value));
            visit(start, Distances { values, rests, fall });
        });
    }
}

impl<A: Element> AttentionBias<A> for Alibi {
    fn heads(&self) -> usize {
        self.slopes.len()
    }

    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]) {
        self.put_row(query, keys, out, Put::Write);
    }

    fn add_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        scores: &mut [A],
    ) -> Result<(), Error> {
        check_row(self.slopes.len(), query, keys, scores)?;
        self.put_row(query, keys, scores, Put::Add);
        Ok(())
    }

    fn depends_on(&self) -> DependsOn {
        if self.form == AlibiForm::Keys { DependsOn::Key } else { DependsOn::Distance }
    }
}

/// Returns an upper bound of the bits of each distance, and the largest absolute value. Whole
/// numbers below 2²³ have at most the bits of the largest; for others the bound is 64.
fn bits_and_largest(distances: &Distances<'_>) -> (u32, f64) {
    let Distances { values, rests, fall } = distances;
    // The largest absolute value of a falling sequence is at one of its ends.
    let step = if *fall { values.len().saturating_sub(1).max(1) } else { 1 };
    let most = values.iter().step_by(step).fold(0.0_f64, |most, value| most.max(value.abs()));
    let is_whole = |value: &f64| value.trunc() == *value;
    let are_whole = *fall || rests.iter().all(|rest| *rest == 0.0) && values.iter().all(is_whole);
    let is_short = are_whole && most < 2_f64.powi(23);
    (if is_short { (most as u32).checked_ilog2().unwrap_or(0) + 1 } else { 64 }, most)
}

/// Rounds to the nearest number with the eight bits of bf16, ties to even.
fn to_bf16(value: f64) -> f64 {
    let bits = value.to_bits();
    f64::from_bits((bits + 0xfff_ffff_ffff + (bits >> 45 & 1)) >> 45 << 45)
}
