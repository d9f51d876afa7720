//! Remaking a plan and applying it take no memory from the heap.

use crate::counter::measure;
use ndarray::{Array4, Axis};
use positional_encodings::{Frequencies, Pairing, Rotary};

pub fn run() {
    let rotary = Rotary::new(Frequencies::geometric(128, 500_000.0).unwrap(), Pairing::Halves);
    let mut q = Array4::<f32>::ones((1, 32, 1, 128));
    let mut swapped = Array4::<f32>::ones((2, 1, 32, 128));
    let mut cache = Array4::<f32>::ones((1, 32, 100, 128));
    let mut rotation = rotary.at(0..1).unwrap();
    let (taken, ()) = measure(|| {
        for position in 1..100 {
            rotary.at_into(position..position + 1, &mut rotation).unwrap();
            rotation.apply(q.view_mut()).unwrap();
            rotation.inverse().apply(q.view_mut()).unwrap();
            rotation.apply(swapped.view_mut().permuted_axes([0, 2, 1, 3])).unwrap();
            let place = cache.slice_axis_mut(Axis(2), (position..position + 1).into());
            rotation.apply_into(q.view(), place).unwrap();
        }
    });
    assert_eq!(taken.calls, 0);
    // One allocation for a new array, and one to check that there is memory for it.
    let (taken, _) = measure(|| rotation.applied(q.view()).unwrap());
    assert_eq!(taken.calls, 2);
}
