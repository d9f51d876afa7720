//! Biases that do not depend on the tokens.

use ndarray::{Array1, Array2, ArrayView2};
use positional_encodings::bias::{AxesBias, ClippedBias, Forget, Kerple, Sandwich, WindowBias};
use positional_encodings::training::{
    Activation, DistanceNetwork, Fire, Layers, Linear, Spacing, SwinV2Bias,
};
use positional_encodings::{Alibi, AttentionBias, Error, Positions, T5Bias};

use super::additive::{SEED, random, table};
use super::figures::{Answer, Content, Figure, of_bias};
use super::{Knob, Method, Settings, knob, text};

const LEN: Knob = knob("len", text("length", "长度"), &["16", "32", "64", "128"], 2);
pub const HEADS: Knob =
    knob("heads", text("heads", "头数"), &["1", "2", "4", "6", "8", "12", "16"], 4);
const WINDOW: Knob =
    knob("window", text("side of the window", "窗口边长"), &["4", "6", "7", "8"], 2);

pub const METHODS: &[Method] = &[
    Method {
        id: "alibi",
        name: text("ALiBi", "ALiBi"),
        about: text(
            "The farther a key, the more is taken from its score, in proportion to the distance. \
             Each head has a slope of its own: some look near, some far. Nothing is learned.",
            "键越远，分数减得越多，与距离成正比。每个头有自己的斜率：有的看近处，有的看远处。没有参数需要学习。",
        ),
        formula: "bias = −m_h · (i − j),  m_h = 2^(−8h/heads)",
        when: text(
            "you run BLOOM, MPT, Falcon or Baichuan, or train on short texts for long ones.",
            "运行 BLOOM、MPT、Falcon、Baichuan，或用短文本训练、在长文本上使用。",
        ),
        knobs: &[LEN, HEADS, knob("max", text("bias_max", "bias_max"), &["4", "8", "16"], 1)],
        compute: alibi,
    },
    Method {
        id: "t5",
        name: text("T5 buckets", "T5 分桶"),
        about: text(
            "Distances are sorted into buckets: near ones have one each, far ones share theirs, on \
             a logarithmic scale. Each head learns a number for each bucket. Here the numbers are \
             random, so the steps show where buckets begin.",
            "把距离分到桶里：近处每个距离一个桶，远处按对数共用。每个头为每个桶学一个数。\
             这里的数是随机的，台阶显示桶的边界。",
        ),
        formula: "bias = b_h[bucket(j − i)]",
        when: text(
            "you run T5, mT5, LongT5 or MPNet, or want distances that models learn cheaply.",
            "运行 T5、mT5、LongT5、MPNet，或希望以很小的代价学习距离。",
        ),
        knobs: &[
            LEN,
            HEADS,
            knob("buckets", text("buckets", "桶数"), &["8", "16", "32", "64"], 2),
            knob("far", text("max distance", "最大距离"), &["64", "128", "256"], 1),
            SEED,
        ],
        compute: t5,
    },
    Method {
        id: "kerple",
        name: text("KERPLE", "KERPLE"),
        about: text(
            "As ALiBi, but along a logarithm or a power of the distance, with two learned numbers \
             for each head. The logarithm lets far keys count for more.",
            "类似 ALiBi，但沿距离的对数或幂次下降，每个头有两个可学习的数。对数形式让远处的键保留更多权重。",
        ),
        formula: "−r₁ · ln(1 + r₂·|i − j|)  or  −r₁ · |i − j|^r₂",
        when: text(
            "texts in use are much longer than those of training.",
            "使用时的文本比训练时长得多。",
        ),
        knobs: &[
            LEN,
            knob("kind", text("kernel", "核"), &["logarithm", "power"], 0),
            knob("r1", text("r₁", "r₁"), &["0.25", "0.5", "1", "2", "4"], 2),
            knob("r2", text("r₂", "r₂"), &["0.1", "0.5", "1", "1.5", "2"], 2),
        ],
        compute: kerple,
    },
    Method {
        id: "sandwich",
        name: text("Sandwich", "Sandwich"),
        about: text(
            "The product of two sinusoidal vectors, divided by a number that grows with the head. \
             It falls like a logarithm, without anything learned.",
            "两个正弦位置向量的内积，再除以随头增大的数。它像对数一样下降，没有可学习的参数。",
        ),
        formula: "Σₖ cos((i − j)·wₖ) / (8h/heads)",
        when: text(
            "you want a decay that comes from the sinusoid itself.",
            "希望衰减直接来自正弦编码本身。",
        ),
        knobs: &[LEN, HEADS, knob("dim", text("dim", "维度"), &["32", "64", "128", "256"], 2)],
        compute: sandwich,
    },
    Method {
        id: "fire",
        name: text("FIRE", "FIRE"),
        about: text(
            "The logarithm of the distance is divided by that of the query's position, so the \
             input of the network stays between 0 and 1 however long the text is. Its weights are \
             random here.",
            "距离的对数除以查询位置的对数，因此无论文本多长，网络的输入都在 0 到 1 之间。这里权重是随机的。",
        ),
        formula: "f(ψ(i − j) / ψ(max(i, L))),  ψ(x) = ln(c·x + 1)",
        when: text("one bias should hold at any length.", "希望同一个偏置适用于任何长度。"),
        knobs: &[
            LEN,
            HEADS,
            knob("c", text("c", "c"), &["0.01", "0.1", "1", "10"], 1),
            knob("threshold", text("L", "L"), &["8", "32", "128", "512"], 1),
            SEED,
        ],
        compute: fire,
    },
    Method {
        id: "distance-network",
        name: text("Network of the distance", "距离网络"),
        about: text(
            "A small network reads the distance, or its logarithm, and says a number for each \
             head, as x-transformers does. Its weights are random here.",
            "一个小网络读取距离（或其对数），为每个头给出一个数，与 x-transformers 相同。这里权重是随机的。",
        ),
        formula: "bias = f(i − j)  or  f(± ln(|i − j| + 1))",
        when: text("the shape of the bias should be learned.", "希望偏置的形状由学习得到。"),
        knobs: &[
            LEN,
            HEADS,
            knob("spacing", text("input", "输入"), &["linear", "logarithmic"], 1),
            SEED,
        ],
        compute: distance_network,
    },
    Method {
        id: "forget",
        name: text("Forget gates (FoX)", "遗忘门（FoX）"),
        about: text(
            "Each token says how much of what came before is kept, and a key has been through all \
             gates since. The same gate everywhere gives ALiBi; one low gate is a curtain that \
             hides all before it.",
            "每个词元决定保留多少之前的内容；一个键要经过之后的所有门。各处相同的门就是 ALiBi；\
             某个很小的门像一道帘子，挡住它之前的一切。",
        ),
        formula: "bias = Σ ln σ(fₜ) over the tokens j < t ≤ i",
        when: text(
            "the text itself should decide what is forgotten.",
            "希望由文本自己决定忘记什么。",
        ),
        knobs: &[
            LEN,
            knob("gate", text("usual gate", "一般的门"), &["0.8", "0.9", "0.95", "0.99"], 2),
            knob(
                "curtain",
                text("gate at one half", "中点处的门"),
                &["0.01", "0.1", "0.5", "0.9"],
                0,
            ),
        ],
        compute: forget,
    },
    Method {
        id: "window",
        name: text("Swin and BEiT windows", "Swin 与 BEiT 窗口"),
        about: text(
            "Within a window of patches each offset, so many rows and so many columns away, has a \
             learned number for each head. Here the table favours the near ones.",
            "在图像块的窗口内，每个偏移（相差几行几列）对每个头都有一个可学习的数。这里的表偏向近处。",
        ),
        formula: "bias = B_h[(dy + H − 1)·(2W − 1) + dx + W − 1]",
        when: text(
            "you run Swin, BEiT or their kind, also with windows of another size.",
            "运行 Swin、BEiT 等模型，包括换用其他大小的窗口。",
        ),
        knobs: &[WINDOW, knob("reach", text("reach", "作用范围"), &["1", "2", "4", "8"], 1)],
        compute: window,
    },
    Method {
        id: "swin-v2",
        name: text("Swin V2", "Swin V2"),
        about: text(
            "A network reads the offset on a logarithmic scale and so can be asked for windows \
             larger than it was trained on. Its weights are random here.",
            "网络按对数尺度读取偏移，所以可以用于比训练时更大的窗口。这里权重是随机的。",
        ),
        formula: "16 · σ(f(± log₂(1 + |8·d/(W − 1)|)/3))",
        when: text(
            "you run Swin V2, or fine-tune on larger windows.",
            "运行 Swin V2，或在更大的窗口上微调。",
        ),
        knobs: &[WINDOW, SEED],
        compute: swin_v2,
    },
    Method {
        id: "axes-bias",
        name: text("Several axes (LayoutLM)", "多个轴（LayoutLM）"),
        about: text(
            "A word in a document has a number, a left edge and a lower edge. Each axis has buckets \
             of its own, and their numbers are added. Here are the words of three lines.",
            "文档中的词有序号、左边缘和下边缘。每个轴有自己的分桶，得到的数相加。这里是三行文字。",
        ),
        formula: "bias = b₁[bucket(Δnumber)] + b₂[bucket(Δx)] + b₃[bucket(Δy)]",
        when: text("you run LayoutLMv2 or LayoutLMv3.", "运行 LayoutLMv2 或 LayoutLMv3。"),
        knobs: &[knob("words", text("words in a line", "每行词数"), &["4", "8", "12"], 1), SEED],
        compute: axes,
    },
    Method {
        id: "clipped",
        name: text("Clipped distances (AlphaFold)", "截断距离（AlphaFold）"),
        about: text(
            "Each distance up to r has a learned number, and all farther ones share that of r. \
             AlphaFold adds it to what it knows of a pair of residues.",
            "不超过 r 的每个距离有一个可学习的数，更远的都用 r 的数。AlphaFold 把它加到残基对的表示上。",
        ),
        formula: "bias = b[clip(i − j, −r, r)]",
        when: text(
            "only near distances matter, as between residues of a protein.",
            "只有近距离重要，例如蛋白质的残基之间。",
        ),
        knobs: &[LEN, knob("reach", text("r", "r"), &["4", "8", "16", "32"], 2), SEED],
        compute: clipped,
    },
];

fn alibi(settings: &Settings) -> Result<Answer, Error> {
    let bias = Alibi::with_bias_max(settings.count("heads"), settings.count("max") as u32)?;
    of_bias(&bias, settings.count("len"))
}

fn t5(settings: &Settings) -> Result<Answer, Error> {
    let (buckets, heads) = (settings.count("buckets"), settings.count("heads"));
    let table = table([buckets, heads], 1.0, &mut random(settings))?;
    of_bias(&T5Bias::causal(table, settings.count("far"))?, settings.count("len"))
}

fn kerple(settings: &Settings) -> Result<Answer, Error> {
    let (r1, r2) = ([settings.number("r1")], [settings.number("r2")]);
    let bias = match settings.name("kind") {
        "power" => Kerple::power(&r1, &r2)?,
        _ => Kerple::log(&r1, &r2)?,
    };
    of_bias(&bias, settings.count("len"))
}

fn sandwich(settings: &Settings) -> Result<Answer, Error> {
    let bias = Sandwich::new(settings.count("heads"), settings.count("dim"))?;
    of_bias(&bias, settings.count("len"))
}

/// Random layers from `inputs` over 32 hidden values to the heads.
fn layers(inputs: usize, heads: usize, settings: &Settings) -> Result<Layers<f64>, Error> {
    let mut rng = random(settings);
    let bias = Array1::from_iter(table([1, 32], 1.0, &mut rng)?);
    let first = Linear::new(table([32, inputs], 1.0, &mut rng)?)?.with_bias(bias)?;
    let second = Linear::new(table([heads, 32], 0.3, &mut rng)?)?;
    Layers::new([first, second], Activation::Relu)
}

fn fire(settings: &Settings) -> Result<Answer, Error> {
    let layers = layers(1, settings.count("heads"), settings)?;
    let fire = Fire::new(layers, settings.number("c"), settings.number("threshold"))?;
    of_bias(&fire, settings.count("len"))
}

fn distance_network(settings: &Settings) -> Result<Answer, Error> {
    let spacing = match settings.name("spacing") {
        "linear" => Spacing::Linear,
        _ => Spacing::Log,
    };
    let network = DistanceNetwork::new(layers(1, settings.count("heads"), settings)?, spacing)?;
    of_bias(&network, settings.count("len"))
}

fn forget(settings: &Settings) -> Result<Answer, Error> {
    let len = settings.count("len");
    // libm's logarithm has the same bits on all machines.
    let (gate, curtain) =
        (libm::log(settings.number("gate")), libm::log(settings.number("curtain")));
    let gates =
        Array2::from_shape_fn((1, len), |(_, at)| if at == len / 2 { curtain } else { gate });
    let forget = Forget::from_log_gates(gates)?;
    let places = Positions::from(0..len);
    let mut values = forget.encode(&places, &places)?.index_axis_move(ndarray::Axis(0), 0);
    // A causal mask hides later keys; they are drawn as dark as the farthest key.
    let darkest = values[[len - 1, 0]];
    values.indexed_iter_mut().filter(|((i, j), _)| j > i).for_each(|(_, value)| *value = darkest);
    Ok(cells(values, text("What is left of each key", "每个键还剩多少")))
}

fn cells(values: Array2<f64>, title: super::Text) -> Answer {
    let last = values[[values.nrows() - 1, 0]];
    Answer {
        facts: vec![(text("last query, first key", "最后的查询，最早的键"), last)],
        figures: vec![Figure {
            title,
            x: text("key", "键"),
            y: text("query", "查询"),
            content: Content::Heat(values),
        }],
    }
}

/// Returns the bias of nine points of a window to all others.
fn of_window(bias: &impl AttentionBias<f64>, side: usize) -> Result<Answer, Error> {
    let places = Positions::grid(&[side, side])?;
    let values = bias.encode(&places, &places)?.index_axis_move(ndarray::Axis(0), 0);
    let chosen = [0, side / 2, side - 1];
    let pairs = || chosen.into_iter().flat_map(|row| chosen.map(|column| (row, column)));
    let names = pairs().map(|(row, column)| format!("({row}, {column})")).collect();
    let rows: Vec<usize> = pairs().map(|(row, column)| row * side + column).collect();
    let grids = ndarray::Array3::from_shape_fn((9, side, side), |(i, row, column)| {
        values[[rows[i], row * side + column]]
    });
    let mut answer = cells(values, text("Bias of each pair of patches", "每对图像块的偏置"));
    let grids = Figure {
        title: text("Bias of nine patches to all", "九个图像块对所有块的偏置"),
        x: text("column", "列"),
        y: text("row", "行"),
        content: Content::Grids(names, grids),
    };
    answer.figures.insert(0, grids);
    Ok(answer)
}

fn window(settings: &Settings) -> Result<Answer, Error> {
    let (side, reach) = (settings.count("window"), settings.number("reach"));
    let width = 2 * side - 1;
    let table = Array2::from_shape_fn((width * width, 1), |(row, _)| {
        let off = |at: usize| (at as f64 - (side - 1) as f64).powi(2);
        reach / (reach + off(row / width) + off(row % width))
    });
    of_window(&WindowBias::swin(table, [side, side])?, side)
}

fn swin_v2(settings: &Settings) -> Result<Answer, Error> {
    let side = settings.count("window");
    of_window(&SwinV2Bias::new(layers(2, 1, settings)?, [side, side], [side, side])?, side)
}

fn axes(settings: &Settings) -> Result<Answer, Error> {
    let (words, mut rng) = (settings.count("words"), random(settings));
    let mut part = |buckets: usize, far: usize| -> Result<T5Bias<f64>, Error> {
        T5Bias::bidirectional(table([buckets, 1], 1.0, &mut rng)?, far)
    };
    let bias = AxesBias::new([part(32, 128)?, part(64, 256)?, part(64, 256)?])?;
    let at = |i: usize| [i as i64, (i % words) as i64 * 60 + 40, (i / words) as i64 * 30 + 100];
    let points = Array2::from_shape_fn((3 * words, 3), |(i, axis)| at(i)[axis]);
    let places = Positions::from_points(&points)?;
    let values = bias.encode(&places, &places)?.index_axis_move(ndarray::Axis(0), 0);
    Ok(cells(values, text("Bias of each pair of words", "每对词的偏置")))
}

fn clipped(settings: &Settings) -> Result<Answer, Error> {
    let rows = 2 * settings.count("reach") + 1;
    let table = table([rows, 1], 1.0, &mut random(settings))?;
    let bias = ClippedBias::clipped_distances(table)?;
    let places = Positions::from(0..settings.count("len"));
    let values = bias.encode(&places, &places)?.index_axis_move(ndarray::Axis(0), 0);
    Ok(cells(values, text("Number of each pair of residues", "每对残基的数")))
}

/// Three axes of a random table, (heads, rows, dim).
pub fn by_heads(rows: ArrayView2<'_, f64>, heads: usize) -> Result<ndarray::Array3<f64>, Error> {
    positional_encodings::bias::split_heads(rows, heads)
}
