//! The part of YAML that calibrators write: maps by indentation, lists of numbers, words.
//!
//! Invariant: what is outside of that part (anchors, flow maps, block text, tags) is refused with its
//! line, never guessed. Nested lists are read row by row into one.
//!
//! Not here: what the keys mean.

use std::collections::BTreeMap;

use crate::ReadError;

/// Longest path of keys that is followed.
const DEPTH_MAX: usize = 16;

/// Every value by the path of its keys, parted by points.
pub(super) struct FlatYaml {
    values: BTreeMap<String, Value>,
    /// In the order of the file.
    roots: Vec<String>,
}

/// What stands under a key, and on which line.
struct Value {
    words: Vec<String>,
    line: u64,
}

struct Scope {
    indent: usize,
    path: String,
}

impl FlatYaml {
    /// Reads the whole of a file.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let text = std::str::from_utf8(bytes).map_err(|_| refuse(1, "the file is not UTF-8"))?;
        let mut yaml = Self { values: BTreeMap::new(), roots: Vec::new() };
        let mut scopes: Vec<Scope> = Vec::new();
        let mut lines = (1_u64..).zip(text.lines());
        while let Some((line, raw)) = lines.next() {
            let content = without_comment(raw);
            let indent = content.len() - content.trim_start_matches(' ').len();
            let mut content = content.trim().to_owned();
            let is_skipped = content.is_empty() || content == "---" || content.starts_with('%');
            if is_skipped {
                continue;
            }
            // A list goes on until its brackets are closed.
            while content.matches('[').count() > content.matches(']').count() {
                let Some((_, more)) = lines.next() else {
                    return Err(refuse(line, "a list is not closed"));
                };
                content.push(' ');
                content.push_str(without_comment(more).trim());
            }
            if content == "-" || content.starts_with("- ") {
                scopes.retain(|scope| scope.indent <= indent);
                let Some(scope) = scopes.last() else {
                    return Err(refuse(line, "a list without a name"));
                };
                let words = words(&content[1..], line)?;
                let value = Value { words: Vec::new(), line };
                let value = yaml.values.entry(scope.path.clone()).or_insert(value);
                value.words.extend(words);
            } else {
                scopes.retain(|scope| scope.indent < indent);
                yaml.key(&mut scopes, (indent, &content), line)?;
            }
        }
        Ok(yaml)
    }

    fn key(
        &mut self,
        scopes: &mut Vec<Scope>,
        (indent, content): (usize, &str),
        line: u64,
    ) -> Result<(), ReadError> {
        let (key, rest) = content.split_once(':').ok_or_else(|| refuse(line, "no `key: value`"))?;
        let key = key.trim().trim_matches(['"', '\'']);
        let is_name = !key.is_empty() && !key.contains(['\t', '{', '[', '&', '*', '.']);
        if !is_name || !(rest.is_empty() || rest.starts_with(' ')) {
            return Err(refuse(line, "no `key: value`"));
        }
        if scopes.len() >= DEPTH_MAX {
            return Err(refuse(line, "keys are nested too deeply"));
        }
        let path = match scopes.last() {
            Some(scope) => format!("{}.{key}", scope.path),
            None => key.to_owned(),
        };
        if scopes.is_empty() {
            self.roots.push(key.to_owned());
        }
        if !rest.trim().is_empty() {
            let value = Value { words: words(rest, line)?, line };
            if self.values.insert(path.clone(), value).is_some() {
                return Err(refuse(line, "the key stands twice"));
            }
        }
        scopes.push(Scope { indent, path });
        Ok(())
    }

    /// Names at the first level.
    pub(super) fn roots(&self) -> Vec<String> {
        self.roots.clone()
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.values.contains_key(path)
    }

    /// A single word.
    pub(super) fn word(&self, path: &str) -> Option<&str> {
        match &self.values.get(path)?.words[..] {
            [word] => Some(word),
            _ => None,
        }
    }

    /// Numbers, finite.
    pub(super) fn list(&self, path: &str) -> Result<Vec<f64>, ReadError> {
        let words = self.values.get(path).map(|value| &value.words);
        let words = words.ok_or_else(|| self.refuse(path, "it is missing"))?;
        let number = |word: &String| word.parse::<f64>().ok().filter(|number| number.is_finite());
        let numbers: Option<Vec<f64>> = words.iter().map(number).collect();
        numbers.ok_or_else(|| self.refuse(path, "not all are numbers"))
    }

    /// So many numbers.
    pub(super) fn numbers<const COUNT: usize>(
        &self,
        path: &str,
    ) -> Result<[f64; COUNT], ReadError> {
        let list = self.list(path)?;
        let count = list.len();
        let problem = || self.refuse(path, &format!("{count} numbers where {COUNT} are needed"));
        list.try_into().map_err(|_| problem())
    }

    /// A whole number above zero.
    pub(super) fn count(&self, path: &str) -> Result<u32, ReadError> {
        let count = self.word(path).and_then(|word| word.parse().ok()).filter(|count| *count > 0);
        count.ok_or_else(|| self.refuse(path, "no whole number above zero"))
    }

    /// An error at the line of a key, or at the first line.
    pub(super) fn refuse(&self, path: &str, problem: &str) -> ReadError {
        let line = self.values.get(path).map_or(1, |value| value.line);
        match path {
            "" => refuse(line, problem),
            path => refuse(line, &format!("`{path}`: {problem}")),
        }
    }
}

fn refuse(line: u64, problem: &str) -> ReadError {
    ReadError::Line { line, column: 1, problem: problem.to_owned() }
}

/// A comment starts at `#` at the start or after a blank; no name or number here holds one.
fn without_comment(line: &str) -> &str {
    if line.starts_with('#') {
        return "";
    }
    line.find(" #").map_or(line, |at| &line[..at]).trim_end()
}

/// One word, or the words of a list, its inner brackets left out.
fn words(text: &str, line: u64) -> Result<Vec<String>, ReadError> {
    let text = text.trim();
    let outside = ['{', '}', '&', '*', '|', '>', '!', '\t'];
    if text.starts_with(outside) {
        return Err(refuse(line, "this form of YAML is not read: write lists and words"));
    }
    let is_list = text.starts_with('[');
    if is_list != text.ends_with(']') || text.matches('[').count() != text.matches(']').count() {
        return Err(refuse(line, "the brackets of a list do not match"));
    }
    if !is_list {
        return Ok(vec![text.trim_matches(['"', '\'']).to_owned()]);
    }
    let inner = text.replace(['[', ']'], "");
    let words = inner.split(',').map(|word| word.trim().trim_matches(['"', '\'']).to_owned());
    Ok(words.filter(|word| !word.is_empty()).collect())
}
