//! Which of two texts with the same words is the original, and which has them in another order?

use candle_core::Tensor;
use candle_nn::{Linear, Module};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};

use super::{Axes, Model, Scores, Sources, Task, Variant, ids};
use crate::Result;
use crate::data::vocabulary::Vocabulary;
use crate::data::{bible, is_held_out};
use crate::encodings::{Encoding, Size};
use crate::lstm::Lstm;
use crate::parameters::Scope;
use crate::transformer::{Kind, Shape, Transformer, mean};

/// The numbers of words and marks in training, and in tests beyond it.
const LENGTHS: [usize; 2] = [16, 24];
const LONGER: [usize; 2] = [32, 48];

/// The number of pairs in a batch.
const BATCH: usize = 32;

/// The number of verses in a passage; passages are held out as a whole.
const PASSAGE: usize = 20;

/// Words and punctuation marks of passages, as numbers.
pub struct Classification {
    train: Vec<Passage>,
    held_out: Vec<Passage>,
    vocabulary: Vocabulary,
    /// The number of held-out pairs for each length.
    pairs: usize,
}

/// Verses in a row.
struct Passage {
    tokens: Vec<u32>,
    /// The ends of verses.
    ends: Vec<usize>,
}

impl Passage {
    fn new(verses: &[String], vocabulary: &Vocabulary) -> Self {
        let mut passage = Self { tokens: Vec::new(), ends: Vec::new() };
        for verse in verses {
            let tokens = bible::tokens(verse);
            passage.tokens.extend(tokens.iter().map(|token| vocabulary.number(token)));
            passage.ends.push(passage.tokens.len());
        }
        passage
    }
}

/// A change of the order of words.
#[derive(Clone, Copy)]
enum Order {
    /// All words are shuffled.
    Shuffled,
    /// Two neighbouring words are exchanged.
    Swapped(usize),
}

impl Classification {
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
        let passages = verses.chunks(PASSAGE);
        let (held_out, train): (Vec<_>, Vec<_>) =
            passages.partition(|verses| is_held_out(&verses.concat()));
        let words: Vec<String> =
            train.iter().copied().flatten().flat_map(|verse| bible::tokens(verse)).collect();
        let vocabulary = Vocabulary::of(words.iter().map(String::as_str), 500);
        let [train, held_out] = [train, held_out].map(|passages| {
            let passages = passages.into_iter().map(|verses| Passage::new(verses, &vocabulary));
            passages.filter(|passage| !passage.ends.is_empty()).collect::<Vec<_>>()
        });
        if train.is_empty() || held_out.is_empty() {
            let [train, held_out] = [train, held_out].map(|passages| passages.len());
            return Err(
                format!("no data: {train} passages to learn from, {held_out} held out").into()
            );
        }
        let pairs = 1000;
        Ok(Self { train, held_out, vocabulary, pairs })
    }

    /// Returns the last `len` words and marks up to the end of a verse, chosen at random, which are
    /// not all the same.
    fn ending(&self, passages: &[Passage], len: usize, rng: &mut impl Rng) -> Vec<u32> {
        for _ in 0..10_000 {
            let passage = &passages[rng.random_range(0..passages.len())];
            let end = passage.ends[rng.random_range(0..passage.ends.len())];
            match end.checked_sub(len).and_then(|start| passage.tokens.get(start..end)) {
                Some(text) if text.iter().any(|word| *word != text[0]) => return text.to_vec(),
                _ => {}
            }
        }
        // No passage is long enough: words of the vocabulary, in their order.
        (4..).take(len).collect()
    }

    /// Returns pairs, the original first.
    fn pairs(
        &self,
        passages: &[Passage],
        count: usize,
        len: usize,
        order: impl Fn(&mut SmallRng) -> Order,
        rng: &mut SmallRng,
    ) -> [Vec<Vec<u32>>; 2] {
        let mut pairs = [Vec::new(), Vec::new()];
        while pairs[0].len() < count {
            let piece = self.ending(passages, len, rng);
            let mut moved = piece.clone();
            match order(rng) {
                Order::Shuffled => moved.shuffle(rng),
                Order::Swapped(at) => moved.swap(at.min(len - 2), at.min(len - 2) + 1),
            }
            if moved != piece {
                pairs[0].push(piece);
                pairs[1].push(moved);
            }
        }
        pairs
    }
}

impl Task for Classification {
    fn model<'t>(
        &'t self,
        variant: Variant,
        shape: Shape,
        scope: &Scope<'_>,
    ) -> Result<Box<dyn Model + 't>> {
        let max_len = LENGTHS[LENGTHS.len() - 1];
        let (vocabulary, dim) = (self.vocabulary.len(), shape.dim);
        let body = if variant.lstm {
            let size = Size { dim, heads: shape.heads, max_len, causal: true };
            Body::Lstm(Lstm::new(vocabulary, variant.encoding, size, scope)?)
        } else {
            let kind = Kind { max_len, decodes: false, crosses: false };
            Body::Transformer(Transformer::new(vocabulary, variant.encoding, shape, kind, scope)?)
        };
        let score = Linear::new(scope.weight("score", [1, dim])?, None);
        Ok(Box::new(Classifier { task: self, encoding: variant.encoding, body, score }))
    }

    fn describe(&self) -> String {
        format!(
            "{} passages to learn from, {} held out; {} words; texts of {LENGTHS:?} words and marks; {} \
             held-out pairs of each length",
            self.train.len(),
            self.held_out.len(),
            self.vocabulary.len() - 4,
            self.pairs,
        )
    }

    fn axes(&self) -> Axes {
        Axes {
            length: "words",
            by_length: "accuracy, all words shuffled",
            position: "first of the two swapped words",
            by_position: "error, two neighbours of 16 words swapped",
        }
    }
}

struct Classifier<'t> {
    task: &'t Classification,
    encoding: Encoding,
    body: Body,
    score: Linear,
}

enum Body {
    Lstm(Lstm),
    Transformer(Transformer),
}

impl Classifier<'_> {
    /// Returns by how much the first text of each pair is better than the second, (pairs).
    fn margin(&self, [first, second]: &[Vec<Vec<u32>>; 2]) -> candle_core::Result<Tensor> {
        let ids = ids(&[&first[..], &second[..]].concat())?;
        let state = match &self.body {
            Body::Lstm(lstm) => lstm.forward(&ids)?,
            Body::Transformer(transformer) => mean(&transformer.forward(&ids, None)?)?,
        };
        let scores = self.score.forward(&state)?.squeeze(1)?;
        scores.narrow(0, 0, first.len())? - scores.narrow(0, first.len(), second.len())?
    }

    /// Returns the fraction of held-out pairs whose original is found; equal scores count as half.
    /// `None` where the encoding has no such positions.
    fn accuracy(
        &self,
        len: usize,
        count: usize,
        order: impl Fn(&mut SmallRng) -> Order,
    ) -> Result<Option<f64>> {
        if self.encoding.is_table() && len > LENGTHS[LENGTHS.len() - 1] {
            return Ok(None);
        }
        // The same pairs for all encodings and seeds.
        let mut rng = SmallRng::seed_from_u64(len as u64);
        let (mut found, mut of) = (0.0, 0);
        while of < count {
            let some = (count - of).min(250);
            let pairs = self.task.pairs(&self.task.held_out, some, len, &order, &mut rng);
            let margin: Vec<f32> = self.margin(&pairs)?.to_vec1()?;
            found += margin.iter().map(|margin| won(*margin)).sum::<f64>();
            of += some;
        }
        Ok(Some(found / of as f64))
    }
}

/// Returns 1 for a positive margin, and a half for no margin: the scores of two bags with the same
/// words differ by rounding alone, which depends on their place in the batch.
fn won(margin: f32) -> f64 {
    const ROUNDING: f32 = 1e-5;
    match margin {
        m if m > ROUNDING => 1.0,
        m if m < -ROUNDING => 0.0,
        _ => 0.5,
    }
}

impl Model for Classifier<'_> {
    fn loss(&self, rng: &mut SmallRng) -> candle_core::Result<Tensor> {
        let len = LENGTHS[rng.random_range(0..LENGTHS.len())];
        let pairs = self.task.pairs(&self.task.train, BATCH, len, |_| Order::Shuffled, rng);
        let margin = self.margin(&pairs)?;
        // ln(1 + e^−margin), which never overflows in this form
        let tail = (margin.abs()?.neg()?.exp()? + 1.0)?.log()?;
        (margin.neg()?.relu()? + tail)?.mean_all()
    }

    fn test(&self) -> Result<Scores> {
        let mut scores = Scores::default();
        let mut accuracies = Vec::new();
        for len in LENGTHS.into_iter().chain(LONGER) {
            let accuracy = self.accuracy(len, self.task.pairs, |_| Order::Shuffled)?;
            scores.by_length.extend(accuracy.map(|accuracy| (len as f64, accuracy)));
            accuracies.push(accuracy);
        }
        let mean = |of: &[Option<f64>]| -> Option<f64> {
            of.iter().copied().sum::<Option<f64>>().map(|sum| sum / of.len() as f64)
        };
        let (trained, longer) = accuracies.split_at(LENGTHS.len());
        let mut swapped = 0.0;
        for at in 0..15 {
            let accuracy = self.accuracy(16, self.task.pairs / 8, |_| Order::Swapped(at))?;
            let accuracy = accuracy.unwrap_or(0.5);
            scores.by_position.push((at as f64, 1.0 - accuracy));
            swapped += accuracy / 15.0;
        }
        scores.measures = vec![
            ("accuracy, shuffled".into(), mean(trained)),
            ("accuracy, two swapped".into(), Some(swapped)),
            ("accuracy, 32 and 48 words".into(), mean(longer)),
        ];
        Ok(scores)
    }
}
