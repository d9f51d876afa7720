//! What the command line asks for.

use std::ffi::OsString;
use std::path::PathBuf;

/// The arguments.
pub struct Options {
    /// Less of each.
    pub quick: bool,
    /// The table beyond the length of the training too.
    pub long: bool,
    /// The folder of the GGUF file.
    pub weights: Option<PathBuf>,
    /// The file to be scored.
    pub text: Option<PathBuf>,
    /// What the model is asked.
    pub question: String,
}

impl Options {
    /// Takes the arguments, without the name of the program.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let question = "What is the capital of France, and what is it known for?".to_string();
        let mut options = Self { quick: false, long: false, weights: None, text: None, question };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let argument = argument.to_str().ok_or("an argument is not UTF-8")?;
            let mut path = || {
                let path = arguments.next().map(PathBuf::from);
                path.ok_or(format!("{argument} needs a path"))
            };
            match argument {
                "--quick" => options.quick = true,
                "--long" => options.long = true,
                "--weights" => options.weights = Some(path()?),
                "--text" => options.text = Some(path()?),
                other if other.starts_with("--") => {
                    return Err(format!(
                        "{other} is not known: there are --quick, --long, --weights FOLDER, \
                         --text FILE, and a question"
                    ));
                }
                question => options.question = question.to_string(),
            }
        }
        Ok(options)
    }
}
