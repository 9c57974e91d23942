//! Deriving a published verdict again from what it publishes.
//!
//! Invariant: uses nothing but the verdict itself. The measured facts in its evidence (values,
//! dependence, reference error, vetoes) are taken as given; everything else is derived.
//!
//! Not here: that the claim's digest is the committed one, and that the signature holds.

use serde_json::Value;
use tiepoint_model::{
    ErrorKind,
    verdict::{PublishedEvidence, Verdict},
};

use crate::{
    evidence,
    judge::{JudgeError, Occasion, decide},
};

/// Relative tolerance of numbers: a reader that rounds the last digit is no forger. Our own reader
/// is exact, and then every bit agrees.
const TOLERANCE: f64 = 1e-9;

/// The first place where the published verdict is not what follows from its evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the verdict's `{path}` is {published}, and {derived} follows from its evidence")]
pub struct Difference {
    /// Where, as in `cells[0].directions[1].test.estimate`.
    pub path: String,
    /// What is published.
    pub published: String,
    /// What follows.
    pub derived: String,
}

impl Difference {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Corrupt
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        "do not rely on this verdict; ask its issuer for one that can be derived again".to_owned()
    }
}

/// Derives every interval, control and answer again and compares.
///
/// # Errors
/// The first [`Difference`], in the order of the verdict's fields.
pub fn recompute(verdict: &Verdict) -> Result<(), Difference> {
    let derived = derive(verdict).map_err(|error| Difference {
        path: "evidence".to_owned(),
        published: "given".to_owned(),
        derived: format!("nothing ({error})"),
    })?;
    compare("", &as_json(verdict), &as_json(&derived))
}

fn derive(verdict: &Verdict) -> Result<Verdict, JudgeError> {
    let claim = &verdict.claim;
    claim.validate(&[claim.metric.id.as_str()])?;
    let published = &verdict.evidence;
    let units = published
        .units
        .iter()
        .map(|unit| evidence::outcome(claim, &unit.direction, &unit.values))
        .collect::<Result<_, _>>()?;
    let rebuilt = PublishedEvidence { units, ..published.clone() };
    evidence::check(claim, &rebuilt)?;
    let occasion =
        Occasion { claim_digest: verdict.claim_digest, judged_at_ns: verdict.judged_at_ns };
    decide(claim, occasion, rebuilt)
}

fn as_json(verdict: &Verdict) -> Value {
    // A verdict has string keys and plain values only; were it not so, the comparison would fail.
    serde_json::to_value(verdict).unwrap_or(Value::Null)
}

fn compare(path: &str, published: &Value, derived: &Value) -> Result<(), Difference> {
    let differ = || {
        let (published, derived) = (published.to_string(), derived.to_string());
        Err(Difference { path: path.to_owned(), published, derived })
    };
    match (published, derived) {
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            for (key, value) in a {
                let Some(other) = b.get(key) else { return differ() };
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, value, other)?;
            }
            Ok(())
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.into_iter().try_for_each(|(index, (value, other))| {
                compare(&format!("{path}[{index}]"), value, other)
            })
        }
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) if (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()) => Ok(()),
            _ => differ(),
        },
        (a, b) if a == b && !a.is_object() && !a.is_array() => Ok(()),
        _ => differ(),
    }
}
