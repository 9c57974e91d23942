//! `assess`: may this synthetic data stand in for real data?

use std::path::PathBuf;

use tiepoint_operations::{AssessRequest, Assessed, Error, Platform};

use crate::{exit::Exit, output::Output, source};

/// Judge claims on the lake as it stands, and sign the verdicts.
///
/// Every claim given is committed to the ledger before the data it is judged on is opened.
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
        let verdict = args.out.join(format!("{}.json", one.name));
        let report = args.out.join(format!("{}.html", one.name));
        source::write(&verdict, &one.envelope)?;
        source::write(&report, one.report_html.as_bytes())?;
        reports.push(report);
        Ok(())
    };
    let assessed =
        tiepoint_operations::assess(platform, request, &mut progress, &mut deliver).await?;
    if output.is_json() {
        let verdicts: Vec<_> = assessed.iter().map(|one| &one.summary).collect();
        output.json(&serde_json::json!({ "verdicts": verdicts }));
    } else {
        show(&assessed, &reports, output);
    }
    Ok(overall(&assessed))
}

fn show(assessed: &[Assessed], reports: &[PathBuf], output: &mut Output) {
    let rows: Vec<Vec<String>> = assessed.iter().map(|one| one.summary.row()).collect();
    output.table(&["claim", "answer", "difference", "margin", "controls", "reason"], &rows);
    output.line("");
    for report in reports {
        output.line(&format!("report: {}", report.display()));
    }
}

/// The least favourable answer decides: refuted, then anything that is not support.
fn overall(assessed: &[Assessed]) -> Exit {
    let answers = || assessed.iter().map(|one| one.summary.answer.as_str());
    if answers().any(|answer| answer == "refuted") {
        Exit::No
    } else if answers().all(|answer| answer == "supported") {
        Exit::Yes
    } else {
        Exit::Incomplete
    }
}
