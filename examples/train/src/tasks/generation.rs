//! The next character of a text: trained at one length, tested there and at longer ones.

use candle_core::{D, Tensor};
use candle_nn::{Linear, Module, loss, ops};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::{Axes, Model, Scores, Sources, Task, Variant, ids};
use crate::Result;
use crate::data::vocabulary::{Vocabulary, characters};
use crate::data::{bible, is_held_out};
use crate::encodings::Encoding;
use crate::parameters::Scope;
use crate::transformer::{Kind, Shape, Transformer};

/// The number of characters in training; tests are at this length, and at twice and four times it.
const LENGTH: usize = 64;

/// The number of texts in a batch.
const BATCH: usize = 16;

/// Texts of verses, one after the other.
pub struct Generation {
    train: Vec<u32>,
    held_out: Vec<u32>,
    vocabulary: Vocabulary,
    /// The number of held-out windows of four times the length.
    windows: usize,
}

impl Generation {
    /// Reads verses.
    ///
    /// # Errors
    ///
    /// An error where there are none.
    pub fn new(sources: &Sources) -> Result<Self> {
        let verses = match (&sources.text, sources.quick) {
            (None, true) => bible::excerpt(),
            (text, _) => bible::verses(text.as_deref())?,
        };
        let (held_out, train): (Vec<_>, Vec<_>) =
            verses.into_iter().partition(|verse| is_held_out(verse));
        let vocabulary = characters(train.iter().map(String::as_str).chain(["\n"]));
        let text = |verses: &[String]| vocabulary.characters(&verses.join("\n"));
        let (train, held_out) = (text(&train), text(&held_out));
        let windows = if sources.quick { 16 } else { 64 };
        if held_out.len() <= windows * 4 * LENGTH || train.len() <= LENGTH + 1 {
            let [train, held_out] = [train, held_out].map(|text| text.len());
            let what = format!("{train} characters to learn from, {held_out} held out");
            return Err(format!("no data: {what}").into());
        }
        Ok(Self { train, held_out, vocabulary, windows })
    }
}

impl Task for Generation {
    fn model<'t>(
        &'t self,
        variant: Variant,
        shape: Shape,
        scope: &Scope<'_>,
    ) -> Result<Box<dyn Model + 't>> {
        if variant.lstm {
            return Err("the LSTM is for classification".into());
        }
        let kind = Kind { max_len: LENGTH, decodes: true, crosses: false };
        let vocabulary = self.vocabulary.len();
        let body = Transformer::new(vocabulary, variant.encoding, shape, kind, scope)?;
        let out = Linear::new(scope.weight("out", [vocabulary, shape.dim])?, None);
        Ok(Box::new(Generator { task: self, encoding: variant.encoding, body, out }))
    }

    fn describe(&self) -> String {
        format!(
            "{} characters to learn from, {} held out, {} of these in tests; {} different ones; \
             trained at length {LENGTH}",
            self.train.len(),
            self.held_out.len(),
            self.windows * 4 * LENGTH,
            self.vocabulary.len() - 4,
        )
    }

    fn axes(&self) -> Axes {
        Axes {
            length: "characters",
            by_length: "bits per character",
            position: "position in a text of 256 characters",
            by_position: "bits per character",
        }
    }
}

struct Generator<'t> {
    task: &'t Generation,
    encoding: Encoding,
    body: Transformer,
    out: Linear,
}

impl Generator<'_> {
    /// Returns the logits (texts · len, vocabulary) of texts (texts, len + 1), and the next
    /// characters.
    fn logits(&self, texts: &[Vec<u32>]) -> candle_core::Result<(Tensor, Tensor)> {
        let ids = ids(texts)?;
        let len = ids.dim(1)? - 1;
        let hidden = self.body.forward(&ids.narrow(1, 0, len)?.contiguous()?, None)?;
        let logits = self.out.forward(&hidden.flatten_to(1)?)?;
        Ok((logits, ids.narrow(1, 1, len)?.flatten_all()?))
    }

    /// Returns the bits of each character in windows of a length, (windows · len); `None` where the
    /// encoding has no such positions.
    fn bits(&self, len: usize) -> Result<Option<Vec<f64>>> {
        if self.encoding.is_table() && len > LENGTH {
            return Ok(None);
        }
        let all = 4 * LENGTH * self.task.windows;
        let texts: Vec<Vec<u32>> =
            (0..all / len).map(|i| self.task.held_out[i * len..][..=len].to_vec()).collect();
        let mut bits = Vec::new();
        for texts in texts.chunks((2048 / len).max(1)) {
            let (logits, next) = self.logits(texts)?;
            let likelihood = ops::log_softmax(&logits, D::Minus1)?;
            let own: Vec<f32> =
                likelihood.gather(&next.unsqueeze(1)?, 1)?.flatten_all()?.to_vec1()?;
            bits.extend(own.iter().map(|value| f64::from(-value) / core::f64::consts::LN_2));
        }
        Ok(Some(bits))
    }

    /// Continues a text, at temperature 0.7.
    fn sample(&self, beginning: &str, len: usize) -> Result<String> {
        let mut rng = SmallRng::seed_from_u64(7);
        let mut text = self.task.vocabulary.characters(beginning);
        for _ in 0..len {
            let window = text[text.len().saturating_sub(LENGTH)..].to_vec();
            let last = window.len() - 1;
            let hidden = self.body.forward(&ids(&[window])?, None)?;
            let logits = self.out.forward(&hidden.narrow(1, last, 1)?.squeeze(1)?)?;
            let shares = ops::softmax(&(logits / 0.7)?, D::Minus1)?.flatten_all()?;
            let mut rest = rng.random_range(0.0..1.0_f32);
            let next = shares.to_vec1::<f32>()?.iter().position(|share| {
                rest -= share;
                rest < 0.0
            });
            text.push(next.unwrap_or(0) as u32);
        }
        Ok(self.task.vocabulary.text(&text).replace('\n', " / "))
    }
}

impl Model for Generator<'_> {
    fn loss(&self, rng: &mut SmallRng) -> candle_core::Result<Tensor> {
        let train = &self.task.train;
        let last = train.len() - LENGTH - 1;
        let text = |_| train[rng.random_range(0..=last)..][..=LENGTH].to_vec();
        let texts: Vec<Vec<u32>> = (0..BATCH).map(text).collect();
        let (logits, next) = self.logits(&texts)?;
        loss::cross_entropy(&logits, &next)
    }

    fn test(&self) -> Result<Scores> {
        let mut scores = Scores::default();
        for times in [1, 2, 4] {
            let len = times * LENGTH;
            let bits = self.bits(len)?;
            let mean = bits.as_ref().map(|bits| bits.iter().sum::<f64>() / bits.len() as f64);
            scores.measures.push((format!("bits per character at {len}"), mean));
            scores.by_length.extend(mean.map(|mean| (len as f64, mean)));
            if let Some(bits) = bits {
                // The longest texts that the encoding supports are kept.
                scores.by_position = by_position(&bits, len);
            }
        }
        scores.samples.push(self.sample("The LORD is my ", 120)?);
        Ok(scores)
    }
}

/// Returns the mean of values by their position in texts of a length, in groups of 8 positions.
fn by_position(values: &[f64], len: usize) -> Vec<(f64, f64)> {
    const GROUP: usize = 8;
    let mut sums = vec![(0.0, 0.0); len / GROUP];
    for (index, value) in values.iter().enumerate() {
        let (sum, count) = &mut sums[index % len / GROUP];
        *sum += value;
        *count += 1.0;
    }
    let middle = |group: usize| (group * GROUP) as f64 + GROUP as f64 / 2.0;
    sums.iter().enumerate().map(|(group, (sum, count))| (middle(group), sum / count)).collect()
}
