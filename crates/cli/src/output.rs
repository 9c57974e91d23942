//! What a person or a program sees: tables or JSON on standard output, words on standard error.
#![expect(clippy::print_stderr, reason = "room: stdout")]

use std::io::{IsTerminal as _, Write as _};

/// Where results go.
pub(crate) struct Output {
    json: bool,
    progress_shown: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, progress_shown: false }
    }

    /// True if the caller asked for JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// One JSON document.
    pub(crate) fn json(&mut self, value: &serde_json::Value) {
        self.clear_progress();
        print_quietly(&format!("{value:#}\n"));
    }

    /// A line of data.
    pub(crate) fn line(&mut self, text: &str) {
        self.clear_progress();
        print_quietly(&format!("{text}\n"));
    }

    /// A table: a header and rows of the same width; the widest cell sets the column.
    pub(crate) fn table(&mut self, header: &[&str], rows: &[Vec<String>]) {
        self.clear_progress();
        print_quietly(&render_table(header, rows));
    }

    /// Words for a person, beside the data.
    pub(crate) fn say(&mut self, text: &str) {
        self.clear_progress();
        if !self.json {
            eprintln!("{text}");
        }
    }

    /// What is being done now; replaces the last such line on a terminal.
    pub(crate) fn progress(&mut self, text: &str) {
        if std::io::stderr().is_terminal() {
            eprint!("\r\x1b[2K{text}");
            let _ = std::io::stderr().flush();
            self.progress_shown = true;
        } else if !self.json {
            eprintln!("  {text}");
        }
    }

    /// An error, its causes, and what to do next.
    pub(crate) fn complain(&mut self, message: &str, causes: &[String], hint: &str) {
        self.clear_progress();
        eprintln!("error: {message}");
        for cause in causes {
            eprintln!("  caused by: {cause}");
        }
        if !hint.is_empty() {
            eprintln!("\nhint: {hint}");
        }
    }

    fn clear_progress(&mut self) {
        if std::mem::take(&mut self.progress_shown) {
            eprint!("\r\x1b[2K");
        }
    }
}

/// Prints, and does not mind a reader that has gone away (`| head`).
fn print_quietly(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// Columns padded to their widest cell, two spaces between, no trailing blanks.
fn render_table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let render = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| {
                let blanks = width.saturating_sub(cell.chars().count());
                format!("{cell}{}", " ".repeat(blanks))
            })
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = render(&mut header.iter().copied());
    let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    text.push_str(&render(&mut rules.iter().map(String::as_str)));
    for row in rows {
        text.push_str(&render(&mut row.iter().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["/scan".to_owned(), "343".to_owned()]];
        let expected = "topic  messages\n─────  ────────\n/scan  343\n";
        assert_eq!(render_table(&["topic", "messages"], &rows), expected);
    }
}
