//! Trajectories over the walls: the real run on the left, the synthetic one on the right.
//!
//! Invariant: both panels have the same scale and the same place; points that are not finite or lie
//! outside the panel break a line and are never moved. Unknown and free space are not drawn.
//! Metres in the frame of the map; x to the right, y upwards.
//!
//! Not here: aligning trajectories with the map.

use std::collections::BTreeSet;

use tiepoint_model::{Cell, WallMap};

use super::{
    PathKind, PathPicture, Pictures,
    html::{Html, absent, plain},
    svg::{self, Anchor, Figure, label, line, px, rectangle},
};

const GAP: f64 = 20.0;
const HEIGHT_MIN: f64 = 220.0;
const HEIGHT_MAX: f64 = 520.0;
const TOP: f64 = 26.0;

/// Paths may widen the picture beyond walls and truth by this share of its size on each side.
const WIDENING_MAX: f64 = 0.25;

/// The picture with its legend, or a sentence.
pub(super) fn picture(pictures: &Pictures) -> Html {
    let strokes = pictures.map.as_ref().map(wall_strokes).unwrap_or_default();
    let walls = strokes.iter().flatten().copied();
    let Some(view) = View::around(walls, &pictures.paths) else {
        return absent("No map and no trajectory were given for this claim.");
    };
    let sides: Vec<Side> = [Side::Real, Side::Synthetic]
        .into_iter()
        .filter(|side| pictures.paths.iter().any(|path| side.owns(path.kind)))
        .collect();
    let panels = if sides.is_empty() { vec![Side::Real] } else { sides };
    let width = (svg::WIDTH - GAP * (panels.len() - 1) as f64) / panels.len() as f64;
    let height = (width * view.height_m / view.width_m).clamp(HEIGHT_MIN, HEIGHT_MAX);
    let mut shapes = Html::new();
    for (index, side) in panels.iter().enumerate() {
        let left = index as f64 * (width + GAP);
        let panel = Panel::new(&view, [left, TOP], [width, height]);
        shapes.push(panel.draw(*side, &strokes, &pictures.paths));
    }
    let figure = Figure {
        id: "trajectories",
        title: "Trajectories over the map",
        description: "Walls as thin strokes; where the robot was, what odometry said and what the \
                      system under test estimated, on the real and on the synthetic run.",
        height: TOP + height + 6.0,
        caption: caption(pictures),
    };
    figure.draw(shapes)
}

/// Which run a panel shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Real,
    Synthetic,
}

impl Side {
    fn owns(self, kind: PathKind) -> bool {
        let is_synthetic =
            matches!(kind, PathKind::SyntheticOdometry | PathKind::SyntheticEstimate);
        is_synthetic == (self == Self::Synthetic)
    }

    /// The twin follows the real truth, so it stands in both panels.
    fn shows(self, kind: PathKind) -> bool {
        kind == PathKind::RealTruth || self.owns(kind)
    }

    fn title(self) -> &'static str {
        match self {
            Self::Real => "Real",
            Self::Synthetic => "Synthetic",
        }
    }
}

fn class_of(kind: PathKind) -> &'static str {
    match kind {
        PathKind::RealTruth => "path truth",
        PathKind::RealOdometry => "path real odometry",
        PathKind::RealEstimate => "path real",
        PathKind::SyntheticOdometry => "path synthetic odometry",
        PathKind::SyntheticEstimate => "path synthetic",
    }
}

/// One stroke per wall cell, along the wall, as long as the wall is within its cell.
fn wall_strokes(map: &WallMap) -> Vec<[[f64; 2]; 2]> {
    let stroke = |cell: &Cell| {
        let Cell::Wall { x_m, y_m, normal_x, normal_y, .. } = *cell else { return None };
        let reach_m = map.cell_m / (2.0 * normal_x.abs().max(normal_y.abs()));
        let (dx_m, dy_m) = (-normal_y * reach_m, normal_x * reach_m);
        let ends = [[x_m - dx_m, y_m - dy_m], [x_m + dx_m, y_m + dy_m]];
        ends.iter().flatten().all(|value| value.is_finite()).then_some(ends)
    };
    map.cells.iter().filter_map(stroke).collect()
}

/// The part of the map that is shown.
struct View {
    low: [f64; 2],
    width_m: f64,
    height_m: f64,
}

impl View {
    fn around(walls: impl Iterator<Item = [f64; 2]>, paths: &[PathPicture]) -> Option<Self> {
        let of = |wanted: fn(PathKind) -> bool| {
            let paths = paths.iter().filter(move |path| wanted(path.kind));
            paths.flat_map(|path| path.points_m.iter().copied())
        };
        let core = bounds(walls.chain(of(|kind| kind == PathKind::RealTruth)));
        let all = bounds(of(|_| true));
        let (low, high) = match (core, all) {
            (None, None) => return None,
            (Some(only), None) | (None, Some(only)) => only,
            (Some((low, high)), Some((all_low, all_high))) => {
                let room = |axis: usize| WIDENING_MAX * (high[axis] - low[axis]).max(1.0);
                let lower = |axis: usize| low[axis].min(all_low[axis]).max(low[axis] - room(axis));
                let upper =
                    |axis: usize| high[axis].max(all_high[axis]).min(high[axis] + room(axis));
                ([lower(0), lower(1)], [upper(0), upper(1)])
            }
        };
        let edge_m = 0.02 * (high[0] - low[0]).max(high[1] - low[1]).max(1.0);
        let width_m = high[0] - low[0] + 2.0 * edge_m;
        let height_m = high[1] - low[1] + 2.0 * edge_m;
        let view = Self { low: [low[0] - edge_m, low[1] - edge_m], width_m, height_m };
        (width_m.is_finite() && height_m.is_finite()).then_some(view)
    }
}

fn bounds(points: impl Iterator<Item = [f64; 2]>) -> Option<([f64; 2], [f64; 2])> {
    points.filter(|point| point.iter().all(|value| value.is_finite())).fold(None, |box_, [x, y]| {
        let (low, high) = box_.unwrap_or(([x, y], [x, y]));
        Some(([low[0].min(x), low[1].min(y)], [high[0].max(x), high[1].max(y)]))
    })
}

/// A rectangle of the picture, and how the map lies in it.
struct Panel {
    corner: [f64; 2],
    size: [f64; 2],
    px_per_m: f64,
    /// Where the view's lower left corner lies, pixels.
    origin: [f64; 2],
    low: [f64; 2],
}

impl Panel {
    fn new(view: &View, corner: [f64; 2], size: [f64; 2]) -> Self {
        let px_per_m = (size[0] / view.width_m).min(size[1] / view.height_m);
        let origin = [
            corner[0] + (size[0] - px_per_m * view.width_m) / 2.0,
            corner[1] + (size[1] + px_per_m * view.height_m) / 2.0,
        ];
        Self { corner, size, px_per_m, origin, low: view.low }
    }

    fn at(&self, [x_m, y_m]: [f64; 2]) -> [f64; 2] {
        [
            self.origin[0] + (x_m - self.low[0]) * self.px_per_m,
            self.origin[1] - (y_m - self.low[1]) * self.px_per_m,
        ]
    }

    fn holds(&self, point: [f64; 2]) -> bool {
        let inside = |axis: usize| {
            point[axis] >= self.corner[axis] && point[axis] <= self.corner[axis] + self.size[axis]
        };
        inside(0) && inside(1)
    }

    fn draw(&self, side: Side, walls: &[[[f64; 2]; 2]], paths: &[PathPicture]) -> Html {
        let [left, top] = self.corner;
        let mut shapes = rectangle("panel", self.corner, self.size);
        let title = if paths.is_empty() { "Map" } else { side.title() };
        shapes.push(label("note strong", Anchor::Start, [left, top - 9.0], title));
        shapes.push(self.scale_bar());
        shapes.push(self.walls(walls));
        let mut shown: Vec<&PathPicture> =
            paths.iter().filter(|path| side.shows(path.kind)).collect();
        // Estimates lie on top.
        shown.sort_by_key(|path| path.kind);
        for path in shown {
            shapes.push(svg::polyline(class_of(path.kind), &self.pieces(&path.points_m)));
        }
        shapes
    }

    /// All strokes in one path; those that fall on the same pixel once.
    fn walls(&self, strokes: &[[[f64; 2]; 2]]) -> Html {
        let mut seen = BTreeSet::new();
        let mut data = String::new();
        for [from, to] in strokes {
            let (from, to) = (self.at(*from), self.at(*to));
            let place = [from[0], from[1], to[0], to[1]].map(|value| px(value.round()));
            if self.holds(from) && self.holds(to) && seen.insert(place) {
                data.push_str(&format!(
                    "M{} {}L{} {}",
                    px(from[0]),
                    px(from[1]),
                    px(to[0]),
                    px(to[1])
                ));
            }
        }
        if data.is_empty() { Html::new() } else { svg::path("wall", &data) }
    }

    /// The path in pixels, in pieces, without points closer than half a pixel to the one before.
    fn pieces(&self, points_m: &[[f64; 2]]) -> Vec<Vec<[f64; 2]>> {
        let mut pieces: Vec<Vec<[f64; 2]>> = vec![Vec::new()];
        for point in points_m.iter().map(|point| self.at(*point)) {
            let Some(piece) = pieces.last_mut() else { break };
            if !self.holds(point) {
                if !piece.is_empty() {
                    pieces.push(Vec::new());
                }
                continue;
            }
            let is_apart = piece.last().is_none_or(|last: &[f64; 2]| {
                (point[0] - last[0]).abs().max((point[1] - last[1]).abs()) >= 0.5
            });
            if is_apart {
                piece.push(point);
            }
        }
        pieces
    }

    fn scale_bar(&self) -> Html {
        let length_m = svg::round_step(0.12 * self.size[0] / self.px_per_m);
        let (right, y) = (self.corner[0] + self.size[0] - 1.0, self.corner[1] - 13.0);
        let left = right - length_m * self.px_per_m;
        let bar = line("scale", [left, y], [right, y]);
        let ends = [left, right].map(|x| line("scale", [x, y - 4.0], [x, y + 4.0]));
        let text = format!("{}\u{a0}m", super::text::significant(length_m));
        bar.with(ends.into_iter().collect()).with(label(
            "tick",
            Anchor::End,
            [left - 8.0, y + 4.0],
            &text,
        ))
    }
}

fn caption(pictures: &Pictures) -> Html {
    let mut entries: Vec<(&str, String)> = Vec::new();
    if pictures.map.is_some() {
        entries.push(("wall", "wall".to_owned()));
    }
    let mut paths: Vec<&PathPicture> = pictures.paths.iter().collect();
    paths.sort_by_key(|path| path.kind);
    entries.extend(paths.iter().map(|path| (class_of(path.kind), path.label.clone())));
    let said = match (&pictures.map, pictures.paths.is_empty()) {
        (None, _) => "No map was given.",
        (Some(_), true) => "No trajectory was given.",
        (Some(_), false) => "Lines that leave the picture are cut at its edge.",
    };
    svg::legend(&entries).with(plain("p", Html::text(said)))
}
