//! Features of points, times, distances and places.

use ndarray::{Array1, Array2};
use positional_encodings::space::{AngleUnit, Cycle, MipNerf, Radial, Sphere2Vec, Wavelengths};
use positional_encodings::{
    Error, Fourier, Frequencies, Init, Learned, PositionalEncoding, Positions, space::Time2Vec,
};

use super::additive::{DIM, SEED, random};
use super::figures::{Answer, of_grid, of_reals};
use super::{Method, Settings, knob, text};

pub const METHODS: &[Method] = &[
    Method {
        id: "fourier",
        name: text("Fourier features", "傅里叶特征"),
        about: text(
            "Each pair of features is a wave across the plane in a random direction. The spread σ \
             of its frequencies says how fine the details are that a network can see: too small \
             and all is blurred, too large and nothing is near to anything.",
            "每对特征是平面上沿随机方向的一列波。频率的标准差 σ 决定网络能看到多细的细节：\
             太小则一切模糊，太大则没有什么彼此相近。",
        ),
        formula: "PE[v] = [ sin(2π B v) | cos(2π B v) ],  B ~ N(0, σ²)",
        when: text(
            "points on a plane or in space go into a network: images as functions, SAM's prompts.",
            "把平面或空间中的点送入网络：用函数表示图像、SAM 的提示点。",
        ),
        knobs: &[
            DIM,
            knob("sigma", text("spread σ", "标准差 σ"), &["0.25", "0.5", "1", "2", "4", "8"], 2),
            SEED,
        ],
        compute: fourier,
    },
    Method {
        id: "nerf",
        name: text("NeRF and Perceiver bands", "NeRF 与 Perceiver 频带"),
        about: text(
            "Each coordinate is written as waves whose frequencies double (NeRF) or grow in equal \
             steps (Perceiver). The network can so draw sharp edges from smooth coordinates.",
            "每个坐标写成一组波：频率逐级加倍（NeRF），或等距增长（Perceiver）。\
             这样网络能从平滑的坐标画出锐利的边缘。",
        ),
        formula: "PE[x] = sin(2ᵏ·π·x), cos(2ᵏ·π·x),  k < bands",
        when: text(
            "you work with radiance fields or Perceiver, where coordinates lie in −1 to 1.",
            "使用辐射场或 Perceiver，坐标在 −1 到 1 之间。",
        ),
        knobs: &[
            knob("bands", text("bands", "频带数"), &["2", "4", "6", "8", "10"], 1),
            knob("system", text("system", "系统"), &["NeRF, paper", "NeRF, code", "Perceiver"], 0),
        ],
        compute: nerf,
    },
    Method {
        id: "mip-nerf",
        name: text("Mip-NeRF", "Mip-NeRF"),
        about: text(
            "A pixel sees a cone, not a point. Where the cone is wide, fast waves would only be \
             noise, so each wave fades with the variance of the point.",
            "一个像素看到的是锥体而不是点。锥体宽的地方，快波只是噪声，所以每列波都随点的方差衰减。",
        ),
        formula: "PE[μ, σ²] = sin(2ᵏ·μ) · exp(−½·4ᵏ·σ²),  cos(2ᵏ·μ) · exp(−½·4ᵏ·σ²)",
        when: text("points have a known uncertainty or extent.", "点带有已知的不确定性或大小。"),
        knobs: &[
            knob("bands", text("bands", "频带数"), &["2", "4", "6", "8"], 1),
            knob(
                "variance",
                text("variance σ²", "方差 σ²"),
                &["0", "0.001", "0.01", "0.1", "1"],
                2,
            ),
        ],
        compute: mip_nerf,
    },
    Method {
        id: "time2vec",
        name: text("Time2Vec", "Time2Vec"),
        about: text(
            "The first feature grows with time, the others are waves. Frequencies and phases are \
             learned; here they are random, as before training.",
            "第一个特征随时间线性增长，其余是波。频率和相位由训练得到；这里是随机的，相当于训练之前。",
        ),
        formula: "PE[t]₀ = ω₀·t + φ₀,  PE[t]ᵢ = sin(ωᵢ·t + φᵢ)",
        when: text(
            "events come at uneven times and the periods that matter are not known.",
            "事件发生的时间间隔不均匀，并且不知道哪些周期重要。",
        ),
        knobs: &[DIM, SEED],
        compute: time2vec,
    },
    Method {
        id: "calendar",
        name: text("Calendar cycles", "日历周期"),
        about: text(
            "The hour of the day, the day of the week and the day of the year are circles: after \
             23:59 comes 0:00. Each cycle is a sine and a cosine, so that midnight is near to \
             itself from both sides.",
            "一天中的小时、一周中的星期、一年中的日子都是圆：23:59 之后是 0:00。\
             每个周期用一个正弦和一个余弦表示，这样午夜从两边看都是相近的。",
        ),
        formula: "PE[t] = sin(2π·(t − phase)/period), cos(…) for each cycle",
        when: text("you forecast demand, weather or traffic.", "预测用电、天气或交通。"),
        knobs: &[knob("days", text("days shown", "显示天数"), &["2", "7", "14", "28"], 1)],
        compute: calendar,
    },
    Method {
        id: "radial",
        name: text("Radial functions", "径向函数"),
        about: text(
            "The distance of two atoms becomes a row of bumps or waves, each of which answers to \
             its own range. Beyond the cutoff nothing is felt.",
            "两个原子的距离变成一排“鼓包”或波，每个只对自己的范围有反应。超过截断距离就没有作用。",
        ),
        formula: "gaussian: exp(−½((d − μₖ)/Δ)²),  bessel: sin(nπd/c)/d",
        when: text(
            "you build networks of molecules or graphs: SchNet, PhysNet, DimeNet.",
            "搭建分子或图网络：SchNet、PhysNet、DimeNet。",
        ),
        knobs: &[
            knob("dim", text("dim", "维度"), &["4", "8", "16", "32"], 1),
            knob(
                "kind",
                text("functions", "函数"),
                &["gaussian (SchNet)", "exp-normal (PhysNet)", "bessel (SchNetPack)", "DimeNet"],
                0,
            ),
            knob("cutoff", text("cutoff", "截断距离"), &["2", "5", "10"], 1),
        ],
        compute: radial,
    },
    Method {
        id: "wavelengths",
        name: text("Wavelengths between two bounds", "给定波长范围"),
        about: text(
            "The shortest and the longest wavelength are given in the unit of the quantity, \
             seconds or hours say, and the others lie between them in equal ratios.",
            "用量本身的单位（例如秒或小时）给定最短和最长波长，其余按等比分布在中间。",
        ),
        formula: "λₖ from shortest to longest in equal ratios,  PE[x] = sin(2πx/λ), cos(2πx/λ)",
        when: text(
            "a quantity has known scales: ages, depths, times of days.",
            "某个量有已知的尺度：年龄、深度、一天中的时间。",
        ),
        knobs: &[
            DIM,
            knob("shortest", text("shortest", "最短波长"), &["0.5", "1", "2", "4"], 1),
            knob("longest", text("longest", "最长波长"), &["10", "100", "1000"], 1),
        ],
        compute: wavelengths,
    },
    Method {
        id: "sphere",
        name: text("Sphere2Vec", "Sphere2Vec"),
        about: text(
            "Latitude and longitude are angles on a ball, and near the pole all longitudes meet. \
             These features are made so that distances on the sphere stay distances.",
            "纬度和经度是球面上的角度，在极点附近所有经线相交。这些特征让球面上的距离保持为距离。",
        ),
        formula: "sin φw, cos φw · cos λ, cos φ · cos λw, cos φw · sin λ, cos φ · sin λw",
        when: text("places on the earth go into a network.", "把地球上的地点送入网络。"),
        knobs: &[knob("scales", text("scales", "尺度数"), &["2", "4", "8", "16"], 1)],
        compute: sphere,
    },
];

/// `steps` + 1 numbers from `from` to `to`.
fn line(from: f64, to: f64, steps: usize) -> Vec<f64> {
    (0..=steps).map(|i| from + (to - from) * i as f64 / steps as f64).collect()
}

fn coordinate(rows: Array2<f64>, at: &[f64]) -> Answer {
    of_reals(text("coordinate", "坐标"), at, rows)
}

fn fourier(settings: &Settings) -> Result<Answer, Error> {
    let pairs = settings.count("dim") / 2;
    let encoding = Fourier::random(2, pairs, settings.number("sigma"), &mut random(settings))?;
    let places = Positions::linspace(&[13, 13], -1.0..=1.0)?;
    Ok(of_grid(encoding.encode(&places)?, [13, 13]))
}

fn nerf(settings: &Settings) -> Result<Answer, Error> {
    let bands = settings.count("bands");
    let encoding = match settings.name("system") {
        "NeRF, code" => Fourier::nerf_code(1, bands)?,
        "Perceiver" => Fourier::perceiver(&[64], bands)?,
        _ => Fourier::nerf(1, bands)?,
    };
    let at = line(-1.0, 1.0, 128);
    Ok(coordinate(encoding.encode(&Positions::from(&at))?, &at))
}

fn mip_nerf(settings: &Settings) -> Result<Answer, Error> {
    let at = line(-1.0, 1.0, 128);
    let variance = settings.number("variance");
    let points = Array2::from_shape_fn((at.len(), 2), |(i, axis)| [at[i], variance][axis]);
    let encoding = MipNerf::new(1, settings.count("bands"))?;
    Ok(coordinate(encoding.encode(&Positions::from_points(&points)?)?, &at))
}

fn time2vec(settings: &Settings) -> Result<Answer, Error> {
    let (dim, mut rng) = (settings.count("dim"), random(settings));
    let mut row = |std: f64| -> Result<Array1<f64>, Error> {
        let drawn = Learned::init(1, dim, Init::Normal { std }, &mut rng)?;
        Ok(drawn.table().row(0).to_owned())
    };
    let mut frequencies = row(1.0)?;
    frequencies[0] = 0.1;
    let encoding = Time2Vec::new(&frequencies, &row(1.0)?)?;
    let at = line(0.0, 20.0, 100);
    Ok(of_reals(text("time", "时间"), &at, encoding.encode(&Positions::from(&at))?))
}

fn calendar(settings: &Settings) -> Result<Answer, Error> {
    let cycles = [Cycle::new(24.0), Cycle::new(168.0), Cycle::new(8765.82)];
    let encoding = Fourier::calendar(&cycles)?;
    let hours = line(0.0, settings.number("days") * 24.0, 120);
    Ok(of_reals(text("hour", "小时"), &hours, encoding.encode(&Positions::from(&hours))?))
}

fn radial(settings: &Settings) -> Result<Answer, Error> {
    let (dim, cutoff) = (settings.count("dim"), settings.number("cutoff"));
    let encoding = match settings.name("kind") {
        "exp-normal (PhysNet)" => Radial::exp_normal(dim, cutoff)?,
        "bessel (SchNetPack)" => Radial::bessel(dim, cutoff)?,
        "DimeNet" => Radial::dimenet(dim, cutoff, 5)?,
        _ => Radial::gaussian(dim, 0.0..=cutoff)?,
    };
    // DimeNet's envelope divides by the distance.
    let at =
        line(if settings.name("kind") == "DimeNet" { 0.05 * cutoff } else { 0.0 }, cutoff, 100);
    Ok(of_reals(text("distance", "距离"), &at, encoding.encode(&Positions::from(&at))?))
}

fn wavelengths(settings: &Settings) -> Result<Answer, Error> {
    let (shortest, longest) = (settings.number("shortest"), settings.number("longest"));
    let encoding = Wavelengths::new(settings.count("dim"), shortest..=longest)?;
    // Quantities outside the bounds are refused.
    let at = line(shortest, longest.min(12.0 * shortest), 120);
    Ok(of_reals(text("quantity", "数量"), &at, encoding.encode(&Positions::from(&at))?))
}

fn sphere(settings: &Settings) -> Result<Answer, Error> {
    let scales = Frequencies::timescales(2 * settings.count("scales"), 0.1..=1.0)?;
    let encoding = Sphere2Vec::new(&scales, AngleUnit::Degrees)?;
    let places = Array2::from_shape_fn((13 * 25, 2), |(i, axis)| {
        [90.0 - 15.0 * (i / 25) as f64, -180.0 + 15.0 * (i % 25) as f64][axis]
    });
    Ok(of_grid(encoding.encode(&Positions::from_points(&places)?)?, [13, 25]))
}
