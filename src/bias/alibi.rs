//! ALiBi: attention with linear biases.

use super::distance::{Distances, PAGE, distances};
use super::{AttentionBias, DependsOn, check_heads, check_row};
use crate::add::{Multiples, Put, put_multiples};
use crate::element::Element;
use crate::error::{Error, check_parameter};
use crate::exact::{Factor, largest, smallest_normal};
use crate::positions::Positions;

/// The factor of the slopes, i being the query and j the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AlibiForm {
    /// −m · (i − j): the paper's, for attention to what came before. A key that is still to come
    /// gets a positive bias, which a causal mask hides.
    Causal,
    /// −m · |i − j|: encoders (Jina BERT), MLX, x-transformers.
    Symmetric,
    /// m · j, whatever the query: BLOOM and Falcon. Under a softmax it is the causal form, from
    /// which each row differs by one number.
    Keys,
}

/// ALiBi (Press et al. 2021, *Train short, test long*): a slope for each head, times the distance.
///
/// bias\[h, i, j\] = −mₕ · (i − j), each value the exact product rounded once. Slopes are exact
/// powers of 2, to 250 bits where they are irrational.
///
/// | system | write |
/// |---|---|
/// | the reference, BLOOM's and x-transformers' slopes | [`new`](Self::new) |
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
#[derive(Clone, Debug, PartialEq)]
pub struct Alibi {
    slopes: Vec<Factor>,
    /// Heads whose slopes are powers of two times that of the first, and these powers: of 32 heads
    /// there are four classes.
    classes: Vec<Vec<(usize, f64)>>,
    form: AlibiForm,
    rounding: Rounding,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rounding {
    /// The product, to the element type.
    Once,
    /// Slopes and products to bf16, before anything else.
    Bf16,
}

impl Alibi {
    /// The slopes of the reference implementation, of any number of heads: 2^(−8k/n), k = 1…n, for
    /// a power of two n; otherwise those of the next lower power, then every second one of twice as
    /// many.
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

    /// MPT's slopes: 2^(−max·k/n) for `alibi_bias_max` max and n the next power of two; where there
    /// are not so many heads, those of even k and then those of odd k. With 8 they are the
    /// reference's.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no heads or more than 65,536, or a max outside 1…64.
    pub fn with_bias_max(heads: usize, bias_max: u32) -> Result<Self, Error> {
        check_heads(heads)?;
        let (value, is_met) = (f64::from(bias_max), (1..=64).contains(&bias_max));
        check_parameter("alibi_bias_max", value, is_met, "a number from 1 to 64")?;
        let n = heads.next_power_of_two() as u64;
        let (evens, odds) = ((2..=n).step_by(2), (1..=n).step_by(2));
        // All k of a power of two, in order.
        let in_order = (1..=n).take(if n == heads as u64 { heads } else { 0 });
        let order = in_order.chain(evens.chain(odds)).take(heads);
        Ok(Self::of(order.map(|k| Factor::power(u64::from(bias_max) * k, n))))
    }

    /// The slopes of the paper's text, 2^(−8k/n), k = 1…n, for every number of heads.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no heads or more than 65,536.
    pub fn geometric(heads: usize) -> Result<Self, Error> {
        check_heads(heads)?;
        Ok(Self::of((1..=heads as u64).map(|k| Factor::power(8 * k, heads as u64))))
    }

    /// Falcon's way: the reference's slopes rounded to bf16, times the key's position, and the
    /// product rounded to bf16. At position 2,048 it is off by up to 7. Falcon adds it to the
    /// products of queries and keys before it divides these by √(width of a head).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no heads or more than 65,536.
    pub fn falcon(heads: usize) -> Result<Self, Error> {
        let exact = Self::new(heads)?;
        let rounded = exact.slopes.iter().map(|slope| Factor::given(to_bf16(slope.value)));
        Ok(Self { form: AlibiForm::Keys, rounding: Rounding::Bf16, ..Self::of(rounded) })
    }

    /// Takes slopes as they are, one for each head: learned ones, or those of some of the heads of
    /// a sharded model. A head without a bias has slope 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] without a slope, or for one that is not finite or beyond f32.
    pub fn from_slopes(slopes: &[f64]) -> Result<Self, Error> {
        check_heads(slopes.len())?;
        for &slope in slopes {
            let is_met = slope.abs() <= f64::from(f32::MAX);
            check_parameter("slope", slope, is_met, "finite, and no larger than f32 holds")?;
        }
        Ok(Self::of(slopes.iter().map(|&slope| Factor::given(slope))))
    }

    /// Multiplies the slopes with something else than the causal distance.
    pub fn with_form(self, form: AlibiForm) -> Self {
        Self { form, ..self }
    }

    /// The form.
    pub fn form(&self) -> AlibiForm {
        self.form
    }

    /// The slope of each head, the nearest double.
    pub fn slopes(&self) -> Vec<f64> {
        self.slopes.iter().map(|slope| slope.value).collect()
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
                        let rounded = A::from_f64(to_bf16(slope.value * value));
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
                // What is rounded once for one of them is for all, if none has fewer bits.
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

    /// Calls `visit` with what the slopes are multiplied with.
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

/// The bits that distances are long, and the largest: whole numbers below 2²³ are that long at most,
/// others longer than is worth asking.
fn bits_and_largest(distances: &Distances<'_>) -> (u32, f64) {
    let Distances { values, rests, fall } = distances;
    // Nothing that falls is farther from 0 than its ends.
    let step = if *fall { values.len().saturating_sub(1).max(1) } else { 1 };
    let most = values.iter().step_by(step).fold(0.0_f64, |most, value| most.max(value.abs()));
    let is_whole = |value: &f64| value.trunc() == *value;
    let are_whole = *fall || rests.iter().all(|rest| *rest == 0.0) && values.iter().all(is_whole);
    let is_short = are_whole && most < 2_f64.powi(23);
    (if is_short { (most as u32).checked_ilog2().unwrap_or(0) + 1 } else { 64 }, most)
}

/// The nearest number with the eight bits of bf16; ties go to the even one.
fn to_bf16(value: f64) -> f64 {
    let bits = value.to_bits();
    f64::from_bits((bits + 0xfff_ffff_ffff + (bits >> 45 & 1)) >> 45 << 45)
}
