//! The verdict report: one HTML file that a manager, an engineer and an auditor can read.
//!
//! Invariant: the page is a pure function of its input, holds everything it shows (styles and
//! pictures inline, no scripts) and loads nothing; it is a view, the signed file is the verdict.
//! Values are in the unit of the claim's margin, times are UTC.
//!
//! Not here: judging, and writing the file.

mod claim;
mod evidence;
mod forest;
mod html;
mod over_time;
mod paths;
mod results;
mod svg;
mod text;
mod values;

use tiepoint_model::{
    Timestamp, WallMap,
    verdict::{Answer, Verdict},
};

use self::{
    html::{Html, classed, element, plain},
    text::Scale,
};

/// Everything that a report shows.
pub(crate) struct ReportInput<'a> {
    /// The verdict itself.
    pub(crate) verdict: &'a Verdict,
    /// The answer in one sentence that needs no statistics.
    pub(crate) sentence: &'a str,
    /// What cannot be drawn from the verdict alone.
    pub(crate) pictures: &'a Pictures,
    /// How the data came from each other.
    pub(crate) lineage: &'a [LineageRow],
    /// How anyone checks the verdict.
    pub(crate) check: &'a HowToCheck,
}

/// What cannot be drawn from the verdict alone; each part may be missing.
#[derive(Default)]
pub(crate) struct Pictures {
    /// The walls.
    pub(crate) map: Option<WallMap>,
    /// Trajectories in the frame of the map.
    pub(crate) paths: Vec<PathPicture>,
    /// The metric per sample.
    pub(crate) values: Option<ValuePicture>,
}

/// One trajectory.
pub(crate) struct PathPicture {
    /// Its name in the legend.
    pub(crate) label: String,
    /// Whose it is.
    pub(crate) kind: PathKind,
    /// Positions in the frame of the map, in order of time, metres.
    pub(crate) points_m: Vec<[f64; 2]>,
}

/// Whose trajectory it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PathKind {
    /// Where the robot was; the twin follows it.
    RealTruth,
    /// What its wheels said.
    RealOdometry,
    /// What the system under test made of real data.
    RealEstimate,
    /// What simulated wheels said.
    SyntheticOdometry,
    /// What the system under test made of synthetic data.
    SyntheticEstimate,
}

/// The metric per sample, for a histogram and over time.
pub(crate) struct ValuePicture {
    /// What it is.
    pub(crate) what: String,
    /// Its unit.
    pub(crate) unit: String,
    /// On real data.
    pub(crate) real: Vec<(Timestamp, f64)>,
    /// On synthetic data.
    pub(crate) synthetic: Vec<(Timestamp, f64)>,
}

/// One thing that the verdict came from.
pub(crate) struct LineageRow {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// What it is here: real recording, twin, claim, ...
    pub(crate) role: String,
    /// How it came to be, in words.
    pub(crate) detail: String,
}

/// How anyone checks the verdict.
pub(crate) struct HowToCheck {
    /// Name of the signed file.
    pub(crate) verdict_file: String,
    /// SHA-256 of the signed statement, hexadecimal.
    pub(crate) statement_sha256: String,
    /// The public key: its one line of text, or the name of the file that holds it.
    pub(crate) key: String,
    /// Id of the lake that the verdict is committed in.
    pub(crate) lake_id: String,
    /// What judged.
    pub(crate) code_version: String,
}

/// One numbered part of the page.
struct Section {
    id: &'static str,
    title: &'static str,
    body: Html,
}

/// The whole page.
pub(crate) fn render(input: &ReportInput<'_>) -> String {
    let verdict = input.verdict;
    let scale = Scale::of(verdict.claim.margin.value, &verdict.claim.margin.unit);
    let sections = sections(input, &scale);
    let body = classed("header", "masthead", masthead(input))
        .with(classed("section", "hero", claim::hero(input, &scale)))
        .with(contents(&sections))
        .with(sections.into_iter().enumerate().map(numbered).collect())
        .with(plain("footer", claim::footer(input)));
    let page = element("main", &[("class", text::answer_class(verdict.answer))], body);
    let head = head(verdict);
    let html = element("html", &[("lang", "en")], head.with(plain("body", page)));
    format!("<!doctype html>\n{}\n", html.into_string())
}

fn sections(input: &ReportInput<'_>, scale: &Scale) -> Vec<Section> {
    let (verdict, pictures) = (input.verdict, input.pictures);
    let section = |id, title, body| Section { id, title, body };
    vec![
        section("claim", "The claim", claim::claim(&verdict.claim, scale)),
        section("result", "The result", results::results(verdict, scale)),
        section("controls", "The controls", results::controls(verdict, scale)),
        section("paths", "Real and synthetic on the map", paths::picture(pictures)),
        section("values", "What was measured", values::pictures(pictures, verdict)),
        section("units", "Every unit", results::units(verdict, scale)),
        section("checks", "Checks that may only fail", evidence::vetoes(verdict)),
        section("fitted", "What was fitted on what", evidence::fitted(verdict)),
        section("reference", "Error of the reference", evidence::reference(verdict, scale)),
        section("lineage", "Where it all came from", evidence::lineage(input.lineage)),
        section("inputs", "Inputs by digest", evidence::inputs(verdict)),
        section("limitation", "What was not shown", evidence::limitation(verdict)),
        section("assumptions", "What must hold", evidence::assumptions(verdict)),
        section("expiry", "How long it holds", evidence::expiry(verdict)),
        section("check", "How to check it", evidence::check(input)),
    ]
}

fn numbered((index, section): (usize, Section)) -> Html {
    let number = classed("span", "section-number", Html::text(&(index + 1).to_string()));
    let title = plain("h2", number.with(Html::text(section.title)));
    element("section", &[("id", section.id)], title.with(section.body))
}

fn contents(sections: &[Section]) -> Html {
    let items = sections.iter().map(|section| {
        let link = [("href", &*format!("#{}", section.id))];
        plain("li", element("a", &link, Html::text(section.title)))
    });
    let list = plain("ol", items.collect());
    element("nav", &[("aria-label", "Contents")], list)
}

fn head(verdict: &Verdict) -> Html {
    let word = text::answer_word(verdict.answer);
    let title = format!("{} – {word}", verdict.claim.name);
    let fixed = Html::markup(concat!(
        "<meta charset=\"utf-8\">",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
        "<meta name=\"color-scheme\" content=\"light dark\">",
    ));
    let style = Html::markup(concat!("<style>\n", include_str!("report/style.css"), "</style>"));
    plain("head", fixed.with(plain("title", Html::text(&title))).with(style))
}

fn masthead(input: &ReportInput<'_>) -> Html {
    let verdict = input.verdict;
    let kind = match verdict.answer {
        Answer::NotAssessed => "Verdict (nothing to compare with)",
        _ => "Verdict",
    };
    let name = classed("span", "product", Html::text("Tiepoint"));
    let what = classed("span", "document", Html::text(kind));
    let which = classed("span", "which", html::code(&verdict.claim.name));
    name.with(what).with(which)
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
