//! Learned tables of axes, their gradients, and tables read from files.

use ndarray::{Array1, Array2, Array3, array};
use positional_encodings::training::{
    Activation, Differentiable, LearnedProjection, Linear, PositionNetwork, Trainable,
};
use positional_encodings::{
    Axes, Error, FeatureLayout, Fourier, Frequencies, Learned, LearnedGrid, PositionTable,
    PositionalEncoding, Positions, Sinusoidal,
    space::{Input, Time2Vec},
};

type Outcome = Result<(), Error>;

fn value(i: usize) -> f64 {
    ((i * 37 + 11) % 101) as f64 / 51.0 - 1.0
}

/// Asserts that gradients equal differences of the loss Σ upstream · PE.
fn check_gradient<E: Differentiable<f64>>(encoding: &mut E, positions: &Positions<'_>) {
    let count = encoding.parameter_count();
    assert_eq!(count, encoding.parameters().iter().map(|own| own.len()).sum::<usize>());
    let shape = (positions.count(), encoding.dim());
    let upstream = Array2::from_shape_fn(shape, |(i, j)| value(7 * i + j));
    let mut gradient = vec![0.0; count];
    encoding.backward(positions, upstream.view(), &mut gradient).unwrap();
    let values = encoding.values();
    let mut loss = |values: &[f64]| {
        encoding.set_values(values).unwrap();
        (encoding.encode(positions).unwrap() * &upstream).sum()
    };
    const STEP: f64 = 1e-5;
    for parameter in 0..count {
        let mut moved = values.clone();
        moved[parameter] += STEP;
        let above = loss(&moved);
        moved[parameter] -= 2.0 * STEP;
        let slope = (above - loss(&moved)) / (2.0 * STEP);
        let off = (slope - gradient[parameter]).abs();
        assert!(off < 1e-6 * (1.0 + slope.abs()), "{parameter}: {slope} {}", gradient[parameter]);
    }
}

fn table(rows: usize, dim: usize) -> Result<Learned<f64>, Error> {
    Learned::from_table(Array2::from_shape_fn((rows, dim), |(i, j)| value(i * dim + j)))
}

/// Reformer's axial tables, DETR's learned ones, and rows plus columns.
#[test]
fn axial_tables_and_their_gradients() -> Outcome {
    let grid = Positions::grid(&[3, 4])?;
    let mut reformer = Axes::concat([table(3, 2)?, table(4, 3)?])?;
    // A sequence of 10 tokens, folded to rows of 4.
    let rows = reformer.encode(&grid.slice(0..10))?;
    let (first, second) = (table(3, 2)?, table(4, 3)?);
    for (token, row) in rows.rows().into_iter().enumerate() {
        let own = [first.table().row(token / 4).to_vec(), second.table().row(token % 4).to_vec()];
        assert_eq!(row.to_vec(), own.concat());
    }
    let names: Vec<String> = reformer.parameters().into_iter().map(|own| own.name).collect();
    assert_eq!(names, ["axis_0.table", "axis_1.table"]);
    check_gradient(&mut reformer, &grid);
    // DETR: the column's features first.
    let mut detr = Axes::concat([table(4, 3)?, table(3, 3)?])?.reading(&[1, 0])?;
    check_gradient(&mut detr, &grid);
    check_gradient(&mut Axes::sum([table(3, 2)?, table(4, 2)?])?, &grid);
    check_gradient(
        &mut Axes::concat([table(3, 4)?, table(4, 4)?])?.interleaved(2)?.with_dim(7)?,
        &grid,
    );
    // A refused value leaves all values unchanged.
    let projection = || Fourier::new(&array![[0.5]]).map(LearnedProjection::new);
    let mut two = Axes::<f64, _>::concat([projection()?, projection()?])?;
    assert!(two.set_values(&[0.25, f64::NAN]).is_err());
    assert_eq!(two.values(), [0.5, 0.5]);
    Ok(())
}

#[test]
fn gradients_of_grids_projections_and_times() -> Outcome {
    let points = array![[0.0, 1.0], [1.5, 0.25], [2.0, 3.0], [0.75, 2.5]];
    let at = Positions::from_points(&points)?;
    let mut grid = LearnedGrid::from_table(Array3::from_shape_fn((3, 4, 2), |(i, j, k)| {
        value(i * 8 + j * 2 + k)
    }))?;
    check_gradient(&mut grid, &at);
    let turns = array![[0.1, -0.3, 0.2], [0.05, 0.4, -0.15]];
    for layout in
        [FeatureLayout::Interleaved, FeatureLayout::SinCosHalves, FeatureLayout::CosSinHalves]
    {
        for input in [Input::Absent, Input::First, Input::Last] {
            let fourier = Fourier::new(&turns)?.with_layout(layout).with_input(input);
            let fourier = fourier.with_phases(&[0.1, 0.2, 0.3])?.with_amplitude(0.5)?;
            check_gradient(&mut LearnedProjection::new(fourier.clone()), &at);
            check_gradient(&mut LearnedProjection::new(fourier.sines_only()), &at);
        }
    }
    let mut times = Time2Vec::new(&array![0.3, 0.7, -0.2], &array![0.1, 0.5, 2.0])?;
    check_gradient(&mut times, &Positions::from(&[0.5, -1.25, 3.0]));
    Ok(())
}

/// Learnable Fourier features: a projection and two layers, all of them trained.
#[test]
fn learnable_fourier_features() -> Outcome {
    let matrix =
        |rows, columns| Array2::from_shape_fn((rows, columns), |(i, j)| value(i * columns + j));
    let fourier = Fourier::new(&(matrix(2, 4) * 0.2))?
        .with_layout(FeatureLayout::CosSinHalves)
        .with_amplitude(8_f64.sqrt().recip())?;
    let bias = |n| Array1::from_shape_fn(n, value);
    let first = Linear::new(matrix(5, 8))?.with_bias(bias(5))?;
    let second = Linear::new(matrix(3, 5))?.with_bias(bias(3))?;
    let projection = LearnedProjection::new(fourier);
    let mut network = PositionNetwork::new(projection, first, Activation::Gelu, second)?;
    let points = array![[0.0, 1.0], [1.5, 0.25], [2.0, 3.0]];
    check_gradient(&mut network, &Positions::from_points(&points)?);
    Ok(())
}

/// MAE's table is a sinusoid in any element type, and ViT's is not.
#[test]
fn tables_are_recognised() -> Outcome {
    let mae = Axes::<f32, _>::mae(32)?.with_zero_position(-1);
    let tokens = Positions::concat([Positions::from(&[-1]), Positions::grid(&[7, 7])?])?;
    let saved = mae.encode(&tokens)?;
    let found = PositionTable::of(saved.clone())?;
    let expected = Axes::mae(32)?;
    let PositionTable::Grid { encoding, prefix: 1, sizes: [7, 7] } = found else {
        panic!("{found:?}")
    };
    assert_eq!(encoding, expected);
    for (name, encoding) in
        [("i_jepa", Axes::<f32, _>::i_jepa(32)?), ("timm", Axes::timm(32, 1e4)?)]
    {
        let table = encoding.encode(&Positions::grid(&[5, 5])?)?;
        let PositionTable::Grid { encoding: found, prefix: 0, sizes: [5, 5] } =
            PositionTable::of(table)?
        else {
            panic!("{name}")
        };
        assert_eq!(found, encoding);
    }
    let mut trained = saved;
    trained[[13, 5]] += 0.01;
    assert_eq!(
        PositionTable::of(trained.clone())?,
        PositionTable::Learned(Learned::from_table(trained)?)
    );
    let whisper = Frequencies::geometric_inclusive(64, 1e4).map(Sinusoidal::from_frequencies)?;
    let whisper = whisper.with_layout(FeatureLayout::SinCosHalves);
    let table: Array2<f32> = whisper.encode(&Positions::from(0..300))?;
    let expected = PositionTable::Line { encoding: whisper, len: 300 };
    assert_eq!(PositionTable::of(table.clone())?, expected);
    // The table in f16, and one whose angles were rounded to f32.
    #[cfg(feature = "half")]
    {
        let narrow = table.mapv(half::f16::from_f32);
        assert!(matches!(PositionTable::of(narrow)?, PositionTable::Line { len: 300, .. }));
    }
    let paper = Sinusoidal::new(16)?;
    let rounded = Array2::from_shape_fn((500, 16), |(p, j)| {
        let angle = p as f32 * (-(j as f32 / 2.0).floor() * 2.0 / 16.0 * 1e4_f32.ln()).exp();
        if j % 2 == 0 { angle.sin() } else { angle.cos() }
    });
    assert_eq!(PositionTable::of(rounded)?, PositionTable::Line { encoding: paper, len: 500 });
    Ok(())
}

#[test]
#[cfg(feature = "safetensors")]
fn tables_of_vision_models_from_files() -> Result<(), Box<dyn std::error::Error>> {
    use positional_encodings::checkpoint::Checkpoint;
    use safetensors::{Dtype, tensor::TensorView};
    use std::io::Cursor;

    let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let mae: Array2<f32> = Axes::mae(16)?.encode(&Positions::grid(&[3, 3])?)?;
    let (sam, grid) = ([0.5_f32, -1.0, 2.0, 0.25], [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let data = [bytes(&sam), bytes(&grid), bytes(mae.as_slice().unwrap())];
    let views = [
        ("shared_image_embedding.positional_embedding", vec![2, 2], &data[0]),
        ("vision_encoder.pos_embed", vec![1, 2, 3, 1], &data[1]),
        ("vit.embeddings.position_embeddings", vec![1, 9, 16], &data[2]),
    ]
    .map(|(name, shape, data)| (name, TensorView::new(Dtype::F32, shape, data).unwrap()));
    let file = safetensors::serialize(views, None)?;
    let mut checkpoint = Checkpoint::from_reader(Cursor::new(file), "model.safetensors")?;
    let fourier = checkpoint.sam_fourier()?;
    assert_eq!(fourier, Fourier::new(&array![[0.5, -1.0], [2.0, 0.25]])?);
    let learned: LearnedGrid<f32> = checkpoint.learned_grid("vision_encoder.pos_embed")?;
    assert_eq!((learned.sizes(), learned.table()[[4, 0]]), (&[2, 3][..], 5.0));
    let table = checkpoint.position_table::<f32>("vit.embeddings.position_embeddings")?;
    assert!(matches!(table, PositionTable::Grid { prefix: 0, sizes: [3, 3], .. }));
    assert!(checkpoint.learned_grid::<f32>("vit.embeddings.position_embeddings").is_ok());
    assert!(checkpoint.learned_grid::<f32>("shared_image_embedding.positional_embedding").is_err());
    Ok(())
}

#[test]
#[cfg(feature = "serde")]
fn timesteps_of_configs() -> Outcome {
    use positional_encodings::Timestep;
    let unet = r#"{"_class_name": "UNet2DModel", "block_out_channels": [128, 256],
        "flip_sin_to_cos": false, "freq_shift": 1, "time_embedding_type": "positional"}"#;
    assert_eq!(Timestep::from_json(unet)?, Timestep::new(128));
    let dit = Timestep::from_json(r#"{"_class_name": "DiTTransformer2DModel"}"#)?;
    assert_eq!(dit, Timestep { downscale_freq_shift: 1.0, ..Timestep::flipped(256) });
    let video = r#"{"_class_name": "CogVideoXTransformer3DModel", "num_attention_heads": 30,
        "attention_head_dim": 64}"#;
    assert_eq!(Timestep::from_json(video)?, Timestep::flipped(1920));
    let video = r#"{"_class_name": "UNetSpatioTemporalConditionModel",
        "block_out_channels": [320, 640]}"#;
    assert_eq!(Timestep::from_json(video)?, Timestep::flipped(320));
    // This class has no such parameters.
    let video = r#"{"_class_name": "UNet3DConditionModel", "block_out_channels": [320],
        "flip_sin_to_cos": false, "freq_shift": 1}"#;
    assert_eq!(Timestep::from_json(video)?, Timestep::flipped(320));
    let qwen = Timestep::from_json(r#"{"_class_name": "QwenImageTransformer2DModel"}"#)?;
    assert_eq!(qwen, Timestep::flux(256));
    for (bad, field) in [
        (r#"{}"#, "_class_name"),
        (r#"{"_class_name": "UNet3D"}"#, "_class_name"),
        (r#"{"_class_name": "UNet2DModel"}"#, "block_out_channels"),
        (r#"{"_class_name": "UNet2DModel", "block_out_channels": []}"#, "block_out_channels"),
        (r#"{"_class_name": "UNet2DModel", "block_out_channels": [1e15]}"#, "block_out_channels"),
        (
            r#"{"_class_name": "UNet2DModel", "block_out_channels": [8], "time_embedding_type": "fourier"}"#,
            "time_embedding_type",
        ),
        (
            r#"{"_class_name": "UNet2DModel", "block_out_channels": [8], "freq_shift": 4}"#,
            "freq_shift",
        ),
        (
            r#"{"_class_name": "UNet2DModel", "block_out_channels": [8], "flip_sin_to_cos": 1}"#,
            "flip_sin_to_cos",
        ),
        (r#"{"_class_name": "WanTransformer3DModel", "freq_dim": 0}"#, "freq_dim"),
    ] {
        let error = Timestep::from_json(bad).unwrap_err();
        assert!(matches!(&error, Error::Config { field: found, .. } if found == field), "{error}");
    }
    Ok(())
}
