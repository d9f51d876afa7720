//! Vectors that are added to the embeddings of tokens and patches.

use ndarray::{Array2, Array3};
use positional_encodings::training::{Activation, Linear, PositionNetwork};
use positional_encodings::{
    Axes, Error, FeatureLayout, Frequencies, Init, Learned, LearnedGrid, NoPositions,
    PositionalEncoding, Positions, Sinusoidal, Timestep,
};
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::figures::{Answer, Content, Figure, of_grid, of_reals, of_vectors, vectors};
use super::{Knob, Method, Settings, knob, text};

pub const LEN: Knob = knob("len", text("length", "长度"), &["16", "32", "64", "96", "128"], 2);
pub const DIM: Knob = knob("dim", text("dim", "维度"), &["8", "16", "32", "64", "128"], 2);
pub const BASE: Knob = knob(
    "base",
    text("base", "底数"),
    &["10", "100", "1000", "10000", "100000", "500000", "1000000"],
    3,
);
const LAYOUT: Knob = knob(
    "layout",
    text("order of features", "特征顺序"),
    &["sin, cos alternating", "sines, then cosines", "cosines, then sines"],
    0,
);
const SIDE: Knob = knob("side", text("side of the grid", "网格边长"), &["6", "8", "12", "16"], 2);
pub const SEED: Knob =
    knob("seed", text("random seed", "随机种子"), &["1", "2", "3", "4", "5", "6", "7", "8"], 0);

pub const METHODS: &[Method] = &[
    Method {
        id: "sinusoidal",
        name: text("Sinusoidal", "正弦位置编码"),
        about: text(
            "Each pair of features is a clock hand that turns with the position: the first pairs \
             turn fast and tell neighbours apart, the last ones turn slowly and tell where in the \
             text a token is. Nothing is learned, and every position has a vector. Whisper and \
             fairseq let the slowest hand be exactly base times slower than the fastest.",
            "每一对特征像一根随位置转动的指针：前面的转得快，用来区分相邻位置；后面的转得慢，表示在文中的大致位置。\
             没有任何参数需要学习，任何位置都有向量。Whisper 与 fairseq 让最慢的指针恰好比最快的慢“底数”倍。",
        ),
        formula: "PE[p, 2i] = sin(p · base^(−2i/dim)),  PE[p, 2i+1] = cos(p · base^(−2i/dim))",
        when: text(
            "you build the transformer of the paper, Whisper or fairseq, or want vectors without \
             training and without a longest position.",
            "要实现论文中的 Transformer、Whisper 或 fairseq，或者需要无需训练、没有最大长度限制的向量。",
        ),
        knobs: &[
            LEN,
            DIM,
            BASE,
            LAYOUT,
            knob(
                "frequencies",
                text("frequencies", "频率"),
                &["paper", "both ends included (Whisper)"],
                0,
            ),
        ],
        compute: sinusoidal,
    },
    Method {
        id: "learned",
        name: text("Learned table", "可学习的位置表"),
        about: text(
            "A table has one row for each position, and training moves the rows like any other \
             parameter. At the start they are random, so no position is nearer to another; what \
             neighbours have in common is learned from data. Positions past the last row do not \
             exist.",
            "每个位置在表中占一行，训练时像其他参数一样更新。开始时各行是随机的，没有远近之分；\
             相邻位置的共性要从数据中学到。超出最后一行的位置不存在。",
        ),
        formula: "PE[p] = E[p],  E (rows, dim) learned",
        when: text(
            "you load BERT, GPT-2, ViT or CLIP, or all your sequences are short and you train.",
            "要加载 BERT、GPT-2、ViT 或 CLIP，或者序列都较短并且会训练。",
        ),
        knobs: &[
            LEN,
            DIM,
            knob(
                "init",
                text("start", "初始化"),
                &["normal 0.02 (BERT, GPT-2)", "uniform 0 to 1 (DETR)", "sinusoidal", "zeros"],
                0,
            ),
            SEED,
        ],
        compute: learned,
    },
    Method {
        id: "none",
        name: text("No positions", "不加位置"),
        about: text(
            "Nothing is added. A decoder with a causal mask can still count the tokens that it \
             sees, so some layers of SmolLM3 and Llama 4 do without positions; an encoder cannot \
             tell the order of its tokens at all.",
            "什么都不加。带因果掩码的解码器仍能“数”出看到的词元，所以 SmolLM3、Llama 4 的部分层不用位置；\
             编码器则完全分不清词元的顺序。",
        ),
        formula: "PE[p] = 0",
        when: text(
            "you want to know what positions are worth: change this, and nothing else.",
            "想知道位置信息值多少：只改这一处，其他不变。",
        ),
        knobs: &[LEN, DIM],
        compute: none,
    },
    Method {
        id: "grid",
        name: text("Grids: rows and columns", "二维网格：行与列"),
        about: text(
            "A patch of an image has a row and a column. Each gets a sinusoid of its own, and the \
             two stand side by side. Systems differ in which comes first, in the order of sines \
             and cosines and in what positions count from, so each recipe has the name of its \
             system.",
            "图像块有行号和列号，各自用正弦编码，再并排放在一起。各系统在先行还是先列、正余弦的顺序、\
             从几开始计数上都不同，所以每种做法都以系统命名。",
        ),
        formula: "PE[row, column] = [ e(row) | e(column) ]",
        when: text(
            "you work with MAE, DETR, timm or LoFTR, or any image of patches.",
            "使用 MAE、DETR、timm、LoFTR，或任何切成块的图像。",
        ),
        knobs: &[
            SIDE,
            DIM,
            knob(
                "recipe",
                text("system", "系统"),
                &["MAE", "I-JEPA", "timm", "DETR", "LoFTR", "tensor2tensor"],
                0,
            ),
        ],
        compute: grid,
    },
    Method {
        id: "learned-grid",
        name: text("Learned grid", "可学习的网格"),
        about: text(
            "A table with a row for each patch, as ViT has. A larger image needs a larger grid: \
             the trained vectors are laid on the image and read between them, by a bicubic curve \
             as in ViT's code.",
            "像 ViT 那样，每个图像块一行。图像变大时网格也要变大：把训练好的向量铺在图像上，\
             在它们之间用双三次插值读取，与 ViT 代码一致。",
        ),
        formula: "PE[row, column] = E[row · columns + column],  E resampled for other grids",
        when: text(
            "you fine-tune ViT, CLIP or DINOv2 on images of another size.",
            "在其他尺寸的图像上微调 ViT、CLIP 或 DINOv2。",
        ),
        knobs: &[
            knob("trained", text("trained side", "训练时的边长"), &["4", "6", "8"], 1),
            SIDE,
            DIM,
        ],
        compute: learned_grid,
    },
    Method {
        id: "timestep",
        name: text("Diffusion timestep", "扩散模型的时间步"),
        about: text(
            "A diffusion model must know how noisy its input is. The timestep, a real number, \
             becomes a sinusoid, with cosines first in most models and a frequency more or less \
             by the shift. The model puts two linear layers on top.",
            "扩散模型必须知道输入有多少噪声。时间步是一个实数，用正弦编码；多数模型把余弦放在前面，\
             shift 略微改变频率的分布。之后模型再接两层线性层。",
        ),
        formula: "PE[t] = [ cos(t·w) | sin(t·w) ],  wᵢ = 10000^(−i/(dim/2 − shift))",
        when: text(
            "you run or train DDPM, Stable Diffusion, DiT or FLUX.",
            "运行或训练 DDPM、Stable Diffusion、DiT 或 FLUX。",
        ),
        knobs: &[
            DIM,
            knob("system", text("system", "系统"), &["DDPM", "Stable Diffusion, DiT", "FLUX"], 1),
        ],
        compute: timestep,
    },
    Method {
        id: "network",
        name: text("Position network", "位置网络"),
        about: text(
            "A small network makes the vectors out of an inner encoding: a linear layer, an \
             activation, a linear layer. It can be asked for any position, also between two. Here \
             its weights are random, as before training.",
            "一个小网络把内部编码变成位置向量：线性层、激活函数、线性层。可以查询任意位置，包括两个位置之间。\
             这里的权重是随机的，相当于训练之前。",
        ),
        formula: "PE[p] = W₂ · φ(W₁ · e(p) + b₁) + b₂",
        when: text(
            "the model should learn its vectors and still take any real position, as for \
             learnable Fourier features and diffusion timesteps.",
            "希望模型自己学习向量，又能接受任意实数位置，例如可学习的傅里叶特征、扩散时间步。",
        ),
        knobs: &[
            LEN,
            DIM,
            knob("hidden", text("hidden values", "隐藏单元"), &["16", "32", "64"], 1),
            SEED,
        ],
        compute: network,
    },
];

fn layout(settings: &Settings) -> FeatureLayout {
    match settings.name("layout") {
        "sines, then cosines" => FeatureLayout::SinCosHalves,
        "cosines, then sines" => FeatureLayout::CosSinHalves,
        _ => FeatureLayout::Interleaved,
    }
}

/// Returns the wavelengths of frequencies as staircases, and the length within which positions must
/// differ.
pub fn wavelengths(curves: Vec<(String, &Frequencies)>, len: f64) -> Figure {
    let pairs = curves.iter().map(|(_, frequencies)| frequencies.len()).max().unwrap_or(0) as f64;
    let waves = |frequencies: &Frequencies| -> (Vec<f64>, Vec<f64>) {
        let radians = frequencies.to_radians().into_iter().enumerate();
        let turning = radians.filter(|(_, radians)| *radians != 0.0);
        turning.map(|(pair, radians)| (pair as f64, core::f64::consts::TAU / radians)).unzip()
    };
    let curves = curves.into_iter().map(|(name, frequencies)| {
        let (pairs, waves) = waves(frequencies);
        (name, pairs, waves)
    });
    let length = ("length".to_string(), vec![0.0, pairs], vec![len, len]);
    Figure {
        title: text("Wavelength of each pair", "每对特征的波长"),
        x: text("pair of features", "特征对"),
        y: text("positions for a whole turn", "转一整圈的位置数"),
        content: Content::Curves {
            curves: curves.chain([length]).collect(),
            logarithmic: true,
            stairs: true,
        },
    }
}

fn sinusoidal(settings: &Settings) -> Result<Answer, Error> {
    let (dim, base) = (settings.count("dim"), settings.number("base"));
    let frequencies = match settings.name("frequencies") {
        "paper" => Frequencies::geometric(dim, base)?,
        _ => Frequencies::geometric_inclusive(dim, base)?,
    };
    let encoding = Sinusoidal::from_frequencies(frequencies.clone()).with_layout(layout(settings));
    let len = settings.count("len");
    let mut answer = of_vectors(vectors(&encoding, len)?);
    answer.figures.push(wavelengths(vec![("wavelength".to_string(), &frequencies)], len as f64));
    Ok(answer)
}

pub fn random(settings: &Settings) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(settings.count("seed") as u64)
}

/// Random values of a standard deviation, the same on all machines.
pub fn table(
    shape: [usize; 2],
    std: f64,
    rng: &mut Xoshiro256PlusPlus,
) -> Result<Array2<f64>, Error> {
    Ok(Learned::init(shape[0], shape[1], Init::Normal { std }, rng)?.into_table())
}

fn learned(settings: &Settings) -> Result<Answer, Error> {
    let (len, dim) = (settings.count("len"), settings.count("dim"));
    let init = match settings.name("init") {
        "uniform 0 to 1 (DETR)" => Init::Uniform { low: 0.0, high: 1.0 },
        "zeros" => Init::Zeros,
        "sinusoidal" => {
            let table = Learned::<f64>::from_encoding(&Sinusoidal::new(dim)?, len)?;
            return Ok(of_vectors(vectors(&table, len)?));
        }
        _ => Init::Normal { std: 0.02 },
    };
    let table = Learned::<f64>::init(len, dim, init, &mut random(settings))?;
    Ok(of_vectors(vectors(&table, len)?))
}

fn none(settings: &Settings) -> Result<Answer, Error> {
    Ok(of_vectors(vectors(&NoPositions::new(settings.count("dim"))?, settings.count("len"))?))
}

fn grid(settings: &Settings) -> Result<Answer, Error> {
    let (side, dim) = (settings.count("side"), settings.count("dim"));
    let places = Positions::grid(&[side, side])?;
    let encoding = match settings.name("recipe") {
        "I-JEPA" => Axes::i_jepa(dim)?,
        "timm" => Axes::timm(dim, 10_000.0)?,
        "DETR" => Axes::detr(dim, 10_000.0)?,
        "LoFTR" => Axes::loftr(dim)?,
        "tensor2tensor" => Axes::tensor2tensor(dim, 2)?,
        _ => Axes::mae(dim)?,
    };
    Ok(of_grid(encoding.encode(&places)?, [side, side]))
}

fn learned_grid(settings: &Settings) -> Result<Answer, Error> {
    let (trained, side, dim) =
        (settings.count("trained"), settings.count("side"), settings.count("dim"));
    // A grid as after training: MAE's sinusoid.
    let rows: Array2<f64> = Axes::mae(dim)?.encode(&Positions::grid(&[trained, trained])?)?;
    let table = Array3::from_shape_fn((trained, trained, dim), |(row, column, feature)| {
        rows[[row * trained + column, feature]]
    });
    let grid = LearnedGrid::from_table(table)?
        .resized([side, side], positional_encodings::resample::Resample::vit())?;
    Ok(of_grid(grid.table().to_owned(), [side, side]))
}

fn timestep(settings: &Settings) -> Result<Answer, Error> {
    let dim = settings.count("dim");
    let (timestep, last) = match settings.name("system") {
        "DDPM" => (Timestep::new(dim), 50.0),
        "FLUX" => (Timestep::flux(dim), 0.05),
        _ => (Timestep::flipped(dim), 50.0),
    };
    let times: Vec<f64> = (0..=100).map(|i| f64::from(i) / 100.0 * last).collect();
    let rows: Array2<f64> = timestep.encoding()?.encode(&Positions::from(&times))?;
    Ok(of_reals(text("timestep", "时间步"), &times, rows))
}

fn network(settings: &Settings) -> Result<Answer, Error> {
    let (dim, hidden) = (settings.count("dim"), settings.count("hidden"));
    let mut rng = random(settings);
    let first = Linear::new(table([hidden, 32], 0.3, &mut rng)?)?;
    let second = Linear::new(table([dim, hidden], 0.3, &mut rng)?)?;
    let network = PositionNetwork::new(Sinusoidal::new(32)?, first, Activation::Silu, second)?;
    Ok(of_vectors(vectors(&network, settings.count("len"))?))
}
