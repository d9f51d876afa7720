//! Rotations of queries and keys.

use ndarray::{Array2, Array3};
use positional_encodings::rotary::{AxialOrder, MixedRotary, QueryTemperature, Sections, XPos};
use positional_encodings::scaling::{DynamicNtk, Llama3, LongRope, Yarn};
use positional_encodings::{Error, Frequencies, Pairing, Positions, Rotary, Rotation};

use super::additive::{BASE, DIM, SEED, random, wavelengths};
use super::figures::{Answer, Content, DISTANCE, Figure, curve, curves, kernel};
use super::{Knob, Method, Settings, Text, knob, text};

const LEN: Knob = knob("len", text("length", "长度"), &["64", "128", "256", "512", "1024"], 2);
const SIDE: Knob = knob("side", text("side of the grid", "网格边长"), &["8", "12", "16"], 1);
const SCORE: Text = text("score", "分数");

pub const METHODS: &[Method] = &[
    Method {
        id: "rotary",
        name: text("Rotary (RoPE)", "旋转位置编码（RoPE）"),
        about: text(
            "Each pair of features of a query or key is turned by an angle that grows with the \
             position. The product of a turned query and a turned key depends on their distance \
             alone. The curve shows it for a query and a key of ones: high for near keys, then \
             falling and swaying. Halves and neighbours pair the features differently and are not \
             interchangeable.",
            "查询或键的每一对特征按随位置增长的角度旋转。旋转后的查询与键的内积只取决于它们的距离。\
             曲线是全 1 的查询和键的结果：近处高，随后下降并摆动。“前后两半”与“相邻”两种配对方式不可互换。",
        ),
        formula: "(x, y) → (x·cos pw − y·sin pw, x·sin pw + y·cos pw),  wᵢ = base^(−2i/dim)",
        when: text(
            "you run or train Llama, Qwen, Mistral, Gemma, GPT-NeoX and most models since 2022.",
            "运行或训练 Llama、Qwen、Mistral、Gemma、GPT-NeoX 以及 2022 年以来的多数模型。",
        ),
        knobs: &[
            LEN,
            DIM,
            BASE,
            knob(
                "pairing",
                text("pairing", "配对"),
                &["halves (Llama, Qwen)", "neighbours (GPT-J, GLM)"],
                0,
            ),
        ],
        compute: rotary,
    },
    Method {
        id: "scaling",
        name: text("Context scaling", "上下文扩展"),
        about: text(
            "A model that was trained on short texts meets angles that it has never seen in long \
             ones. Scaling slows the hands down. Linear slows all of them; NTK and YaRN leave the \
             fast ones, which tell neighbours apart, as they were; Llama 3 moves only those whose \
             turn is longer than the text.",
            "在短文本上训练的模型，遇到长文本会碰到从未见过的角度。扩展就是让指针变慢。\
             线性缩放让所有指针都变慢；NTK 与 YaRN 保留区分相邻位置的快指针；Llama 3 只改动一圈比文本还长的那些。",
        ),
        formula: "wᵢ → wᵢ / sᵢ:  linear sᵢ = s,  NTK base → base · s^(dim/(dim−2)),  YaRN and \
                  Llama 3 by turns",
        when: text(
            "a model must read more than it was trained on; take what its config.json names.",
            "模型要读比训练时更长的文本；按它的 config.json 里写的方式选择。",
        ),
        knobs: &[
            knob("dim", text("dim", "维度"), &["32", "64", "128"], 1),
            BASE,
            knob(
                "method",
                text("method", "方法"),
                &["linear", "NTK", "dynamic NTK", "YaRN", "Llama 3", "LongRoPE", "proportional"],
                3,
            ),
            knob("factor", text("factor", "倍数"), &["1", "2", "4", "8", "16", "32"], 3),
            knob(
                "original",
                text("trained length", "训练长度"),
                &["512", "2048", "4096", "8192"],
                2,
            ),
        ],
        compute: scaling,
    },
    Method {
        id: "axial-rotary",
        name: text("Rotary on rows and columns", "行列旋转编码"),
        about: text(
            "A patch has a row and a column. Some pairs of features turn with the row, others with \
             the column. The pictures show the score of a query in the middle with all keys. \
             Systems differ in which pairs belong to which axis.",
            "图像块有行和列：一部分特征对随行转动，另一部分随列转动。\
             图中是中间的查询与所有键的分数。各系统对哪些对属于哪个轴有不同约定。",
        ),
        formula: "pair i turns by row · wᵢ or by column · wᵢ",
        when: text(
            "a vision tower or a multimodal model rotates: Qwen2-VL, Pixtral, Gemma 4, Llama 4.",
            "视觉塔或多模态模型使用旋转：Qwen2-VL、Pixtral、Gemma 4、Llama 4。",
        ),
        knobs: &[
            SIDE,
            DIM,
            BASE,
            knob(
                "order",
                text("system", "系统"),
                &["Qwen2-VL", "Pixtral", "Gemma 4", "Llama 4", "EVA-02"],
                0,
            ),
        ],
        compute: axial,
    },
    Method {
        id: "sections",
        name: text("M-RoPE: time, height, width", "M-RoPE：时间、高、宽"),
        about: text(
            "The pairs of one rotation are dealt to the axes of a video. A word has the same \
             number on all three and is rotated as ever. Dealt in chunks, time has all the fast \
             pairs; dealt in turn, each axis has fast and slow ones.",
            "把一套旋转的特征对分给视频的各个轴。文字在三个轴上的编号相同，旋转与从前一样。\
             成段分配时，时间占了所有快对；轮流分配时，每个轴都有快有慢。",
        ),
        formula: "pair i turns by position[axis(i)] · wᵢ",
        when: text(
            "you run Qwen2-VL, Qwen3-VL, GLM-4V or their kind.",
            "运行 Qwen2-VL、Qwen3-VL、GLM-4V 等模型。",
        ),
        knobs: &[
            SIDE,
            BASE,
            knob(
                "dealt",
                text("pairs are dealt", "分配方式"),
                &["in chunks (Qwen2-VL)", "in turn (Qwen3-VL)"],
                0,
            ),
        ],
        compute: sections,
    },
    Method {
        id: "mixed",
        name: text("RoPE-Mixed and Golden Gate", "RoPE-Mixed 与 Golden Gate"),
        about: text(
            "Each pair of each head has a direction of its own in the image, not only rows or \
             columns. RoPE-Mixed learns the directions and starts from random ones; Golden Gate \
             spreads them evenly once and for all.",
            "每个头的每一对特征在图像中都有自己的方向，而不只是行或列。\
             RoPE-Mixed 从随机方向开始学习；Golden Gate 一次性把方向均匀铺开。",
        ),
        formula: "pair i of head h turns by row · w[0, h, i] + column · w[1, h, i]",
        when: text(
            "a vision transformer should see diagonals as well as rows and columns.",
            "希望视觉 Transformer 既能看到行列，也能看到对角方向。",
        ),
        knobs: &[
            SIDE,
            DIM,
            knob("kind", text("directions", "方向"), &["RoPE-Mixed", "Golden Gate"], 0),
            SEED,
        ],
        compute: mixed,
    },
    Method {
        id: "xpos",
        name: text("xPos", "xPos"),
        about: text(
            "Queries grow and keys shrink with the position, pair by pair, so that scores not \
             only sway with the distance but fade. The slow pairs fade least.",
            "查询随位置增大、键随位置缩小（逐对进行），于是分数不仅随距离摆动，还会衰减。慢的对衰减最少。",
        ),
        formula: "score · ζᵢ^(distance/B),  ζᵢ = (2i + 0.4·dim)/(1.4·dim)",
        when: text(
            "you work with RetNet or want rotary scores that decay.",
            "使用 RetNet，或希望旋转编码的分数随距离衰减。",
        ),
        knobs: &[
            LEN,
            DIM,
            knob("scale_base", text("B", "B"), &["64", "128", "256", "512", "1024"], 3),
        ],
        compute: xpos,
    },
    Method {
        id: "temperature",
        name: text("Query temperature", "查询温度"),
        about: text(
            "In a long text attention spreads over ever more keys. A factor that grows with the \
             logarithm of the position sharpens it again.",
            "文本越长，注意力分散到的键就越多。一个随位置的对数增长的系数让它重新集中。",
        ),
        formula: "q · (1 + scale · ln(1 + ⌊(p + offset)/floor⌋)),  or q · ln(p + 1)/ln L",
        when: text(
            "you run Llama 4, Ministral 3 or the first Qwen.",
            "运行 Llama 4、Ministral 3 或第一代 Qwen。",
        ),
        knobs: &[
            knob("system", text("system", "系统"), &["Llama 4", "Ministral 3", "Qwen"], 0),
            knob("floor", text("floor or L", "floor 或 L"), &["1024", "4096", "8192", "16384"], 2),
        ],
        compute: temperature,
    },
];

const KERNEL: Text = text("Score by distance", "分数随距离的变化");

fn pairing(settings: &Settings) -> Pairing {
    match settings.name("pairing") {
        "neighbours (GPT-J, GLM)" => Pairing::Interleaved,
        _ => Pairing::Halves,
    }
}

fn rotary(settings: &Settings) -> Result<Answer, Error> {
    let frequencies = Frequencies::geometric(settings.count("dim"), settings.number("base"))?;
    let rotary = Rotary::new(frequencies.clone(), pairing(settings));
    let rotation = rotary.at::<f64>(0..settings.count("len"))?;
    let score = kernel(&rotation, &rotation)?;
    // The features of the first query, rotated.
    let mut ones = Array3::<f64>::ones((1, 64, rotary.dim()));
    rotary.at::<f64>(0..64)?.apply(ones.view_mut())?;
    let turned = ones.index_axis(ndarray::Axis(0), 0).to_owned();
    Ok(Answer {
        facts: vec![
            (text("score of neighbours", "相邻位置的分数"), score[1]),
            (text("score of the farthest", "最远处的分数"), score[score.len() - 1]),
        ],
        figures: vec![
            curve(KERNEL, DISTANCE, SCORE, score),
            super::figures::heat(text("A query of ones, rotated", "全 1 的查询旋转之后"), turned),
            wavelengths(vec![("wavelength".to_string(), &frequencies)], settings.number("len")),
        ],
    })
}

fn scaled(settings: &Settings, plain: Frequencies) -> Result<Frequencies, Error> {
    let (factor, original_len) = (settings.number("factor"), settings.count("original"));
    let total_len = original_len * settings.count("factor");
    match settings.name("method") {
        "linear" => plain.linear(factor),
        "NTK" => plain.ntk(factor),
        "dynamic NTK" => plain.dynamic_ntk(DynamicNtk { factor, original_len }, total_len),
        "Llama 3" => plain.llama3(Llama3 {
            factor,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_len,
        }),
        "LongRoPE" => {
            // Divisors like those of Phi-3, which were found by a search: from 1 to the factor.
            let pairs = plain.len();
            let share = |i: usize| i as f64 / (pairs - 1).max(1) as f64;
            let long = (0..pairs).map(|i| 1.0 + (factor - 1.0) * share(i)).collect();
            let parameters = LongRope { short: vec![1.0; pairs], long, original_len, factor };
            plain.longrope(&parameters, total_len)
        }
        "proportional" => plain.proportional(1.0 / factor),
        _ => plain.yarn(&Yarn::new(factor, original_len)),
    }
}

fn scaling(settings: &Settings) -> Result<Answer, Error> {
    let plain = Frequencies::geometric(settings.count("dim"), settings.number("base"))?;
    let scaled = scaled(settings, plain.clone())?;
    let score = |frequencies: &Frequencies| -> Result<Vec<f64>, Error> {
        let unit = frequencies.clone().with_attention_factor(1.0)?;
        let rotation = Rotary::new(unit, Pairing::Halves).at::<f64>(0..512)?;
        kernel(&rotation, &rotation)
    };
    let lines =
        vec![("before".to_string(), score(&plain)?), ("after".to_string(), score(&scaled)?)];
    let both = vec![("before".to_string(), &plain), ("after".to_string(), &scaled)];
    let waves = wavelengths(both, settings.number("original"));
    let name = text("attention factor", "注意力系数");
    Ok(Answer {
        facts: vec![(name, scaled.attention_factor())],
        figures: vec![waves, curves(KERNEL, DISTANCE, SCORE, lines)],
    })
}

/// The score of ones at the middle of a grid with ones everywhere, for a name.
fn grid_scores(settings: &Settings, parts: Vec<(String, Array2<f64>)>) -> Answer {
    let side = settings.count("side");
    let (names, grids): (Vec<String>, Vec<Array2<f64>>) = parts.into_iter().unzip();
    let grids = Array3::from_shape_fn((names.len(), side, side), |(i, row, column)| {
        grids[i][[row, column]]
    });
    Answer {
        facts: Vec::new(),
        figures: vec![Figure {
            title: text("Score with the place in the middle", "与中间位置的分数"),
            x: text("column", "列"),
            y: text("row", "行"),
            content: Content::Grids(names, grids),
        }],
    }
}

/// Returns the scores (rows, columns) of the middle with all points, for the features of one head.
fn middle_scores(rotated: ndarray::ArrayView2<'_, f64>, side: usize) -> Array2<f64> {
    let middle = rotated.row(side / 2 * side + side / 2);
    let dim = rotated.ncols() as f64;
    Array2::from_shape_fn((side, side), |(row, column)| {
        let other = rotated.row(row * side + column);
        other.iter().zip(middle).map(|(a, b)| a * b).sum::<f64>() / dim
    })
}

fn on_grid(settings: &Settings, rotation: &Rotation<f64>, name: &str) -> Result<Answer, Error> {
    let side = settings.count("side");
    let mut ones = Array3::<f64>::ones((1, side * side, rotation.dim()));
    rotation.apply(ones.view_mut())?;
    let scores = middle_scores(ones.index_axis(ndarray::Axis(0), 0), side);
    Ok(grid_scores(settings, vec![(name.to_string(), scores)]))
}

fn axial(settings: &Settings) -> Result<Answer, Error> {
    let (side, dim) = (settings.count("side"), settings.count("dim"));
    let name = settings.name("order");
    let order = match name {
        "Pixtral" => AxialOrder::Pixtral,
        "Gemma 4" => AxialOrder::Gemma4,
        "Llama 4" => AxialOrder::Llama4,
        "EVA-02" => AxialOrder::Eva02,
        _ => AxialOrder::Qwen2Vl,
    };
    let rotary = Rotary::axial_2d(dim, settings.number("base"), order)?;
    on_grid(settings, &rotary.at(Positions::grid(&[side, side])?)?, name)
}

fn sections(settings: &Settings) -> Result<Answer, Error> {
    let side = settings.count("side");
    let plain = Rotary::new(Frequencies::geometric(128, settings.number("base"))?, Pairing::Halves);
    let (sizes, order) = match settings.name("dealt") {
        "in turn (Qwen3-VL)" => ([24, 20, 20], Sections::Interleaved),
        _ => ([16, 24, 24], Sections::Chunked),
    };
    let rotary = plain.with_sections(&sizes, order)?;
    let rotation = rotary.at(Positions::grid(&[1, side, side])?)?;
    on_grid(settings, &rotation, "one frame")
}

fn mixed(settings: &Settings) -> Result<Answer, Error> {
    let (side, dim) = (settings.count("side"), settings.count("dim"));
    let mixed = match settings.name("kind") {
        "Golden Gate" => {
            MixedRotary::golden_gate([2, 4, dim / 2], 0.1..=1.0, 0, Pairing::Interleaved)?
        }
        _ => MixedRotary::init(4, dim, 10.0, Pairing::Interleaved, &mut random(settings))?,
    };
    let mut ones = Array3::<f64>::ones((4, side * side, dim));
    mixed.at::<f64>(Positions::grid(&[side, side])?)?.apply(ones.view_mut())?;
    let heads = ones.outer_iter().enumerate();
    let parts = heads.map(|(head, rows)| (format!("head {head}"), middle_scores(rows, side)));
    Ok(grid_scores(settings, parts.collect()))
}

fn xpos(settings: &Settings) -> Result<Answer, Error> {
    let (len, dim) = (settings.count("len"), settings.count("dim"));
    let xpos = XPos::new(dim)?.with_scale_base(settings.number("scale_base"))?;
    let (queries, keys) = xpos.at::<f64>(0..len)?;
    let plain = Rotary::new(Frequencies::geometric(dim, 10_000.0)?, Pairing::Interleaved);
    let rotation = plain.at::<f64>(0..len)?;
    let lines = vec![
        ("xPos".to_string(), kernel(&queries, &keys)?),
        ("rotary alone".to_string(), kernel(&rotation, &rotation)?),
    ];
    let last = lines[0].1[len - 1];
    Ok(Answer {
        facts: vec![(text("score of the farthest", "最远处的分数"), last)],
        figures: vec![curves(KERNEL, DISTANCE, SCORE, lines)],
    })
}

fn temperature(settings: &Settings) -> Result<Answer, Error> {
    let floor = settings.count("floor");
    let temperature = match settings.name("system") {
        "Ministral 3" => QueryTemperature::ministral3(0.1, floor)?,
        "Qwen" => QueryTemperature::logn(floor)?,
        _ => QueryTemperature::llama4(0.1, floor as f64)?,
    };
    let at: Vec<i64> = (0..256).map(|i| i * 512).collect();
    let factors = temperature.factors(&at)?;
    let x = at.iter().map(|position| *position as f64).collect();
    let last = factors[255];
    let curves = vec![("factor".to_string(), x, factors)];
    Ok(Answer {
        facts: vec![(text("factor at position 130,560", "位置 130560 的系数"), last)],
        figures: vec![Figure {
            title: text("Factor of each query", "每个查询的系数"),
            x: text("position", "位置"),
            y: text("factor", "系数"),
            content: Content::Curves { curves, logarithmic: false, stairs: false },
        }],
    })
}
