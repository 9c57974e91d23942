//! Many statements at once: adjusted p-values, discoveries by e-values, and the alpha of a reserve
//! that is asked again and again.
//!
//! Invariant: answers come in the order of the rows; a missing value is refused, since a family
//! that lost a member is another family.
//! Chances in `[0, 1]`; e-values at least 0.

use tiepoint_assure::statistics::{
    StatisticsError,
    investing::{AlphaLedger, Policy, Refusal},
    multiplicity::{benjamini_hochberg, benjamini_yekutieli, bonferroni, e_bh, holm},
};

use super::{
    super::{InputFile, MeasuredTable, input::read_numbers},
    Measured, MeasuredValue, Statistic, unknown,
};
use crate::Error;

/// A family of p-values.
#[derive(Clone, Debug)]
pub struct AdjustedRequest {
    /// CSV or Parquet, one row for each statement.
    pub family: InputFile,
    /// The column of p-values.
    pub column: String,
    /// `holm`, `bonferroni`, `benjamini-hochberg` or `benjamini-yekutieli`.
    pub method: String,
    /// Statements with an adjusted p at or below are rejected.
    pub alpha: f64,
}

/// A family of e-values.
#[derive(Clone, Debug)]
pub struct DiscoveryRequest {
    /// CSV or Parquet, one row for each statement.
    pub family: InputFile,
    /// The column of e-values.
    pub column: String,
    /// Expected share of false discoveries at most.
    pub alpha: f64,
}

/// Questions asked one after the other of one reserve.
#[derive(Clone, Debug)]
pub struct AlphaInvestingRequest {
    /// CSV or Parquet, one row for each question in their order.
    pub family: InputFile,
    /// The column of p-values.
    pub column: String,
    /// `spending` or `investing`.
    pub policy: String,
    /// The error that may be made in all.
    pub wealth: f64,
    /// Earned by a rejection when investing; `None` for the first wealth.
    pub reward: Option<f64>,
    /// The level of each question; `None` for half of what can be asked.
    pub alpha: Option<f64>,
}

/// Adjusts p-values for their number.
///
/// # Errors
/// [`Error::Log`], [`Error::BadNumber`], [`Error::UnknownWord`]; a p-value outside `[0, 1]`.
pub fn measure_adjusted(request: &AdjustedRequest) -> Result<Measured, Error> {
    let AdjustedRequest { family, column, method, alpha } = request;
    let adjust = match method.as_str() {
        "holm" => holm,
        "bonferroni" => bonferroni,
        "benjamini-hochberg" => benjamini_hochberg,
        "benjamini-yekutieli" => benjamini_yekutieli,
        other => {
            let known = "holm, bonferroni, benjamini-hochberg, benjamini-yekutieli";
            return Err(unknown("--method", other, known));
        }
    };
    let p_values = chances(family, column)?;
    check("alpha", *alpha, *alpha > 0.0 && *alpha < 1.0, "between 0 and 1")?;
    let adjusted = adjust(&p_values);
    let is_rejected = |p: &f64| *p <= *alpha;
    let statistic = Statistic::new("stat.adjusted_p").with("alpha", alpha).with("method", method);
    let mut measured = statistic.measured(vec![
        MeasuredValue::count("value", adjusted.iter().filter(|p| is_rejected(p)).count()),
        MeasuredValue::count("n", adjusted.len()),
    ]);
    let rows = p_values.iter().zip(&adjusted).enumerate().map(|(index, (p, adjusted))| {
        vec![
            MeasuredValue::count("row", index + 1),
            MeasuredValue::real("p_value", *p, "1"),
            MeasuredValue::real("adjusted", *adjusted, "1"),
            MeasuredValue::json("rejected", is_rejected(adjusted).into(), ""),
        ]
    });
    measured.tables.push(MeasuredTable { name: "family".to_owned(), rows: rows.collect() });
    measured.notes.push("`value` is the number of rejections".to_owned());
    Ok(measured)
}

/// Which statements e-values let one reject, under any dependence.
///
/// # Errors
/// As [`measure_adjusted`]; an e-value below 0.
pub fn measure_discoveries(request: &DiscoveryRequest) -> Result<Measured, Error> {
    let DiscoveryRequest { family, column, alpha } = request;
    let table = read_numbers(family, std::slice::from_ref(column), false)?;
    let e_values = &table.columns[0];
    if let Some(e) = e_values.iter().find(|e| **e < 0.0) {
        check("e-value", *e, false, "0 or more")?;
    }
    check("alpha", *alpha, *alpha > 0.0 && *alpha < 1.0, "between 0 and 1")?;
    let rejected = e_bh(e_values, *alpha);
    let statistic = Statistic::new("stat.e_bh").with("alpha", alpha);
    let mut measured = statistic.measured(vec![
        MeasuredValue::count("value", rejected.iter().filter(|rejected| **rejected).count()),
        MeasuredValue::count("n", rejected.len()),
    ]);
    let rows = e_values.iter().zip(&rejected).enumerate().map(|(index, (e, rejected))| {
        vec![
            MeasuredValue::count("row", index + 1),
            MeasuredValue::real("e_value", *e, "1"),
            MeasuredValue::json("rejected", (*rejected).into(), ""),
        ]
    });
    measured.tables.push(MeasuredTable { name: "family".to_owned(), rows: rows.collect() });
    measured.notes.push("`value` is the number of rejections".to_owned());
    Ok(measured)
}

/// Asks questions in their order until the reserve is spent.
///
/// # Errors
/// As [`measure_adjusted`]; a wealth, reward or level out of range.
pub fn measure_alpha_investing(request: &AlphaInvestingRequest) -> Result<Measured, Error> {
    let AlphaInvestingRequest { wealth, alpha, .. } = request;
    let reward = request.reward.unwrap_or(*wealth);
    let statistic = Statistic::new("stat.alpha_investing")
        .with("policy", &request.policy)
        .with("wealth", wealth)
        .with("level", alpha.map_or("half".to_owned(), |alpha| alpha.to_string()));
    let (policy, statistic) = match request.policy.as_str() {
        "spending" => (Policy::Spending, statistic),
        "investing" => (Policy::Investing { reward }, statistic.with("reward", reward)),
        other => return Err(unknown("--policy", other, "spending, investing")),
    };
    let p_values = chances(&request.family, &request.column)?;
    let mut ledger = AlphaLedger::new(*wealth, policy).map_err(out_of_range)?;
    let mut rows = Vec::new();
    for (index, p) in p_values.iter().enumerate() {
        let level = alpha.unwrap_or(0.5 * ledger.alpha_max());
        let mut row = vec![
            MeasuredValue::count("row", index + 1),
            MeasuredValue::real("p_value", *p, "1"),
            MeasuredValue::real("level", level, "1"),
        ];
        match ledger.charge(level) {
            Ok(_) => {
                let is_rejected = *p <= level;
                let wealth = ledger.settle(is_rejected).map_err(out_of_range)?;
                row.push(MeasuredValue::json("rejected", is_rejected.into(), ""));
                row.push(MeasuredValue::real("wealth", wealth, "1"));
            }
            Err(refusal @ Refusal::Spent { .. }) => {
                row.push(MeasuredValue::undefined("rejected", ""));
                row.push(MeasuredValue::real("wealth", ledger.wealth(), "1"));
                row.push(MeasuredValue::word("reason", &refusal.to_string()));
            }
            Err(refusal) => return Err(out_of_range(refusal)),
        }
        rows.push(row);
    }
    let [question_count, rejection_count] = ledger.counts();
    let refused_count = p_values.len() as u64 - question_count;
    let mut measured = statistic.measured(vec![
        super::count("value", Some(rejection_count)),
        super::count("n", Some(question_count)),
        super::count("refused_count", Some(refused_count)),
        MeasuredValue::real("wealth_left", ledger.wealth(), "1"),
    ]);
    measured.is_defined = refused_count == 0;
    measured.tables.push(MeasuredTable { name: "questions".to_owned(), rows });
    measured.notes.push("`value` is the number of rejections".to_owned());
    if refused_count > 0 {
        measured.notes.push(format!(
            "{refused_count} questions were not asked: the reserve could not pay for them"
        ));
    }
    Ok(measured)
}

fn out_of_range(refusal: Refusal) -> Error {
    match refusal {
        Refusal::OutOfRange { name, value, requirement } => {
            StatisticsError::OutOfRange { name, value, requirement }.into()
        }
        // Every question is charged, then settled.
        _ => StatisticsError::NotIdentified { name: "wealth", reason: "questions overlap" }.into(),
    }
}

fn chances(family: &InputFile, column: &str) -> Result<Vec<f64>, Error> {
    let table = read_numbers(family, &[column.to_owned()], false)?;
    let p_values = &table.columns[0];
    if let Some(p) = p_values.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        check("p-value", *p, false, "between 0 and 1")?;
    }
    Ok(p_values.clone())
}

fn check(
    name: &'static str,
    value: f64,
    inside: bool,
    requirement: &'static str,
) -> Result<(), StatisticsError> {
    if inside { Ok(()) } else { Err(StatisticsError::OutOfRange { name, value, requirement }) }
}
