//! What a scan is matched against: short pieces of surface (surfels) in one frame, with an index
//! to find the nearest.
//!
//! Invariant: surfels are sorted by the cell they lie in, so the nearest one and its ties never
//! depend on insertion order.
//! Metres, in the frame of the poses given.

use std::sync::OnceLock;

use tiepoint_model::Pose2;

use super::field::Field;
use crate::ReconstructError;
use crate::geometry::{Moments, Motion, dot, length_squared, minus, unit};
use crate::planar_scan::PlanarScan;

/// Fewest surfels a reference needs.
const MINIMUM_SURFELS: usize = 8;

/// Points farther than this from the first pose are left out, metres: no planar scanner measures
/// so far.
const REACH_M: f64 = 250.0;

/// A short piece of surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surfel {
    /// A point of the surface, metres.
    pub point_m: [f64; 2],
    /// Unit normal, towards the side it was seen from.
    pub normal: [f64; 2],
}

/// A previous scan, or a local map of several, ready to be matched against.
#[derive(Debug)]
pub struct Reference {
    surfels: Vec<Surfel>,
    buckets: Buckets,
    points: Vec<[f64; 2]>,
    scatter_m: f64,
    field: OnceLock<Field>,
}

impl Reference {
    /// Lays scans at their poses (`reference_from_base`) over one another.
    ///
    /// # Errors
    /// [`ReconstructError::EmptyReference`] if too few points lie on a surface,
    /// [`ReconstructError::NotFinite`] for a pose that is not.
    pub fn from_scans(scans: &[(Pose2, &PlanarScan)]) -> Result<Self, ReconstructError> {
        let mut points = Vec::new();
        let mut oriented = Vec::new();
        let mut scatter_m = 0.0_f64;
        let middle = scans.first().map_or([0.0; 2], |(pose, _)| [pose.x_m, pose.y_m]);
        for (index, (reference_from_base, scan)) in scans.iter().enumerate() {
            if !reference_from_base.is_finite() {
                return Err(ReconstructError::NotFinite { what: "reference pose", index });
            }
            let motion = Motion::of(*reference_from_base);
            scatter_m = scatter_m.max(scan.scatter_m);
            for point in &scan.points {
                let point_m = motion.point(point.in_base_m);
                if length_squared(minus(point_m, middle)) > REACH_M * REACH_M {
                    continue;
                }
                points.push(point_m);
                if let Some(normal) = point.normal {
                    oriented.push(Surfel { point_m, normal: motion.direction(normal) });
                }
            }
        }
        let surfels = averaged(oriented, scatter_m);
        if surfels.len() < MINIMUM_SURFELS {
            return Err(ReconstructError::EmptyReference {
                usable_count: surfels.len(),
                minimum: MINIMUM_SURFELS,
            });
        }
        let (surfels, buckets) = Buckets::sort(surfels, search_radius_m(scatter_m));
        Ok(Self { surfels, buckets, points, scatter_m, field: OnceLock::new() })
    }

    /// The pieces of surface, metres in the reference's frame.
    #[must_use]
    pub fn surfels(&self) -> &[Surfel] {
        &self.surfels
    }

    /// Scatter of neighbouring ranges of the noisiest scan, metres.
    pub(crate) fn scatter_m(&self) -> f64 {
        self.scatter_m
    }

    /// Farthest a point may lie from its partner, metres.
    pub(crate) fn search_radius_m(&self) -> f64 {
        self.buckets.cell_m
    }

    pub(crate) fn field(&self) -> &Field {
        self.field.get_or_init(|| Field::new(&self.points, self.scatter_m))
    }

    /// The nearest surfel within `radius_m` (at most [`Self::search_radius_m`]) that faces the
    /// same way as `normal`.
    pub(crate) fn nearest(
        &self,
        point_m: [f64; 2],
        normal: Option<[f64; 2]>,
        radius_m: f64,
    ) -> Option<&Surfel> {
        let mut best = None;
        let mut best_squared = radius_m * radius_m;
        self.buckets.around(point_m, |range| {
            for surfel in &self.surfels[range] {
                let squared = length_squared(minus(surfel.point_m, point_m));
                let faces = normal.is_none_or(|normal| dot(normal, surfel.normal) > 0.6);
                if squared < best_squared && faces {
                    best_squared = squared;
                    best = Some(surfel);
                }
            }
        });
        best
    }
}

fn search_radius_m(scatter_m: f64) -> f64 {
    0.6_f64.max(4.0 * scatter_m)
}

/// One surfel per occupied voxel, each the line through the points around the voxel that face its
/// way.
fn averaged(oriented: Vec<Surfel>, scatter_m: f64) -> Vec<Surfel> {
    let radius_m = 0.2_f64.max(3.0 * scatter_m);
    let voxel_m = 0.5 * radius_m;
    let (oriented, buckets) = Buckets::sort(oriented, radius_m);
    let mut seeds: Vec<(i64, i64, usize)> = oriented
        .iter()
        .enumerate()
        .map(|(index, surfel)| {
            let [x, y] = surfel.point_m.map(|c| (c / voxel_m).floor() as i64);
            (x, y, index)
        })
        .collect();
    seeds.sort_unstable();
    let mut surfels = Vec::new();
    for voxel in seeds.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let mut pending: Vec<usize> = voxel.iter().map(|seed| seed.2).collect();
        // At most two faces per voxel: a corner, or both sides of a thin wall.
        for _ in 0..2 {
            let Some(&first) = pending.get(pending.len() / 2) else { break };
            let facing = oriented[first].normal;
            let (same, other): (Vec<usize>, Vec<usize>) =
                pending.iter().partition(|index| dot(oriented[**index].normal, facing) > 0.7);
            let count = same.len() as f64;
            let mean = |axis: usize| {
                same.iter().map(|index| oriented[*index].point_m[axis]).sum::<f64>() / count
            };
            let centre = [mean(0), mean(1)];
            surfels.push(surfel_at(centre, facing, radius_m, (&oriented, &buckets)));
            pending = other;
        }
    }
    surfels
}

fn surfel_at(
    centre: [f64; 2],
    facing: [f64; 2],
    radius_m: f64,
    (oriented, buckets): (&[Surfel], &Buckets),
) -> Surfel {
    let mut moments = Moments::about(centre);
    let mut normal_sum = [0.0; 2];
    let mut count = 0;
    buckets.around(centre, |range| {
        for surfel in &oriented[range] {
            let squared = length_squared(minus(surfel.point_m, centre));
            if squared <= radius_m * radius_m && dot(surfel.normal, facing) > 0.7 {
                let weight = 1.0 - squared / (radius_m * radius_m);
                moments.add(surfel.point_m, weight);
                normal_sum[0] += weight * surfel.normal[0];
                normal_sum[1] += weight * surfel.normal[1];
                count += 1;
            }
        }
    });
    let mean_normal = unit(normal_sum);
    match moments.line() {
        Some(line) if count >= 4 && line.across_m < 0.5 * line.along_m => {
            let sign = if dot(line.normal, mean_normal) < 0.0 { -1.0 } else { 1.0 };
            let normal = [sign * line.normal[0], sign * line.normal[1]];
            let offset = dot(minus(line.mean, centre), normal);
            let point_m = [centre[0] + offset * normal[0], centre[1] + offset * normal[1]];
            Surfel { point_m, normal }
        }
        _ => Surfel { point_m: centre, normal: mean_normal },
    }
}

/// Surfels sorted by cell of a bounded grid, with the start of each cell.
#[derive(Debug)]
struct Buckets {
    cell_m: f64,
    lower: [i64; 2],
    size: [i64; 2],
    starts: Vec<u32>,
}

impl Buckets {
    fn sort(surfels: Vec<Surfel>, cell_m: f64) -> (Vec<Surfel>, Self) {
        let cell_of = |surfel: &Surfel| surfel.point_m.map(|c| (c / cell_m).floor() as i64);
        let mut lower = [i64::MAX; 2];
        let mut upper = [i64::MIN; 2];
        for surfel in &surfels {
            let cell = cell_of(surfel);
            for axis in 0..2 {
                lower[axis] = lower[axis].min(cell[axis]);
                upper[axis] = upper[axis].max(cell[axis]);
            }
        }
        if surfels.is_empty() {
            let empty = Self { cell_m, lower: [0; 2], size: [0; 2], starts: vec![0] };
            return (surfels, empty);
        }
        let size = [upper[0] - lower[0] + 1, upper[1] - lower[1] + 1];
        let mut starts = vec![0_u32; (size[0] * size[1]) as usize + 1];
        let index_of = |surfel: &Surfel| {
            let cell = cell_of(surfel);
            ((cell[1] - lower[1]) * size[0] + cell[0] - lower[0]) as usize
        };
        for surfel in &surfels {
            starts[index_of(surfel) + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let mut next = starts.clone();
        let mut sorted = surfels.clone();
        for surfel in &surfels {
            let slot = &mut next[index_of(surfel)];
            sorted[*slot as usize] = *surfel;
            *slot += 1;
        }
        (sorted, Self { cell_m, lower, size, starts })
    }

    /// Visits the three rows of cells about a point, each as one range of surfels.
    fn around(&self, point_m: [f64; 2], mut visit: impl FnMut(std::ops::Range<usize>)) {
        let [x, y] = point_m.map(|c| (c / self.cell_m).floor() as i64);
        let first = (x - 1 - self.lower[0]).max(0);
        let last = (x + 1 - self.lower[0]).min(self.size[0] - 1);
        if first > last {
            return;
        }
        for row in (y - 1 - self.lower[1]).max(0)..=(y + 1 - self.lower[1]).min(self.size[1] - 1) {
            let start = self.starts[(row * self.size[0] + first) as usize];
            let end = self.starts[(row * self.size[0] + last) as usize + 1];
            visit(start as usize..end as usize);
        }
    }
}
