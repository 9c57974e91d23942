//! The end of an assessment: the verdict is signed, committed with its edges or its table, and rendered.
//!
//! Invariant: what is delivered was committed first.

use std::collections::BTreeMap;

use serde_json::json;
use tiepoint_assure::{PREDICATE_TYPE, sentence};
use tiepoint_ledger::{SigningKey, Statement, Subject};
use tiepoint_model::{Digest, Recording, claim::Claim, verdict::Verdict};
use tiepoint_store::blobs::blob_key;

use super::{
    Assessed, Case, Findings, Synthetic, edges,
    outcomes::{self, Opened, OutcomeCase},
    verdict_inputs,
};
use crate::{
    Error, Platform, derivations,
    platform::Commit,
    report::{HowToCheck, ReportInput, render},
    run::Run,
    verify::sha256_of,
};

/// Signs the verdict, commits it, and renders its report.
pub(super) async fn conclude(
    platform: &mut Platform,
    (case, run): (&Case, &Run),
    verdict: Verdict,
    findings: &Findings,
    key: &SigningKey,
) -> Result<Assessed, Error> {
    let subjects = subjects(platform, case).await?;
    let sealed = seal(platform, &verdict, subjects, key).await?;
    let edges = edges::of_verdict(case, run, &findings.units, &sealed.verdict_id);
    let pending = derivations::write(platform, &sealed.verdict_id, &edges).await?;
    let (append, edges_root) = pending.map(|pending| (pending.append, pending.root)).unzip();
    let mut commit = Commit {
        appends: append.into_iter().collect(),
        inputs: verdict_inputs(case),
        parameters: json!({
            "claim_id": case.written.id,
            "real": case.real.recording_id,
            "metric": case.written.claim.metric,
            "answer": verdict.answer,
        }),
        ..sealed.commit(&verdict.claim)
    };
    commit.roots.extend(edges_root);
    platform.commit(commit, |state| state.root(&sealed.verdict_id).is_some()).await?;
    Ok(shown(platform, verdict, findings, sealed, key))
}

/// Signs a verdict on a table of outcomes, commits it with the table, and renders its report.
pub(super) async fn conclude_outcomes(
    platform: &mut Platform,
    case: &OutcomeCase,
    verdict: Verdict,
    opened: &Opened,
    key: &SigningKey,
) -> Result<Assessed, Error> {
    let digest = BTreeMap::from([("sha256".to_owned(), opened.sha256.to_string())]);
    let subject = Subject { name: case.written.claim.name.clone(), digest };
    let sealed = seal(platform, &verdict, vec![subject], key).await?;
    let mut commit = Commit {
        inputs: vec![case.written.id.clone()],
        parameters: outcomes::parameters(case, &verdict, &sealed.blob),
        ..sealed.commit(&verdict.claim)
    };
    commit.blobs.insert(opened.blob);
    platform.commit(commit, |state| state.root(&sealed.verdict_id).is_some()).await?;
    Ok(shown(platform, verdict, &opened.findings, sealed, key))
}

/// A verdict under its signature, stored and not yet committed.
struct Sealed {
    verdict_id: String,
    statement_sha256: Digest,
    envelope: Vec<u8>,
    /// BLAKE3 of the envelope.
    blob: Digest,
}

impl Sealed {
    /// What every commit of a verdict holds; its inputs and parameters are the caller's.
    fn commit(&self, claim: &Claim) -> Commit {
        let id = &self.verdict_id;
        Commit {
            blobs: [self.blob].into(),
            roots: BTreeMap::from([(id.clone(), self.statement_sha256)]),
            outputs: vec![id.clone()],
            names: BTreeMap::from([(id.clone(), format!("verdict on {}", claim.name))]),
            seed: Some(claim.seeds.base),
            ..Commit::empty("assess")
        }
    }
}

async fn seal(
    platform: &Platform,
    verdict: &Verdict,
    subjects: Vec<Subject>,
    key: &SigningKey,
) -> Result<Sealed, Error> {
    let predicate = serde_json::to_value(verdict).map_err(Error::Json)?;
    let signed = Statement::new(subjects, PREDICATE_TYPE, predicate).sign(&[key])?;
    let statement_sha256 = sha256_of(&signed.payload);
    let verdict_id = format!("verdict-{}", &statement_sha256.to_string()[..16]);
    let envelope = signed.to_bytes()?;
    let (blob, _) = platform.store.objects.put_blob(std::io::Cursor::new(envelope.clone())).await?;
    Ok(Sealed { verdict_id, statement_sha256, envelope, blob: blob.blake3 })
}

/// The committed verdict with its report.
fn shown(
    platform: &Platform,
    verdict: Verdict,
    findings: &Findings,
    sealed: Sealed,
    key: &SigningKey,
) -> Assessed {
    let said = sentence(&verdict);
    let check = HowToCheck {
        verdict_file: format!("{}.json", verdict.claim.name),
        statement_sha256: sealed.statement_sha256.to_string(),
        key: key.verifying_key().to_string(),
        lake_id: platform.lake_id().to_owned(),
        code_version: platform.config.code_version.clone(),
    };
    let report_html = render(&ReportInput {
        verdict: &verdict,
        sentence: &said,
        pictures: &findings.pictures,
        lineage: &findings.lineage,
        check: &check,
    });
    let Sealed { verdict_id, envelope, .. } = sealed;
    Assessed { verdict_id, verdict, sentence: said, envelope, report_html }
}

/// What the statement is about: the synthetic recordings, by the SHA-256 of their original files.
async fn subjects(platform: &Platform, case: &Case) -> Result<Vec<Subject>, Error> {
    let recordings: Vec<&Recording> = match &case.synthetic {
        Synthetic::Twins(twins) => twins.iter().map(|(_, twin, _)| twin).collect(),
        Synthetic::Other(other) => vec![other],
    };
    let mut subjects = Vec::new();
    for recording in recordings {
        for original in &recording.originals {
            let sha256 = platform.store.objects.sha256(&blob_key(original)).await?;
            let digest = BTreeMap::from([("sha256".to_owned(), sha256.to_string())]);
            subjects.push(Subject { name: recording.name.clone(), digest });
        }
    }
    Ok(subjects)
}
