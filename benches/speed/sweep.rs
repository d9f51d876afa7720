//! Everything by everything: dims, lengths, layouts, element types and instruction sets. Many
//! minutes.

use std::time::Duration;

use criterion::Criterion;
use positional_encodings::Element;

use crate::tables::table;

const DIMS: [usize; 5] = [64, 128, 768, 1024, 4096];
const LENGTHS: [usize; 5] = [1, 128, 2048, 8192, 131_072];
/// Tables that take more are left out.
const MOST_BYTES: usize = 2 << 30;

pub fn all(criterion: &mut Criterion) {
    each_shape::<f32>(criterion, "f32");
    each_shape::<f64>(criterion, "f64");
    #[cfg(feature = "half")]
    each_shape::<half::f16>(criterion, "f16");
    #[cfg(feature = "half")]
    each_shape::<half::bf16>(criterion, "bf16");
}

fn each_shape<A: Element>(criterion: &mut Criterion, element: &str) {
    for (rows, dim) in shapes::<A>() {
        table::<A>(criterion, &format!("sweep {rows} x {dim}, {element}"), rows, dim);
    }
}

#[cfg(feature = "rayon")]
pub fn on_all_threads(criterion: &mut Criterion) {
    for (rows, dim) in shapes::<f32>() {
        crate::threads::table(
            criterion,
            &format!("sweep {rows} x {dim}, f32, all threads"),
            rows,
            dim,
        );
    }
}

fn shapes<A>() -> impl Iterator<Item = (usize, usize)> {
    let all = DIMS.into_iter().flat_map(|dim| LENGTHS.map(|rows| (rows, dim)));
    all.filter(|&(rows, dim)| {
        let fits = rows * dim * size_of::<A>() <= MOST_BYTES;
        if !fits {
            println!(
                "left out: {rows} x {dim} of {} bytes each are more than 2 GiB",
                size_of::<A>()
            );
        }
        fits
    })
}

/// There are hundreds of rows.
pub fn quick(criterion: Criterion) -> Criterion {
    criterion
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200))
}
