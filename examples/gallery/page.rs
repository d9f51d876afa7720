//! The page: a template filled with the catalogue, the pictures and the compiled methods.

use crate::methods::{Method, PARTS, Text, catalogue, methods};

const HTML: &str = include_str!("page/page.html");
const CSS: &str = include_str!("page/page.css");
const DRAW: &str = include_str!("page/draw.js");
const SCRIPT: &str = include_str!("page/page.js");

/// The name of a method, and a PNG for it.
pub type Still = (&'static str, Vec<u8>);

/// The text of the page.
pub fn write(stills: &[Still], wasm: Option<&[u8]>) -> String {
    // `</script>` must not end a script early.
    let catalogue = catalogue().replace("</", "<\\/");
    HTML.replace("/* page.css */", CSS)
        .replace("/* draw.js */", DRAW)
        .replace("/* page.js */", SCRIPT)
        .replace("<!-- contents -->", &contents())
        .replace("<!-- parts -->", &parts(stills))
        .replace("<!-- catalogue -->", &catalogue)
        .replace("<!-- wasm -->", &wasm.map(packed).unwrap_or_default())
}

/// Compressed bytes, which the page unpacks.
fn packed(bytes: &[u8]) -> String {
    base64(&miniz_oxide::deflate::compress_to_vec_zlib(bytes, 9))
}

/// An element in both languages; the stylesheet shows one of them.
fn both(tag: &str, text: Text) -> String {
    let (en, zh) = (escaped(text.en), escaped(text.zh));
    format!("<{tag} lang=\"en\">{en}</{tag}><{tag} lang=\"zh\">{zh}</{tag}>")
}

fn contents() -> String {
    let link = |method: &Method| {
        format!("<li><a href=\"#{}\">{}</a></li>\n", method.id, both("span", method.name))
    };
    methods().map(link).collect()
}

fn parts(stills: &[Still]) -> String {
    let mut html = String::new();
    for (title, groups) in PARTS {
        html += &both("h2", *title);
        for method in groups.iter().copied().flatten() {
            let still = stills.iter().find(|(id, _)| *id == method.id);
            html += &section(method, still.map_or(&[][..], |(_, png)| png));
        }
    }
    html
}

fn section(method: &Method, still: &[u8]) -> String {
    let when = Text { en: "Use it when", zh: "何时使用：" };
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-name\">\n<h3 id=\"{id}-name\">{name}</h3>\n\
         {about}\n<p class=\"formula\"><code>{formula}</code></p>\n\
         <p lang=\"en\"><b>{en}</b> {when_en}</p><p lang=\"zh\"><b>{zh}</b>{when_zh}</p>\n\
         <form class=\"knobs\"></form>\n<dl class=\"facts\"></dl>\n\
         <div class=\"figures\"><img alt=\"{alt}\" loading=\"lazy\" width=\"400\" height=\"260\" \
         src=\"data:image/png;base64,{still}\"></div>\n</section>\n",
        id = method.id,
        name = both("span", method.name),
        about = both("p", method.about),
        formula = escaped(method.formula),
        en = when.en,
        when_en = escaped(method.when.en),
        zh = when.zh,
        when_zh = escaped(method.when.zh),
        alt = escaped(method.name.en),
        still = base64(still),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Returns bytes in base64 (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * i)) as usize % 64];
            text.push(if i <= chunk.len() { letter as char } else { '=' });
        }
    }
    text
}
