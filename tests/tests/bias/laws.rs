//! The public battery over the crate's own biases: a new bias adds a line in `biases.rs`.

use positional_encodings::Element;
use positional_encodings::testing::check_bias_laws;

use crate::biases::biases;

fn check<A: Element>() {
    for (name, bias, [queries, keys]) in biases::<A>().unwrap() {
        if let Err(violation) = check_bias_laws(&bias, &queries, &keys) {
            panic!("{name}: {violation}");
        }
    }
}

#[test]
fn every_bias_obeys_the_laws() {
    check::<f32>();
    check::<f64>();
    #[cfg(feature = "half")]
    check::<half::f16>();
    #[cfg(feature = "half")]
    check::<half::bf16>();
}
