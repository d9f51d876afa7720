//! Measures of translations, and of runs with several seeds.

use std::collections::HashMap;

/// Returns chrF (Popović 2015) in percent: the F-score of character n-grams of 1 to 6 characters
/// that a corpus of translations shares with its references, without spaces, recall counting twice.
///
/// Precision and recall are means over the orders that occur.
pub fn chrf(translations: &[(String, String)]) -> f64 {
    const ORDERS: usize = 6;
    const BETA: f64 = 2.0;
    let mut totals = [[0.0; 3]; ORDERS];
    for (hypothesis, reference) in translations {
        for (order, totals) in totals.iter_mut().enumerate() {
            let [ours, theirs] = [hypothesis, reference].map(|text| grams(text, order + 1));
            let shared = ours.iter().map(|(gram, n)| n.min(theirs.get(gram).unwrap_or(&0)));
            let counts =
                [shared.sum::<usize>(), ours.values().sum(), theirs.values().sum::<usize>()];
            totals.iter_mut().zip(counts).for_each(|(total, count)| *total += count as f64);
        }
    }
    let mean = |of: usize| {
        let shares = totals.iter().filter(|totals| totals[of] > 0.0);
        let shares: Vec<f64> = shares.map(|totals| totals[0] / totals[of]).collect();
        shares.iter().sum::<f64>() / shares.len().max(1) as f64
    };
    let (precision, recall) = (mean(1), mean(2));
    let below = BETA * BETA * precision + recall;
    if below == 0.0 {
        return 0.0;
    }
    100.0 * (1.0 + BETA * BETA) * precision * recall / below
}

fn grams(text: &str, order: usize) -> HashMap<Vec<char>, usize> {
    let characters: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut grams = HashMap::new();
    for gram in characters.windows(order) {
        *grams.entry(gram.to_vec()).or_default() += 1;
    }
    grams
}

/// Returns the mean and the sample standard deviation of numbers; the deviation of one number is 0.
pub fn mean_and_spread(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, (squares / values.len().saturating_sub(1).max(1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(hypothesis: &str, reference: &str) -> f64 {
        chrf(&[(hypothesis.into(), reference.into())])
    }

    #[test]
    fn chrf_of_equal_and_of_foreign_texts() {
        assert_eq!(one("Datei nicht gefunden", "Datei nicht gefunden"), 100.0);
        assert_eq!(one("xyz", "abc"), 0.0);
        assert_eq!(one("", "abc"), 0.0);
    }

    #[test]
    fn chrf_by_hand() {
        // "ab" of "abc": orders 1 and 2 are precise; the translation has none of order 3.
        // Recall is 2/3, 1/2 and 0.
        let recall = (2.0 / 3.0 + 0.5) / 3.0;
        let by_hand = 100.0 * 5.0 * recall / (4.0 + recall);
        assert!((one("ab", "abc") - by_hand).abs() < 1e-12);
    }

    #[test]
    fn spread_is_that_of_a_sample() {
        assert_eq!(mean_and_spread(&[1.0, 2.0, 3.0]), (2.0, 1.0));
        assert_eq!(mean_and_spread(&[5.0]), (5.0, 0.0));
    }
}
