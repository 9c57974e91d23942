//! The answer as a manager reads it, and the claim in words.
//!
//! Invariant: the answer is told by a word before any colour; every choice that could change it is
//! named.
//! Values in the shown unit of the margin.
//!
//! Not here: the numbers behind the answer.

use tiepoint_model::{
    claim::{
        Claim, ClaimKind, Independence, Outcome, ParameterValue, PositiveControlKind, Reserve,
        ReservePolicy, Split, SyntheticSource, UnitChoice, Worse,
    },
    verdict::{Answer, EquivalenceTest, Verdict},
};

use super::{
    ReportInput,
    html::{Html, classed, code, definitions, element, paragraph, plain, prose},
    text::{self, Scale, answer_word},
};

/// Badge, sentences and the few numbers that matter.
pub(super) fn hero(input: &ReportInput<'_>, scale: &Scale) -> Html {
    let verdict = input.verdict;
    let mark = match verdict.answer {
        Answer::Supported => "✓",
        Answer::Refuted => "✕",
        Answer::InsufficientEvidence => "?",
        Answer::NotAssessed => "–",
    };
    let mark = element("span", &[("class", "mark"), ("aria-hidden", "true")], Html::text(mark));
    let word = classed("span", "word", Html::text(answer_word(verdict.answer)));
    let badge = classed("p", "badge", mark.with(word));
    let meaning = classed("p", "meaning", Html::text(meaning(verdict.answer)));
    let answer = classed("div", "answer", badge.with(meaning));
    let sentence = classed("h1", "sentence", prose(input.sentence));
    let scope = classed("p", "scope", prose(&verdict.first_sentence));
    let why = plain("strong", Html::text("Why: ")).with(prose(&sentence_of(&verdict.reason)));
    let why = classed("p", "why", why);
    answer
        .with(sentence)
        .with(scope)
        .with(why)
        .with(exploratory(verdict))
        .with(tiles(verdict, scale))
}

fn meaning(answer: Answer) -> &'static str {
    match answer {
        Answer::Supported => "Shown, within the margin, under the stated conditions.",
        Answer::Refuted => "Shown to be outside the margin, or a check failed.",
        Answer::InsufficientEvidence => "Neither shown nor refuted. This is not a pass.",
        Answer::NotAssessed => "There is nothing to show it with. This is not a pass.",
    }
}

fn exploratory(verdict: &Verdict) -> Html {
    let Some(reason) = &verdict.exploratory else { return Html::new() };
    let title = plain("strong", Html::text("Exploratory. "));
    let said = format!(
        "The data was inspected before the claim was fixed, so this is a first look and no proof: \
         {}",
        sentence_of(reason)
    );
    let banner = plain("p", title.with(Html::text(&said)));
    element("aside", &[("class", "banner"), ("role", "note")], banner)
}

/// The few numbers that matter; those that do not exist are left out.
fn tiles(verdict: &Verdict, scale: &Scale) -> Html {
    let claim = &verdict.claim;
    let margin = format!("±{}", scale.chosen(claim.margin.value));
    let mut tiles = vec![tile("allowed difference", &margin, "the margin of the claim")];
    let tests: Vec<EquivalenceTest> = verdict
        .cells
        .iter()
        .flat_map(|cell| &cell.directions)
        .filter_map(|direction| direction.test)
        .collect();
    let largest = tests.iter().max_by(|a, b| a.estimate.abs().total_cmp(&b.estimate.abs()));
    if let Some(test) = largest {
        let shown = with_unit(scale, &scale.signed_bare(test.estimate));
        tiles.push(tile("largest difference", &shown, "synthetic minus real, as estimated"));
        let smallest = tests.iter().map(|test| test.smallest_passing_margin).fold(0.0, f64::max);
        let shown = format!("±{}", scale.plain(smallest));
        tiles.push(tile("would pass from", &shown, "the smallest margin shown everywhere"));
    }
    let measured = verdict.evidence.units.iter().filter(|unit| unit.difference.is_some()).count();
    if measured > 0 {
        let what = match claim.unit {
            UnitChoice::Block { length_s } => {
                format!("stretches of {}\u{a0}s", text::significant(length_s))
            }
            unit => unit.words()[1].to_owned(),
        };
        tiles.push(tile("units compared", &measured.to_string(), &what));
    }
    let judged = format!("judged {}", text::date(verdict.judged_at_ns));
    tiles.push(tile("holds until", &text::date(verdict.expires_at_ns), &judged));
    classed("dl", "tiles", tiles.into_iter().collect())
}

fn tile(term: &str, value: &str, note: &str) -> Html {
    let value = classed("dd", "value", Html::text(value));
    let note = classed("dd", "note", Html::text(note));
    plain("div", plain("dt", Html::text(term)).with(value).with(note))
}

fn with_unit(scale: &Scale, shown: &str) -> String {
    format!("{shown}\u{a0}{}", scale.unit).trim_end().to_owned()
}

/// The claim, choice by choice.
pub(super) fn claim(claim: &Claim, scale: &Scale) -> Html {
    let statement = classed("blockquote", "statement", paragraph(&claim.statement));
    let margin = format!("±{}. ", scale.chosen(claim.margin.value));
    let margin =
        plain("strong", Html::text(&margin)).with(prose(&sentence_of(&claim.margin.justification)));
    let mut rows = vec![
        ("For this task", prose(&sentence_of(&claim.task))),
        ("Kind of claim", Html::text(kind(claim.kind))),
        ("Real data", real(claim)),
        ("Synthetic data", synthetic(&claim.synthetic)),
        ("Metric", metric(claim)),
        ("Margin", margin),
    ];
    if let Some(bound) = claim.bound {
        let said = format!("No difference can exceed {}.", scale.chosen(bound));
        rows.push(("Bound", Html::text(&said)));
    }
    if !claim.outcome.is_continuous() {
        rows.push(("Outcome", Html::text(&outcome(claim.outcome))));
    }
    if let Some(worse) = claim.worse {
        let said = match worse {
            Worse::Larger => "A larger value is the worse one: synthetic data may not lie below.",
            Worse::Smaller => "A smaller value is the worse one: synthetic data may not lie above.",
        };
        rows.push(("Safe side", Html::text(said)));
    }
    if let Some(reserve) = &claim.reserve {
        rows.push(("Reserve", self::reserve(reserve)));
    }
    let seeds = match &claim.synthetic {
        SyntheticSource::Outcomes(_) => "The synthetic side was drawn elsewhere.".to_owned(),
        _ => format!(
            "{} draws of the synthetic side, from base seed {}.",
            claim.seeds.count, claim.seeds.base.0
        ),
    };
    let percent = text::significant(100.0 * claim.alpha);
    let confidence = text::significant(100.0 * (1.0 - 2.0 * claim.alpha));
    let alpha = format!(
        "{percent}\u{a0}% chance of supporting a false claim is accepted; \
         intervals are at {confidence}\u{a0}% confidence."
    );
    rows.extend([
        ("Independent unit", Html::text(&unit(claim.unit))),
        ("Independence", Html::text(independence(claim.independence))),
        ("Split", Html::text(&split(claim.split))),
        ("Seeds", Html::text(&seeds)),
        ("Level", Html::text(&alpha)),
        ("Conditions", conditions(claim)),
        ("Controls", controls(claim)),
        ("Expires", Html::text(&format!("{} days after it was judged.", claim.expires_days))),
    ]);
    statement.with(definitions(rows))
}

fn kind(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::Measurement => {
            "Measurement: the metric on synthetic data is within the margin of that on real data."
        }
        ClaimKind::Safety => "Safety: synthetic data is not optimistic about failures.",
        ClaimKind::Ranking => "Ranking: the same decision over a declared panel of systems.",
        ClaimKind::Training => "Training: a model trained with it does no worse on real data.",
    }
}

fn real(claim: &Claim) -> Html {
    match &claim.synthetic {
        SyntheticSource::Outcomes(table) => Html::text(&claim.real)
            .with(Html::text(", column "))
            .with(code(&table.columns.real))
            .with(Html::text(" of table "))
            .with(code(&table.file)),
        _ => Html::text("Recording ").with(code(&claim.real)),
    }
}

fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Continuous {} => "Any number within the bound.".to_owned(),
        Outcome::Binary { threshold: None } => "0 or 1; compared by their shares.".to_owned(),
        Outcome::Binary { threshold: Some(threshold) } => format!(
            "1 where the metric exceeds {}, else 0; compared by their shares.",
            text::significant(threshold)
        ),
    }
}

fn reserve(reserve: &Reserve) -> Html {
    let policy = match reserve.policy {
        ReservePolicy::Spending => "no answer pays back",
        ReservePolicy::Investing => "a support pays back its charge and the first wealth",
    };
    let wealth = text::significant(reserve.wealth);
    code(&reserve.name).with(Html::text(&format!(
        ", whose questions together may err with chance {wealth}; {policy}."
    )))
}

fn synthetic(source: &SyntheticSource) -> Html {
    match source {
        SyntheticSource::Twin { range_error } => {
            let errors = range_error.as_str().replace('_', " ");
            Html::text(&format!(
                "A twin of the same run: every unit has a real partner. Errors of beacon ranges: \
                 {errors}."
            ))
        }
        SyntheticSource::Recording(name) => Html::text("Recording ")
            .with(code(name))
            .with(Html::text(", of another world: no unit has a real partner.")),
        SyntheticSource::Outcomes(table) => {
            Html::text("Column ").with(code(&table.columns.synthetic)).with(Html::text(&format!(
                " of the same table, made by {}",
                sentence_of(&table.generator)
            )))
        }
    }
}

fn metric(claim: &Claim) -> Html {
    let parameters = claim.metric.parameters.iter().enumerate().map(|(index, (name, value))| {
        let value = match value {
            ParameterValue::Flag(value) => value.to_string(),
            ParameterValue::Number(value) => text::significant(*value),
            ParameterValue::Text(value) => value.clone(),
        };
        let joint = if index == 0 { " with " } else { ", " };
        Html::text(joint).with(code(&format!("{name} = {value}")))
    });
    code(&claim.metric.id).with(parameters.collect())
}

fn unit(unit: UnitChoice) -> String {
    match unit {
        UnitChoice::Block { length_s } => {
            format!("A stretch of {}\u{a0}s of one run.", text::significant(length_s))
        }
        UnitChoice::Run { .. } | UnitChoice::Scene { .. } => {
            let [one, several] = unit.words();
            match unit.declared_count() {
                Some(count) => format!("A whole {one}; {count} {several} were declared."),
                None => format!("A whole {one}."),
            }
        }
    }
}

fn independence(independence: Independence) -> &'static str {
    match independence {
        Independence::AcrossSites => "Across sites: what is fitted and tested is disjoint by site.",
        Independence::AcrossRuns => "Across runs: disjoint by recording, and by site or route.",
        Independence::WithinRun => {
            "Within one run: disjoint in time only. The answer reaches no other run."
        }
    }
}

fn split(split: Split) -> String {
    match split {
        Split::ContiguousHalves { both_directions, guard_autocorrelation_times } => {
            let ways = if both_directions { "in both directions, " } else { "" };
            let guard = text::significant(guard_autocorrelation_times);
            format!(
                "Fitted on one half of the time, tested on the other, {ways}with at least {guard} \
                 autocorrelation times left out between."
            )
        }
        Split::ByRun {} => "Fitted on some runs, tested on others.".to_owned(),
    }
}

fn conditions(claim: &Claim) -> Html {
    let cells = claim.cells.iter().map(|cell| {
        let when: Vec<String> = cell.when.iter().map(ToString::to_string).collect();
        let when =
            if when.is_empty() { Html::text("everywhere") } else { code(&when.join(" and ")) };
        plain("li", code(&cell.name).with(Html::text(": ")).with(when))
    });
    classed("ul", "tight", cells.collect())
}

fn controls(claim: &Claim) -> Html {
    let positive = match &claim.controls.positive {
        PositiveControlKind::Halves => {
            "the real units of one half against those of the other".to_owned()
        }
        PositiveControlKind::NextScan => {
            "each unit again with the next real scan for each".to_owned()
        }
        PositiveControlKind::Column(column) => {
            format!("each unit again with the real outcome in column {column}")
        }
    };
    let negative = &claim.controls.negative;
    let size = text::significant(negative.size);
    let positive = format!("Real against real, which must pass: {positive}.");
    let negative = format!(
        "Made worse on purpose, which must fail: {} of {size}\u{a0}{}.",
        negative.id.replace('_', " "),
        negative.unit
    );
    let items = [positive, negative].map(|said| plain("li", Html::text(&said)));
    classed("ul", "tight", items.into_iter().collect())
}

/// What the page is, and what made it.
pub(super) fn footer(input: &ReportInput<'_>) -> Html {
    let said = format!(
        "This page is a view of the signed file {}; where they differ, the file holds. Judged by \
         {} ({}).",
        input.check.verdict_file, input.verdict.method, input.check.code_version
    );
    paragraph(&said)
}

/// A fragment as a sentence: a capital at its start, unless that is a name, and a full stop.
pub(super) fn sentence_of(fragment: &str) -> String {
    let trimmed = fragment.trim().trim_end_matches('.');
    let first_word = trimmed.split_whitespace().next().unwrap_or_default();
    let mut letters = trimmed.chars();
    match letters.next() {
        Some(_) if first_word.contains(['_', '.', '/']) => format!("{trimmed}."),
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => "(nothing is said)".to_owned(),
    }
}
