//! Biases that read the queries or the keys.

use ndarray::{Array2, Array3, Axis};
use positional_encodings::bias::{
    ContentBias, Cope, DecomposedBias, DisentangledBias, LogBuckets, RelativeLogits, ShawBias,
    TransformerXlBias,
};
use positional_encodings::{Error, PositionalEncoding, Positions, Sinusoidal};
use rand::rngs::Xoshiro256PlusPlus;

use super::additive::{SEED, random, table};
use super::bias::by_heads;
use super::figures::{Answer, of_scores};
use super::{Knob, Method, Settings, knob, text};

const LEN: Knob = knob("len", text("length", "长度"), &["16", "32", "48", "64"], 1);
const DIM: Knob = knob("dim", text("dim of a head", "每个头的维度"), &["8", "16", "32", "64"], 1);

pub const METHODS: &[Method] = &[
    Method {
        id: "shaw",
        name: text("Shaw's relative keys", "Shaw 相对位置"),
        about: text(
            "Each distance up to k has a learned vector, which is multiplied with the query: one \
             token may look two back, another five ahead. Queries and vectors are random here; \
             along a row the pattern moves with the query.",
            "不超过 k 的每个距离有一个可学习的向量，与查询相乘：有的词元看前两个，有的看后五个。\
             这里查询和向量都是随机的；图案随查询移动。",
        ),
        formula: "qᵢ · a[clip(j − i, −k, k)] / √dim",
        when: text(
            "you run BERT with relative_key, or the first relative transformers.",
            "运行使用 relative_key 的 BERT，或早期的相对位置 Transformer。",
        ),
        knobs: &[LEN, DIM, knob("reach", text("k", "k"), &["2", "4", "8", "16"], 2), SEED],
        compute: shaw,
    },
    Method {
        id: "transformer-xl",
        name: text("Transformer-XL", "Transformer-XL"),
        about: text(
            "The sinusoid of the distance is projected and multiplied with the query. Two learned \
             vectors, u and v, stand for what all queries have in common. Weights are random here.",
            "把距离的正弦编码投影后与查询相乘。两个可学习的向量 u 和 v 表示所有查询的共性。这里权重是随机的。",
        ),
        formula: "(u · kⱼ + (qᵢ + v) · r[i − j]) / √dim",
        when: text(
            "you run Transformer-XL, XLNet or a Conformer for speech.",
            "运行 Transformer-XL、XLNet，或语音用的 Conformer。",
        ),
        knobs: &[LEN, DIM, SEED],
        compute: transformer_xl,
    },
    Method {
        id: "deberta",
        name: text("DeBERTa", "DeBERTa"),
        about: text(
            "The query looks at the distance, and the key does too. Distances are in buckets that \
             grow with the logarithm. Weights are random here.",
            "查询看距离，键也看距离。距离按对数分桶。这里权重是随机的。",
        ),
        formula: "(qᵢ · Kr[δ(i,j)] + kⱼ · Qr[δ(j,i)]) / √(3·dim)",
        when: text("you run DeBERTa.", "运行 DeBERTa。"),
        knobs: &[LEN, DIM, knob("buckets", text("buckets", "桶数"), &["4", "8", "16"], 1), SEED],
        compute: deberta,
    },
    Method {
        id: "cope",
        name: text("CoPE", "CoPE"),
        about: text(
            "Positions are counted by the text itself: each score opens a gate, and the sum of the \
             gates is the position. So \"two sentences back\" can be a position. Everything is \
             random here.",
            "位置由文本自己计数：每个分数打开一扇门，门的总和就是位置。于是“往前两句”也可以是一个位置。\
             这里全部是随机的。",
        ),
        formula: "pᵢⱼ = Σ σ(scoreᵢₜ) over j ≤ t ≤ i,  bias = qᵢ · e[pᵢⱼ]",
        when: text(
            "what should be counted are not tokens but words, sentences or events.",
            "要数的不是词元，而是词、句子或事件。",
        ),
        knobs: &[
            LEN,
            DIM,
            knob("positions", text("positions", "位置数"), &["4", "8", "16", "32"], 2),
            SEED,
        ],
        compute: cope,
    },
    Method {
        id: "decomposed",
        name: text("SAM: rows and columns apart", "SAM：行列分解"),
        about: text(
            "The query is multiplied with a learned vector for the offset in rows and one for the \
             offset in columns, and both are added. Vectors and queries are random here.",
            "查询分别与行偏移、列偏移的可学习向量相乘，再相加。这里向量和查询都是随机的。",
        ),
        formula: "qᵢ · Rh[dy] + qᵢ · Rw[dx]",
        when: text("you run SAM's image encoder or MViT.", "运行 SAM 的图像编码器或 MViT。"),
        knobs: &[
            knob("side", text("side of the grid", "网格边长"), &["4", "6", "8"], 1),
            DIM,
            SEED,
        ],
        compute: decomposed,
    },
    Method {
        id: "inkling",
        name: text("Relative logits (Inkling)", "相对位置 logits（Inkling）"),
        about: text(
            "A short vector of each query is multiplied with one learned vector for each distance \
             up to an extent; farther keys and later ones get nothing. Values are random here.",
            "每个查询的短向量与不超过某范围的每个距离的可学习向量相乘；更远的键和之后的键不加任何值。\
             这里的数值是随机的。",
        ),
        formula: "rᵢ · P[i − j] for 0 ≤ i − j < extent, else 0",
        when: text("you run Inkling.", "运行 Inkling。"),
        knobs: &[LEN, knob("extent", text("extent", "范围"), &["4", "8", "16", "32"], 2), SEED],
        compute: inkling,
    },
];

/// Random queries or keys of one head, (1, len, dim).
fn tokens(len: usize, dim: usize, rng: &mut Xoshiro256PlusPlus) -> Result<Array3<f64>, Error> {
    Ok(table([len, dim], 1.0, rng)?.insert_axis(Axis(0)))
}

/// Returns the bias of tokens at 0..len, added to scores of zero.
fn added(
    bias: &impl ContentBias<f64>,
    dim: usize,
    places: &Positions<'_>,
    rng: &mut Xoshiro256PlusPlus,
) -> Result<Answer, Error> {
    let len = places.count();
    let (q, k) = (tokens(len, dim, rng)?, tokens(len, dim, rng)?);
    let mut scores = Array3::zeros((1, len, len));
    bias.add_to(q.view(), k.view(), places, places, scores.view_mut())?;
    Ok(of_scores(scores, text("What is added to each score", "加到每个分数上的数")))
}

fn shaw(settings: &Settings) -> Result<Answer, Error> {
    let (dim, mut rng) = (settings.count("dim"), random(settings));
    let vectors = table([2 * settings.count("reach") + 1, dim], 1.0, &mut rng)?;
    let places = Positions::from(0..settings.count("len"));
    added(&ShawBias::shaw(vectors, 1)?, dim, &places, &mut rng)
}

fn transformer_xl(settings: &Settings) -> Result<Answer, Error> {
    let (len, dim) = (settings.count("len"), settings.count("dim"));
    let mut rng = random(settings);
    let first = 1 - len as i64;
    let distances = Positions::from((first..len as i64).collect::<Vec<i64>>());
    let sinusoid: Array2<f64> = Sinusoidal::new(dim)?.encode(&distances)?;
    let projection = table([dim, dim], 0.3, &mut rng)?;
    // Sums in a fixed order, so that all machines have the same bits.
    let rows = Array2::from_shape_fn((sinusoid.nrows(), dim), |(row, column)| {
        (0..dim).map(|i| sinusoid[[row, i]] * projection[[column, i]]).sum::<f64>()
    });
    let (u, v) = (table([1, dim], 0.3, &mut rng)?, table([1, dim], 0.3, &mut rng)?);
    let bias = TransformerXlBias::transformer_xl(by_heads(rows.view(), 1)?, first, u, v)?;
    added(&bias, dim, &Positions::from(0..len), &mut rng)
}

fn deberta(settings: &Settings) -> Result<Answer, Error> {
    let (dim, buckets) = (settings.count("dim"), settings.count("buckets"));
    let mut rng = random(settings);
    let mut vectors = || Ok::<_, Error>(Some(tokens(2 * buckets, dim, &mut rng)?));
    let (c2p, p2c) = (vectors()?, vectors()?);
    let bias = DisentangledBias::disentangled(LogBuckets::new(buckets, 64)?, 1, c2p, p2c)?;
    added(&bias, dim, &Positions::from(0..settings.count("len")), &mut rng)
}

fn cope(settings: &Settings) -> Result<Answer, Error> {
    let (len, dim) = (settings.count("len"), settings.count("dim"));
    let mut rng = random(settings);
    let cope = Cope::new(table([settings.count("positions"), dim], 0.3, &mut rng)?, 1)?;
    let (q, places) = (tokens(len, dim, &mut rng)?, Positions::from(0..len));
    let mut scores = table([len, len], 1.0, &mut rng)?.insert_axis(Axis(0));
    scores
        .indexed_iter_mut()
        .filter(|((_, query, key), _)| key > query)
        .for_each(|(_, score)| *score = f64::NEG_INFINITY);
    let before = scores.clone();
    cope.add_to(q.view(), Array3::zeros((0, 0, 0)).view(), &places, &places, scores.view_mut())?;
    let mut added = Array3::zeros((1, len, len));
    for (at, value) in added.indexed_iter_mut().filter(|((_, query, key), _)| key <= query) {
        *value = scores[at] - before[at];
    }
    Ok(of_scores(added, text("What is added to each score", "加到每个分数上的数")))
}

fn decomposed(settings: &Settings) -> Result<Answer, Error> {
    let (side, dim, mut rng) = (settings.count("side"), settings.count("dim"), random(settings));
    let rows = table([2 * side - 1, dim], 0.3, &mut rng)?;
    let columns = table([2 * side - 1, dim], 0.3, &mut rng)?;
    let bias = DecomposedBias::new([rows, columns], 1)?;
    added(&bias, dim, &Positions::grid(&[side, side])?, &mut rng)
}

fn inkling(settings: &Settings) -> Result<Answer, Error> {
    let (rank, mut rng) = (8, random(settings));
    let rows = table([settings.count("extent"), rank], 1.0, &mut rng)?;
    let bias = RelativeLogits::inkling(rows, 1)?;
    added(&bias, rank, &Positions::from(0..settings.count("len")), &mut rng)
}
