//! Figures as pictures of the crate's `plot`.

use positional_encodings::Error;
use positional_encodings::plot::{Curve, Picture};

use crate::methods::{Content, Figure, Method};

/// The picture of a figure, with its English texts.
pub fn picture(method: &Method, figure: &Figure) -> Result<Picture, Error> {
    let picture = match &figure.content {
        Content::Heat(cells) => Picture::heat_map(cells.view())?,
        Content::Grids(names, grids) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Picture::grids(grids.view(), &names)?
        }
        Content::Curves { curves, stairs: true, .. } => match curves.as_slice() {
            [one, length] => Picture::wavelengths(&one.2, length.2[0])?,
            [before, after, length] => Picture::scaling(&before.2, &after.2, length.2[0])?,
            _ => return Err(Error::ZeroDim), // no figure has other stairs
        },
        Content::Curves { curves, .. } => {
            let curves: Result<Vec<Curve>, Error> =
                curves.iter().map(|(name, x, y)| Curve::new(name, x, y)).collect();
            Picture::by_distance(curves?)?
        }
    };
    let title = format!("{}: {}", method.name.en, lower(figure.title.en));
    Ok(picture.with_title(&title).with_axes(figure.x.en, figure.y.en))
}

/// Returns the text with a lower-case first letter, as after a colon.
fn lower(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_lowercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}
