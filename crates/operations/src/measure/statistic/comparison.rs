//! Equivalence, non-inferiority, and tests of no difference, on paired differences of units.
//!
//! Invariant: only equivalence within a margin, or non-inferiority by one, supports anything; a test
//! of no difference has no answer.
//! Units: those of the columns.

use tiepoint_assure::statistics::{
    StatisticsError,
    betting::{BettingPlan, betting_equivalence, betting_units_needed},
    choice::{Question, Test, Unfit, choose_test},
    difference::{exchange_test, wilcoxon_signed_rank},
    equivalence::{paired_equivalence, units_needed, welch_equivalence},
    noninferiority::{OneSidedTest, betting_noninferiority, paired_noninferiority},
};
use tiepoint_model::{
    Seed,
    verdict::{EquivalenceTest, TestKind},
};

use super::{
    super::input::read_numbers, Answer, Measured, MeasuredValue, PairColumns, PairedUnits,
    Statistic, count, differences::Differences, ends, unknown,
};
use crate::Error;

/// Units to be shown equivalent within a margin, or not worse by it.
#[derive(Clone, Debug)]
pub struct MarginRequest {
    /// The units.
    pub units: PairedUnits,
    /// `auto`, `betting` or `t`; `welch` for equivalence.
    pub test: String,
    /// The margin, in the unit of the columns.
    pub margin: f64,
    /// Largest possible absolute difference, for betting.
    pub bound: Option<f64>,
    /// Rows of a block, where the rows are of one run.
    pub block_length: Option<usize>,
    /// Error of each one-sided test.
    pub alpha: f64,
    /// Of the simulated size of a test on blocks.
    pub seed: Seed,
}

impl MarginRequest {
    /// The statistic with what is common to the tests of a margin.
    fn statistic(&self, id: &'static str) -> Statistic {
        let statistic = Statistic::new(id).with("alpha", self.alpha).with("margin", self.margin);
        match self.block_length {
            Some(length) => statistic.with("block_length", length),
            None => statistic,
        }
    }

    /// The largest difference, without which there is no betting.
    fn expect_bound(&self) -> Result<f64, Error> {
        self.bound.ok_or_else(|| needs("betting", "--bound"))
    }
}

/// Units of which "there is no difference" is tested.
#[derive(Clone, Debug)]
pub struct DifferenceTestRequest {
    /// The units.
    pub units: PairedUnits,
    /// `exchange` or `wilcoxon`.
    pub test: String,
    /// Random exchanges.
    pub exchange_count: u64,
    /// Of the exchanges.
    pub seed: Seed,
}

/// Tests two-sided equivalence within a margin.
///
/// # Errors
/// [`Error::Log`], [`Error::BadNumber`], [`Error::UnknownWord`]; those of the statistic for numbers
/// out of range.
pub fn measure_equivalence(request: &MarginRequest) -> Result<Measured, Error> {
    let MarginRequest { units, test, margin, bound, alpha, .. } = request;
    let statistic = request.statistic("stat.equivalence");
    if test == "welch" {
        return welch(&statistic.with("test", "welch_t"), request);
    }
    let differences = units.read(request.block_length)?;
    let size = differences.simulated_size(*margin, *alpha, request.seed);
    let question = differences.question([*margin, *alpha], *bound, size);
    let measured = match choice(test, &differences, &question)? {
        Err(unfit) => insufficient(&statistic, (differences.mean(), &differences), unfit)?,
        Ok(test) => decide(statistic, &differences, request, test)?,
    };
    Ok(differences.explain(measured, size))
}

/// The test for the units, or why none fits. Blocks of one run are never bet on: there the null
/// hypothesis does not hold unit by unit.
fn choice(
    word: &str,
    differences: &Differences,
    question: &Question,
) -> Result<Result<Test, Unfit>, Error> {
    match (word, differences.blocks.is_some()) {
        ("auto", _) | ("t", true) => Ok(choose_test(question)),
        ("t", false) => Ok(Ok(Test::PairedT)),
        ("betting", false) => Ok(Ok(Test::Betting)),
        ("betting", true) => Err(unknown("--test with --block-length", "betting", "auto, t")),
        (other, _) => Err(unknown("--test", other, "auto, betting, t; welch for equivalence")),
    }
}

/// One test on the differences, with the units that it would need.
fn decide(
    statistic: Statistic,
    differences: &Differences,
    request: &MarginRequest,
    test: Test,
) -> Result<Measured, Error> {
    let MarginRequest { margin, alpha, .. } = *request;
    let values = &differences.values;
    if test == Test::Betting {
        let bound = request.expect_bound()?;
        let statistic = statistic.with("test", "betting").with("bound", bound);
        let found = betting_equivalence(values, margin, bound, alpha).and_then(|found| {
            let EquivalenceTest { estimate, sd, .. } = found;
            let plan = BettingPlan { estimate, sd, margin, bound, alpha, power: 0.8 };
            let needed = betting_units_needed(&plan)?;
            Ok((test_values(&found, (values.len(), alpha), needed), answer(&found, alpha)))
        });
        return statistic.answered(found);
    }
    let statistic = statistic.with("test", "paired_t");
    let found = paired_equivalence(values, margin, alpha).map(|found| {
        let needed = units_needed(found.estimate, found.sd, margin, alpha);
        (test_values(&found, (values.len(), alpha), needed), answer(&found, alpha))
    });
    let mut measured = statistic.answered(found)?;
    measured.notes.push("a t test holds for a number of units fixed before looking".to_owned());
    Ok(measured)
}

fn needs(test: &str, option: &'static str) -> Error {
    Error::NeedsOption { what: format!("--test {test}"), option }
}

fn welch(statistic: &Statistic, request: &MarginRequest) -> Result<Measured, Error> {
    let PairedUnits { units, columns: PairColumns::Pair { real, synthetic }, drop_missing } =
        &request.units
    else {
        return Err(needs("welch", "--real and --synthetic"));
    };
    let read = |name: &String| read_numbers(units, std::slice::from_ref(name), *drop_missing);
    let (real, synthetic) = (read(real)?, read(synthetic)?);
    let (real, synthetic) = (&real.columns[0], &synthetic.columns[0]);
    let found = welch_equivalence(synthetic, real, request.margin, request.alpha).map(|found| {
        let mut values = test_values(&found, (real.len(), request.alpha), None);
        values.push(MeasuredValue::count("synthetic_n", synthetic.len()));
        (values, answer(&found, request.alpha))
    });
    statistic.answered(found)
}

/// Equivalent, different, or neither; contradictory crossings are neither.
pub(super) fn answer(test: &EquivalenceTest, alpha: f64) -> Answer {
    let is_within = test.p_lower <= alpha && test.p_upper <= alpha;
    match (is_within, test.p_outside <= alpha) {
        (true, false) => Answer::Yes,
        (false, true) => Answer::No,
        _ => Answer::InsufficientEvidence,
    }
}

fn test_values(
    test: &EquivalenceTest,
    (n, alpha): (usize, f64),
    needed: Option<u64>,
) -> Vec<MeasuredValue> {
    let real = |name, value| MeasuredValue::real(name, value, "value");
    let chance = |name, value| MeasuredValue::real(name, value, "1");
    let mut values = vec![real("value", test.estimate)];
    values.extend(ends(test.interval, "value"));
    values.push(chance("level", 1.0 - 2.0 * alpha));
    values.push(chance("p_lower", test.p_lower));
    values.push(chance("p_upper", test.p_upper));
    values.push(chance("p_outside", test.p_outside));
    values.push(real("smallest_passing_margin", test.smallest_passing_margin));
    values.push(real("sd", test.sd));
    if let Some(degrees) = test.degrees_of_freedom {
        values.push(chance("degrees_of_freedom", degrees));
    }
    values.push(MeasuredValue::count("n", n));
    if test.kind != TestKind::WelchT {
        values.push(count("units_needed", needed));
    }
    values
}

/// The estimate alone, and why no test fits.
fn insufficient(
    statistic: &Statistic,
    (mean, differences): (f64, &Differences),
    unfit: Unfit,
) -> Result<Measured, Error> {
    if let Unfit::OutOfRange { name, value, requirement } = unfit {
        return Err(StatisticsError::OutOfRange { name, value, requirement }.into());
    }
    let answer = Answer::InsufficientEvidence;
    let values = vec![
        answer.value(),
        MeasuredValue::word("reason", &unfit.to_string()),
        MeasuredValue::real("value", mean, "value"),
        MeasuredValue::count("n", differences.values.len()),
    ];
    let notes = vec![format!("hint: {}", unfit.hint())];
    Ok(Measured { notes, answer: Some(answer), ..statistic.measured(values) })
}

/// Tests that the synthetic side is not worse by the margin; `safe_side` of a difference is `higher`
/// or `lower`.
///
/// # Errors
/// As [`measure_equivalence`].
pub fn measure_noninferiority(request: &MarginRequest, safe_side: &str) -> Result<Measured, Error> {
    let MarginRequest { margin, alpha, .. } = request;
    let mut differences = request.units.read(request.block_length)?;
    match safe_side {
        "higher" => {}
        "lower" => differences.values.iter_mut().for_each(|value| *value = -*value),
        other => return Err(unknown("--safe-side", other, "higher, lower")),
    }
    let statistic = request.statistic("stat.noninferiority").with("safe_side", safe_side);
    let sign = if safe_side == "lower" { -1.0 } else { 1.0 };
    // At the margin the one-sided test errs as often as both sides together do.
    let size = differences.simulated_size(*margin, *alpha, request.seed);
    let question = differences.question([*margin, *alpha], request.bound, size);
    let values = &differences.values;
    let (statistic, found) = match choice(&request.test, &differences, &question)? {
        Err(unfit) => {
            let mean = sign * differences.mean();
            let measured = insufficient(&statistic, (mean, &differences), unfit)?;
            return Ok(differences.explain(measured, size));
        }
        Ok(Test::Betting) => {
            let bound = request.expect_bound()?;
            let statistic = statistic.with("test", "betting").with("bound", bound);
            (statistic, betting_noninferiority(values, *margin, bound, *alpha))
        }
        Ok(_) => {
            (statistic.with("test", "paired_t"), paired_noninferiority(values, *margin, *alpha))
        }
    };
    let found = found.map(|found| one_sided_values(&found, sign, (values.len(), *alpha)));
    Ok(differences.explain(statistic.answered(found)?, size))
}

fn one_sided_values(
    test: &OneSidedTest,
    sign: f64,
    (n, alpha): (usize, f64),
) -> (Vec<MeasuredValue>, Answer) {
    let answer = if test.p <= alpha { Answer::Yes } else { Answer::InsufficientEvidence };
    let values = vec![
        MeasuredValue::real("value", sign * test.estimate, "value"),
        MeasuredValue::real("bound", sign * test.bound_low, "value"),
        MeasuredValue::real("p_value", test.p, "1"),
        MeasuredValue::real("smallest_passing_margin", test.smallest_passing_margin, "value"),
        MeasuredValue::count("n", n),
    ];
    (values, answer)
}

/// Tests that there is no difference: a diagnostic, which supports nothing.
///
/// # Errors
/// As [`measure_equivalence`].
pub fn measure_difference_test(request: &DifferenceTestRequest) -> Result<Measured, Error> {
    let differences = request.units.read(None)?;
    let statistic = Statistic::new("stat.no_difference").with("test", &request.test);
    let values = &differences.values;
    let (statistic, found) = match request.test.as_str() {
        "exchange" => {
            let statistic =
                statistic.with("exchanges", request.exchange_count).with("seed", request.seed.0);
            (
                statistic,
                exchange_test(values, request.exchange_count, request.seed).map(|p| vec![p]),
            )
        }
        "wilcoxon" => (statistic, wilcoxon_signed_rank(values).map(|(rank, p)| vec![p, rank])),
        other => return Err(unknown("--test", other, "exchange, wilcoxon")),
    };
    let found = found.map(|found| {
        let mut values = vec![MeasuredValue::real("value", found[0], "1")];
        let rank_sum = found.get(1).map(|rank| MeasuredValue::real("rank_sum", *rank, "1"));
        values.extend(rank_sum);
        values.push(MeasuredValue::real("mean", differences.mean(), "value"));
        values.push(MeasuredValue::count("n", differences.values.len()));
        values
    });
    let mut measured = statistic.of(found)?;
    measured.notes.push("a large p supports nothing: see stat.equivalence".to_owned());
    Ok(differences.explain(measured, None))
}
