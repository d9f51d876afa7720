//! Writes the positions of a sequence of any length block by block, in the memory of one block;
//! optionally in shards, each by a process of its own.
//!
//! ```text
//! cargo run --release --example stream                                     # a million positions × 4096, to a checksum
//! cargo run --release --example stream -- --shards 2                       # the same by two
//! processes cargo run --release --example stream -- --positions 65536 --out table    # 1 GiB of
//! little-endian f32, row after row
//! ```
//!
//! A row depends on its position alone, so no process needs to know of the others.

mod arguments;

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use ndarray::{ArrayViewMut2, Axis};
use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};

use arguments::{Arguments, USAGE};

/// The bytes of a block, small enough for the L2 cache.
const BLOCK_BYTES: usize = 1 << 19;

/// The other memory of a process, in KiB: the program, its stack and its libraries.
const PROGRAM_KIB: u64 = 8 << 10;

/// The result of a range of positions.
struct Written {
    checksum: u64,
    time: Duration,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let arguments = match Arguments::parse(&arguments) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { dim, out, .. } = arguments;
    if let Some(shard) = &arguments.shard {
        // This is one of the processes that are started below; they read the line that it prints.
        let written = write(shard.clone(), *dim, out.as_deref())?;
        println!("{:016x} {}", written.checksum, peak_memory(*dim)?.unwrap_or(0));
        return Ok(());
    }
    arguments.new_file()?;
    let whole = write(0..arguments.positions, *dim, out.as_deref())?;
    report("one process", arguments, &whole, peak_memory(*dim)?);
    match arguments.shards {
        1 => Ok(()),
        shards => in_shards(arguments, shards, &whole),
    }
}

/// Writes a range of positions to its place in the file, or nowhere, block by block.
fn write(range: Range<usize>, dim: usize, out: Option<&Path>) -> Result<Written, Box<dyn Error>> {
    let start = Instant::now();
    let encoding = Sinusoidal::new(dim)?;
    let mut file =
        out.map(|path| open_at(path, range.start * dim * size_of::<f32>())).transpose()?;
    let rows = (BLOCK_BYTES / (dim * size_of::<f32>())).max(1);
    let mut block = vec![0_f32; rows * dim];
    let mut bytes = vec![0; if file.is_some() { size_of_val(&*block) } else { 0 }];
    let mut checksum = 0_u64;
    // Blocks end at multiples of their length, so the first block of a shard may be shorter.
    let mut first = range.start;
    while first < range.end {
        let end = (first / rows * rows + rows).min(range.end);
        let block = &mut block[..(end - first) * dim];
        let mut vectors = ArrayViewMut2::from_shape((end - first, dim), block)?;
        encoding.encode_into(&Positions::from(first..end), vectors.view_mut())?;
        for (position, row) in (first..).zip(vectors.axis_iter(Axis(0))) {
            checksum = checksum.wrapping_add(row_sum(position, row.as_slice().unwrap_or_default()));
        }
        if let Some(file) = &mut file {
            let bytes = &mut bytes[..size_of_val(block)];
            bytes
                .as_chunks_mut()
                .0
                .iter_mut()
                .zip(block)
                .for_each(|(bytes, value)| *bytes = value.to_le_bytes());
            file.write_all(bytes)?;
        }
        first = end;
    }
    Ok(Written { checksum, time: start.elapsed() })
}

fn open_at(path: &Path, offset: usize) -> std::io::Result<File> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(offset as u64))?;
    Ok(file)
}

/// Returns the summand of a row in the checksum, from all its bits in order and its position. So
/// the checksum of a range is the sum of the checksums of its parts, wherever it is divided.
fn row_sum(position: usize, row: &[f32]) -> u64 {
    // Many sums side by side, each of every 64th value, so that a multiplication need not wait for
    // the previous one.
    const SUMS: usize = 64;
    let step =
        |sum: &mut u32, value: &f32| *sum = (*sum ^ value.to_bits()).wrapping_mul(0x9e37_79b1);
    let mut sums = [0x811c_9dc5_u32; SUMS];
    let (chunks, rest) = row.as_chunks::<SUMS>();
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, value)| step(sum, value));
    }
    sums.iter_mut().zip(rest).for_each(|(sum, value)| step(sum, value));
    sums.iter().fold(mixed(position as u64), |sum, &part| mixed(sum ^ u64::from(part)))
}

/// Every bit of the result depends on every bit of `value` (the finalizer of splitmix64).
fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (value ^ (value >> 31)).wrapping_add(0x9e37_79b9_7f4a_7c15)
}

/// Writes the sequence with several processes, and compares the result with that of one.
fn in_shards(arguments: &Arguments, shards: usize, whole: &Written) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    // The output of the single process must not pass for that of the shards.
    arguments.new_file()?;
    let bound =
        |shard: usize| (shard as u128 * arguments.positions as u128 / shards as u128) as usize;
    let ranges: Vec<_> = (0..shards).map(|shard| bound(shard)..bound(shard + 1)).collect();
    let children =
        ranges.iter().map(|range| spawn(arguments, range)).collect::<Result<Vec<_>, _>>()?;
    let (mut checksum, mut largest) = (0_u64, None);
    for (child, range) in children.into_iter().zip(&ranges) {
        let (part, peak) = answer(child, range)?;
        println!("  positions {range:?}: checksum {part:016x}");
        checksum = checksum.wrapping_add(part);
        largest = largest.max(peak);
    }
    report(
        &format!("{shards} processes"),
        arguments,
        &Written { checksum, time: start.elapsed() },
        largest,
    );
    if checksum == whole.checksum {
        println!("the shards, side by side, are the whole to the last bit");
        Ok(())
    } else {
        Err(format!(
            "the shards differ from the whole: {checksum:016x} is not {:016x}",
            whole.checksum
        )
        .into())
    }
}

fn spawn(arguments: &Arguments, range: &Range<usize>) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("--shard")
        .arg(format!("{}..{}", range.start, range.end))
        .arg("--dim")
        .arg(arguments.dim.to_string());
    if let Some(path) = &arguments.out {
        command.arg("--out").arg(path);
    }
    command.stdout(Stdio::piped()).spawn()
}

/// Reads the checksum that a shard's process prints, and its peak memory if known.
fn answer(child: Child, range: &Range<usize>) -> Result<(u64, Option<u64>), Box<dyn Error>> {
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let words = text.split_whitespace().collect::<Vec<_>>();
    let &[checksum, peak] = &words[..] else {
        return Err(format!("the process of positions {range:?} failed: {}", output.status).into());
    };
    Ok((u64::from_str_radix(checksum, 16)?, Some(peak.parse()?).filter(|&peak| peak > 0)))
}

fn report(who: &str, arguments: &Arguments, written: &Written, peak: Option<u64>) {
    let bytes = arguments.bytes() as f64;
    let seconds = written.time.as_secs_f64();
    let peak =
        peak.map_or("unknown here".to_string(), |peak| format!("{:.1} MiB", peak as f64 / 1024.0));
    println!(
        "{who}: {} positions × {} f32, {:.2} GB in {seconds:.2} s ({:.1} GB/s), peak memory of a process {peak}, \
         checksum {:016x}",
        arguments.positions,
        arguments.dim,
        bytes / 1e9,
        bytes / 1e9 / seconds,
        written.checksum
    );
}

/// Returns the peak memory of this process in KiB, where the system reports it (Linux); an error
/// where it exceeds the limit.
fn peak_memory(dim: usize) -> Result<Option<u64>, String> {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return Ok(None) };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: Option<u64> =
        line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    match peak {
        Some(peak) if peak > most_memory(dim) => Err(format!(
            "memory is not bounded: {peak} KiB, where {} must do for any length",
            most_memory(dim)
        )),
        peak => Ok(peak),
    }
}

/// Returns the limit of memory in KiB for a sequence of any length: the encoding, with less than
/// 200 bytes for each feature, a block, and its bytes for the file.
fn most_memory(dim: usize) -> u64 {
    let row = dim * size_of::<f32>();
    let bytes = 200 * dim + 2 * BLOCK_BYTES.max(row);
    PROGRAM_KIB + bytes as u64 / 1024
}
