//! From one sequence to another: messages from English to German, numbers and dates from words to
//! digits.

use std::collections::BTreeMap;

use candle_core::{D, Tensor};
use candle_nn::{Linear, Module, ops};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::{Axes, Model, Scores, Sources, Task, Variant, ids};
use crate::Result;
use crate::data::vocabulary::{END, PAD, START, Vocabulary, characters};
use crate::data::{catalogues, dates, is_held_out};
use crate::metrics::chrf;
use crate::parameters::Scope;
use crate::transformer::{Kind, Shape, Transformer};

/// The greatest number of characters in a message.
const LONGEST: usize = 40;

/// The number of pairs in a batch.
const BATCH: usize = 48;

/// Pairs of sequences.
pub struct Pairs {
    train: Vec<Pair>,
    held_out: Vec<Pair>,
    /// Indices of `train`, grouped by the length of the source, so that sources in a batch have no
    /// padding.
    by_length: Vec<Vec<usize>>,
    sources: Vocabulary,
    targets: Vocabulary,
    unit: Unit,
}

/// The units of sources.
#[derive(Clone, Copy)]
enum Unit {
    Characters,
    Words,
}

impl Unit {
    fn split(self, text: &str) -> Vec<&str> {
        match self {
            Self::Characters => text.split_inclusive(|_: char| true).collect(),
            Self::Words => text.split(' ').collect(),
        }
    }

    /// Returns the separator of units.
    fn glue(self) -> &'static str {
        match self {
            Self::Characters => "",
            Self::Words => " ",
        }
    }
}

struct Pair {
    source: Vec<u32>,
    /// Returns the tokens of the answer, between a start and an end.
    target: Vec<u32>,
    reference: String,
}

impl Pairs {
    /// Reads messages of programs.
    ///
    /// # Errors
    ///
    /// An error where there are none.
    pub fn catalogues(sources: &Sources) -> Result<Self> {
        let pairs = catalogues::messages(sources.catalogues.as_deref(), LONGEST)?;
        let vocabularies = [
            characters(pairs.iter().map(|(english, _)| english.as_str())),
            characters(pairs.iter().map(|(_, german)| german.as_str())),
        ];
        let tests = if sources.quick { 100 } else { 300 };
        Ok(Self::new(pairs, vocabularies, tests, Unit::Characters))
    }

    /// Draws numbers and dates.
    pub fn dates(sources: &Sources) -> Self {
        let mut rng = SmallRng::seed_from_u64(1);
        let pairs: BTreeMap<String, String> = (0..40_000).map(|_| dates::draw(&mut rng)).collect();
        let pairs: Vec<(String, String)> = pairs.into_iter().collect();
        let words = pairs.iter().flat_map(|(words, _)| words.split(' '));
        let vocabularies = [
            Vocabulary::of(words, usize::MAX),
            characters(pairs.iter().map(|(_, digits)| digits.as_str())),
        ];
        let tests = if sources.quick { 200 } else { 500 };
        Self::new(pairs, vocabularies, tests, Unit::Words)
    }

    fn new(
        pairs: Vec<(String, String)>,
        [sources, targets]: [Vocabulary; 2],
        tests: usize,
        unit: Unit,
    ) -> Self {
        let (mut train, mut held_out) = (Vec::new(), Vec::new());
        for (source, reference) in pairs {
            let numbers =
                unit.split(&source).into_iter().map(|token| sources.number(token)).collect();
            let target = [vec![START], targets.characters(&reference), vec![END]].concat();
            let list = if is_held_out(&source) { &mut held_out } else { &mut train };
            list.push(Pair { source: numbers, target, reference });
        }
        // Evenly spaced ones, so that all kinds are included: they are in alphabetical order.
        let step = (held_out.len() / tests).max(1);
        let held_out = held_out.into_iter().step_by(step).take(tests).collect();
        let longest = train.iter().map(|pair| pair.source.len()).max().unwrap_or(0);
        let mut by_length = vec![Vec::new(); longest + 1];
        train.iter().enumerate().for_each(|(i, pair)| by_length[pair.source.len()].push(i));
        Self { train, held_out, by_length, sources, targets, unit }
    }

    /// The number of positions that sources and targets need.
    fn max_lens(&self) -> [usize; 2] {
        let all = || self.train.iter().chain(&self.held_out);
        let source = all().map(|pair| pair.source.len()).max().unwrap_or(1);
        [source, all().map(|pair| pair.target.len()).max().unwrap_or(1)]
    }
}

impl Task for Pairs {
    fn model<'t>(
        &'t self,
        variant: Variant,
        shape: Shape,
        scope: &Scope<'_>,
    ) -> Result<Box<dyn Model + 't>> {
        if variant.lstm {
            return Err("the LSTM is for classification".into());
        }
        let [source, target] = self.max_lens();
        let kind = Kind { max_len: source, decodes: false, crosses: false };
        let (encoding, of) = (variant.encoding, scope.at("encoder"));
        let encoder = Transformer::new(self.sources.len(), encoding, shape, kind, &of)?;
        let kind = Kind { max_len: target, decodes: true, crosses: true };
        let of = scope.at("decoder");
        let decoder = Transformer::new(self.targets.len(), encoding, shape, kind, &of)?;
        let out = Linear::new(scope.weight("out", [self.targets.len(), shape.dim])?, None);
        Ok(Box::new(Translator { task: self, encoder, decoder, out }))
    }

    fn describe(&self) -> String {
        format!(
            "{}: {} pairs to learn from, {} held-out ones in tests",
            match self.unit {
                Unit::Characters => "messages of programs, English to German, by characters",
                Unit::Words => "numbers and dates, words to digits",
            },
            self.train.len(),
            self.held_out.len()
        )
    }

    fn axes(&self) -> Axes {
        Axes {
            length: match self.unit {
                Unit::Characters => "characters of the message, in groups of eight",
                Unit::Words => "words of the number or date",
            },
            by_length: "exact matches",
            position: "character of the translation",
            by_position: "share of wrong characters",
        }
    }
}

struct Translator<'t> {
    task: &'t Pairs,
    encoder: Transformer,
    decoder: Transformer,
    out: Linear,
}

impl Translator<'_> {
    /// Returns the sum over a batch of −ln of the probability of each next token, and their number.
    /// Sources have the same length; targets are padded at the end, to which no earlier token
    /// attends.
    fn cost(&self, pairs: &[&Pair]) -> candle_core::Result<(Tensor, usize)> {
        let longest = pairs.iter().map(|pair| pair.target.len()).max().unwrap_or(1);
        let pad = |pair: &&Pair| {
            let mut target = pair.target.clone();
            target.resize(longest, PAD);
            target
        };
        let targets: Vec<Vec<u32>> = pairs.iter().map(pad).collect();
        let sources: Vec<Vec<u32>> = pairs.iter().map(|pair| pair.source.clone()).collect();
        let memory = self.encoder.forward(&ids(&sources)?, None)?;
        let targets = ids(&targets)?;
        let inputs = targets.narrow(1, 0, longest - 1)?.contiguous()?;
        let hidden = self.decoder.forward(&inputs, Some(&memory))?;
        let next = targets.narrow(1, 1, longest - 1)?.flatten_all()?;
        let counts: Vec<f32> =
            next.to_vec1::<u32>()?.iter().map(|id| if *id == PAD { 0.0 } else { 1.0 }).collect();
        let count = counts.iter().filter(|count| **count > 0.0).count();
        let counts = Tensor::from_vec(counts, next.dims1()?, next.device())?;
        let likelihood = ops::log_softmax(&self.out.forward(&hidden.flatten_to(1)?)?, D::Minus1)?;
        let own = likelihood.gather(&next.unsqueeze(1)?, 1)?.squeeze(1)?;
        Ok(((own * counts)?.sum_all()?.neg()?, count))
    }

    /// Returns the most likely tokens, one after the other, for sources of the same length.
    fn translate(&self, pairs: &[&Pair]) -> candle_core::Result<Vec<String>> {
        let sources: Vec<Vec<u32>> = pairs.iter().map(|pair| pair.source.clone()).collect();
        let memory = self.encoder.forward(&ids(&sources)?, None)?;
        let mut rows = vec![vec![START]; pairs.len()];
        let [_, longest] = self.task.max_lens();
        for len in 1..longest {
            let hidden = self.decoder.forward(&ids(&rows)?, Some(&memory))?;
            let logits = self.out.forward(&hidden.narrow(1, len - 1, 1)?.squeeze(1)?)?;
            let next: Vec<u32> = logits.argmax(D::Minus1)?.to_vec1()?;
            rows.iter_mut().zip(next).for_each(|(row, next)| row.push(next));
            if rows.iter().all(|row| row.contains(&END)) {
                break;
            }
        }
        Ok(rows.iter().map(|row| self.task.targets.text(&row[1..])).collect())
    }
}

impl Model for Translator<'_> {
    fn loss(&self, rng: &mut SmallRng) -> candle_core::Result<Tensor> {
        let train = &self.task.train;
        // A random pair decides the length, so that all pairs are equally likely.
        let first = &train[rng.random_range(0..train.len())];
        let same = &self.task.by_length[first.source.len()];
        let pair = |_| &train[same[rng.random_range(0..same.len())]];
        let pairs: Vec<&Pair> = (0..BATCH).map(pair).collect();
        let (cost, count) = self.cost(&pairs)?;
        cost / count as f64
    }

    fn test(&self) -> Result<Scores> {
        let mut by_length: BTreeMap<usize, Vec<&Pair>> = BTreeMap::new();
        for pair in &self.task.held_out {
            by_length.entry(pair.source.len()).or_default().push(pair);
        }
        let (mut cost, mut count, mut translations) = (0.0, 0, Vec::new());
        for pairs in by_length.values() {
            let (sum, tokens) = self.cost(pairs)?;
            (cost, count) = (cost + f64::from(sum.to_scalar::<f32>()?), count + tokens);
            let own = self.translate(pairs)?.into_iter().zip(pairs);
            translations.extend(own.map(|(ours, pair)| (pair, ours)));
        }
        let texts: Vec<(String, String)> = translations
            .iter()
            .map(|(pair, ours)| (ours.clone(), pair.reference.clone()))
            .collect();
        let exact = texts.iter().filter(|(ours, reference)| ours == reference).count();
        let bits = cost / count.max(1) as f64 / core::f64::consts::LN_2;
        let measures = vec![
            ("exact match".into(), Some(exact as f64 / texts.len().max(1) as f64)),
            ("chrF".into(), Some(chrf(&texts))),
            ("bits per character".into(), Some(bits)),
        ];
        let lengths = translations
            .iter()
            .map(|(pair, ours)| (pair.source.len(), f64::from(u8::from(*ours == pair.reference))));
        let samples = translations.iter().step_by(texts.len() / 5 + 1);
        let samples = samples.map(|(pair, ours)| self.show(pair, ours)).collect();
        let group = match self.task.unit {
            Unit::Characters => 8,
            Unit::Words => 1,
        };
        let by_length = means(lengths, group);
        Ok(Scores { measures, by_length, by_position: wrong(&texts), samples })
    }
}

impl Translator<'_> {
    fn show(&self, pair: &Pair, ours: &str) -> String {
        let glue = self.task.unit.glue();
        let source: Vec<&str> = pair.source.iter().map(|id| self.task.sources.token(*id)).collect();
        format!("{} → {ours} ({})", source.join(glue), pair.reference)
    }
}

/// Returns the means of values by number, numbers in groups.
fn means(values: impl Iterator<Item = (usize, f64)>, group: usize) -> Vec<(f64, f64)> {
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (number, value) in values {
        let (sum, count) = sums.entry(number / group).or_default();
        (*sum, *count) = (*sum + value, *count + 1.0);
    }
    let middle = |at: usize| (at * group) as f64 + (group - 1) as f64 / 2.0;
    sums.into_iter().map(|(at, (sum, count))| (middle(at), sum / count)).collect()
}

/// Returns the fraction of wrong characters at each position that at least ten references have.
fn wrong(texts: &[(String, String)]) -> Vec<(f64, f64)> {
    let mut counts: Vec<(f64, f64)> = Vec::new();
    for (ours, reference) in texts {
        let mut ours = ours.chars();
        for (at, expected) in reference.chars().enumerate() {
            if counts.len() <= at {
                counts.push((0.0, 0.0));
            }
            counts[at].0 += f64::from(u8::from(ours.next() != Some(expected)));
            counts[at].1 += 1.0;
        }
    }
    let known = counts.iter().enumerate().filter(|(_, (_, count))| *count >= 10.0);
    known.map(|(at, (wrong, count))| (at as f64, wrong / count)).collect()
}
