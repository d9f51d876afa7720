//! Any bytes, read as a safetensors file.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use ndarray::array;
use positional_encodings::checkpoint::{Architecture, Checkpoint};

fuzz_target!(|bytes: &[u8]| {
    let mut file = match Checkpoint::from_reader(Cursor::new(bytes), "fuzz") {
        Ok(file) => file,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let keys: Vec<String> = file.keys().map(str::to_string).collect();
    for key in keys.iter().take(16) {
        if let Ok(table) = file.table::<f64>(key) {
            assert!(table.len() <= bytes.len() && table.iter().all(|value| value.is_finite()));
        }
        let _ = file.table_rounded::<half::f16>(key);
        let _ = file.position_table::<f32>(key);
        let _ = file.learned_at::<f32>(key);
        let _ = file.learned_grid::<f32>(key);
        let _ = file.linear::<f32>(key.strip_suffix(".weight").unwrap_or(key));
        let _ = file.vector::<f64>(key).map(|vector| assert!(vector.len() <= bytes.len()));
    }
    let _ = file.sam_fourier();
    for architecture in [Architecture::Bert, Architecture::Gpt2, Architecture::Opt] {
        let _ = file.learned::<f32>(architecture);
        if let Ok(embedding) = file.embedding::<f32>(architecture) {
            let _ = embedding.embed(&array![[0, 1]]);
        }
    }
});
