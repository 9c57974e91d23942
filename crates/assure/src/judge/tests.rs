//! The rules, one by one, on made-up evidence; and the error rate of the whole.

use std::collections::BTreeMap;

use tiepoint_model::{
    Seed,
    claim::PositiveControlKind,
    verdict::{Fit, ReferenceError, UnitValues, Veto},
};

use super::*;
use crate::{DirectionEvidence, SampleSeries, canonical_json, parse_claim, recompute, sentence};

const CLAIM: &str = include_str!("tests/claim.toml");

fn claim() -> Claim {
    parse_claim(CLAIM, &["position_error_mean"]).unwrap()
}

/// What a made-up direction is drawn from, metres.
#[derive(Clone, Copy)]
struct World {
    difference_m: f64,
    scatter_m: f64,
    corruption_m: f64,
    block_count: usize,
}

const GOOD: World =
    World { difference_m: 0.002, scatter_m: 0.01, corruption_m: 0.2, block_count: 6 };

fn direction(name: &str, world: World, seed: u64) -> DirectionEvidence {
    let mut draws = Seed(seed).draws(0, 0);
    let units = (0..world.block_count)
        .map(|unit_index| {
            let real = 0.2 + 0.01 * draws.normal();
            let synthetic = real + world.difference_m + world.scatter_m * draws.normal();
            let start = i64::try_from(unit_index).unwrap() * 30_000_000_000;
            let by_seed: Vec<Option<f64>> =
                (0..20).map(|_| Some(synthetic + 0.001 * draws.normal())).collect();
            let corrupted = by_seed.iter().map(|value| value.map(|v| v + world.corruption_m));
            UnitValues {
                unit_index,
                unit: None,
                cell: None,
                start_ns: Some(Timestamp(start)),
                end_ns: Some(Timestamp(start + 30_000_000_000)),
                sample_count: 28,
                descriptors: BTreeMap::from([(
                    "mean_speed_m_per_s".to_owned(),
                    if unit_index % 2 == 0 { 0.2 } else { 0.4 },
                )]),
                real: Some(real),
                negative_control_by_seed: corrupted.collect(),
                synthetic_by_seed: by_seed,
                positive_control: Some(real + 0.005 * draws.normal()),
            }
        })
        .collect();
    DirectionEvidence {
        direction: name.to_owned(),
        fitted_on: "one half".to_owned(),
        tested_on: "the other half".to_owned(),
        guard_s: 30.0,
        units,
        differences: series(0.6, 170, seed),
    }
}

/// First-order autoregressive; 0.6 gives 4 samples, 4.2 s, of autocorrelation time.
fn series(phi: f64, count: usize, seed: u64) -> SampleSeries {
    let mut draws = Seed(seed).draws(1, 0);
    let mut state = 0.0;
    let piece = (0..count).map(|_| {
        state = phi * state + draws.normal();
        state
    });
    SampleSeries { interval_s: 1.06, pieces: vec![piece.collect()] }
}

fn evidence(first: World, second: World, seed: u64) -> Evidence {
    Evidence {
        claim_digest: Digest([7; 32]),
        judged_at_ns: Timestamp(1_000),
        directions: vec![
            direction("first_to_second", first, seed),
            direction("second_to_first", second, seed + 1),
        ],
        reference: Some(ReferenceError {
            value: 0.018,
            unit: "m".to_owned(),
            method: "second differences".to_owned(),
            share_of_real_variance: Some(0.1),
        }),
        inspected_before: None,
        vetoes: vec![veto(RuleStatus::Pass)],
        fitted: vec![Fit { what: "range error".to_owned(), on: "one half".to_owned() }],
        inputs: BTreeMap::from([("real".to_owned(), Digest([1; 32]))]),
        charge: None,
    }
}

fn good() -> Evidence {
    evidence(GOOD, GOOD, 40)
}

fn veto(status: RuleStatus) -> Veto {
    Veto {
        rule: "ranges_on_the_sensors_grid".to_owned(),
        status,
        measured: Some(0.004),
        limit: Some(0.99),
        evidence: "share of ranges on the 1 cm grid".to_owned(),
    }
}

#[track_caller]
fn check(claim: &Claim, evidence: &Evidence, answer: Answer, reason: &str) -> Verdict {
    let verdict = judge(claim, evidence).unwrap();
    assert_eq!(verdict.answer, answer, "{}", verdict.reason);
    assert!(verdict.reason.contains(reason), "{}", verdict.reason);
    assert_eq!(recompute(&verdict), Ok(()));
    verdict
}

use Answer::{InsufficientEvidence, NotAssessed, Refuted, Supported};

#[test]
fn a_good_twin_is_supported_and_everything_can_be_derived_again() {
    let verdict = check(&claim(), &good(), Supported, "every declared cell");
    let direction = &verdict.cells[0].directions[0];
    assert!(direction.simulated_size.unwrap() < 0.075);
    assert!(direction.block_autocorrelation_times.unwrap() >= 3.0);
    assert!(direction.test.unwrap().smallest_passing_margin < 0.05);
    assert!(verdict.first_sentence.starts_with("Within this one run at this one site only: "));
    let said = sentence(&verdict);
    assert!(said.starts_with("Within this one run at this one site only: yes"), "{said}");
    assert!(said.contains("50 mm was allowed"), "{said}");
    assert_eq!(verdict.expires_at_ns.since(verdict.judged_at_ns).as_seconds(), 90.0 * 86_400.0);
}

/// The signed form carries the verdict bit for bit.
#[test]
fn a_verdict_survives_its_json() {
    let verdict = judge(&claim(), &good()).unwrap();
    let text = canonical_json(&verdict).unwrap();
    let read: Verdict = serde_json::from_str(&text).unwrap();
    assert_eq!(read, verdict);
    assert_eq!(canonical_json(&read).unwrap(), text);
    assert_eq!(recompute(&read), Ok(()));
}

#[test]
fn a_change_of_any_published_number_is_found() {
    let verdict = judge(&claim(), &good()).unwrap();
    let difference = |change: &dyn Fn(&mut Verdict)| {
        let mut forged = verdict.clone();
        change(&mut forged);
        recompute(&forged).unwrap_err().path
    };
    assert_eq!(difference(&|v| v.answer = Refuted), "answer");
    assert_eq!(difference(&|v| v.limitation.truncate(1)), "limitation");
    assert_eq!(
        difference(&|v| v.cells[0].directions[1].test.as_mut().unwrap().interval[0] += 1e-6),
        "cells[0].directions[1].test.interval[0]"
    );
    assert_eq!(
        difference(&|v| v.cells[0].directions[0].simulated_size = Some(0.01)),
        "cells[0].directions[0].simulated_size"
    );
    assert_eq!(
        difference(&|v| v.controls.negative[0].passed = false),
        "controls.negative[0].passed"
    );
    assert!(!difference(&|v| v.evidence.units[3].values.real = Some(0.9)).is_empty());
    assert_eq!(
        difference(&|v| v.evidence.units[3].difference = None),
        "evidence.units[3].difference"
    );
    assert_eq!(difference(&|v| v.evidence.units[3].values.synthetic_by_seed.clear()), "evidence");
    assert_eq!(difference(&|v| v.expires_at_ns = Timestamp(i64::MAX)), "expires_at_ns");
    assert!(!difference(&|v| v.claim.margin.value = 0.5).is_empty());
    assert!(!difference(&|v| v.claim.alpha = 0.6).is_empty());
}

#[test]
fn a_difference_beyond_the_margin_refutes() {
    let bad = World { difference_m: 0.12, ..GOOD };
    let verdict = check(&claim(), &evidence(bad, bad, 40), Refuted, "outside the margin");
    assert!(sentence(&verdict).contains("more than real data, and only 50 mm"));
    let low = World { difference_m: -0.12, corruption_m: -0.2, ..GOOD };
    let verdict = check(&claim(), &evidence(low, low, 40), Refuted, "outside the margin");
    assert!(sentence(&verdict).contains("less than real data"));
    let one = check(&claim(), &evidence(bad, World { scatter_m: 0.2, ..GOOD }, 40), Refuted, "");
    assert_eq!(one.cells[0].directions[1].answer, InsufficientEvidence);
}

#[test]
fn directions_that_contradict_each_other_decide_nothing() {
    let bad = World { difference_m: 0.12, ..GOOD };
    check(&claim(), &evidence(GOOD, bad, 40), InsufficientEvidence, "contradict");
}

#[test]
fn too_much_scatter_says_how_many_units_are_needed() {
    let wide = World { scatter_m: 0.08, corruption_m: 1.0, ..GOOD };
    let verdict = check(&claim(), &evidence(wide, wide, 46), InsufficientEvidence, "needed");
    let needed = verdict.cells[0].directions[0].unit_count_needed.unwrap();
    assert!(needed > 6, "{needed}");
    assert!(sentence(&verdict).contains("stretches of 30 s are needed in each half"));
    let off = World { difference_m: 0.06, scatter_m: 0.08, ..wide };
    let at = (40..80).find(|&seed| {
        let verdict = judge(&claim(), &evidence(off, off, seed)).unwrap();
        let direction = &verdict.cells[0].directions[0];
        direction.answer == InsufficientEvidence && direction.test.unwrap().estimate >= 0.05
    });
    let reason = "more units would not help unless the estimate changes";
    let verdict = check(&claim(), &evidence(off, off, at.unwrap()), InsufficientEvidence, reason);
    assert_eq!(verdict.cells[0].directions[0].unit_count_needed, None);
}

/// The same difference in every unit may be a copy: a t test cannot judge it.
#[test]
fn differences_without_any_scatter_decide_nothing() {
    let mut copied = good();
    for unit in copied.directions.iter_mut().flat_map(|direction| &mut direction.units) {
        unit.synthetic_by_seed = vec![unit.real; 20];
    }
    check(&claim(), &copied, InsufficientEvidence, "the same in every unit");
}

#[test]
fn dependent_blocks_decide_nothing() {
    let mut slow = good();
    slow.directions[0].differences = series(0.97, 170, 3);
    slow.directions[0].guard_s = 1e6;
    check(&claim(), &slow, InsufficientEvidence, "autocorrelation times long and must be 3");
    let mut unmeasured = good();
    unmeasured.directions[1].differences = SampleSeries::default();
    check(&claim(), &unmeasured, InsufficientEvidence, "could not be measured");
    let mut unguarded = good();
    unguarded.directions[1].guard_s = 1.0;
    check(&claim(), &unguarded, InsufficientEvidence, "guard between the halves");
    // Refutation needs sound units too.
    let bad = World { difference_m: 0.12, ..GOOD };
    let mut slow = evidence(bad, bad, 40);
    for direction in &mut slow.directions {
        direction.differences = series(0.97, 170, 3);
        direction.guard_s = 1e6;
    }
    check(&claim(), &slow, InsufficientEvidence, "must be 3");
}

#[test]
fn a_margin_below_the_real_against_real_floor_supports_nothing() {
    let mut apart = good();
    for unit in &mut apart.directions[0].units {
        unit.real = unit.real.map(|value| value + 0.2);
        for value in &mut unit.synthetic_by_seed {
            *value = value.map(|value| value + 0.2);
        }
    }
    let verdict =
        check(&claim(), &apart, InsufficientEvidence, "below the real-against-real floor");
    assert!(verdict.controls.positive[0].floor.unwrap() > 0.05);
    let mut paired = claim();
    paired.controls.positive = PositiveControlKind::NextScan;
    check(&paired, &good(), Supported, "");
    apart.directions[0].units[0].positive_control = None;
    check(&paired, &apart, InsufficientEvidence, "the control could not be measured");
}

/// Without assay sensitivity support is withheld; a refutation stands, because the test that made
/// it has just seen a difference.
#[test]
fn no_assay_sensitivity_takes_support_but_not_refutation() {
    let blind = World { corruption_m: 0.0, ..GOOD };
    check(&claim(), &evidence(GOOD, blind, 40), InsufficientEvidence, "no assay sensitivity");
    let bad = World { difference_m: 0.12, corruption_m: -0.12, ..GOOD };
    let verdict = check(&claim(), &evidence(bad, bad, 40), Refuted, "outside");
    assert!(!verdict.controls.negative[0].passed);
    let mut absent = good();
    for unit in &mut absent.directions[0].units {
        unit.negative_control_by_seed.clear();
    }
    check(&claim(), &absent, InsufficientEvidence, "too few for the control");
}

#[test]
fn a_reference_as_coarse_as_the_margin_admits_nothing() {
    let bad = World { difference_m: 0.12, ..GOOD };
    for given in [good(), evidence(bad, bad, 40)] {
        let mut coarse = given.clone();
        coarse.reference.as_mut().unwrap().value = 0.05;
        check(&claim(), &coarse, InsufficientEvidence, "reaches the margin");
        let mut dominant = given;
        dominant.reference.as_mut().unwrap().share_of_real_variance = Some(0.6);
        check(&claim(), &dominant, InsufficientEvidence, "60 % of the variance");
    }
    let mut none = good();
    none.reference = None;
    check(&claim(), &none, Supported, "");
    let mut other_unit = good();
    other_unit.reference.as_mut().unwrap().unit = "mm".to_owned();
    assert!(matches!(judge(&claim(), &other_unit), Err(JudgeError::ReferenceUnit { .. })));
}

#[test]
fn vetoes_only_ever_fail() {
    let mut vetoed = good();
    vetoed.vetoes = vec![veto(RuleStatus::Pass), veto(RuleStatus::Fail)];
    let verdict = check(&claim(), &vetoed, Refuted, "ranges_on_the_sensors_grid");
    assert_ne!(verdict.cells[0].answer, Supported);
    vetoed.vetoes = vec![veto(RuleStatus::Unknown)];
    check(&claim(), &vetoed, InsufficientEvidence, "could not be made");
    let bad = World { difference_m: 0.12, ..GOOD };
    let mut passed = evidence(bad, bad, 40);
    passed.vetoes = vec![veto(RuleStatus::Pass); 5];
    check(&claim(), &passed, Refuted, "outside");
}

#[test]
fn data_without_partners_is_vetoed_or_not_assessed() {
    let mut unpaired = claim();
    unpaired.synthetic = SyntheticSource::Recording("simul".to_owned());
    let mut given = Evidence { directions: Vec::new(), ..good() };
    let verdict = check(&unpaired, &given, NotAssessed, "no real partners");
    assert!(sentence(&verdict).contains("nothing can be said"));
    given.vetoes = vec![veto(RuleStatus::Fail)];
    check(&unpaired, &given, Refuted, "failed");
    assert_eq!(judge(&unpaired, &good()), Err(JudgeError::PairsOfUnpaired { found: 2 }));
}

#[test]
fn lost_units_are_counted_and_too_many_decide_nothing() {
    let mut lossy = good();
    lossy.directions[0].units[2].real = Some(f64::NAN);
    let verdict = check(&claim(), &lossy, InsufficientEvidence, "1 of 6 units");
    assert_eq!(verdict.cells[0].directions[0].lost_count, 1);
    assert_eq!(verdict.evidence.units[2].values.real, None);
    assert!(verdict.limitation.iter().any(|s| s.contains("1 of 12 units could not be measured")));
    let mut seedless = good();
    seedless.directions[0].units[2].synthetic_by_seed[4] = None;
    check(&claim(), &seedless, InsufficientEvidence, "1 of 6 units");
    let one = World { block_count: 1, ..GOOD };
    check(&claim(), &evidence(one, GOOD, 40), InsufficientEvidence, "1 units are too few");
}

fn with_cells(cells: &str) -> Claim {
    parse_claim(&format!("{CLAIM}\n{cells}"), &["position_error_mean"]).unwrap()
}

const SPEEDS: &str = r#"
[[cells]]
name = "slow"
when = [{ descriptor = "mean_speed_m_per_s", operator = "<", value = 0.3 }]
[[cells]]
name = "fast"
when = [{ descriptor = "mean_speed_m_per_s", operator = ">=", value = 0.3 }]
"#;

#[test]
fn cells_are_judged_alone_and_never_pooled() {
    let many = World { block_count: 16, ..GOOD };
    let given = evidence(many, many, 60);
    let verdict = check(&with_cells(SPEEDS), &given, Supported, "every declared cell");
    assert_eq!(verdict.cells[1].directions[0].unit_count, 8);
    // Holm: the larger of two p-values stays, the smaller is doubled.
    let p = |cell: usize| {
        let directions = verdict.cells[cell].directions.iter();
        directions.map(|d| d.test.unwrap().p_lower.max(d.test.unwrap().p_upper)).fold(0.0, f64::max)
    };
    let adjusted = |cell: usize| verdict.cells[cell].p_equivalence_adjusted.unwrap();
    let (small, large) = if p(0) < p(1) { (0, 1) } else { (1, 0) };
    assert_eq!(adjusted(small), 2.0 * p(small));
    assert_eq!(adjusted(large), p(large).max(2.0 * p(small)));
    let mut mixed = given.clone();
    for unit in mixed.directions.iter_mut().flat_map(|direction| &mut direction.units) {
        let fast = unit.unit_index % 2 == 1;
        for value in &mut unit.synthetic_by_seed {
            *value = value.map(|v| if fast { v + 0.12 } else { v });
        }
    }
    let verdict = check(&with_cells(SPEEDS), &mixed, Refuted, "cell `fast`");
    assert_eq!(verdict.cells[0].answer, Supported);
    let third = "[[cells]]\nname = \"very fast\"\nwhen = [{ descriptor = \"mean_speed_m_per_s\", \
                 operator = \">\", value = 2.0 }]\n";
    let verdict = check(
        &with_cells(&format!("{SPEEDS}{third}")),
        &given,
        InsufficientEvidence,
        "cell `very fast`",
    );
    assert_eq!(verdict.cells[2].answer, NotAssessed);
    check(&with_cells(third), &given, NotAssessed, "no declared cell");
}

#[test]
fn evidence_that_does_not_fit_the_claim_is_an_error() {
    let mut bare = good();
    bare.directions[0].units[1].descriptors.clear();
    let error = judge(&with_cells(SPEEDS), &bare).unwrap_err();
    assert!(matches!(error, JudgeError::MissingDescriptor { unit_index: 1, .. }), "{error}");
    let mut unseeded = good();
    unseeded.directions[0].units[0].synthetic_by_seed.pop();
    assert!(matches!(judge(&claim(), &unseeded), Err(JudgeError::SeedCount { found: 19, .. })));
    let mut single = good();
    single.directions.pop();
    assert_eq!(judge(&claim(), &single), Err(JudgeError::DirectionCount { found: 1, needed: 2 }));
    let mut twice = good();
    twice.directions[0].units[1].unit_index = 0;
    assert!(matches!(judge(&claim(), &twice), Err(JudgeError::DuplicateUnit { .. })));
    let mut named_twice = good();
    named_twice.directions[1].direction = "first_to_second".to_owned();
    assert!(judge(&claim(), &named_twice).is_err());
    let mut bounded = claim();
    bounded.bound = Some(0.001);
    assert!(matches!(judge(&bounded, &good()), Err(JudgeError::BeyondBound { .. })));
}

#[test]
fn the_order_of_units_does_not_matter() {
    let mut shuffled = good();
    shuffled.directions[0].units.reverse();
    assert_eq!(judge(&claim(), &shuffled), judge(&claim(), &good()));
}

/// What was shown and what was not make up everything that the claim names.
#[test]
fn the_limitation_is_the_complement_of_what_was_shown() {
    let mut given = good();
    given.inspected_before = Some("a person plotted the second half".to_owned());
    let verdict = check(&claim(), &given, Supported, "");
    let said = verdict.limitation.join(" ");
    for expected in [
        "any other run, robot or site",
        "other than `filter.gated`",
        "heavy_tailed, mixture, regime_switching",
        "`mean_speed_m_per_s` outside 0.2 to 0.4",
        "outside the 180 s from",
        "metric other than `position_error_mean`",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("not shown") && !said.contains("gaussian"), "{said}");
    assert!(verdict.first_sentence.contains("exploratory only: a person plotted"));
    let verdict = judge(&with_cells(&SPEEDS.replace("0.3", "9.0")), &given).unwrap();
    let said = verdict.limitation.join(" ");
    assert!(said.contains("cell `fast`: it is not_assessed"), "{said}");
    assert!(said.contains("`slow` (mean_speed_m_per_s < 9)"), "{said}");
}

fn across_runs() -> Claim {
    let text = CLAIM
        .replace("kind = \"block\"\nlength_s = 30.0", "kind = \"run\"")
        .replace("within_run", "across_runs")
        .replace("kind = \"contiguous_halves\"\n", "kind = \"by_run\"\n")
        .replace("both_directions = true\nguard_autocorrelation_times = 2.0\n", "")
        .replace("alpha = 0.05", "alpha = 0.05\nbound = 1.0");
    parse_claim(&text, &["position_error_mean"]).unwrap()
}

#[test]
fn runs_are_judged_by_betting_and_need_their_number() {
    let few = World { block_count: 61, ..GOOD };
    let mut given = evidence(few, few, 70);
    given.directions.pop();
    check(&across_runs(), &given, InsufficientEvidence, "even without any difference 62");
    let many = World { block_count: 400, scatter_m: 0.1, corruption_m: 0.4, ..GOOD };
    let mut given = evidence(many, many, 70);
    given.directions.pop();
    let verdict = check(&across_runs(), &given, Supported, "");
    assert!(verdict.first_sentence.starts_with("Across the runs measured"));
    assert_eq!(verdict.cells[0].directions[0].simulated_size, None);
    let off = World { difference_m: 0.25, corruption_m: 0.2, ..many };
    let mut given = evidence(off, off, 70);
    given.directions.pop();
    check(&across_runs(), &given, Refuted, "outside");
}

/// True difference exactly at the margin, both directions, twelve blocks: the whole judge supports
/// at most alpha of the time (both directions must agree, so far less), and refutes at most alpha.
#[test]
fn a_claim_at_the_margin_is_rarely_decided() {
    let at_margin = World { difference_m: 0.05, scatter_m: 0.02, ..GOOD };
    let (mut supported, mut refuted) = (0, 0);
    let count = 300;
    for seed in 0..count {
        let verdict = judge(&claim(), &evidence(at_margin, at_margin, 1000 + 2 * seed)).unwrap();
        supported += u32::from(verdict.answer == Supported);
        refuted += u32::from(verdict.answer == Refuted);
    }
    // Three standard errors of .05 at 300 are .038.
    assert!(
        f64::from(supported) / 300.0 <= 0.05 && f64::from(refuted) / 300.0 <= 0.088,
        "{supported} {refuted}"
    );
}

/// The public form, pinned: a change of it is a change of the predicate's version.
#[test]
fn the_names_of_the_public_form_are_pinned() {
    let verdict = serde_json::to_value(judge(&claim(), &good()).unwrap()).unwrap();
    let keys = |value: &serde_json::Value| {
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys.join(" ")
    };
    assert_eq!(
        keys(&verdict),
        "admissibility answer assumptions cells claim claim_digest controls evidence \
         expires_at_ns exploratory first_sentence judged_at_ns limitation method reason"
    );
    assert_eq!(
        keys(&verdict["cells"][0]["directions"][0]),
        "answer autocorrelation_time_s block_autocorrelation_times direction e_equivalence \
         guarantee lost_count reason simulated_size test unit_count unit_count_needed"
    );
    assert_eq!(
        keys(&verdict["cells"][0]["directions"][0]["test"]),
        "degrees_of_freedom estimate interval kind margin p_lower p_outside p_upper sd \
         sides smallest_passing_margin"
    );
    assert_eq!(verdict["answer"], "supported");
    assert_eq!(verdict["judged_at_ns"], "1000");
}
