//! The small pictures of the documentation.

use std::error::Error;
use std::path::Path;

use crate::draw;
use crate::methods::{answer, methods};

/// A request, which of its figures, a title, and the name of the file.
const PICTURES: [(&str, usize, &str, &str); 4] = [
    ("sinusoidal?len=64&dim=64", 1, "How similar positions are (sinusoidal)", "similarity.svg"),
    ("rotary?len=512&dim=128", 0, "Score of a query and a key by distance (rotary)", "rotary.svg"),
    (
        "scaling?dim=128&base=500000&method=Llama 3&factor=8&original=8192",
        0,
        "Wavelengths of Llama 3, before and after",
        "scaling.svg",
    ),
    ("alibi?len=64&heads=8", 0, "ALiBi: bias by distance", "alibi.svg"),
];

/// Writes the pictures to a folder.
pub fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    for (request, figure, title, file) in PICTURES {
        let id = request.split('?').next().unwrap_or_default();
        let method = methods().find(|method| method.id == id).ok_or("no such method")?;
        let answer = answer(request)?;
        let picture = draw::picture(method, &answer.figures[figure])?;
        picture.with_title(title).with_size(560, 320).save(folder.join(file))?;
        println!("docs/{file}");
    }
    Ok(())
}
