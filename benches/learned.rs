//! Learned tables against the plain loops that do the same work: gradients, word vectors,
//! checkpoints.
//!
//! ```text
//! cargo bench --bench learned --features safetensors
//! GLOVE_WORDS=400000 cargo bench --bench learned -- glove    # a gigabyte of text
//! MINILM_FOLDER=… cargo bench --bench learned --features safetensors -- checkpoint    # the real file
//! ```

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use ndarray::{Array2, Array3};
use positional_encodings::{
    Learned, TokenEmbedding,
    training::{TouchedRows, backward_positions_at},
    words::WordVectors,
};

const BATCH: usize = 8;
const LEN: usize = 1024;
const DIM: usize = 1024;

/// Gradient of a table from ids (8, 1024), dim 1024, against adding the same rows as slices.
fn gradients(criterion: &mut Criterion) {
    let upstream = Array3::from_shape_fn((BATCH, LEN, DIM), |(b, i, j)| (b + i + j) as f32 * 1e-3);
    let ids = Array2::from_shape_fn((BATCH, LEN), |(b, i)| ((i * 37 + b * 11) % LEN) as i64);
    let learned = Learned::from_table(Array2::<f32>::zeros((LEN, DIM))).unwrap();
    let mut gradient = vec![0_f32; LEN * DIM];
    let rows: Vec<usize> = ids.iter().map(|id| *id as usize).collect();
    let plain = |gradient: &mut [f32]| {
        for (row, upstream) in rows.iter().zip(upstream.as_slice().unwrap().chunks_exact(DIM)) {
            let gradient = &mut gradient[row * DIM..(row + 1) * DIM];
            gradient
                .iter_mut()
                .zip(upstream)
                .for_each(|(gradient, upstream)| *gradient += upstream);
        }
    };
    // The machine's mood changes between two benches: their ratio is only to be had by turns.
    let mut medians = [Vec::new(), Vec::new()];
    for _ in 0..200 {
        let start = Instant::now();
        plain(black_box(&mut gradient));
        medians[0].push(start.elapsed());
        let start = Instant::now();
        backward_positions_at(&upstream, &learned, &ids, black_box(&mut gradient)).unwrap();
        medians[1].push(start.elapsed());
    }
    medians.iter_mut().for_each(|times| times.sort());
    let [plain_time, time] = medians.map(|times| times[100]);
    println!("by turns, medians of 200: plain {plain_time:.2?}, scattered by ids {time:.2?}");

    let mut group = criterion.benchmark_group("gradient of a table");
    group.throughput(Throughput::Bytes((BATCH * LEN * DIM * 4) as u64));
    group.bench_function("plain slice add of the same rows", |bencher| {
        bencher.iter(|| plain(black_box(&mut gradient)));
    });
    group.bench_function("scattered by ids", |bencher| {
        bencher.iter(|| {
            backward_positions_at(&upstream, &learned, &ids, black_box(&mut gradient)).unwrap()
        });
    });
    group.bench_function("of a range", |bencher| {
        bencher.iter(|| {
            backward_positions_at(&upstream, &learned, 0..LEN, black_box(&mut gradient)).unwrap()
        });
    });
    let embedding = TokenEmbedding::new(Array2::zeros((LEN, DIM)), learned).unwrap();
    let mut touched = TouchedRows::new(DIM);
    group.bench_function("of words, touched rows only", |bencher| {
        bencher.iter(|| {
            touched.clear();
            embedding
                .lookup(&ids)
                .backward_words(upstream.view(), black_box(&mut touched))
                .unwrap();
        });
    });
    group.finish();
}

/// A GloVe file of invented words, in the temporary folder.
fn glove_file(words: usize, dim: usize) -> PathBuf {
    let path = std::env::temp_dir().join(format!("positional-encodings-bench-{words}x{dim}.txt"));
    if !path.exists() {
        let mut file = BufWriter::new(File::create(&path).unwrap());
        let mut state = 1_u64;
        for word in 0..words {
            write!(file, "word{word}").unwrap();
            for _ in 0..dim {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                write!(file, " {:.5}", (state >> 40) as f64 / (1 << 23) as f64 - 1.0).unwrap();
            }
            writeln!(file).unwrap();
        }
        file.flush().unwrap();
    }
    path
}

/// Read lines, split them, parse the numbers: what any reader must do.
fn plain(path: &Path) -> (Vec<String>, Vec<f32>) {
    let (mut words, mut values) = (Vec::new(), Vec::new());
    for line in BufReader::with_capacity(1 << 17, File::open(path).unwrap()).lines() {
        let line = line.unwrap();
        let mut fields = line.split(' ');
        words.push(fields.next().unwrap().to_string());
        values.extend(fields.map(|field| field.parse::<f32>().unwrap()));
    }
    (words, values)
}

fn glove(criterion: &mut Criterion) {
    let words =
        std::env::var("GLOVE_WORDS").ok().and_then(|words| words.parse().ok()).unwrap_or(20_000);
    let path = glove_file(words, 300);
    let mut group = criterion.benchmark_group("glove");
    group.throughput(Throughput::Bytes(std::fs::metadata(&path).unwrap().len()));
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.bench_function("plain read, split and parse", |bencher| bencher.iter(|| plain(&path)));
    group.bench_function("WordVectors::glove", |bencher| {
        bencher.iter(|| WordVectors::glove(&path).unwrap())
    });
    group.bench_function("a thousand words of it", |bencher| {
        let wanted: Vec<String> = (0..1000).map(|i| format!("word{}", i * words / 1000)).collect();
        bencher.iter(|| {
            WordVectors::reader(positional_encodings::words::WordFormat::Glove)
                .only(&wanted)
                .read(&path)
                .unwrap()
        });
    });
    group.finish();
}

/// A file of the size and layout of all-MiniLM-L6-v2's, or that file.
#[cfg(feature = "safetensors")]
fn checkpoint_file() -> PathBuf {
    if let Some(folder) = std::env::var_os("MINILM_FOLDER") {
        return Path::new(&folder).join("model.safetensors");
    }
    let path = std::env::temp_dir().join("positional-encodings-bench.safetensors");
    let info = |rows: u64, start: u64| {
        format!(
            r#"{{"dtype":"F32","shape":[{rows},384],"data_offsets":[{start},{}]}}"#,
            start + rows * 384 * 4
        )
    };
    let (positions, words, rest) = (512, 30_522, 28_117);
    let header = format!(
        r#"{{"embeddings.position_embeddings.weight":{},"embeddings.word_embeddings.weight":{},"encoder":{}}}"#,
        info(positions, 0),
        info(words, positions * 384 * 4),
        info(rest, (positions + words) * 384 * 4)
    );
    let mut file = File::create(&path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.write_all(&vec![0; (positions + words + rest) as usize * 384 * 4]).unwrap();
    path
}

#[cfg(feature = "safetensors")]
fn checkpoint(criterion: &mut Criterion) {
    use positional_encodings::checkpoint::{Architecture, Checkpoint};
    let path = checkpoint_file();
    let mut group = criterion.benchmark_group("checkpoint");
    group.sample_size(20);
    group.bench_function("open, and load the position table", |bencher| {
        bencher
            .iter(|| Checkpoint::open(&path).unwrap().learned::<f32>(Architecture::Bert).unwrap());
    });
    group.bench_function("the same by reading the whole file", |bencher| {
        bencher.iter(|| {
            let bytes = std::fs::read(&path).unwrap();
            let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            let tensor = file.tensor("embeddings.position_embeddings.weight").unwrap();
            let values =
                tensor.data().as_chunks().0.iter().map(|item| f32::from_le_bytes(*item)).collect();
            Array2::<f32>::from_shape_vec((512, 384), values).unwrap()
        });
    });
    group.finish();
}

#[cfg(not(feature = "safetensors"))]
fn checkpoint(_: &mut Criterion) {
    println!("checkpoint: not measured without the feature safetensors");
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .nresamples(2000)
        .without_plots()
}

criterion_group! {
    name = benches;
    config = short();
    targets = gradients, glove, checkpoint
}
criterion_main!(benches);
