//! Every method answers with any values of its knobs.

use gallery_page::methods::{Content, PARTS, answer, answer_json, catalogue, methods};
use serde_json::Value;

#[test]
fn every_value_of_every_knob_has_figures() {
    for method in methods() {
        let mut requests = vec![method.id.to_string()];
        for knob in method.knobs {
            requests.extend(
                knob.values.iter().map(|value| format!("{}?{}={value}", method.id, knob.name)),
            );
        }
        for request in requests {
            let answer = answer(&request).unwrap_or_else(|refusal| panic!("{request}: {refusal}"));
            assert!(!answer.figures.is_empty(), "{request}");
            for figure in &answer.figures {
                let finite = match &figure.content {
                    Content::Heat(cells) => cells.iter().all(|value| value.is_finite()),
                    Content::Grids(names, grids) => {
                        assert_eq!(names.len(), grids.dim().0, "{request}");
                        grids.iter().all(|value| value.is_finite())
                    }
                    Content::Curves { curves, logarithmic, .. } => {
                        assert!(curves.iter().all(|(_, x, y)| x.len() == y.len() && !x.is_empty()));
                        let mut values = curves.iter().flat_map(|(_, x, y)| x.iter().chain(y));
                        assert!(!logarithmic || curves.iter().all(|(_, _, y)| y[0] > 0.0));
                        values.all(|value| value.is_finite())
                    }
                };
                assert!(finite, "{request}: {}", figure.title.en);
            }
        }
    }
}

#[test]
fn knobs_change_the_answer() {
    for method in methods().filter(|method| !method.knobs.is_empty()) {
        let plain = answer_json(method.id);
        let moved = method.knobs.iter().any(|knob| {
            let other = knob.values[(knob.start + 1) % knob.values.len()];
            answer_json(&format!("{}?{}={other}", method.id, knob.name)) != plain
        });
        assert!(moved, "{}", method.id);
    }
}

#[test]
fn what_is_not_known_is_refused() {
    let refusals = ["nothing", "sinusoidal?depth=3", "sinusoidal?dim=7", "sinusoidal?dim", ""];
    for request in refusals {
        let json: Value = serde_json::from_str(&answer_json(request)).unwrap();
        assert!(json["error"].is_string(), "{request}: {json}");
    }
    // 16 features cannot be divided among DETR's two axes and their pairs in this way.
    assert!(answer("grid?recipe=DETR&dim=16").is_ok());
}

#[test]
fn the_catalogue_is_json_and_has_both_languages() {
    let json: Value = serde_json::from_str(&catalogue()).unwrap();
    let parts = json.as_array().unwrap();
    assert_eq!(parts.len(), PARTS.len());
    let listed: usize = parts.iter().map(|part| part["methods"].as_array().unwrap().len()).sum();
    assert_eq!(listed, methods().count());
    let mut ids: Vec<&str> = methods().map(|method| method.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), listed);
    for method in methods() {
        for text in [method.name, method.about, method.when] {
            assert!(!text.en.is_empty() && !text.zh.is_empty(), "{}", method.id);
        }
        let chinese = |c: char| ('\u{4e00}'..'\u{9fff}').contains(&c);
        assert!(method.about.zh.contains(chinese) && !method.about.en.contains(chinese));
        assert!(method.knobs.iter().all(|knob| knob.start < knob.values.len()), "{}", method.id);
    }
}

#[test]
fn numbers_are_those_of_the_formula() {
    let json: Value = serde_json::from_str(&answer_json("sinusoidal?dim=8&len=16")).unwrap();
    let rows = json["figures"][0]["rows"].as_array().unwrap();
    for (position, row) in rows.iter().enumerate() {
        for pair in 0..4 {
            let angle = position as f64 * 10_000_f64.powf(-(pair as f64) / 4.0);
            let near =
                |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-12;
            assert!(near(&row[2 * pair], angle.sin()) && near(&row[2 * pair + 1], angle.cos()));
        }
    }
    // A vector of dim 8 has norm 2, and the first of ALiBi's 8 heads subtracts a half for each
    // position.
    assert_eq!(json["facts"][0][1].as_f64(), Some(2.0));
    let json: Value = serde_json::from_str(&answer_json("alibi?heads=8&len=32")).unwrap();
    assert_eq!(json["figures"][0]["curves"][0]["y"][31].as_f64(), Some(-15.5));
}
