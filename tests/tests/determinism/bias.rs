//! Hashes of all biases at all the positions of the battery: f32 and f64 together, then f16 and bf16.

use positional_encodings::Element;

use super::{bits, hash};
use crate::biases::biases;

const PINNED: [(&str, [u64; 2]); 24] = [
    ("ALiBi", [0xf74c3a4317674a98, 0xaef9626f6b643b0c]),
    ("ALiBi, symmetric", [0xe3f60f3766473668, 0xe3f60f3766473668]),
    ("ALiBi, keys", [0x454e50e5e5213b60, 0x454e50e5e5213b60]),
    ("ALiBi, the paper's text", [0xa0e31c8c86dda3f3, 0x46c35e61ae039494]),
    ("ALiBi, Falcon", [0xacc9ec2410ea3301, 0xacc9ec2410ea3301]),
    ("ALiBi, given", [0x5ced6df27f09c4d7, 0xe4c1f8ed2ed5a48a]),
    ("T5, both ways", [0xa83290bd436f5f82, 0x03354ce301e104b0]),
    ("T5, causal", [0x37435d4fa7be534f, 0x51e136645f714d4b]),
    ("KERPLE, log", [0x11da281f1559251c, 0x1fe8cd08719ed019]),
    ("KERPLE, power", [0x434196fc3f915227, 0x62d07539bd56f4c8]),
    ("Sandwich", [0x33e8ee4562a872eb, 0xd8fc9595f1851850]),
    ("a network", [0xffe9f1ba793731a7, 0x4e6fcf98efdf2605]),
    ("FIRE", [0x651facc8d7776f3a, 0x14700d06836dea44]),
    ("ALiBi at real times", [0x1ef848d1f0242ad2, 0x21c1823c1587a11f]),
    ("ALiBi at real times, keys", [0xa8c9760b30172ec1, 0x5637c15a6f3dafb3]),
    ("forget gates", [0xaf4ad2cea4acdef8, 0xaae498afafbb3478]),
    ("forget gates, shuffled", [0x647d739f7298cbd7, 0x7e90fb14e0751209]),
    ("LayoutLM", [0x627bb3302db6fbcb, 0x63dd3bdbb917c2c4]),
    ("Swin", [0x92f6411f54f39732, 0x135ce5933fce596b]),
    ("Swin, elsewhere", [0x92f6411f54f39732, 0x135ce5933fce596b]),
    ("BEiT", [0x677e62b72df62327, 0x42114722bcd01483]),
    ("Swin V2", [0xf6d8c30ce734939d, 0x76fac8845a06a7ec]),
    ("Swin V2, wider", [0xdd3929ca43636f82, 0x38d2dc8a697de1da]),
    ("SAM 3", [0xf29c09838a8aa282, 0x45e8a102e00fadd9]),
];

/// The bits of each bias by its name.
fn values<A: Element>() -> Vec<(&'static str, Vec<u64>)> {
    let mut all: Vec<(&'static str, Vec<u64>)> = Vec::new();
    for (name, bias, [queries, keys]) in biases::<A>().unwrap() {
        let own = bits(&bias.encode(&queries, &keys).unwrap());
        match all.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.extend(own),
            None => all.push((name, own)),
        }
    }
    all
}

fn hashes<A: Element, B: Element>() -> Vec<(&'static str, u64)> {
    let both = values::<A>().into_iter().zip(values::<B>());
    both.map(|((name, a), (_, b))| (name, hash(a.into_iter().chain(b)))).collect()
}

#[test]
fn biases_are_pinned() {
    let wide = hashes::<f32, f64>();
    #[cfg(feature = "half")]
    let narrow: Vec<Option<u64>> =
        hashes::<half::f16, half::bf16>().into_iter().map(|(_, hash)| Some(hash)).collect();
    #[cfg(not(feature = "half"))]
    let narrow: Vec<Option<u64>> = vec![None; wide.len()];
    let found = wide.iter().zip(&narrow).map(|((name, wide), narrow)| (*name, *wide, *narrow));
    let same = |((name, wide, narrow), pinned): ((&str, u64, Option<u64>), &(&str, [u64; 2]))| {
        name == pinned.0 && wide == pinned.1[0] && narrow.is_none_or(|narrow| narrow == pinned.1[1])
    };
    let line = |(name, wide, narrow): (&str, u64, Option<u64>)| {
        format!("    (\"{name}\", [0x{wide:016x}, 0x{:016x}]),\n", narrow.unwrap_or_default())
    };
    let table: String = found.clone().map(line).collect();
    let is_same = wide.len() == PINNED.len() && found.zip(&PINNED).all(same);
    assert!(is_same, "other values than pinned: now they are\n{table}");
}
