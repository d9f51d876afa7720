//! SAM 3's bias of boxes: a network of the distances of a pixel from the edges of a box.

use ndarray::Array2;

use super::swin_v2::spaced;
use super::{DifferentiableBias, by_key};
use crate::bias::AttentionBias;
use crate::bias::distance::put_values;
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Position, Positions};
use crate::training::{Layers, Parameter, Trainable, check_values};

/// SAM 3's bias of pixels for boxes (`boxRPB` of transformers' `modeling_sam3.py`):
/// fₓ(x − x₀, x − x₁) + f_y(y − y₀, y − y₁), where each difference d enters as
/// ± log₂(1 + |8 · d|) / 3, and fₓ and f_y are networks from 2 inputs to one output for each head.
///
/// Queries are boxes with four axes (x₀, y₀, x₁, y₁), and keys are pixels with two axes (row,
/// column) as in [`Positions::grid`], both as fractions of the image. A network is evaluated once
/// for each row and each column of pixels. Values are computed in f64 and rounded once.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::training::{Activation, BoxBias, Layers, Linear};
/// use positional_encodings::{AttentionBias, Positions};
///
/// let layers = || Layers::new([Linear::new(array![[1.0_f32, 0.0]])?], Activation::Relu);
/// let bias = BoxBias::new([layers()?, layers()?])?; // of x and of y
/// let pixels = Positions::grid(&[2, 2])?.map(|_, place| place / 2.0)?;
/// let boxes = array![[0.0, 0.5, 1.0, 1.0]];
/// let row = bias.encode(&Positions::from_points(&boxes)?, &pixels)?;
/// assert_eq!(row[[0, 0, 2]], 0.0); // at (x₀, y₀)
/// assert_eq!(row[[0, 0, 0]], -5_f32.log2() / 3.0);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BoxBias<A> {
    /// The layers of x and of y.
    layers: [Layers<A>; 2],
}

/// The axes of the keys for x and for y.
const AXES: [usize; 2] = [1, 0];

impl<A: Element> BoxBias<A> {
    /// Makes the bias from the layers of x and those of y.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`] unless both take two inputs and have the same number of heads.
    pub fn new(layers: [Layers<A>; 2]) -> Result<Self, Error> {
        let heads = layers[0].outputs();
        for (expected, found) in
            [(2, layers[0].inputs()), (2, layers[1].inputs()), (heads, layers[1].outputs())]
        {
            if found != expected {
                return Err(Error::WidthMismatch { expected, found });
            }
        }
        Ok(Self { layers })
    }

    /// Returns the layers of x and those of y.
    pub fn layers(&self) -> &[Layers<A>; 2] {
        &self.layers
    }
}

/// Returns the differences of the pixels' coordinates on an axis, each coordinate once, and the
/// index of each pixel's coordinate.
fn features(axis: usize, query: &Positions<'_>, keys: &Positions<'_>) -> (Array2<f64>, Vec<usize>) {
    let real = |position: Option<Position>| position.map_or(0.0, Position::to_f64);
    let edge = |at: usize| real(query.axis(at).and_then(|edge| edge.get(0)));
    let edges = [edge(axis), edge(axis + 2)];
    let places: Vec<f64> = keys
        .axis(AXES[axis])
        .map_or(Vec::new(), |axis| axis.iter().map(Position::to_f64).collect());
    let mut distinct = places.clone();
    distinct.sort_unstable_by(f64::total_cmp);
    distinct.dedup();
    let of = places.iter().map(|place| distinct.partition_point(|other| other < place)).collect();
    let value = |(i, edge): (usize, usize)| spaced(8.0 * (distinct[i] - edges[edge]));
    (Array2::from_shape_fn((distinct.len(), 2), value), of)
}

impl<A: Element> AttentionBias<A> for BoxBias<A> {
    fn heads(&self) -> usize {
        self.layers[0].outputs()
    }

    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]) {
        let [x, y] = [0, 1].map(|axis| {
            let (features, of) = features(axis, query, keys);
            (self.layers[axis].forward(features), of)
        });
        let pixels = x.1.len().min(y.1.len());
        put_values(out, [self.heads(), keys.len()], (0, pixels), |head, i| {
            [&x, &y].iter().map(|(rows, of)| rows[[of[i], head]]).sum()
        });
    }

    fn axes(&self) -> [usize; 2] {
        [4, 2]
    }
}

impl<A: Element> Trainable<A> for BoxBias<A> {
    fn parameters(&self) -> Vec<Parameter> {
        let [x, y] = &self.layers;
        [x.parameters("x."), y.parameters("y.")].concat()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        let [x, y] = &self.layers;
        check_values(x.len() + y.len(), values.len())?;
        let (of_x, of_y) = values.split_at_mut(x.len());
        x.values_into(of_x);
        y.values_into(of_y);
        Ok(())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        let [mut x, mut y] = self.layers.clone();
        check_values(x.len() + y.len(), values.len())?;
        x.set_values(&values[..x.len()])?;
        y.set_values(&values[x.len()..])?;
        self.layers = [x, y];
        Ok(())
    }
}

impl<A: Element> DifferentiableBias<A> for BoxBias<A> {
    fn backward_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: &[f64],
        gradient: &mut [f64],
    ) {
        let (of_x, of_y) = gradient.split_at_mut(self.layers[0].len().min(gradient.len()));
        let upstream = by_key(upstream, [self.heads(), keys.len()], 0, keys.len());
        for (axis, gradient) in [of_x, of_y].into_iter().enumerate() {
            let (features, of) = features(axis, query, keys);
            let mut sums = Array2::zeros((features.nrows(), upstream.ncols()));
            for (place, upstream) in of.iter().zip(upstream.outer_iter()) {
                sums.row_mut(*place).zip_mut_with(&upstream, |sum: &mut f64, value| *sum += value);
            }
            self.layers[axis].backward(features, sums, gradient);
        }
    }
}
