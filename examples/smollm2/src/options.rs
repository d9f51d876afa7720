//! The options of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

/// The arguments.
pub struct Options {
    /// Whether to do less of each part.
    pub quick: bool,
    /// Whether to print the table beyond the length of training, too.
    pub long: bool,
    /// The folder of the GGUF file.
    pub weights: Option<PathBuf>,
    /// The file to be scored.
    pub text: Option<PathBuf>,
    /// The question to the model.
    pub question: String,
}

impl Options {
    /// Reads the arguments, without the name of the program.
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
