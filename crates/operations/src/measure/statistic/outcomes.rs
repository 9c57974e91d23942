//! Shares of outcomes that are a success or not: one share, pairs, and two groups.
//!
//! Invariant: exact unless the method says otherwise; an outcome is 0 or 1.
//! Shares in `[0, 1]`.

use tiepoint_assure::statistics::{
    StatisticsError,
    binomial::{
        approximate::{agresti_coull, jeffreys, newcombe_difference, wilson},
        clopper_pearson,
        equivalence::paired_share_equivalence,
        paired::{PairedCounts, mcnemar_exact, paired_equivalence_interval},
        two_groups::unconditional_noninferiority,
    },
};

use super::{
    super::{
        InputFile,
        input::{NumberTable, dropped_note, read_numbers},
    },
    Answer, Measured, MeasuredValue, Statistic,
    comparison::answer,
    ends, unknown,
};
use crate::Error;

/// Outcomes, counted or in a file.
#[derive(Clone, Debug)]
pub enum OutcomeCounts {
    /// Successes and trials.
    Counts([u64; 2]),
    /// A column of 0 and 1.
    Column {
        /// CSV or Parquet.
        outcomes: InputFile,
        /// Which column.
        column: String,
        /// Leave out missing outcomes instead of refusing the file.
        drop_missing: bool,
    },
}

/// One share and how its interval is made.
#[derive(Clone, Debug)]
pub struct ShareRequest {
    /// The outcomes.
    pub outcomes: OutcomeCounts,
    /// `exact`, `wilson`, `jeffreys` or `agresti-coull`.
    pub method: String,
    /// The interval covers with chance `1 - alpha`.
    pub alpha: f64,
}

/// Outcomes of the same units, real and synthetic.
#[derive(Clone, Debug)]
pub struct PairedOutcomesRequest {
    /// CSV or Parquet, one row for each unit.
    pub outcomes: InputFile,
    /// Columns of 0 and 1, real and synthetic.
    pub columns: [String; 2],
    /// Leave out rows with a missing outcome instead of refusing the file.
    pub drop_missing: bool,
    /// Of the equivalence of the shares; `None` for no test of it.
    pub margin: Option<f64>,
    /// Error of each test; the interval covers with chance `1 - alpha`.
    pub alpha: f64,
}

/// Shares of two groups without pairs.
#[derive(Clone, Copy, Debug)]
pub struct TwoSharesRequest {
    /// Successes and trials of the group that must not be worse.
    pub first: [u64; 2],
    /// Successes and trials of the group it is held against.
    pub second: [u64; 2],
    /// The margin, in `[0, 1)`.
    pub margin: f64,
    /// Error of the test; the interval covers with chance `1 - alpha`.
    pub alpha: f64,
}

/// Measures the interval of a share.
///
/// # Errors
/// [`Error::Log`], [`Error::BadNumber`], [`Error::UnknownWord`]; those of the statistic.
pub fn measure_share(request: &ShareRequest) -> Result<Measured, Error> {
    let ShareRequest { outcomes, method, alpha } = request;
    let interval = match method.as_str() {
        "exact" => clopper_pearson,
        "wilson" => wilson,
        "jeffreys" => jeffreys,
        "agresti-coull" => agresti_coull,
        other => return Err(unknown("--method", other, "exact, wilson, jeffreys, agresti-coull")),
    };
    let ([successes, trials], note) = match outcomes {
        OutcomeCounts::Counts(counts) => (*counts, None),
        OutcomeCounts::Column { outcomes, column, drop_missing } => {
            let table = read_numbers(outcomes, std::slice::from_ref(column), *drop_missing)?;
            let found = booleans(&table, 0)?;
            let successes = found.iter().filter(|outcome| **outcome).count();
            let note = dropped_note(outcomes, table.dropped_count, "rows");
            ([successes as u64, found.len() as u64], note)
        }
    };
    let values = interval(successes, trials, *alpha).map(|interval| {
        let mut values = vec![MeasuredValue::real("value", share([successes, trials]), "1")];
        values.extend(ends(interval, "1"));
        values.extend([count("successes", successes), count("n", trials)]);
        values
    });
    let statistic = Statistic::new("stat.share").with("alpha", alpha).with("method", method);
    let mut measured = statistic.of(values)?;
    measured.notes.extend(note);
    Ok(measured)
}

fn count(name: &str, count: u64) -> MeasuredValue {
    super::count(name, Some(count))
}

fn share([successes, trials]: [u64; 2]) -> f64 {
    successes as f64 / trials as f64
}

fn booleans(table: &NumberTable, index: usize) -> Result<Vec<bool>, StatisticsError> {
    let outcome = |value: &f64| match *value {
        0.0 => Ok(false),
        1.0 => Ok(true),
        value => {
            let (name, requirement) = ("outcome", "0 or 1");
            Err(StatisticsError::OutOfRange { name, value, requirement })
        }
    };
    table.columns[index].iter().map(outcome).collect()
}

/// Measures the difference of two shares of the same units: McNemar's test, the exact interval,
/// and with a margin the exact test of equivalence.
///
/// # Errors
/// As [`measure_share`].
pub fn measure_paired_outcomes(request: &PairedOutcomesRequest) -> Result<Measured, Error> {
    let PairedOutcomesRequest { outcomes, columns, drop_missing, margin, alpha } = request;
    let table = read_numbers(outcomes, columns, *drop_missing)?;
    let (real, synthetic) = (booleans(&table, 0)?, booleans(&table, 1)?);
    let mut statistic = Statistic::new("stat.paired_outcomes").with("alpha", alpha);
    if let Some(margin) = margin {
        statistic = statistic.with("margin", margin);
    }
    let counts = PairedCounts::of(&synthetic, &real)?;
    let values = paired_values(&counts, *alpha)?;
    let mut measured = match margin {
        None => statistic.measured(values),
        Some(margin) => {
            let found = paired_share_equivalence(&counts, *margin, *alpha)?;
            let [low, high] = found.interval;
            let more = vec![
                MeasuredValue::real("equivalence_low", low, "1"),
                MeasuredValue::real("equivalence_high", high, "1"),
                MeasuredValue::real("p_lower", found.p_lower, "1"),
                MeasuredValue::real("p_upper", found.p_upper, "1"),
                MeasuredValue::real("p_outside", found.p_outside, "1"),
                MeasuredValue::real("smallest_passing_margin", found.smallest_passing_margin, "1"),
            ];
            statistic.answered(Ok(([values, more].concat(), answer(&found, *alpha))))?
        }
    };
    measured.notes.extend(dropped_note(outcomes, table.dropped_count, "rows"));
    measured.notes.push(
        "the difference is synthetic less real; a large p of McNemar's test supports nothing"
            .to_owned(),
    );
    Ok(measured)
}

fn paired_values(counts: &PairedCounts, alpha: f64) -> Result<Vec<MeasuredValue>, StatisticsError> {
    let pairs = counts.pairs()?;
    let difference = counts.synthetic_only as f64 - counts.real_only as f64;
    let mut values = vec![MeasuredValue::real("value", difference / pairs as f64, "1")];
    values.extend(ends(paired_equivalence_interval(counts, alpha)?, "1"));
    values.push(MeasuredValue::real("p_mcnemar", mcnemar_exact(counts), "1"));
    values.push(count("n", pairs));
    values.push(count("both", counts.both));
    values.push(count("synthetic_only", counts.synthetic_only));
    values.push(count("real_only", counts.real_only));
    values.push(count("neither", counts.neither));
    Ok(values)
}

/// Tests that the share of one group is not below that of another by the margin.
///
/// # Errors
/// Those of the statistic.
pub fn measure_two_shares(request: &TwoSharesRequest) -> Result<Measured, Error> {
    let TwoSharesRequest { first, second, margin, alpha } = *request;
    let statistic = Statistic::new("stat.two_shares").with("alpha", alpha).with("margin", margin);
    let found = unconditional_noninferiority(first, second, margin).and_then(|p| {
        let interval = newcombe_difference(first, second, alpha)?;
        let mut values = vec![MeasuredValue::real("value", share(first) - share(second), "1")];
        values.extend(ends(interval, "1"));
        values.push(MeasuredValue::real("p_value", p, "1"));
        values.extend([count("n", first[1]), count("second_n", second[1])]);
        let answer = if p <= alpha { Answer::Yes } else { Answer::InsufficientEvidence };
        Ok((values, answer))
    });
    let mut measured = statistic.answered(found)?;
    measured.notes.push("the test is exact, the interval Newcombe's approximation".to_owned());
    Ok(measured)
}
