//! What a golden test adds to the conformance page: one line for each case, which
//! `cargo xtask conformance` reads.
//!
//! Invariant: a line is printed if and only if every comparison of its case held; the version is
//! the one that the golden file records.
//! A difference is relative to the expected number; where that is below 1e-6 in size, such as the
//! zeros of an aligned origin, it is the difference itself.
//!
//! Not here: tolerances, which belong to each test.

use std::{cell::RefCell, fmt::Display};

use serde_json::{Value, json};

const SMALL: f64 = 1e-6;

thread_local! {
    /// Numbers compared, and the largest difference, of the case that is open on this thread.
    static OPEN: RefCell<Option<(u64, f64)>> = const { RefCell::new(None) };
}

/// A case that lasts until it is dropped.
#[must_use = "a case ends where it is dropped"]
pub(crate) struct Case(Value);

/// Opens a case of `metric` against `package`, whose version stands in the golden file under
/// `versions`. `mode` is `one` for a metric that has no other, else `compat` or `corrected`.
pub(crate) fn case(metric: impl Display, mode: &str, golden: &Value, package: &str) -> Case {
    OPEN.with_borrow_mut(|open| {
        assert!(open.is_none(), "a case is open already");
        *open = Some((0, 0.0));
    });
    let is_public = ["files_sha256", "file_sha256"].iter().any(|key| golden.get(key).is_some());
    Case(json!({
        "metric": metric.to_string(),
        "mode": mode,
        "reference": package,
        "version": golden["versions"][package].as_str().unwrap_or("not recorded"),
        "inputs": if is_public { "public" } else { "shipped" },
    }))
}

/// Notes a comparison for the open case, if there is one.
pub(crate) fn compare(got: f64, expected: f64) {
    OPEN.with_borrow_mut(|open| {
        if let Some((count, largest)) = open {
            let scale = if expected.abs() < SMALL { 1.0 } else { expected.abs() };
            *count += 1;
            *largest = largest.max((got - expected).abs() / scale);
        }
    });
}

impl Drop for Case {
    #[expect(clippy::print_stdout, reason = "the line that the page is made from")]
    fn drop(&mut self) {
        let Some((count, largest)) = OPEN.take() else { return };
        if std::thread::panicking() {
            return;
        }
        assert!(count > 0, "a case without a comparison: {}", self.0);
        self.0["numbers"] = json!(count);
        self.0["largest"] = json!(largest);
        println!("conformance: {}", self.0);
    }
}
