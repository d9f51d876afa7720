//! Numbers and dates in words and in digits: a translation that can be checked exactly.

use rand::{Rng, RngExt};

const ONES: [&str; 20] = [
    "",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const ORDINALS: [(&str, &str); 12] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
    ("twenty", "twentieth"),
    ("thirty", "thirtieth"),
    ("four", "fourth"),
    ("six", "sixth"),
    ("seven", "seventh"),
];

/// A number below a million or a date, in words and in digits.
pub fn draw(rng: &mut impl Rng) -> (String, String) {
    if rng.random_bool(0.5) {
        // Short and long numbers are equally frequent.
        let below = 10_u32.pow(rng.random_range(1..=6));
        let number = rng.random_range(below / 10..below);
        return (number_in_words(number.max(1)), number.max(1).to_string());
    }
    let (year, month) = (rng.random_range(1100..2000), rng.random_range(1..=12));
    date(year, month, rng.random_range(1..=28))
}

/// A date in words, "the third of march nineteen eighty four", and as 1984-03-03.
pub fn date(year: u32, month: u32, day: u32) -> (String, String) {
    let month_name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
    let hundreds = below_hundred(year / 100);
    let rest = match year % 100 {
        0 => "hundred".to_string(),
        rest @ 1..10 => format!("hundred and {}", below_hundred(rest)),
        rest => below_hundred(rest),
    };
    let words = format!("the {} of {month_name} {hundreds} {rest}", ordinal(day));
    (words, format!("{year:04}-{month:02}-{day:02}"))
}

/// A number from 1 to 999,999 in words.
pub fn number_in_words(number: u32) -> String {
    match (number / 1000, number % 1000) {
        (0, rest) => below_thousand(rest),
        (thousands, 0) => format!("{} thousand", below_thousand(thousands)),
        (thousands, rest @ 1..100) => {
            format!("{} thousand and {}", below_thousand(thousands), below_thousand(rest))
        }
        (thousands, rest) => {
            format!("{} thousand {}", below_thousand(thousands), below_thousand(rest))
        }
    }
}

fn below_thousand(number: u32) -> String {
    match (number / 100, number % 100) {
        (0, rest) => below_hundred(rest),
        (hundreds, 0) => format!("{} hundred", below_hundred(hundreds)),
        (hundreds, rest) => {
            format!("{} hundred and {}", below_hundred(hundreds), below_hundred(rest))
        }
    }
}

fn below_hundred(number: u32) -> String {
    let (tens, ones) = (number as usize / 10 % 10, number as usize % 10);
    match number {
        0..20 => ONES[number as usize].to_string(),
        _ if ones == 0 => TENS[tens].to_string(),
        _ => format!("{} {}", TENS[tens], ONES[ones]),
    }
}

fn ordinal(day: u32) -> String {
    let cardinal = below_hundred(day);
    let (before, last) = cardinal.rsplit_once(' ').unwrap_or(("", &cardinal));
    let known = ORDINALS.iter().find(|(cardinal, _)| *cardinal == last);
    let last = known.map_or_else(|| format!("{last}th"), |(_, ordinal)| ordinal.to_string());
    format!("{before} {last}").trim().to_string()
}
