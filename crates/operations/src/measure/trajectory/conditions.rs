//! Under which condition each pose was driven, from a file of spans.
//!
//! Invariant: spans are half open and do not overlap; a pose in none belongs to no condition, and a
//! motion across two is in neither.
//! Seconds of the reference's clock, or rows from 0 where poses have no stamps.

use tiepoint_measure::{
    MeasureError, Metric,
    trajectory::{
        condition::{ErrorsByCondition, errors_by_condition},
        drift::DriftSegment,
    },
};
use tiepoint_model::Timestamp;

use super::{super::input::read_words, InputFile, MeasuredTable, MeasuredValue, pairing::Paired};
use crate::Error;

/// One span, half open.
struct ConditionSpan {
    from: i128,
    to: i128,
    condition: String,
}

/// The condition of each paired pose; `None` for none.
pub(super) fn labels(file: &InputFile, paired: &Paired) -> Result<Vec<Option<String>>, Error> {
    let spans = read(file, !paired.stamps.is_empty())?;
    let place = |index: usize| match paired.stamps.get(index) {
        Some(stamp) => i128::from(stamp.0),
        None => index as i128,
    };
    let label = |index: usize| {
        let after = spans.partition_point(|span| span.from <= place(index));
        let span = spans.get(after.checked_sub(1)?)?;
        (place(index) < span.to).then(|| span.condition.clone())
    };
    Ok((0..paired.reference.len()).map(label).collect())
}

fn read(file: &InputFile, is_stamped: bool) -> Result<Vec<ConditionSpan>, Error> {
    let ends = if is_stamped { ["from_s", "to_s"] } else { ["from_row", "to_row"] };
    let names: Vec<String> = ends.iter().chain(&["condition"]).map(|n| (*n).to_owned()).collect();
    let (rows, _) = read_words(file, &names, false)?;
    let bad = |row: usize, column: &str, problem: &str| Error::BadCell {
        path: file.path.clone(),
        row: row + 1,
        column: column.to_owned(),
        problem: problem.to_owned(),
    };
    let mut spans = Vec::new();
    for (row, words) in rows.iter().enumerate() {
        let end = |index: usize| -> Result<i128, Error> {
            let found = match is_stamped {
                true => Timestamp::from_decimal_seconds(&words[index]).map(|t| i128::from(t.0)),
                false => words[index].parse::<u32>().ok().map(i128::from),
            };
            let wanted = if is_stamped { "is no time in seconds" } else { "is no row from 0" };
            found.ok_or_else(|| bad(row, ends[index], wanted))
        };
        let (from, to) = (end(0)?, end(1)?);
        if to <= from {
            return Err(bad(row, ends[1], "is not after the span's start"));
        }
        // A condition is part of a metric's printed identity.
        if words[2].contains([';', '[', ']']) {
            return Err(bad(row, "condition", "holds `;`, `[` or `]`"));
        }
        spans.push((row, ConditionSpan { from, to, condition: words[2].clone() }));
    }
    spans.sort_by_key(|(_, span)| span.from);
    if let Some(pair) = spans.windows(2).find(|pair| pair[1].1.from < pair[0].1.to) {
        return Err(bad(pair[1].0, ends[0], "lies in another span"));
    }
    Ok(spans.into_iter().map(|(_, span)| span).collect())
}

/// One row for each condition, and a note of the sub-sequences that are in none.
pub(super) fn table(
    segments: &[DriftSegment],
    labels: &[Option<String>],
    [translation, rotation]: &[Metric; 2],
) -> Result<(MeasuredTable, Option<String>), MeasureError> {
    let pairs: Vec<(usize, usize)> =
        segments.iter().map(|segment| (segment.first_index, segment.last_index)).collect();
    let by = |error: &dyn Fn(&DriftSegment) -> f64| -> Result<ErrorsByCondition<_>, MeasureError> {
        let errors: Vec<f64> = segments.iter().map(error).collect();
        errors_by_condition(&errors, &pairs, labels)
    };
    let percents = by(&|segment| 100.0 * segment.translation_share)?;
    let degrees = by(&|segment| segment.rotation_rad_per_m * (180.0 / std::f64::consts::PI))?;
    let groups = percents.groups.iter().zip(degrees.groups.values());
    let rows = groups.filter_map(|((condition, percent), degree)| {
        let condition = condition.as_ref()?;
        let metric = |metric: &Metric| metric.clone().with("condition", condition).to_string();
        Some(vec![
            MeasuredValue::word("condition", condition),
            MeasuredValue::real("translation_percent", percent.mean, "%"),
            MeasuredValue::real("rotation_deg_per_m", degree.mean, "deg/m"),
            MeasuredValue::count("n", percent.n),
            MeasuredValue::word("translation_metric", &metric(translation)),
            MeasuredValue::word("rotation_metric", &metric(rotation)),
        ])
    });
    let table = MeasuredTable { name: "by_condition".to_owned(), rows: rows.collect() };
    let outside_count = percents.groups.get(&None).map_or(0, |group| group.n);
    let crossing_count = percents.crossing_count;
    let note = (outside_count + crossing_count > 0).then(|| {
        format!(
            "{crossing_count} sub-sequences cross from one condition into another, and \
             {outside_count} lie in none"
        )
    });
    Ok((table, note))
}
