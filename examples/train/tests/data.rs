//! Reading of texts.

use train::data::{bible, catalogues, dates, is_held_out};

/// Returns a catalogue of pairs in msgfmt's layout, with the given byte order.
fn catalogue(pairs: &[(&str, &str)], bytes_of: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let start = 28 + 16 * pairs.len() as u32;
    let (mut lists, mut text) = ([Vec::new(), Vec::new()], Vec::new());
    for (original, translation) in pairs {
        for (list, part) in lists.iter_mut().zip([original, translation]) {
            list.extend(bytes_of(part.len() as u32));
            list.extend(bytes_of(start + text.len() as u32));
            text.extend(part.bytes().chain([0]));
        }
    }
    let translations = 28 + 8 * pairs.len() as u32;
    let header = [0x9504_12de, 0, pairs.len() as u32, 28, translations, 0, 0].map(bytes_of);
    [header.concat(), lists.concat(), text].concat()
}

#[test]
fn catalogues_of_both_orders_of_bytes() {
    let pairs = [
        ("", "Content-Type: text/plain"),
        ("%d file\0%d files", "%d Datei\0%d Dateien"),
        ("menu\u{4}Open", "Öffnen"),
    ];
    let expected = [("%d file", "%d Datei"), ("Open", "Öffnen")];
    let expected = expected.map(|(a, b)| (a.to_string(), b.to_string())).to_vec();
    assert_eq!(catalogues::read(&catalogue(&pairs, u32::to_le_bytes)), Some(expected.clone()));
    assert_eq!(catalogues::read(&catalogue(&pairs, u32::to_be_bytes)), Some(expected));
}

#[test]
fn damaged_catalogues_are_none() {
    let whole = catalogue(&[("a file", "eine Datei")], u32::to_le_bytes);
    for len in 0..whole.len() - 1 {
        assert_eq!(catalogues::read(&whole[..len]), None, "{len} bytes");
    }
    let mut many = whole;
    many[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(catalogues::read(&many), None);
}

#[test]
fn numbers_in_words() {
    let known = [
        (1, "one"),
        (19, "nineteen"),
        (40, "forty"),
        (312, "three hundred and twelve"),
        (7_005, "seven thousand and five"),
        (312_045, "three hundred and twelve thousand and forty five"),
        (900_000, "nine hundred thousand"),
    ];
    for (number, words) in known {
        assert_eq!(dates::number_in_words(number), words);
    }
}

#[test]
fn dates_in_words() {
    let known = [
        ((1984, 3, 3), "the third of march nineteen eighty four", "1984-03-03"),
        ((1805, 12, 21), "the twenty first of december eighteen hundred and five", "1805-12-21"),
        ((1200, 1, 20), "the twentieth of january twelve hundred", "1200-01-20"),
    ];
    for ((year, month, day), words, digits) in known {
        assert_eq!(dates::date(year, month, day), (words.to_string(), digits.to_string()));
    }
}

#[test]
fn one_in_ten_is_held_out() {
    let verses = bible::excerpt();
    assert_eq!(verses.len(), 8010);
    // Passages of twenty verses, as in the task of classification, and the verses themselves.
    let passages = verses.chunks(20).filter(|verses| is_held_out(&verses.concat())).count();
    assert!((25..56).contains(&passages), "{passages} of 401");
    let held_out = verses.iter().filter(|verse| is_held_out(verse)).count();
    assert!((680..921).contains(&held_out), "{held_out}");
}

#[test]
fn marks_are_tokens() {
    assert_eq!(
        bible::tokens("The LORD is my shepherd; I shall not want."),
        ["the", "lord", "is", "my", "shepherd", ";", "i", "shall", "not", "want", "."]
    );
}
