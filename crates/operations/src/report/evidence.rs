//! What the answer rests on, what it does not reach, and how anyone checks it.
//!
//! Invariant: nothing of the verdict's limitation, assumptions or checks is left out or shortened.
//!
//! Not here: intervals and units.

use tiepoint_model::verdict::{RuleStatus, Verdict};

use super::{
    LineageRow, ReportInput,
    claim::sentence_of,
    html::{
        Column, Html, absent, bullets, classed, code, definitions, element, paragraph, plain,
        prose, sole_table, table,
    },
    text::{self, Scale, direction_name, number, optional, seconds},
};
use Column::{Numbers, Words};

/// The checks that may only fail.
pub(super) fn vetoes(verdict: &Verdict) -> Html {
    if verdict.evidence.vetoes.is_empty() {
        return absent("No such check was made.");
    }
    let rows = verdict.evidence.vetoes.iter().map(|veto| {
        let (class, word) = match veto.status {
            RuleStatus::Pass => ("pill passed", "pass"),
            RuleStatus::Fail => ("pill failed", "fail"),
            RuleStatus::Unknown => ("pill unknown", "unknown"),
        };
        vec![
            code(&veto.rule),
            classed("span", class, Html::text(word)),
            optional(veto.measured, number),
            optional(veto.limit, number),
            prose(&sentence_of(&veto.evidence)),
        ]
    });
    let columns = [
        Words("check"),
        Words("outcome"),
        Numbers("measured"),
        Numbers("limit"),
        Words("what was seen"),
    ];
    let note = "One that fails refutes the claim, whatever the intervals say; one that could not \
                be made counts as failed for support; none can make a claim pass.";
    sole_table("Checks", &columns, rows.collect()).with(classed("p", "note", Html::text(note)))
}

/// What was fitted on what, and how fitting and testing were kept apart.
pub(super) fn fitted(verdict: &Verdict) -> Html {
    let evidence = &verdict.evidence;
    let fits = evidence.fitted.iter().map(|fit| vec![Html::text(&fit.what), Html::text(&fit.on)]);
    let fits: Vec<_> = fits.collect();
    let fits = match fits.is_empty() {
        true => absent("Nothing was fitted."),
        false => table("Fits", &[Words("what"), Words("on")], fits),
    };
    let directions = evidence.directions.iter().map(|facts| {
        let dependence = facts.dependence;
        vec![
            classed("span", "whole", Html::text(&direction_name(&facts.direction))),
            Html::text(&facts.fitted_on),
            Html::text(&facts.tested_on),
            seconds(facts.guard_s),
            optional(dependence, |dependence| number(dependence.autocorrelation_time_samples)),
            optional(dependence, |dependence| seconds(dependence.sample_interval_s)),
            optional(dependence, |dependence| text::count(dependence.sample_count as u64)),
        ]
    });
    let columns = [
        Words("direction"),
        Words("fitted on"),
        Words("tested on"),
        Numbers("guard between"),
        Numbers("autocorr. time, samples"),
        Numbers("sample interval"),
        Numbers("samples"),
    ];
    let directions: Vec<_> = directions.collect();
    if directions.is_empty() {
        return fits.with(absent("There are no directions: the data is not paired."));
    }
    let caption = "Directions, and how strongly successive differences depend on each other";
    fits.with(table(caption, &columns, directions))
}

/// Whether the metric can tell anything beyond the reference's own error.
pub(super) fn reference(verdict: &Verdict, scale: &Scale) -> Html {
    let admissibility = &verdict.admissibility;
    let (class, word) = match admissibility.admissible {
        true => ("pill passed", "admissible"),
        false => ("pill failed", "not admissible"),
    };
    let said = classed("span", class, Html::text(word))
        .with(prose(&format!(" {}", sentence_of(&admissibility.reason))));
    let said = plain("p", said);
    let Some(reference) = &verdict.evidence.reference else { return said };
    let size = if reference.unit == verdict.claim.margin.unit {
        scale.number(reference.value).with(Html::text(&format!("\u{a0}{}", scale.unit)))
    } else {
        number(reference.value).with(Html::text(&format!("\u{a0}{}", reference.unit)))
    };
    let share = optional(reference.share_of_real_variance, |share| {
        number(100.0 * share).with(Html::text("\u{a0}% (more than half is not admissible)"))
    });
    let rows = vec![
        ("Error of the reference", size),
        ("How it was estimated", Html::text(&sentence_of(&reference.method))),
        ("Share of the variance of real values", share),
    ];
    said.with(definitions(rows))
}

/// How the data came from each other.
pub(super) fn lineage(rows: &[LineageRow]) -> Html {
    if rows.is_empty() {
        return absent("No lineage was given.");
    }
    let rows = rows.iter().map(|row| {
        let name = plain("strong", Html::text(&row.name));
        let id = classed("span", "digest", code(&row.id));
        vec![Html::text(&row.role), name.with(id), prose(&row.detail)]
    });
    let columns = [Words("role"), Words("name and id"), Words("how it came to be")];
    sole_table("Lineage", &columns, rows.collect())
}

/// Digests of what went in.
pub(super) fn inputs(verdict: &Verdict) -> Html {
    let claim = ("claim", &verdict.claim_digest);
    let inputs = verdict.evidence.inputs.iter().map(|(name, digest)| (name.as_str(), digest));
    let rows = std::iter::once(claim).chain(inputs).map(|(name, digest)| {
        vec![Html::text(name), classed("span", "digest", code(&digest.to_string()))]
    });
    let charge = match &verdict.evidence.charge {
        Some(charge) => classed(
            "p",
            "note",
            Html::text(&format!(
                "Question {} to the reserve {}: it cost {} and left {}.",
                charge.question,
                charge.reserve,
                text::significant(charge.cost),
                text::significant(charge.wealth_left)
            )),
        ),
        None => Html::new(),
    };
    sole_table("Inputs", &[Words("input"), Words("digest")], rows.collect()).with(charge)
}

/// The complement of what was shown.
pub(super) fn limitation(verdict: &Verdict) -> Html {
    sentences(&verdict.limitation, "The verdict states no limitation.")
}

/// What must hold for the answer to hold.
pub(super) fn assumptions(verdict: &Verdict) -> Html {
    sentences(&verdict.assumptions, "The verdict states no assumption.")
}

fn sentences(sentences: &[String], otherwise: &str) -> Html {
    if sentences.is_empty() { absent(otherwise) } else { bullets(sentences) }
}

/// From when to when the answer holds.
pub(super) fn expiry(verdict: &Verdict) -> Html {
    let rows = vec![
        ("Judged", text::time(verdict.judged_at_ns)),
        ("Holds until", text::time(verdict.expires_at_ns)),
    ];
    let note = "It speaks of this generator and this data as they are; a change of either needs \
                a new verdict.";
    definitions(rows).with(classed("p", "note", Html::text(note)))
}

/// Commands that check the verdict without the lake, and what they are checked against.
pub(super) fn check(input: &ReportInput<'_>) -> Html {
    let check = input.check;
    let is_text = is_key_text(&check.key);
    let key_file = if is_text { "key.pub" } else { check.key.as_str() };
    let (file, key) = (quoted(&check.verdict_file), quoted(key_file));
    let first = "The signature, and the answer derived again from the units published in the file:";
    let second = "The signature alone, by another program (the Python packages securesystemslib \
                  and cryptography):";
    let python = format!("{SECURESYSTEMSLIB} {file} {key}");
    let keep =
        "The public key must come from somebody you trust, not from this page; compare the two.";
    let keep = if is_text {
        format!("{keep} It is one line of text; keep it in a file named key.pub.")
    } else {
        keep.to_owned()
    };
    let public_key = classed("span", "digest", code(&check.key));
    let rows = vec![
        ("Signed file", code(&check.verdict_file)),
        (
            "SHA-256 of the signed statement",
            classed("span", "digest", code(&check.statement_sha256)),
        ),
        ("Public key", public_key),
        ("Lake", classed("span", "digest", code(&check.lake_id))),
        ("Claim digest", classed("span", "digest", code(&input.verdict.claim_digest.to_string()))),
        ("Rules", code(&input.verdict.method)),
        ("Program", code(&check.code_version)),
    ];
    paragraph(first)
        .with(command(&format!("tiepoint verify {file} --key {key}")))
        .with(paragraph(second))
        .with(command(&python))
        .with(paragraph(&keep))
        .with(definitions(rows))
}

/// Reads the envelope and a key of the form `name+id+base64`, and checks the one with the other.
const SECURESYSTEMSLIB: &str = "python3 -c 'import sys,json,base64; \
    from securesystemslib.dsse import Envelope; from securesystemslib.signer import SSlibKey; \
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey as K; \
    k=base64.b64decode(open(sys.argv[2]).read().split(\"+\",2)[2])[1:]; \
    Envelope.from_dict(json.load(open(sys.argv[1]))).verify(\
    [SSlibKey.from_crypto(K.from_public_bytes(k))],1); print(\"signature holds\")'";

fn command(line: &str) -> Html {
    element("pre", &[("class", "command")], code(line))
}

/// True for a key's one line of text, `name+8 hexadecimal digits+base64`, and not a file's name.
fn is_key_text(key: &str) -> bool {
    let mut parts = key.trim().splitn(3, '+').skip(1);
    let is_id = |id: &str| id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.next().is_some_and(is_id) && parts.next().is_some_and(|rest| rest.len() >= 40)
}

/// A file's name as a shell reads it, and never as an option.
fn quoted(name: &str) -> String {
    let name = if name.starts_with('-') { format!("./{name}") } else { name.to_owned() };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/+=:@".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_plain) {
        return name;
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}
