//! How rotary scores depend on distance.

use ndarray::ArrayView1;

use crate::element::Element;
use crate::error::Error;
use crate::rotary::Rotation;

/// Returns, for each pair of a rotation, the product cᵢ = qᵢ·k̄ᵢ of a query and a key before
/// rotation, as \[real, imaginary\] part, where qᵢ = x + i·y for the features (x, y) of pair i.
/// Scores depend on these products and the distance alone. Features that are not rotated add the
/// same amount at every distance and are left out.
///
/// # Errors
///
/// [`Error::WidthMismatch`] where query and key differ in width, [`Error::TooNarrow`] where they
/// are narrower than the rotation.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Frequencies, Pairing, Rotary, analysis};
///
/// let rotation = Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Halves).at::<f64>(0..3)?;
/// let (query, key) = (array![1.0, 0.0], array![0.0, 2.0]);
/// let products = analysis::pair_products(query.view(), key.view(), &rotation)?;
/// assert_eq!(products, [[0.0, -2.0]]);
/// assert_eq!(analysis::rotary_kernel(&rotation, &products)?, [0.0, 2.0, 0.0]); // quarter turns
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn pair_products<A: Element, T: Element<Angle = T>>(
    query: ArrayView1<'_, A>,
    key: ArrayView1<'_, A>,
    rotation: &Rotation<T>,
) -> Result<Vec<[f64; 2]>, Error> {
    let width = query.len();
    if key.len() != width {
        return Err(Error::WidthMismatch { expected: width, found: key.len() });
    }
    let product = |[x, y]: [usize; 2]| {
        let [q, k] = [query.view(), key.view()].map(|v| [v[x].to_f64(), v[y].to_f64()]);
        [q[0] * k[0] + q[1] * k[1], q[1] * k[0] - q[0] * k[1]]
    };
    Ok(rotation.feature_pairs(width)?.into_iter().map(product).collect())
}

/// Returns the products of a query and a key of length 1 that agree and have the same length in
/// each pair: the kernel is then the mean of cos(Δ·wᵢ), the average score of equal random vectors.
///
/// # Errors
///
/// [`Error::ZeroDim`] without pairs, [`Error::TooLarge`].
pub fn uniform_products(pairs: usize) -> Result<Vec<[f64; 2]>, Error> {
    match pairs {
        0 => Err(Error::ZeroDim),
        pairs => {
            crate::arrays::room::<[f64; 2]>(pairs, 1)?;
            Ok(vec![[1.0 / pairs as f64, 0.0]; pairs])
        }
    }
}

/// Returns the score of a query at each position of a rotation with a key at its first position,
/// for given [products](pair_products). For a rotation at 0..len this is g(Δ) = Re Σ cᵢ·e^(iΔwᵢ) at
/// the distances Δ = query − key, times the square of the attention factor.
///
/// # Errors
///
/// [`Error::LengthMismatch`] unless there is one product for each pair, [`Error::TooFewRows`] for a
/// rotation without positions, [`Error::ValueOutOfRange`] where a cosine or product is not finite.
pub fn rotary_kernel<T: Element<Angle = T>>(
    rotation: &Rotation<T>,
    products: &[[f64; 2]],
) -> Result<Vec<f64>, Error> {
    let (cos, sin) = rotation.tables();
    let (expected, found) = (cos.ncols(), products.len());
    if found != expected {
        return Err(Error::LengthMismatch { what: "products", expected, found });
    }
    super::check_table(cos, 1)?;
    super::check_table(sin, 1)?;
    check_products(products)?;
    // Each product, rotated back to the first position.
    let first = cos.row(0).into_iter().zip(sin.row(0)).map(|(c, s)| [c.to_f64(), s.to_f64()]);
    let turned = |(&[re, im], [c, s]): (&[f64; 2], [f64; 2])| [re * c + im * s, im * c - re * s];
    let products: Vec<[f64; 2]> = products.iter().zip(first).map(turned).collect();
    let score = |(cos, sin): (ArrayView1<'_, T>, ArrayView1<'_, T>)| {
        let angles = cos.into_iter().zip(sin).zip(&products);
        angles.map(|((c, s), [re, im])| re * c.to_f64() - im * s.to_f64()).sum()
    };
    Ok(cos.rows().into_iter().zip(sin.rows()).map(score).collect())
}

/// Checks that all products are finite and can be multiplied.
pub(super) fn check_products(products: &[[f64; 2]]) -> Result<(), Error> {
    super::check_table(ndarray::ArrayView2::from(products), 1)
}
