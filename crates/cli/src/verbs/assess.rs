//! `assess`: may this synthetic data stand in for real data?

use std::path::PathBuf;

use tiepoint_model::verdict::{Answer, ControlResult, Verdict};
use tiepoint_operations::{AssessRequest, Assessed, Error, Platform};

use crate::{exit::Exit, output::Output, source};

/// Judge claims on the lake as it stands, and sign the verdicts.
///
/// Every claim given is committed to the ledger before the data it is judged on is opened.
/// A claim is about recordings of the lake, or about a table of outcomes (CSV or Parquet) beside it.
/// Each verdict is written as a signed statement (`NAME.json`) and a report (`NAME.html`).
///
/// Example: tiepoint assess claims/scan-noise.toml --lake my-lake --out verdicts
#[derive(clap::Args)]
pub(crate) struct AssessArgs {
    /// Claims, TOML.
    #[arg(value_name = "CLAIM.toml", required = true)]
    claims: Vec<PathBuf>,
    /// Folder for the verdicts and reports.
    #[arg(long, value_name = "FOLDER", default_value = "verdicts")]
    out: PathBuf,
}

pub(crate) async fn run(
    platform: &mut Platform,
    args: AssessArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let mut claims = Vec::new();
    for path in &args.claims {
        claims.push((path.clone(), source::read_text(path)?));
    }
    let mut progress = |text: &str| output.progress(text);
    let request = AssessRequest { claims };
    let mut reports = Vec::new();
    let mut deliver = |one: &Assessed| {
        let verdict = args.out.join(format!("{}.json", one.verdict.claim.name));
        let report = args.out.join(format!("{}.html", one.verdict.claim.name));
        source::write(&verdict, &one.envelope)?;
        source::write(&report, one.report_html.as_bytes())?;
        reports.push(report);
        Ok(())
    };
    let assessed =
        tiepoint_operations::assess(platform, request, &mut progress, &mut deliver).await?;
    if output.is_json() {
        let verdicts: Vec<_> = assessed.iter().map(as_json).collect();
        output.json(&serde_json::json!({ "verdicts": verdicts }));
    } else {
        show(&assessed, &reports, output);
    }
    Ok(overall(&assessed))
}

/// The verdict without its evidence, which is in the signed file.
fn as_json(one: &Assessed) -> serde_json::Value {
    let verdict = &one.verdict;
    serde_json::json!({
        "verdict_id": one.verdict_id,
        "claim": verdict.claim.name,
        "answer": verdict.answer,
        "sentence": one.sentence,
        "reason": verdict.reason,
        "exploratory": verdict.exploratory,
        "margin": verdict.claim.margin,
        "cells": verdict.cells,
        "controls": verdict.controls,
        "vetoes": verdict.evidence.vetoes,
        "charge": verdict.evidence.charge,
    })
}

fn show(assessed: &[Assessed], reports: &[PathBuf], output: &mut Output) {
    let rows: Vec<Vec<String>> = assessed.iter().map(|one| row(&one.verdict)).collect();
    output.table(&["claim", "answer", "difference", "margin", "controls", "reason"], &rows);
    output.line("");
    for report in reports {
        output.line(&format!("report: {}", report.display()));
    }
}

/// One verdict as cells of a table.
fn row(verdict: &Verdict) -> Vec<String> {
    let unit = verdict.claim.margin.unit.as_str();
    let tests = verdict.cells.iter().flat_map(|cell| &cell.directions).filter_map(|d| d.test);
    let differences: Vec<String> = tests
        .map(|test| {
            let [low, high] = test.interval.map(|end| shown(end, unit));
            format!("{} [{low}, {high}]", shown(test.estimate, unit))
        })
        .collect();
    let controls = &verdict.controls;
    vec![
        verdict.claim.name.clone(),
        verdict.answer.to_string(),
        if differences.is_empty() { "no pairs".to_owned() } else { differences.join("; ") },
        format!("{} {}", shown(verdict.claim.margin.value, unit), shown_unit(unit)),
        match controls.positive.is_empty() && controls.negative.is_empty() {
            true => "none".to_owned(),
            false => format!("+ {}, - {}", passed(&controls.positive), passed(&controls.negative)),
        },
        short(&verdict.reason),
    ]
}

fn passed(controls: &[ControlResult]) -> &'static str {
    match controls {
        [] => "none",
        all if all.iter().all(|control| control.passed) => "ok",
        _ => "failed",
    }
}

/// Lengths in centimetres, others as they are.
fn shown(value: f64, unit: &str) -> String {
    if unit == "m" { format!("{:.2}", 100.0 * value) } else { format!("{value:.3}") }
}

fn shown_unit(unit: &str) -> &str {
    if unit == "m" { "cm" } else { unit }
}

/// A reason cut at a word, for a table's last column.
fn short(reason: &str) -> String {
    const CHARACTERS_MAX: usize = 90;
    if reason.chars().count() <= CHARACTERS_MAX {
        return reason.to_owned();
    }
    let cut: String = reason.chars().take(CHARACTERS_MAX - 1).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{}…", &cut[..end])
}

/// The least favourable answer decides: refuted, then anything that is not support.
fn overall(assessed: &[Assessed]) -> Exit {
    let answers = || assessed.iter().map(|one| one.verdict.answer);
    if answers().any(|answer| answer == Answer::Refuted) {
        Exit::No
    } else if answers().all(|answer| answer == Answer::Supported) {
        Exit::Yes
    } else {
        Exit::Incomplete
    }
}
