//! Ring attention over MPI: each process has a shard of one sequence, rotates its queries and keys
//! at their own positions, and passes keys and values round the ring. The output equals that of one
//! process.
//!
//! `examples/ring/run` builds it, and runs it on 2 and on 4 processes.

mod attention;
mod shard;

use std::error::Error;
use std::time::Instant;

use mpi::point_to_point::send_receive_into;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Root};
use ndarray::{Array3, Axis};
use positional_encodings::{Frequencies, Pairing, Rotary};

use attention::{OnlineSoftmax, whole};
use shard::Layout;

const HEADS: usize = 4;
const DIM: usize = 64;
/// The position of the first token, so large that angles in f32 would be wrong by some hundredths.
const START: usize = 1_000_000;
const TOLERANCE: f32 = 1e-5;

type Array = Array3<f32>;

fn main() -> Result<(), Box<dyn Error>> {
    let universe = mpi::initialize().ok_or("MPI is running already")?;
    let world = universe.world();
    let ranks = world.size() as usize;
    let len = match std::env::args().nth(1) {
        Some(len) => len.parse().map_err(|_| format!("{len:?} is not a number of positions"))?,
        None => 512,
    };
    if len == 0 || len % (2 * ranks) != 0 {
        return Err(format!("{len} positions are not a multiple of 2 x {ranks} processes").into());
    }
    let rotary = Rotary::new(Frequencies::geometric(DIM, 10_000.0)?, Pairing::Halves);
    for layout in [Layout::Contiguous, Layout::ZigZag] {
        let started = Instant::now();
        let mine = ring_attention(&world, &rotary, layout, len)?;
        let time = started.elapsed();
        let Some(gathered) = gathered(&world, &mine, layout, len)? else { continue };
        let [mut q, mut k, v] = inputs(len);
        let rotation = rotary.at(START..START + len)?;
        rotation.apply(q.view_mut())?;
        rotation.apply(k.view_mut())?;
        let difference = largest_difference(&gathered, &whole(&q, &k, &v));
        println!(
            "{ranks} processes, {layout:?}: {len} positions in {time:.1?}, \
             {difference:e} from one process"
        );
        // NaN fails.
        if !matches!(difference.partial_cmp(&TOLERANCE), Some(std::cmp::Ordering::Less)) {
            return Err(format!("more than {TOLERANCE:e}").into());
        }
    }
    Ok(())
}

/// Returns the attention (heads, positions, dim) of this process's queries over all keys.
fn ring_attention(
    world: &SimpleCommunicator,
    rotary: &Rotary,
    layout: Layout,
    len: usize,
) -> Result<Array, Box<dyn Error>> {
    let (rank, ranks) = (world.rank() as usize, world.size() as usize);
    let mine = layout.indices(rank, ranks, len);
    let shard = |whole: Array| {
        Array::from_shape_fn((HEADS, mine.len(), DIM), |(head, row, i)| whole[[head, mine[row], i]])
    };
    let [mut q, mut k, mut v] = inputs(len).map(shard);

    // The only lines about positions: a shard is rotated at the positions of its tokens.
    let positions: Vec<usize> = mine.iter().map(|index| START + index).collect();
    let rotation = rotary.at(&positions)?;
    rotation.apply(q.view_mut())?;
    rotation.apply(k.view_mut())?;

    let mut output = OnlineSoftmax::new(HEADS, mine.len(), DIM);
    for step in 0..ranks {
        // At each step the keys and values come from one process further back.
        let from = layout.indices((rank + ranks - step) % ranks, ranks, len);
        output.add(&q, &k, &v, &mine, &from);
        if step + 1 < ranks {
            k = passed_on(world, &k)?;
            v = passed_on(world, &v)?;
        }
    }
    Ok(output.finish())
}

/// Sends an array to the next process, and returns the array of the previous one.
fn passed_on(world: &SimpleCommunicator, array: &Array) -> Result<Array, Box<dyn Error>> {
    let (rank, ranks) = (world.rank(), world.size());
    let next = world.process_at_rank((rank + 1) % ranks);
    let before = world.process_at_rank((rank + ranks - 1) % ranks);
    let mut received = vec![0.0_f32; array.len()];
    let sent = array.as_slice().ok_or("an array with gaps")?;
    send_receive_into(sent, &next, &mut received[..], &before);
    Ok(Array3::from_shape_vec(array.raw_dim(), received)?)
}

/// The shards of all processes as one sequence, on the first process.
fn gathered(
    world: &SimpleCommunicator,
    mine: &Array,
    layout: Layout,
    len: usize,
) -> Result<Option<Array>, Box<dyn Error>> {
    let (root, ranks) = (world.process_at_rank(0), world.size() as usize);
    let mine = mine.as_slice().ok_or("an array with gaps")?;
    world.barrier();
    if world.rank() != 0 {
        root.gather_into(mine);
        return Ok(None);
    }
    let mut all = vec![0.0_f32; mine.len() * ranks];
    root.gather_into_root(mine, &mut all[..]);
    let mut sequence = Array::zeros((HEADS, len, DIM));
    for (rank, values) in all.chunks_exact(mine.len()).enumerate() {
        let indices = layout.indices(rank, ranks, len);
        let shard = Array3::from_shape_vec((HEADS, indices.len(), DIM), values.to_vec())?;
        for (row, index) in shard.axis_iter(Axis(1)).zip(indices) {
            sequence.index_axis_mut(Axis(1), index).assign(&row);
        }
    }
    Ok(Some(sequence))
}

/// Returns irregular queries, keys and values (heads, positions, dim) of the whole sequence, in
/// place of those of a model.
fn inputs(len: usize) -> [Array; 3] {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    [(); 3].map(|()| Array::from_shape_simple_fn((HEADS, len, DIM), &mut next))
}

fn largest_difference(a: &Array, b: &Array) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |a, b| if a > b { a } else { b })
}
