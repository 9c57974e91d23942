//! HTML that is well formed and escaped by construction.
//!
//! Invariant: foreign text enters only through [`Html::text`] and attribute values, where it is
//! escaped; every element that is opened is closed. Nothing here names another file or host.
//!
//! Not here: what the page says.

use std::fmt::Write;

/// A piece of a page, escaped and balanced.
#[derive(Clone, Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Nothing.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Foreign text, escaped.
    pub(super) fn text(text: &str) -> Self {
        Self(escape(text))
    }

    /// Markup of our own, balanced, written in the program.
    pub(super) fn markup(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// The piece followed by another.
    pub(super) fn with(mut self, next: Html) -> Self {
        self.0.push_str(&next.0);
        self
    }

    pub(super) fn push(&mut self, next: Html) {
        self.0.push_str(&next.0);
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(pieces: I) -> Self {
        pieces.into_iter().fold(Self::new(), Self::with)
    }
}

/// Text for element content or a quoted attribute.
///
/// Characters that no HTML page may hold, and those that turn the direction of the text around
/// them, become U+FFFD, so that what is read is what is written.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                escaped.push('\u{fffd}');
            }
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// `<name attributes>inner</name>`. For elements that must be closed.
pub(super) fn element(
    name: &'static str,
    attributes: &[(&'static str, &str)],
    inner: Html,
) -> Html {
    let mut html = format!("<{name}");
    for (key, value) in attributes {
        // Writing to a string cannot fail.
        let _ = write!(html, " {key}=\"{}\"", escape(value));
    }
    html.push('>');
    html.push_str(&inner.0);
    let _ = write!(html, "</{name}>");
    Html(html)
}

/// An element without attributes.
pub(super) fn plain(name: &'static str, inner: Html) -> Html {
    element(name, &[], inner)
}

/// An element with a class.
pub(super) fn classed(name: &'static str, class: &str, inner: Html) -> Html {
    element(name, &[("class", class)], inner)
}

/// Foreign sentences; what stands in backticks is set as a name.
pub(super) fn prose(text: &str) -> Html {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // A backtick without its partner is only a backtick.
        return Html::text(text);
    }
    let set = |(index, part): (usize, &&str)| match index % 2 {
        0 => Html::text(part),
        _ => code(part),
    };
    parts.iter().enumerate().map(set).collect()
}

/// A paragraph of foreign text.
pub(super) fn paragraph(text: &str) -> Html {
    plain("p", prose(text))
}

/// A name, id or digest, in the type of machines.
pub(super) fn code(text: &str) -> Html {
    plain("code", Html::text(text))
}

/// A short sentence in the place of a part that is missing.
pub(super) fn absent(sentence: &str) -> Html {
    classed("p", "absent", Html::text(sentence))
}

/// One list item per sentence.
pub(super) fn bullets(sentences: &[String]) -> Html {
    let items = sentences.iter().map(|sentence| plain("li", prose(sentence)));
    plain("ul", items.collect())
}

/// Terms with what they mean here.
pub(super) fn definitions(rows: Vec<(&str, Html)>) -> Html {
    let rows = rows.into_iter().map(|(term, meaning)| {
        let pair = plain("dt", Html::text(term)).with(plain("dd", meaning));
        plain("div", pair)
    });
    classed("dl", "facts", rows.collect())
}

/// What a column holds, and so how it is set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Words.
    Words(&'static str),
    /// Numbers, set right.
    Numbers(&'static str),
}

/// A table under a heading that says the same as its caption, which only screen readers show.
pub(super) fn sole_table(caption: &str, columns: &[Column], rows: Vec<Vec<Html>>) -> Html {
    classed("div", "sole", table(caption, columns, rows))
}

/// A table whose first column heads the rows; one sentence if there are none.
pub(super) fn table(caption: &str, columns: &[Column], rows: Vec<Vec<Html>>) -> Html {
    if rows.is_empty() {
        return absent(&format!("{caption}: there is nothing to list."));
    }
    let heads = columns.iter().map(|column| match column {
        Column::Words(title) => element("th", &[("scope", "col")], Html::text(title)),
        Column::Numbers(title) => {
            element("th", &[("scope", "col"), ("class", "number")], Html::text(title))
        }
    });
    let head = plain("thead", plain("tr", heads.collect()));
    let body = rows.into_iter().map(|row| {
        let cells = row.into_iter().zip(columns).enumerate();
        let cells = cells.map(|(index, (cell, column))| match (index, column) {
            (0, _) => element("th", &[("scope", "row")], cell),
            (_, Column::Words(_)) => plain("td", cell),
            (_, Column::Numbers(_)) => classed("td", "number", cell),
        });
        plain("tr", cells.collect())
    });
    let body = plain("tbody", body.collect());
    let caption = plain("caption", Html::text(caption));
    classed("div", "scroll", plain("table", caption.with(head).with(body)))
}
