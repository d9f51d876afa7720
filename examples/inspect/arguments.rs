//! The arguments of the command.

use std::path::PathBuf;

use lexopt::prelude::*;

pub const USAGE: &str = "\
inspect SUBJECT [OPTIONS]

SUBJECT is one of
  sinusoidal, marian, whisper, musicgen   vectors that are added
  rotary                                  rotations of queries and keys
  alibi, sandwich                         biases of scores
  PATH.json                               a model's config.json
  PATH.safetensors                        a table of a checkpoint

OPTIONS
  --dim N        512; 128 for rotations
  --len N        positions: 512, or 4096 for rotations; of a config the length that it says
  --base X       10000
  --heads N      8
  --scaling S    of a rotation: linear, ntk, yarn or llama3, with
  --factor X     4, and
  --trained N    the length trained on: 4096
  --key NAME     the tensor to read; without it, the tensors are listed
  --words NAME   the word table that the positions are added to
  --json         the same findings for machines
  --plot FILE    a picture of them, .svg or .png
  --help         this
";

/// The request; missing parameters get the defaults of the subject.
#[derive(Default)]
pub struct Arguments {
    pub subject: String,
    pub dim: Option<usize>,
    pub len: Option<usize>,
    pub heads: Option<usize>,
    pub base: Option<f64>,
    pub scaling: Option<String>,
    pub factor: Option<f64>,
    pub trained: Option<usize>,
    pub key: Option<String>,
    pub words: Option<String>,
    pub json: bool,
    pub plot: Option<PathBuf>,
}

impl Arguments {
    /// Reads the arguments of the process; `None` where help is asked for.
    pub fn parse() -> Result<Option<Self>, lexopt::Error> {
        let mut arguments = Self::default();
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("dim") => arguments.dim = Some(parser.value()?.parse()?),
                Long("len") => arguments.len = Some(parser.value()?.parse()?),
                Long("heads") => arguments.heads = Some(parser.value()?.parse()?),
                Long("base") => arguments.base = Some(parser.value()?.parse()?),
                Long("scaling") => arguments.scaling = Some(parser.value()?.string()?),
                Long("factor") => arguments.factor = Some(parser.value()?.parse()?),
                Long("trained") => arguments.trained = Some(parser.value()?.parse()?),
                Long("key") => arguments.key = Some(parser.value()?.string()?),
                Long("words") => arguments.words = Some(parser.value()?.string()?),
                Long("json") => arguments.json = true,
                Long("plot") => arguments.plot = Some(parser.value()?.into()),
                Long("help") | Short('h') => return Ok(None),
                Value(value) if arguments.subject.is_empty() => {
                    arguments.subject = value.string()?;
                }
                other => return Err(other.unexpected()),
            }
        }
        match arguments.subject.is_empty() {
            true => Err("what is to be inspected?".into()),
            false => Ok(Some(arguments)),
        }
    }
}
