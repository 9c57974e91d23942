//! What must hold of every page, whatever the verdict holds.

use std::collections::BTreeMap;

use tiepoint_model::{
    Span, Timestamp,
    claim::ParameterValue,
    verdict::{Answer, Verdict},
};

use super::{
    Pictures, ValuePicture,
    sample::{self, page, pictures},
    text::{fixed, significant},
};

fn every_verdict() -> [(Verdict, Answer); 4] {
    [
        (sample::supported(), Answer::Supported),
        (sample::refuted(), Answer::Refuted),
        (sample::insufficient(), Answer::InsufficientEvidence),
        (sample::not_assessed(), Answer::NotAssessed),
    ]
}

/// Elements that have no end tag.
const VOID: [&str; 2] = ["meta", "br"];

/// Every element is closed in order, every attribute is quoted, and ids are unique.
#[track_caller]
fn check_well_formed(page: &str) {
    let body = page.strip_prefix("<!doctype html>").expect("a doctype");
    // The style sheet is not markup.
    let (before, rest) = body.split_once("<style>").expect("a style sheet");
    let (_, after) = rest.split_once("</style>").expect("its end");
    let mut open: Vec<&str> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    for part in [before, after] {
        for piece in part.split('<').skip(1) {
            let (tag, text) = piece.split_once('>').expect("every `<` begins a tag");
            assert!(!text.contains('>'), "stray `>` in {text:?}");
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "closed out of order");
                continue;
            }
            let name = tag.split(' ').next().unwrap();
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            if let Some((_, id)) = tag.split_once(" id=\"") {
                ids.push(id.split('"').next().unwrap());
            }
            if ["line", "rect", "circle", "path", "text"].contains(&name) {
                assert!(!tag.contains("NaN") && !tag.contains("inf\""), "{tag}");
            }
            if !VOID.contains(&name) {
                open.push(name);
            }
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "left open");
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids are not unique");
}

/// Nothing is loaded: no scripts, and links only within the page.
#[track_caller]
fn check_self_contained(page: &str) {
    let markup = page.to_lowercase();
    for forbidden in [
        "<script", "<link", "<iframe", "<img", "<object", "src=", "@import", "http:", "https:",
        "url(",
    ] {
        assert!(!markup.contains(forbidden), "{forbidden}");
    }
    for link in markup.split("href=\"").skip(1) {
        assert!(link.starts_with('#'), "{}", &link[..40.min(link.len())]);
    }
}

#[track_caller]
fn check_page(page: &str) {
    check_well_formed(page);
    check_self_contained(page);
}

#[test]
fn every_answer_makes_a_sound_page_that_tells_it_by_a_word() {
    for (verdict, answer) in every_verdict() {
        assert_eq!(verdict.answer, answer, "{}", verdict.reason);
        let page = page(&verdict, &pictures());
        check_page(&page);
        let word = super::text::answer_word(answer);
        assert!(page.contains(&format!("<span class=\"word\">{word}</span>")));
        assert!(page.len() < 400_000, "{} bytes", page.len());
    }
}

/// No times, no conditions, no seeds: their columns are left out, and what the test promises, its
/// side and what the question cost are told.
#[test]
fn a_page_of_outcomes_tells_test_side_and_cost() {
    let verdict = sample::outcomes();
    let page = page(&verdict, &Pictures::default());
    check_page(&page);
    for expected in [
        "exact, paired, lower side only",
        "What the test promises: Of false claims at most 5 %",
        "Question 1 to the reserve yard: it cost 0.05 and left 0.",
        "A whole scene; 80 scenes were declared.",
        "scene &lt;79&gt;",
        "1 where the metric exceeds 0.5",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    assert!(!page.contains("from (UTC)") && !page.contains("±\u{a0}SD"));
}

#[test]
fn the_same_verdict_makes_the_same_page() {
    let verdict = sample::insufficient();
    assert_eq!(page(&verdict, &pictures()), page(&verdict, &pictures()));
}

/// With its exact value, not only as it is rounded.
#[test]
fn every_number_of_cells_controls_and_units_stands_on_the_page() {
    for (verdict, _) in every_verdict() {
        let page = page(&verdict, &Pictures::default());
        let read = page.replace("<code>", "").replace("</code>", "");
        let has = |value: f64| {
            assert!(page.contains(&format!("value=\"{value:?}\"")), "{value} is missing");
        };
        let controls = verdict.controls.positive.iter().chain(&verdict.controls.negative);
        for control in controls {
            control.floor.into_iter().for_each(has);
            let Some(test) = control.test else { continue };
            let p_support = test.p_lower.max(test.p_upper);
            [test.estimate, test.interval[0], test.interval[1], p_support, test.p_outside]
                .into_iter()
                .for_each(has);
        }
        for cell in &verdict.cells {
            cell.p_equivalence_adjusted.into_iter().for_each(has);
            cell.p_refutation_adjusted.into_iter().for_each(has);
        }
        for direction in verdict.cells.iter().flat_map(|cell| &cell.directions) {
            let counts = [direction.unit_count as u64];
            for count in counts.into_iter().chain(direction.unit_count_needed) {
                assert!(page.contains(&format!("value=\"{count}\"")), "{count} is missing");
            }
            direction.autocorrelation_time_s.into_iter().for_each(has);
            direction.block_autocorrelation_times.into_iter().for_each(has);
            direction.simulated_size.into_iter().for_each(has);
            let Some(test) = direction.test else { continue };
            test.degrees_of_freedom.into_iter().for_each(has);
            [test.estimate, test.sd, test.interval[0], test.interval[1], test.margin]
                .into_iter()
                .for_each(has);
            [test.p_lower, test.p_upper, test.p_outside, test.smallest_passing_margin]
                .into_iter()
                .for_each(has);
        }
        for unit in &verdict.evidence.units {
            unit.values.real.into_iter().for_each(has);
            unit.synthetic_mean.into_iter().for_each(has);
            unit.difference.into_iter().for_each(has);
        }
        for sentence in verdict.limitation.iter().chain(&verdict.assumptions) {
            let words = sentence.replace('`', "").replace('<', "&lt;").replace('>', "&gt;");
            assert!(read.contains(&words), "{sentence}");
        }
    }
}

const HOSTILE: &str =
    "</title><script>alert('x')</script>\" onload=\"x\" \u{202e}\0 & <b> https://x.org";

#[test]
fn foreign_text_never_becomes_markup() {
    let mut verdict = sample::insufficient();
    let hostile = || HOSTILE.to_owned();
    verdict.claim.name = hostile();
    verdict.claim.statement = hostile();
    verdict.claim.task = hostile();
    verdict.claim.margin.unit = hostile();
    verdict.claim.margin.justification = hostile();
    verdict.claim.metric.id = hostile();
    verdict.claim.metric.parameters =
        BTreeMap::from([(hostile(), ParameterValue::Text(hostile()))]);
    verdict.claim.cells[0].name = hostile();
    verdict.first_sentence = hostile();
    verdict.reason = hostile();
    verdict.exploratory = Some(hostile());
    verdict.limitation = vec![hostile()];
    for cell in &mut verdict.cells {
        cell.cell = hostile();
        cell.reason = hostile();
        for direction in &mut cell.directions {
            direction.direction = hostile();
        }
    }
    for unit in &mut verdict.evidence.units {
        unit.direction = hostile();
        unit.cells = vec![hostile()];
        unit.values.descriptors = BTreeMap::from([(hostile(), 1.0)]);
    }
    verdict.evidence.vetoes[0].rule = hostile();
    verdict.evidence.fitted[0].on = hostile();
    verdict.evidence.inputs = BTreeMap::from([(hostile(), verdict.claim_digest)]);
    let mut shown = pictures();
    for path in &mut shown.paths {
        path.label = hostile();
    }
    let values = shown.values.as_mut().unwrap();
    values.what = hostile();
    values.unit = hostile();
    let mut lineage = sample::lineage();
    lineage[0].name = hostile();
    let mut check = sample::how_to_check();
    check.verdict_file = hostile();
    check.key = hostile();
    let page = super::render(&super::ReportInput {
        verdict: &verdict,
        sentence: HOSTILE,
        pictures: &shown,
        lineage: &lineage,
        check: &check,
    });
    check_well_formed(&page);
    assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains("onload=\"x"));
    assert!(!page.contains('\0') && !page.contains('\u{202e}'));
    assert!(page.contains("&lt;script&gt;"));
}

/// A command that is copied from the page must not run what hides in a file's name.
#[test]
fn names_in_commands_are_quoted_for_the_shell() {
    let verdict = sample::supported();
    let mut check = sample::how_to_check();
    check.verdict_file = "a'; rm x.json".to_owned();
    check.key = "-my key.pub".to_owned();
    let page = super::render(&super::ReportInput {
        verdict: &verdict,
        sentence: "",
        pictures: &Pictures::default(),
        lineage: &[],
        check: &check,
    });
    let quoted = r"'a'\''; rm x.json' --key './-my key.pub'".replace('\'', "&#39;");
    assert!(page.contains(&quoted));
}

#[test]
fn numbers_that_are_none_break_nothing() {
    for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 5e-324, 0.0] {
        let mut verdict = sample::supported();
        verdict.claim.margin.value = broken;
        verdict.claim.alpha = broken;
        for cell in &mut verdict.cells {
            cell.p_equivalence_adjusted = Some(broken);
            for direction in &mut cell.directions {
                direction.simulated_size = Some(broken);
                if let Some(test) = &mut direction.test {
                    (test.estimate, test.interval, test.p_lower) =
                        (broken, [-broken, broken], broken);
                }
            }
        }
        for unit in &mut verdict.evidence.units {
            unit.difference = Some(broken);
            unit.values.real = Some(broken);
        }
        verdict.judged_at_ns = Timestamp(i64::MIN);
        verdict.expires_at_ns = Timestamp(i64::MAX);
        let mut shown = pictures();
        for path in &mut shown.paths {
            path.points_m.truncate(50);
            path.points_m.push([broken, 1.0]);
        }
        let map = shown.map.as_mut().unwrap();
        map.cell_m = broken;
        let values = shown.values.as_mut().unwrap();
        values.real.push((Timestamp(i64::MIN), broken));
        values.synthetic.push((Timestamp(i64::MAX), broken));
        let broken_margin = page(&verdict, &shown);
        check_page(&broken_margin);
        verdict.claim.margin.value = 0.003;
        let drawn = page(&verdict, &shown);
        check_page(&drawn);
    }
}

#[test]
fn what_is_missing_leaves_a_sentence() {
    let mut verdict = sample::not_assessed();
    let bare = page(&verdict, &Pictures::default());
    check_page(&bare);
    for sentence in ["No map and no trajectory", "No values per sample", "There are no units"] {
        assert!(bare.contains(sentence), "{sentence}");
    }
    verdict.cells.clear();
    verdict.claim.cells.clear();
    verdict.limitation.clear();
    verdict.assumptions.clear();
    verdict.evidence.vetoes.clear();
    verdict.evidence.fitted.clear();
    verdict.evidence.inputs.clear();
    verdict.reason.clear();
    check_page(&page(&verdict, &Pictures::default()));
    let empty = Pictures {
        values: Some(ValuePicture {
            what: String::new(),
            unit: String::new(),
            real: vec![(sample::START, f64::NAN)],
            synthetic: Vec::new(),
        }),
        ..Pictures::default()
    };
    let empty = page(&verdict, &empty);
    check_page(&empty);
    assert!(empty.contains("No value per sample could be drawn"));
    let one = Pictures {
        values: Some(ValuePicture {
            what: "one value".to_owned(),
            unit: "m".to_owned(),
            real: vec![(sample::START, 0.2)],
            synthetic: Vec::new(),
        }),
        map: pictures().map,
        paths: Vec::new(),
    };
    check_page(&page(&verdict, &one));
}

/// Values over several powers of ten would all fall into the first bin of a straight axis.
#[test]
fn wide_positive_values_are_binned_by_their_logarithm() {
    let mut shown = pictures();
    let values = shown.values.as_mut().unwrap();
    for (index, (_, value)) in values.real.iter_mut().enumerate() {
        *value *= if index % 2 == 0 { 0.01 } else { 10.0 };
    }
    let page_of = |shown: &Pictures| page(&sample::supported(), shown);
    assert!(page_of(&shown).contains("The axis is logarithmic."));
    assert!(!page_of(&pictures()).contains("The axis is logarithmic."));
}

/// A recording of another world has its own clock: years of nothing between the two help nobody.
#[test]
fn sides_of_different_times_are_not_drawn_over_one_axis() {
    let mut shown = pictures();
    for (time, _) in &mut shown.values.as_mut().unwrap().synthetic {
        *time = time.plus(Span::from_seconds(1e8));
    }
    let page = page(&sample::not_assessed(), &shown);
    check_page(&page);
    assert!(page.contains("no common time axis") && !page.contains("over-time-title"));
}

#[test]
fn pictures_have_a_role_and_words_and_tables_have_captions() {
    let page = page(&sample::insufficient(), &pictures());
    for picture in page.split("<svg ").skip(1) {
        let is_decoration = picture.starts_with("aria-hidden=\"true\"");
        let is_told = picture.starts_with("role=\"img\" aria-labelledby")
            && picture.contains("<title")
            && picture.contains("<desc");
        assert!(is_decoration || is_told);
    }
    for table in page.split("<table>").skip(1) {
        assert!(table.starts_with("<caption>") && table.contains("scope=\"col\""));
        assert!(table.contains("scope=\"row\""));
    }
    assert!(page.contains("<details open=\"open\""), "units print open");
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let check = |value: f64, expected: &str| assert_eq!(significant(value), expected);
    check(0.0, "0");
    check(-0.00412345, "−0.00412");
    check(20_260_601.0, "2.03\u{202f}×\u{202f}10⁷");
    check(1234.5, "1230");
    check(0.1, "0.1");
    check(1e-9, "1\u{202f}×\u{202f}10⁻⁹");
    check(999.9, "1000");
    check(f64::NAN, "not a number");
    assert_eq!(fixed(-0.0001, 2), "0.00");
    assert_eq!(fixed(12_345.678, 1), "12\u{202f}345.7");
}
