//! The instruction sets that kernels are compiled for.

use fearless_simd::{Level, Simd};

use crate::error::Error;

/// An instruction set for the kernels. The best one of the machine is chosen automatically; results
/// have the same bits with each, so choosing one is for tests and benchmarks.
///
/// ```
/// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal, testing::InstructionSet};
///
/// let encoding = Sinusoidal::new(64)?;
/// let best: ndarray::Array2<f32> = encoding.encode(&Positions::from(0..100))?;
/// for set in InstructionSet::available() {
///     let forced = encoding.clone().with_instruction_set(set)?;
///     let same: ndarray::Array2<f32> = forced.encode(&Positions::from(0..100))?;
///     assert_eq!(same, best);
/// }
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InstructionSet {
    /// The best instruction set of the machine.
    Best,
    /// The instructions that every processor of the architecture has: SSE2 on x86-64, NEON on
    /// AArch64, scalar code elsewhere.
    Baseline,
    /// AVX2 (x86-64-v3).
    Avx2,
    /// AVX-512 of Ice Lake, Zen 4 and later.
    Avx512,
}

impl InstructionSet {
    /// Returns the instruction sets that this machine can run, the plainest first. It leaves out
    /// [`InstructionSet::Best`], which is the last of them.
    pub fn available() -> impl Iterator<Item = Self> {
        [Self::Baseline, Self::Avx2, Self::Avx512].into_iter().filter(|set| set.level().is_ok())
    }

    /// Returns the name shown in errors and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Baseline => "baseline",
            Self::Avx2 => "AVX2",
            Self::Avx512 => "AVX-512",
        }
    }

    pub(crate) fn level(self) -> Result<Level, Error> {
        let level = match self {
            Self::Best => Some(Level::new()),
            Self::Baseline => Some(Level::baseline()),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Self::Avx2 => Level::new().as_avx2().map(Level::Avx2),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Self::Avx512 => Level::new().as_avx512().map(Level::Avx512),
            #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
            Self::Avx2 | Self::Avx512 => None,
        };
        level.ok_or(Error::UnavailableInstructionSet { name: self.name() })
    }
}

/// A computation that is written once and compiled for each instruction set. `run` must be
/// `#[inline(always)]`.
pub(crate) trait Kernel: Sized {
    /// The bytes of the longest vectors that the kernel is compiled for. Less than 64 saves the
    /// AVX-512 copy of a kernel that waits for memory anyway.
    #[cfg_attr(not(any(target_arch = "x86", target_arch = "x86_64")), allow(dead_code))]
    const BYTES: usize = usize::MAX;

    fn run<S: Simd>(self, simd: S);

    /// Runs the kernel with the instructions of `level`.
    fn launch(self, level: Level) {
        self.launch_within(level, usize::MAX);
    }

    /// Runs the kernel with the instructions of `level`, or of a plainer level whose vectors are no
    /// longer than `bytes`, if there is one.
    ///
    /// The call is `fearless_simd::dispatch` with fewer levels: SSE4.2 would add a quarter of the
    /// code, and no speed over SSE2. It is a method, since the compiler then puts each kernel where
    /// its type is defined, and compiles several kernels side by side.
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    fn launch_within(self, level: Level, bytes: usize) {
        if Self::BYTES >= 64
            && let (Some(simd), 64..) = (level.as_avx512(), bytes)
        {
            simd.vectorize(
                #[inline(always)]
                || self.run(simd),
            );
        } else if let (Some(simd), 32..) = (level.as_avx2(), bytes) {
            simd.vectorize(
                #[inline(always)]
                || self.run(simd),
            );
        } else if let Some(simd) = level.as_sse2() {
            simd.vectorize(
                #[inline(always)]
                || self.run(simd),
            );
        }
    }

    /// Runs the kernel with the instructions of `level`.
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    fn launch_within(self, level: Level, _: usize) {
        fearless_simd::dispatch!(level, simd => self.run(simd));
    }
}
