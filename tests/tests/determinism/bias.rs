//! Hashes of all biases, and of scores with those that read queries or keys, at all the positions
//! of the batteries: f32 and f64 together, then f16 and bf16.

use positional_encodings::bias::{ContentBias, Cope};
use positional_encodings::{Element, Positions};

use super::{bits, hash};
use crate::biases::biases;
use crate::content_biases::{content_biases, contents, rows};

const PINNED: [(&str, [u64; 2]); 36] = [
    ("ALiBi", [0x240675a31546ec31, 0x1652f27d1ca10785]),
    ("ALiBi, symmetric", [0xff65552b87ae944b, 0xff65552b87ae944b]),
    ("ALiBi, keys", [0xf9dfa3c2f6a292f2, 0xf9dfa3c2f6a292f2]),
    ("ALiBi, the paper's text", [0x7cf36a376a4f0df4, 0xfd6bb0b549d8a2a8]),
    ("ALiBi, Falcon", [0x1661538d584d0131, 0x1661538d584d0131]),
    ("ALiBi, given", [0x8b73097f9b8954b6, 0x467c3d6a8aebbb0b]),
    ("T5, both ways", [0x751e6aa5233c1cfe, 0xe539ebdc79f7d6c0]),
    ("T5, causal", [0x5ac9b09fd790e642, 0x6acebd075a1d81c3]),
    ("KERPLE, log", [0x644bec8a4685c7d7, 0x3430bb91edab822c]),
    ("KERPLE, power", [0xe97f9a78549eafc9, 0x204c277863b25f7e]),
    ("Sandwich", [0xe6bc3025889f59e1, 0x1b50ce48628159bb]),
    ("a network", [0x3b6d6ecd8ed76b53, 0x74ba3bc32b932342]),
    ("FIRE", [0xe8ca80ba7c4ea311, 0x2e9db088914873a9]),
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
    ("Shaw", [0x1a1fcdf9428a68d9, 0x8ea5ca5b98e24658]),
    ("Wav2Vec2-BERT", [0xfd8629f2861cb5ad, 0x2110ab5390429a23]),
    ("relative_key", [0x4f0030f11eb7ad2c, 0x2ef1badef3c86f33]),
    ("relative_key_query", [0xd005b14154fccf62, 0xbe3ce5d82f5e4e28]),
    ("Transformer-XL", [0x23ca9062a29de36d, 0xb018ccef135e3116]),
    ("Inkling", [0xd22319c8d6931031, 0xf5e335589bbcdb85]),
    ("DeBERTa", [0x7076efd66c7bede2, 0xcfb1c0472a45eef3]),
    ("p2c", [0x6904cd80f93c0c83, 0xdfce46135e0667bd]),
    ("DeBERTa, plain", [0x3f60f4c52abd5a33, 0x103f3fcb497215af]),
    ("SAM", [0x82d32a9e01ce4ad2, 0xf03923530f40e958]),
    ("MViT", [0x50818b44eee4a573, 0x06622b632abb0dda]),
    ("CoPE", [0xaff0d3ab7de92e4e, 0xcfa6e3dec3da472a]),
];

/// Returns the bits of scores to which a bias was added.
fn scores<A: Element>(
    bias: &dyn ContentBias<A>,
    queries: &Positions<'_>,
    keys: &Positions<'_>,
) -> Vec<u64> {
    let [q, k, mut scores] = contents(bias, [queries.len(), keys.len()]);
    bias.add_to(q.view(), k.view(), queries, keys, scores.view_mut()).unwrap();
    bits(&scores)
}

/// Returns the bits of each bias by its name.
fn values<A: Element>() -> Vec<(&'static str, Vec<u64>)> {
    let mut all: Vec<(&'static str, Vec<u64>)> = Vec::new();
    for (name, bias, [queries, keys]) in biases::<A>().unwrap() {
        let own = bits(&bias.encode(&queries, &keys).unwrap());
        match all.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.extend(own),
            None => all.push((name, own)),
        }
    }
    for (name, bias, [queries, keys]) in content_biases::<A>().unwrap() {
        let own = scores(&bias, &queries, &keys);
        match all.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.extend(own),
            None => all.push((name, own)),
        }
    }
    let cope = Cope::<A>::with_tables(rows(2, 6, 5), 2).unwrap();
    all.push(("CoPE", scores(&cope, &Positions::from(0..9), &Positions::from(0..9))));
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
    type Found<'n> = (&'n str, u64, Option<u64>);
    let same = |((name, wide, narrow), pinned): (Found<'_>, &(&str, [u64; 2]))| {
        name == pinned.0 && wide == pinned.1[0] && narrow.is_none_or(|narrow| narrow == pinned.1[1])
    };
    let line = |(name, wide, narrow): Found<'_>| {
        format!("    (\"{name}\", [0x{wide:016x}, 0x{:016x}]),\n", narrow.unwrap_or_default())
    };
    let table: String = found.clone().map(line).collect();
    let is_same = wide.len() == PINNED.len() && found.zip(&PINNED).all(same);
    assert!(is_same, "other values than pinned: now they are\n{table}");
}
