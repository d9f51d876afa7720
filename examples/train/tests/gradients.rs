//! Gradients of learned encodings: candle's backward pass through this crate's operation, candle's
//! own operations, and `Trainable`'s gradient are the same.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{Linear, Module};
use ndarray::{Ix2, Ix3};
use positional_encodings_candle::positional_encodings::Positions;
use positional_encodings_candle::positional_encodings::bias::Buckets;
use positional_encodings_candle::{LearnedPositions, to_array};
use train::Result;
use train::encodings::{Encoding, Size};
use train::learning::{Bias, Learning, Vectors};
use train::parameters::Parameters;

const LEN: usize = 12;

const SIZE: Size = Size { dim: 8, heads: 2, max_len: LEN, causal: false };

const CPU: &Device = &Device::Cpu;

/// Returns a loss of position vectors or of a bias in which every number has another weight.
fn loss(numbers: &Tensor) -> candle_core::Result<Tensor> {
    let weights = Tensor::arange(0_f32, numbers.elem_count() as f32, CPU)?.sin()?;
    (numbers * weights.reshape(numbers.shape())?)?.tanh()?.sqr()?.sum_all()
}

fn flat(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

fn assert_near(name: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{name}");
    assert!(ours.iter().any(|slope| slope.abs() > 1e-3), "{name}: the gradient is zero");
    for (ours, theirs) in ours.iter().zip(theirs) {
        let error = (ours - theirs).abs();
        assert!(error <= 1e-5 * theirs.abs().max(1.0), "{name}: {ours} and {theirs}");
    }
}

/// Returns the values of an encoding's parameters, and the gradient of the loss for them: by candle
/// through the operation, and by `positional-encodings` from the gradient for the numbers.
fn ours(encoding: Encoding) -> Result<(Vec<f32>, Vec<f32>)> {
    let parameters = Parameters::new(3);
    let scope = parameters.root();
    let positions = Positions::from(0..LEN);
    let is_bias = matches!(encoding, Encoding::T5 | Encoding::DistanceNetwork);
    let learning = match is_bias {
        true => Learning::new(Bias(encoding.bias(SIZE, &scope)?), &scope)?,
        false => Learning::new(Vectors(encoding.vectors(SIZE, &scope)?), &scope)?,
    };
    let var = parameters.all()[0].1.var.clone();
    if encoding == Encoding::T5 {
        // The table starts with zeros, at which this loss is flat.
        var.set(&(Tensor::arange(0_f32, var.elem_count() as f32, CPU)? * 0.37)?.cos()?)?;
    }
    let numbers = learning.at(LEN)?;
    let engine = flat(loss(&numbers)?.backward()?.get(&var).ok_or("no gradient")?)?;

    let numbers = Var::from_tensor(&numbers.detach())?;
    let gradients = loss(&numbers)?.backward()?;
    let upstream = to_array::<f32>(gradients.get(&numbers).ok_or("no gradient")?)?;
    let (values, mut own) = (flat(&var)?, vec![0.0; var.elem_count()]);
    if is_bias {
        let mut bias = encoding.bias(SIZE, &scope)?;
        bias.set_values(&values)?;
        let upstream = upstream.into_dimensionality::<Ix3>()?;
        bias.backward(&positions, &positions, upstream.view(), &mut own)?;
    } else {
        let mut vectors = encoding.vectors(SIZE, &scope)?;
        vectors.set_values(&values)?;
        let upstream = upstream.into_dimensionality::<Ix2>()?;
        vectors.backward(&positions, upstream.view(), &mut own)?;
    }
    assert_near(encoding.name(), &engine, &own);
    Ok((values, engine))
}

/// Splits a vector of values into variables of the given shapes.
fn variables(values: &[f32], shapes: &[&[usize]]) -> candle_core::Result<Vec<Var>> {
    let mut rest = values;
    let cut = shapes.iter().map(|shape| {
        let (own, others) = rest.split_at(shape.iter().product());
        rest = others;
        Var::from_tensor(&Tensor::from_slice(own, *shape, CPU)?)
    });
    cut.collect()
}

/// Returns the gradient for variables, as one vector, where candle computes the numbers by its own
/// operations.
fn theirs(numbers: &Tensor, variables: &[Var]) -> Result<Vec<f32>> {
    let gradients = loss(numbers)?.backward()?;
    let mut all = Vec::new();
    for var in variables {
        all.extend(flat(gradients.get(var).ok_or("no gradient")?)?);
    }
    Ok(all)
}

/// Computes two linear layers with an activation between them, from a vector of values.
fn two_layers(
    values: &[f32],
    [inputs, hidden, outputs]: [usize; 3],
    x: &Tensor,
    activation: fn(&Tensor) -> candle_core::Result<Tensor>,
) -> Result<(Tensor, Vec<Var>)> {
    let shapes: [&[usize]; 4] = [&[hidden, inputs], &[hidden], &[outputs, hidden], &[outputs]];
    let vars = variables(values, &shapes)?;
    let layer = |at: usize| {
        Linear::new(vars[at].as_tensor().clone(), Some(vars[at + 1].as_tensor().clone()))
    };
    let out = layer(2).forward(&activation(&layer(0).forward(x)?)?)?;
    Ok((out, vars))
}

#[test]
fn learned() -> Result<()> {
    let (values, gradient) = ours(Encoding::Learned)?;
    let vars = variables(&values, &[&[LEN, SIZE.dim]])?;
    let rows = LearnedPositions::new(vars[0].as_tensor().clone())?.vectors(0..LEN)?;
    assert_near("learned", &gradient, &theirs(&rows, &vars)?);
    Ok(())
}

#[test]
fn frequencies() -> Result<()> {
    let (values, gradient) = ours(Encoding::Frequencies)?;
    let vars = variables(&values, &[&[SIZE.dim / 2]])?;
    let positions = Tensor::arange(0_u32, LEN as u32, CPU)?.to_dtype(DType::F32)?;
    let angles = positions.unsqueeze(1)?.broadcast_mul(&vars[0].unsqueeze(0)?)?;
    // sin and cos of each pair are neighbours.
    let rows = Tensor::stack(&[angles.sin()?, angles.cos()?], 2)?.reshape((LEN, SIZE.dim))?;
    assert_near("frequencies", &gradient, &theirs(&rows, &vars)?);
    Ok(())
}

#[test]
fn network() -> Result<()> {
    let (values, gradient) = ours(Encoding::Network)?;
    let sinusoid = Learning::new(
        Vectors(Encoding::Sinusoidal.vectors(SIZE, &Parameters::new(0).root())?),
        &Parameters::new(0).root(),
    )?;
    let dims = [SIZE.dim; 3];
    let (rows, vars) = two_layers(&values, dims, &sinusoid.at(LEN)?, Tensor::gelu_erf)?;
    assert_near("network", &gradient, &theirs(&rows, &vars)?);
    Ok(())
}

/// Key − query for all queries and keys.
fn distances() -> impl Iterator<Item = i64> {
    (0..LEN as i64).flat_map(|query| (0..LEN as i64).map(move |key| key - query))
}

#[test]
fn t5() -> Result<()> {
    let (values, gradient) = ours(Encoding::T5)?;
    let vars = variables(&values, &[&[32, SIZE.heads]])?;
    let buckets = Buckets::bidirectional(32, 128)?;
    let ids: Vec<u32> = distances().map(|distance| buckets.bucket(distance) as u32).collect();
    let rows = vars[0].index_select(&Tensor::from_vec(ids, LEN * LEN, CPU)?, 0)?;
    let bias = rows.t()?.contiguous()?.reshape((SIZE.heads, LEN, LEN))?;
    assert_near("t5", &gradient, &theirs(&bias, &vars)?);
    Ok(())
}

#[test]
fn distance_network() -> Result<()> {
    let (values, gradient) = ours(Encoding::DistanceNetwork)?;
    // ± ln(|query − key| + 1)
    let log =
        |distance: i64| (distance.unsigned_abs() as f32).ln_1p() * -(distance.signum() as f32);
    let x = Tensor::from_vec(distances().map(log).collect(), (LEN * LEN, 1), CPU)?;
    let (rows, vars) = two_layers(&values, [1, 32, SIZE.heads], &x, Tensor::silu)?;
    let bias = rows.t()?.contiguous()?.reshape((SIZE.heads, LEN, LEN))?;
    assert_near("distance-network", &gradient, &theirs(&bias, &vars)?);
    Ok(())
}

/// Softmax and normalisation are operations of this package: their gradients equal those of
/// candle's smaller operations.
#[test]
fn operations() -> Result<()> {
    let x = Var::from_tensor(&(Tensor::arange(0_f32, 24.0, CPU)? * 1.3)?.cos()?.reshape((4, 6))?)?;
    let gradient = |y: Tensor| theirs(&y, core::slice::from_ref(&x));
    let own = gradient(train::ops::softmax(&x)?)?;
    assert_near("softmax", &own, &gradient(candle_nn::ops::softmax(&x, 1)?)?);
    let own = gradient(train::ops::normalise(&x)?)?;
    let centred = x.broadcast_sub(&x.mean_keepdim(1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(1)? + 1e-5)?.sqrt()?;
    assert_near("layer norm", &own, &gradient(centred.broadcast_div(&deviation)?)?);
    Ok(())
}
