//! Finds the whole numbers at which a ratio of logarithms reaches a fraction, exactly.

use core::cmp::Ordering;

use super::wide::Wide;

/// Returns the least r with ln(r/e) / ln(max/e) · n ≥ k, which is rⁿ · eᵏ ≥ maxᵏ · eⁿ.
pub(crate) fn log_step(e: u64, max: u64, k: u64, n: u64) -> u64 {
    step([e, max, k, n], Ordering::is_ge)
}

/// Returns the least r with ln(r/e) / ln(max/e) · n > k.
pub(crate) fn log_step_beyond(e: u64, max: u64, k: u64, n: u64) -> u64 {
    step([e, max, k, n], Ordering::is_gt)
}

fn step(of @ [e, max, k, n]: [u64; 4], is: fn(Ordering) -> bool) -> u64 {
    /// The relative error of the guess is less than a tenth of this.
    const DOUBT: f64 = 1e-12;
    let guess = e as f64 * libm::exp(libm::log(max as f64 / e as f64) * k as f64 / n as f64);
    // Doubles decide nearly always, a thousand times as fast.
    match (guess - guess.round()).abs() > guess * DOUBT {
        true => guess.ceil() as u64,
        false => exact_step(of, is, guess as u64),
    }
}

/// Finds the step by powers of whole numbers, near a guess.
fn exact_step([e, max, k, n]: [u64; 4], is: fn(Ordering) -> bool, guess: u64) -> u64 {
    let reaches = |r: u64| is(compare([(r, n), (e, k)], [(max, k), (e, n)], gcd(k, n)));
    let mut r = guess;
    while reaches(r - 1) {
        r -= 1;
    }
    while !reaches(r) {
        r += 1;
    }
    r
}

/// Compares products of powers a₀ⁿ · a₁ᵐ whose exponents are multiples of `root`: with 250 bits,
/// and with all bits if these do not decide, as for equal products.
fn compare(a: [(u64, u64); 2], b: [(u64, u64); 2], root: u64) -> Ordering {
    let wide = |(base, exponent)| Wide::from_u64(base).pow(exponent / root);
    let [left, right] = [a, b].map(|[first, second]| wide(first).mul(wide(second)));
    // Each of the few dozen steps has a relative error below 2⁻²⁵², which exponents multiply to
    // less than 2⁻²³⁰ in all.
    let share = left.mul(right.inverse_root(1)).sub(Wide::ONE).to_f64();
    match share.partial_cmp(&0.0) {
        Some(order) if share.abs() > 2_f64.powi(-200) => order,
        _ => {
            let whole = |[first, second]: [(u64, u64); 2]| {
                let factors = [first, second]
                    .map(|(base, n)| core::iter::repeat_n(base, (n / root) as usize));
                product(factors.into_iter().flatten())
            };
            let (left, right) = (whole(a), whole(b));
            left.len().cmp(&right.len()).then_with(|| left.iter().rev().cmp(right.iter().rev()))
        }
    }
}

/// Returns the product of whole numbers in 64-bit limbs, the lowest first.
fn product(factors: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut limbs = vec![1];
    for factor in factors {
        let mut carry = 0_u128;
        for limb in &mut limbs {
            carry += u128::from(*limb) * u128::from(factor);
            *limb = carry as u64;
            carry >>= 64;
        }
        if carry > 0 {
            limbs.push(carry as u64);
        }
    }
    limbs
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares what doubles decide with whole numbers.
    #[test]
    fn doubles_decide_as_whole_numbers_do() {
        for (e, max, n) in [(16, 128, 16), (8, 1 << 40, 57), (1000, u64::MAX, 333), (1, 3, 100)] {
            for k in 1..n {
                for is in [Ordering::is_ge, Ordering::is_gt] {
                    let r = step([e, max, k, n], is);
                    assert_eq!(r, exact_step([e, max, k, n], is, r), "{e} {max} {k}/{n}");
                }
            }
        }
    }

    /// Checks with all bits that r is large enough and r − 1 is not.
    #[test]
    fn steps_are_the_least_that_reach() {
        for (e, max, n) in
            [(8, 128, 8), (8, 128, 24), (16, 128, 16), (4, 64, 4), (1, 20, 5), (3, 1000, 7)]
        {
            for k in 1..n {
                let r = log_step(e, max, k, n);
                let power = |a: u64, m: u64, b: u64, l: u64| {
                    let all = core::iter::repeat_n(a, m as usize)
                        .chain(core::iter::repeat_n(b, l as usize));
                    let mut limbs = product(all);
                    limbs.resize(64, 0);
                    limbs.reverse();
                    limbs
                };
                assert!(power(r, n, e, k) >= power(max, k, e, n), "{e} {max} {k}/{n}: {r}");
                assert!(power(r - 1, n, e, k) < power(max, k, e, n), "{e} {max} {k}/{n}: {r}");
            }
        }
        // Where both sides are equal, 250 bits do not decide: 8 · 16^(k/8) for even k.
        assert_eq!([2, 4, 6].map(|k| log_step(8, 128, k, 8)), [16, 32, 64]);
        assert_eq!([2, 3, 4].map(|k| log_step_beyond(8, 128, k, 8)), [17, 23, 33]);
        assert_eq!(log_step(1 << 20, 1 << 50, 1, 3), 1 << 30);
    }
}
