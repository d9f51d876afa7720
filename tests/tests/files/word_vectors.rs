//! Word vectors: the quirks of real files, and refused ones.

use std::io::{BufReader, ErrorKind, Read, Result as IoResult};

use ndarray::Array2;
use positional_encodings::{
    FileProblem, Learned, Positions, TokenEmbedding, embed_with_positions_at,
    words::{Duplicates, Place, Progress, Vocabulary, WordFormat, WordReader, WordVectors},
};

fn read(format: WordFormat, bytes: &[u8]) -> Result<WordVectors, FileProblem> {
    read_by(WordVectors::reader(format), bytes)
}

fn read_by(reader: WordReader<'_>, bytes: &[u8]) -> Result<WordVectors, FileProblem> {
    reader.read_from(bytes, "memory").map_err(|error| error.problem)
}

fn words(vectors: &WordVectors) -> Vec<&[u8]> {
    vectors.vocabulary().iter().collect()
}

#[test]
fn glove_has_words_with_spaces() {
    let file = b"the 0.418 0.24968 -0.41242\n. . . -1e-3 2 3\nat name@domain.com 4 5 6\n<unk> 7 8 9\n\xff\xfe 1 2 3\r\n\xc2\xa0 1 1 1";
    let vectors = read(WordFormat::Glove, file).unwrap();
    let expected: [&[u8]; 6] =
        [b"the", b". . .", b"at name@domain.com", b"<unk>", b"\xff\xfe", b"\xc2\xa0"];
    assert_eq!(words(&vectors), expected);
    assert_eq!(vectors.vector("the").unwrap().to_vec(), [0.418, 0.24968, -0.41242]);
    assert_eq!(vectors.vector(". . .").unwrap().to_vec(), [-0.001, 2.0, 3.0]);
    assert_eq!(vectors.vector(b"\xff\xfe").unwrap().to_vec(), [1.0, 2.0, 3.0]);
    assert_eq!(vectors.vocabulary().text(4).unwrap(), "\u{fffd}\u{fffd}");
    assert!(vectors.vector("cat").is_none());
    // A first word with spaces needs a given dim.
    let spaced = b". . 1 2\nthe 3 4\n";
    assert!(read(WordFormat::Glove, spaced).is_err());
    let vectors = read_by(WordVectors::reader(WordFormat::Glove).with_dim(2), spaced).unwrap();
    assert_eq!(words(&vectors), [&b". ."[..], b"the"]);
    // A word that is a space (spaCy#737)
    assert_eq!(words(&read(WordFormat::Glove, b"a 1 2\n  3 4\n").unwrap()), [&b"a"[..], b" "]);
}

#[test]
fn word2vec_and_fasttext_have_a_header() {
    for format in [WordFormat::Word2vecText, WordFormat::FastText] {
        let vectors = read(format, b"2 3\n</s> 1 2 3 \nthe 4 5 6 \n\n").unwrap();
        assert_eq!(vectors.table(), ndarray::array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    }
    let refused = |bytes: &[u8]| read(WordFormat::Word2vecText, bytes).unwrap_err();
    assert_eq!(refused(b"3 2\na 1 2\n"), FileProblem::WordCount { claimed: 3, found: 1 });
    assert_eq!(refused(b"1 2\na 1 2\nb 3 4\n"), FileProblem::WordCount { claimed: 1, found: 2 });
    for header in [
        &b"a b\n"[..],
        b"1\n",
        b"1 2 3\n",
        b"1 0\n",
        b"-1 2\n",
        b"1 99999999999999999999999\n",
        b"\n",
    ] {
        assert_eq!(refused(header), FileProblem::InvalidWordHeader);
    }
    assert_eq!(refused(b""), FileProblem::Empty);
    // A claimed size costs no memory.
    let huge = b"99999999999999999 99999999999999999\na 1\n";
    assert_eq!(
        refused(huge),
        FileProblem::TooFewNumbers {
            at: Place::Line(2),
            expected: 99_999_999_999_999_999,
            found: 1
        }
    );
}

/// Vectors as word2vec's tool writes them, with and without the line feed.
fn binary(words: &[&[u8]], dim: usize, line_feed: bool) -> Vec<u8> {
    let mut bytes = format!("{} {dim}\n", words.len()).into_bytes();
    for (row, word) in words.iter().enumerate() {
        bytes.extend_from_slice(word);
        bytes.push(b' ');
        bytes.extend((0..dim).flat_map(|j| ((row * dim + j) as f32 * 0.1).to_le_bytes()));
        bytes.extend(line_feed.then_some(b'\n'));
    }
    bytes
}

#[test]
fn word2vec_binary() {
    let names: [&[u8]; 3] = [b"the", b"\xe9t\xe9", b"New_York"];
    for line_feed in [false, true] {
        let file = binary(&names, 7, line_feed);
        // Sources that return a few bytes at a time must make no difference.
        for capacity in [1, 3, 5, 64, 1 << 16] {
            let source = std::io::BufReader::with_capacity(capacity, &file[..]);
            let vectors = WordVectors::reader(WordFormat::Word2vecBinary)
                .read_from(source, "memory")
                .unwrap();
            assert_eq!(words(&vectors), names);
            assert_eq!(
                vectors.table(),
                ndarray::Array2::from_shape_fn((3, 7), |(i, j)| (i * 7 + j) as f32 * 0.1)
            );
            let source = std::io::BufReader::with_capacity(capacity, &file[..]);
            let some = WordVectors::reader(WordFormat::Word2vecBinary)
                .only([b"New_York"])
                .read_from(source, "memory")
                .unwrap();
            assert_eq!(some.table(), vectors.table().slice_axis(ndarray::Axis(0), (2..3).into()));
        }
        for len in 0..file.len() - usize::from(line_feed) {
            let problem = read(WordFormat::Word2vecBinary, &file[..len]).unwrap_err();
            let expected = matches!(
                problem,
                FileProblem::Truncated { .. }
                    | FileProblem::WordCount { .. }
                    | FileProblem::Empty
                    | FileProblem::InvalidWordHeader
            );
            assert!(expected, "{len}: {problem}");
        }
    }
    let refused = |bytes: &[u8]| read(WordFormat::Word2vecBinary, bytes).unwrap_err();
    let mut more = binary(&names, 2, false);
    more.push(b'x');
    assert_eq!(refused(&more), FileProblem::WordCount { claimed: 3, found: 4 });
    assert_eq!(
        refused(b"99999999999999 99999999999999\na \0\0\0\0"),
        FileProblem::Truncated { byte: 36 }
    );
    let nan = [&b"1 2\nab "[..], &1_f32.to_le_bytes(), &f32::NAN.to_le_bytes()].concat();
    assert_eq!(refused(&nan), FileProblem::NotANumber { at: Place::Byte(11), index: 1 });
    assert_eq!(refused(b"1 1\n \0\0\0\0"), FileProblem::EmptyWord { at: Place::Byte(4) });
    let long = [&b"1 1\n"[..], &[b'a'; 100_000]].concat();
    assert_eq!(refused(&long), FileProblem::TooLong { at: Place::Byte(4), limit: 1 << 16 });
}

#[test]
fn bad_lines_are_named() {
    let refused = |bytes: &[u8]| read(WordFormat::Glove, bytes).unwrap_err();
    let number = |line, index| FileProblem::NotANumber { at: Place::Line(line), index };
    assert_eq!(refused(b"a 1 2\nb 1 x\n"), number(2, 1));
    assert_eq!(refused(b"a 1 2\nb 1 nan\n"), number(2, 1));
    assert_eq!(refused(b"a inf 2\n"), number(1, 0));
    assert_eq!(refused(b"a 1e999 2\n"), number(1, 0));
    assert_eq!(refused(b"a 1 \xff\n"), number(1, 1));
    assert_eq!(refused(b"a 1 2\nb  2\n"), number(2, 0));
    assert_eq!(refused(b"a 1 2\n\nb 3 4\n"), FileProblem::EmptyLine { at: Place::Line(2) });
    assert_eq!(
        refused(b"a 1 2\nb 1"),
        FileProblem::TooFewNumbers { at: Place::Line(2), expected: 2, found: 1 }
    );
    assert_eq!(refused(b"a 1 2\n 1 2\n"), FileProblem::EmptyWord { at: Place::Line(2) });
    assert_eq!(
        refused(b"400000 300\nthe 1 2\n"),
        FileProblem::UnexpectedWordHeader { words: 400_000, dim: 300 }
    );
    assert_eq!(
        refused(b"word\n"),
        FileProblem::TooFewNumbers { at: Place::Line(1), expected: 1, found: 0 }
    );
    assert_eq!(refused(b""), FileProblem::Empty);
    assert_eq!(
        refused(&vec![b'a'; 5 << 20]),
        FileProblem::TooLong { at: Place::Line(1), limit: 1 << 22 }
    );
    let twice = b"a 1\nb 2\na 3\n";
    assert_eq!(refused(twice), FileProblem::DuplicateWord { at: Place::Line(3), row: 0 });
    let first = read_by(
        WordVectors::reader(WordFormat::Glove).with_duplicates(Duplicates::KeepFirst),
        twice,
    )
    .unwrap();
    assert_eq!(first.table(), ndarray::array![[1.0], [2.0]]);
    assert!(matches!(WordVectors::glove("/nowhere").unwrap_err().problem, FileProblem::Io { .. }));
}

#[test]
fn a_file_reports_its_progress_and_gives_only_what_is_asked_for() {
    let path =
        std::env::temp_dir().join(format!("positional-encodings-glove-{}.txt", std::process::id()));
    let lines: Vec<String> = (0..20_000)
        .map(|i| format!("word{i} {} {}", i, [" 0.123456789"; 20].concat().trim()))
        .collect();
    let text = lines.join("\n");
    std::fs::write(&path, &text).unwrap();
    let mut reports: Vec<Progress> = Vec::new();
    let reader = WordVectors::reader(WordFormat::Glove).only(["word19999", "word7", "missing"]);
    let vectors = reader.with_progress(|progress| reports.push(progress)).read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(words(&vectors), [&b"word7"[..], b"word19999"]);
    assert_eq!(vectors.table()[[1, 0]], 19_999.0);
    assert!(reports.len() >= text.len() >> 20 && reports.is_sorted_by_key(|report| report.bytes));
    let last = reports.last().unwrap();
    assert_eq!(
        (last.bytes, last.total, last.words),
        (text.len() as u64, Some(text.len() as u64), 20_000)
    );
}

/// The first two steps of the article on which this crate was founded: words to vectors, and
/// positions added.
#[test]
fn vectors_go_through_the_token_lookup() {
    let vectors = read(WordFormat::Glove, b"the 1 2\ncat 3 4\nsat 5 6\n").unwrap();
    let sentence: Vec<usize> =
        "the cat sat".split(' ').filter_map(|word| vectors.vocabulary().row(word)).collect();
    let (_, table) = vectors.clone().into_parts();
    let positions =
        Learned::from_table(ndarray::array![[0.5, 0.0], [0.25, 0.0], [0.125, 0.0]]).unwrap();
    let input = TokenEmbedding::new(table, positions.clone())
        .unwrap()
        .embed(&ndarray::Array1::from(sentence))
        .unwrap();
    assert_eq!(input, ndarray::array![[1.5, 2.0], [3.25, 4.0], [5.125, 6.0]]);
    let again =
        embed_with_positions_at(&vectors.table(), &positions, Positions::from(0..3)).unwrap();
    assert_eq!(again, input);
}

#[test]
fn vocabularies_find_all_their_words() {
    let names: Vec<String> = (0..5000).map(|i| format!("w{}", i * 7919 % 5003)).collect();
    let vocabulary: Vocabulary = names.iter().collect();
    assert_eq!(vocabulary.len(), 5000);
    for (row, name) in names.iter().enumerate() {
        assert_eq!(
            (vocabulary.row(name), vocabulary.word(row)),
            (Some(row), Some(name.as_bytes()))
        );
    }
    assert!(vocabulary.row("w5003").is_none() && vocabulary.word(5000).is_none());
    let mut few = Vocabulary::new();
    assert!(few.is_empty() && few.row("a").is_none());
    assert_eq!((few.insert("a"), few.insert(""), few.insert("a")), (Ok(0), Ok(1), Err(0)));
    assert_eq!(few, ["a", ""].into_iter().collect());
}

/// A header may claim any width if it claims no words: no memory is reserved for missing rows.
#[test]
fn tables_without_words_cost_nothing() {
    let file: &[u8] = b"0 1152921504606846976\n";
    for format in [WordFormat::Word2vecText, WordFormat::Word2vecBinary] {
        let (vocabulary, table) =
            WordVectors::reader(format).read_from(file, "memory").unwrap().into_parts();
        assert_eq!((vocabulary.len(), table.dim()), (0, (0, 1 << 60)));
        let positions = Learned::from_table(Array2::<f32>::zeros((0, 1 << 60))).unwrap();
        let embedding = TokenEmbedding::new(table, positions).unwrap();
        let input = embedding.embed(&Array2::<i64>::zeros((2, 0))).unwrap();
        assert_eq!(input.dim(), (2, 0, 1 << 60));
    }
}

/// Empty lines at the end, separators, and compressed files.
#[test]
fn forms_of_text() {
    use positional_encodings::words::{Place, Separator};
    let read = |text: &[u8], separator| {
        let reader = WordVectors::reader(WordFormat::Glove).with_separator(separator);
        let vectors = reader.read_from(text, "text").map_err(|error| error.problem)?;
        Ok::<_, FileProblem>(vectors.table().iter().copied().collect::<Vec<f32>>())
    };
    let numbers = Ok(vec![1.0, 2.0, 3.0, 4.0]);
    for text in ["a 1 2\nb 3 4\n\n\n", "a 1 2\nb 3 4\n \r\n\t\n", "a 1 2\nb 3 4"] {
        assert_eq!(read(text.as_bytes(), Separator::Space), numbers, "{text:?}");
    }
    assert_eq!(read(b"a\t1\t2\nb c\t3\t4\n", Separator::Tab), numbers);
    assert_eq!(read(b"a \t 1  2\nb c   3 \t4  \n", Separator::Whitespace), numbers);
    let line = |number| Place::Line(number);
    for (text, separator, problem) in [
        ("a 1 2\n\nb 3 4\n", Separator::Space, FileProblem::EmptyLine { at: line(2) }),
        ("a 1 2\nb 3  4\n", Separator::Space, FileProblem::NotANumber { at: line(2), index: 0 }),
        (
            "a 1 2\nb\t3\t4\n",
            Separator::Space,
            FileProblem::TooFewNumbers { at: line(2), expected: 2, found: 0 },
        ),
        (
            "a 1 2\nb 3\n",
            Separator::Whitespace,
            FileProblem::TooFewNumbers { at: line(2), expected: 2, found: 1 },
        ),
        ("\n\n", Separator::Space, FileProblem::Empty),
        (
            "\u{1f}\u{8b}",
            Separator::Space,
            FileProblem::TooFewNumbers { at: line(1), expected: 1, found: 0 },
        ),
    ] {
        let found = read(text.as_bytes(), separator);
        match problem {
            // U+008B is two bytes in UTF-8, so this is text, which is not a valid vector.
            FileProblem::TooFewNumbers { expected: 1, .. } => assert!(found.is_err()),
            problem => assert_eq!(found, Err(problem), "{text:?}"),
        }
    }
    for format in [WordFormat::Glove, WordFormat::FastText, WordFormat::Word2vecBinary] {
        let error =
            WordVectors::reader(format).read_from(&b"\x1f\x8b\x08\0\0"[..], "a.gz").unwrap_err();
        assert_eq!(error.problem, FileProblem::Compressed);
        assert!(error.to_string().contains("gzip"), "{error}");
    }
}

/// A source whose reads are interrupted before each of them.
struct Interrupted<'a> {
    bytes: &'a [u8],
    is_next: bool,
}

impl Read for Interrupted<'_> {
    fn read(&mut self, out: &mut [u8]) -> IoResult<usize> {
        self.is_next = !self.is_next;
        if self.is_next { Err(ErrorKind::Interrupted.into()) } else { self.bytes.read(out) }
    }
}

#[test]
fn interrupted_reads_are_repeated() {
    let vectors = [1.5_f32, -2.0].map(f32::to_le_bytes).concat();
    let binary = [b"1 2\nword ", &vectors[..]].concat();
    for (format, bytes) in [
        (WordFormat::Glove, &b"word 1.5 -2\n"[..]),
        (WordFormat::Word2vecText, b"1 2\nword 1.5 -2\n"),
        (WordFormat::Word2vecBinary, &binary),
    ] {
        let source = BufReader::with_capacity(4, Interrupted { bytes, is_next: false });
        let vectors = WordVectors::reader(format).read_from(source, "memory").unwrap();
        assert_eq!((words(&vectors), vectors.table().ncols()), (vec![&b"word"[..]], 2));
    }
}
