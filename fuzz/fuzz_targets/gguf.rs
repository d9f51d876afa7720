//! Any bytes, read as a GGUF file.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use positional_encodings::checkpoint::Gguf;

fuzz_target!(|bytes: &[u8]| {
    let mut file = match Gguf::from_reader(Cursor::new(bytes), "fuzz") {
        Ok(file) => file,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let keys: Vec<String> = file.keys().map(str::to_string).collect();
    for key in keys.iter().take(16) {
        if let Ok(table) = file.table::<f64>(key) {
            assert!(table.len() <= bytes.len() && table.iter().all(|value| value.is_finite()));
        }
        let _ = file.learned::<f32>(key);
        let _ = file.vector::<f32>(key).map(|vector| assert!(vector.len() <= bytes.len()));
    }
    let _ = (file.architecture(), file.real("llama.rope.freq_base"), file.reals("llama.list"));
    if let Ok(model) = file.model_rotary() {
        for (_, spec) in model.types() {
            let dims = spec.filter(|spec| spec.dim <= 4096);
            let _ = dims.map(|spec| spec.rotary(5000).map(|rotary| rotary.frequencies()));
        }
    }
});
