//! Figures computed from an encoding, a rotation or a bias, independent of how they are drawn.

use ndarray::{Array2, Array3, ArrayView2, Axis, s};
use positional_encodings::{AttentionBias, Error, PositionalEncoding, Positions, Rotation};

use super::{Text, text};

/// Figures and some numbers.
pub struct Answer {
    /// The pictures.
    pub figures: Vec<Figure>,
    /// Numbers with their names.
    pub facts: Vec<(Text, f64)>,
}

/// A picture: its title, the names of its axes, and its numbers.
pub struct Figure {
    /// The title.
    pub title: Text,
    /// The name of the axis from left to right.
    pub x: Text,
    /// The name of the axis from bottom to top, or top to bottom for cells.
    pub y: Text,
    /// The numbers.
    pub content: Content,
}

/// The numbers of a picture.
pub enum Content {
    /// Cells (rows, columns).
    Heat(Array2<f64>),
    /// A matrix (rows, columns) for each name.
    Grids(Vec<String>, Array3<f64>),
    /// Curves with names; whether y is logarithmic, and whether each point is a step.
    Curves {
        /// Names, x and y.
        curves: Vec<(String, Vec<f64>, Vec<f64>)>,
        /// Whether y is on a logarithmic axis.
        logarithmic: bool,
        /// Whether the points are steps of width 1.
        stairs: bool,
    },
}

/// The rows of vectors of a grid that are shown.
const MOST_ROWS: usize = 64;

pub const POSITION: Text = text("position", "位置");
pub const FEATURE: Text = text("feature", "特征");
pub const DISTANCE: Text = text("distance, in positions", "距离（位置数）");
pub const COSINE: Text = text("mean cosine", "平均余弦");

/// Vectors as cells.
pub fn heat(title: Text, rows: Array2<f64>) -> Figure {
    Figure { title, x: FEATURE, y: POSITION, content: Content::Heat(rows) }
}

/// The vectors of the positions 0..len.
pub fn vectors(
    encoding: &(impl PositionalEncoding<f64> + ?Sized),
    len: usize,
) -> Result<Array2<f64>, Error> {
    encoding.encode(&Positions::from(0..len))
}

/// The cosine of each of some rows with all rows; 0 where a row is zero.
pub fn cosines(rows: ArrayView2<'_, f64>, chosen: &[usize]) -> Array2<f64> {
    let mut unit = rows.to_owned();
    for mut row in unit.rows_mut() {
        let norm = row.iter().map(|value| value * value).sum::<f64>().sqrt();
        if norm > 0.0 {
            row /= norm;
        }
    }
    // Sums in a fixed order, so that all machines have the same bits.
    Array2::from_shape_fn((chosen.len(), rows.nrows()), |(i, j)| {
        unit.row(chosen[i]).iter().zip(unit.row(j)).map(|(a, b)| a * b).sum()
    })
}

/// Returns the mean over all pairs of positions at each distance.
pub fn by_distance(similarity: &Array2<f64>) -> Vec<f64> {
    let len = similarity.nrows();
    let mean = |distance: usize| {
        let sum: f64 = (0..len - distance).map(|i| similarity[[i, i + distance]]).sum();
        sum / (len - distance) as f64
    };
    (0..len).map(mean).collect()
}

/// One curve over 0, 1, 2, …
pub fn curve(title: Text, x: Text, y: Text, values: Vec<f64>) -> Figure {
    curves(title, x, y, vec![(y.en.to_string(), values)])
}

/// Curves over 0, 1, 2, …
pub fn curves(title: Text, x: Text, y: Text, values: Vec<(String, Vec<f64>)>) -> Figure {
    let over = |values: &[f64]| (0..values.len()).map(|i| i as f64).collect();
    let curves = values.into_iter().map(|(name, y)| (name, over(&y), y)).collect();
    Figure { title, x, y, content: Content::Curves { curves, logarithmic: false, stairs: false } }
}

/// Returns position vectors as cells, and their similarity by distance.
pub fn of_vectors(rows: Array2<f64>) -> Answer {
    let all: Vec<usize> = (0..rows.nrows()).collect();
    let similarity = by_distance(&cosines(rows.view(), &all));
    let norms =
        rows.rows().into_iter().map(|row| row.iter().map(|value| value * value).sum::<f64>());
    let norm = norms.sum::<f64>() / rows.nrows() as f64;
    Answer {
        facts: vec![
            (text("mean norm of a vector", "向量的平均长度"), norm.sqrt()),
            (
                text("cosine of neighbours", "相邻位置的余弦"),
                similarity.get(1).copied().unwrap_or(1.0),
            ),
        ],
        figures: vec![
            heat(text("Position vectors", "位置向量"), rows),
            curve(
                text("Similarity by distance", "相似度随距离的变化"),
                DISTANCE,
                COSINE,
                similarity,
            ),
        ],
    }
}

/// Returns features of real positions: the vectors as cells, and some features as curves.
pub fn of_reals(x: Text, at: &[f64], rows: Array2<f64>) -> Answer {
    let shown = rows.ncols().min(6);
    let curves = (0..shown)
        .map(|i| i * rows.ncols() / shown)
        .map(|i| (format!("feature {i}"), at.to_vec(), rows.column(i).to_vec()))
        .collect();
    let content = Content::Curves { curves, logarithmic: false, stairs: false };
    let title = text("Some features", "部分特征");
    let mut figures = vec![heat(text("Features, a row for each point", "特征：每点一行"), rows)];
    figures.push(Figure { title, x, y: text("value", "数值"), content });
    Answer { figures, facts: Vec::new() }
}

/// Returns the similarity of nine points of a grid (rows · columns, dim) to all others.
pub fn of_grid(rows: Array2<f64>, sizes: [usize; 2]) -> Answer {
    let places = |size: usize| [size / 6, size / 2, size - 1 - size / 6];
    let (mut names, mut chosen) = (Vec::new(), Vec::new());
    for row in places(sizes[0]) {
        for column in places(sizes[1]) {
            names.push(format!("({row}, {column})"));
            chosen.push(row * sizes[1] + column);
        }
    }
    let similarity = cosines(rows.view(), &chosen);
    let grids = Array3::from_shape_fn((9, sizes[0], sizes[1]), |(i, row, column)| {
        similarity[[i, row * sizes[1] + column]]
    });
    let next = similarity[[4, chosen[4] + 1]];
    let shown = rows.slice(s![..rows.nrows().min(MOST_ROWS), ..]).to_owned();
    Answer {
        facts: vec![(
            text("cosine of the middle with its neighbour", "中间位置与右邻的余弦"),
            next,
        )],
        figures: vec![
            Figure {
                title: text("Cosine with nine places of the grid", "与网格中九个位置的余弦"),
                x: text("column", "列"),
                y: text("row", "行"),
                content: Content::Grids(names, grids),
            },
            heat(text("The first position vectors", "前若干个位置向量"), shown),
        ],
    }
}

/// The score of a query and a key of ones, divided by their dim, by their distance.
pub fn kernel(queries: &Rotation<f64>, keys: &Rotation<f64>) -> Result<Vec<f64>, Error> {
    let (len, dim) = (queries.positions().unwrap_or(1), queries.dim());
    let mut q = Array3::<f64>::ones((1, len, dim));
    let mut k = q.clone();
    queries.apply(q.view_mut())?;
    keys.apply(k.view_mut())?;
    let first = k.index_axis(Axis(0), 0).row(0).to_owned();
    let score = |row: ndarray::ArrayView1<'_, f64>| {
        row.iter().zip(&first).map(|(a, b)| a * b).sum::<f64>() / dim as f64
    };
    Ok(q.index_axis(Axis(0), 0).rows().into_iter().map(score).collect())
}

/// A bias by distance for the last of `len` queries: cells for all heads, curves for some.
pub fn of_bias(bias: &(impl AttentionBias<f64> + ?Sized), len: usize) -> Result<Answer, Error> {
    let values = bias.encode(&Positions::from(len - 1..len), &Positions::from(0..len))?;
    let heads = bias.heads();
    let by_head = Array2::from_shape_fn((heads, len), |(head, distance)| {
        values[[head, 0, len - 1 - distance]]
    });
    let shown = heads.min(4);
    let chosen = (0..shown).map(|i| i * heads / shown);
    let lines = chosen.map(|head| (format!("head {head}"), by_head.row(head).to_vec())).collect();
    let value = text("bias", "偏置");
    let far = by_head.column(len - 1).iter().sum::<f64>() / heads as f64;
    Ok(Answer {
        facts: vec![(text("mean bias of the farthest key", "最远键的平均偏置"), far)],
        figures: vec![
            curves(text("Bias by distance", "偏置随距离的变化"), DISTANCE, value, lines),
            Figure {
                title: text("Bias by head and distance", "各头的偏置"),
                x: DISTANCE,
                y: text("head", "头"),
                content: Content::Heat(by_head),
            },
        ],
    })
}

/// Returns the bias of the scores (queries, keys) of the first head.
pub fn of_scores(scores: Array3<f64>, title: Text) -> Answer {
    let first = scores.index_axis(Axis(0), 0).to_owned();
    let largest = first.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    Answer {
        facts: vec![(text("largest magnitude", "最大绝对值"), largest)],
        figures: vec![Figure {
            title,
            x: text("key", "键"),
            y: text("query", "查询"),
            content: Content::Heat(first),
        }],
    }
}
