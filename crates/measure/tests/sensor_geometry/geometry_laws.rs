//! Laws of distances between clouds, and hostile input.

use std::panic::catch_unwind;

use proptest::{collection::vec, prelude::*};
use tiepoint_measure::{
    MeasureError,
    geometry::{
        ChamferForm, CloudPair, Combine, DensityAwareForm, Directed, HausdorffForm, KdTree,
        M3c2Mode, M3c2Options, MapGrid, chamfer, density_aware_chamfer, hausdorff, m3c2,
        residual_map, surface_score,
    },
};
use tiepoint_model::{Seed, math};

const DIRECTED: [Directed; 5] = [
    Directed::MeanDistance,
    Directed::MeanSquare,
    Directed::SumDistance,
    Directed::SumSquare,
    Directed::RootMeanSquare,
];

/// Points on a coarse grid, so that duplicates and ties occur.
fn cloud() -> impl Strategy<Value = Vec<[f64; 3]>> {
    vec([-8_i32..8, -8_i32..8, -2_i32..2].prop_map(|p| p.map(|v| f64::from(v) / 4.0)), 1..80)
}

fn random_cloud(seed: u64, count: u64) -> Vec<[f64; 3]> {
    (0..count)
        .map(|index| {
            let mut draws = Seed(seed).draws(0, index);
            [draws.normal() * 3.0, draws.normal(), draws.uniform()]
        })
        .collect()
}

fn moved(points: &[[f64; 3]], angle: f64, shift: f64) -> Vec<[f64; 3]> {
    let (sin, cos) = math::sin_cos(angle);
    let turn = |p: &[f64; 3]| [cos * p[0] - sin * p[1], sin * p[0] + cos * p[1], p[2]];
    points
        .iter()
        .map(|point| {
            let [x, y, z] = turn(point);
            [y + shift, z - shift, x + 2.0 * shift]
        })
        .collect()
}

fn every_distance(pair: &CloudPair) -> Vec<f64> {
    let mut all = Vec::new();
    for directed in DIRECTED {
        for combine in [Combine::Sum, Combine::Mean, Combine::Max, Combine::FirstToSecond] {
            all.push(chamfer(pair, ChamferForm { directed, combine }));
        }
    }
    for form in [
        HausdorffForm::Largest(Combine::Max),
        HausdorffForm::Quantile { probability: 0.9, combine: Combine::Max },
        HausdorffForm::PooledQuantile { probability: 0.9 },
    ] {
        all.push(hausdorff(pair, form).unwrap());
    }
    all
}

/// Comparing with every point; the first of the nearest.
fn nearest_by_comparing(points: &[[f64; 3]], query: &[f64; 3]) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (index, point) in points.iter().enumerate() {
        let [x, y, z] = [0, 1, 2].map(|axis| query[axis] - point[axis]);
        let square = x * x + y * y + z * z;
        if square < best.1 {
            best = (index, square);
        }
    }
    best
}

proptest! {
    #[test]
    fn nearest_neighbours_are_those_of_comparing_with_all(points in cloud(), queries in cloud()) {
        let tree = KdTree::new(&points, "points").unwrap();
        let all = tree.nearest_of_each(&KdTree::new(&queries, "queries").unwrap());
        for (query, found) in queries.iter().zip(all) {
            let expected = nearest_by_comparing(&points, query);
            prop_assert_eq!((found.index, found.square_m2), expected);
            prop_assert_eq!(tree.nearest(query).unwrap(), found);
            let radius = 0.75;
            let near: Vec<usize> = (0..points.len())
                .filter(|i| nearest_by_comparing(&points[*i..=*i], query).1 <= radius * radius)
                .collect();
            prop_assert_eq!(tree.within(query, radius).unwrap(), near);
        }
    }

    #[test]
    fn two_sided_forms_are_symmetric(first in cloud(), second in cloud()) {
        let pair = CloudPair::new(&first, &second).unwrap();
        let swapped = CloudPair::new(&second, &first).unwrap();
        for directed in DIRECTED {
            for combine in [Combine::Sum, Combine::Mean, Combine::Max] {
                let form = ChamferForm { directed, combine };
                prop_assert_eq!(chamfer(&pair, form), chamfer(&swapped, form));
            }
            let one = ChamferForm { directed, combine: Combine::FirstToSecond };
            let other = ChamferForm { directed, combine: Combine::SecondToFirst };
            prop_assert_eq!(chamfer(&pair, one), chamfer(&swapped, other));
        }
    }

    #[test]
    fn chamfer_of_a_cloud_with_itself_is_zero(points in cloud()) {
        let mut shuffled = points.clone();
        shuffled.reverse();
        let pair = CloudPair::new(&points, &shuffled).unwrap();
        prop_assert!(every_distance(&pair).iter().all(|value| *value == 0.0));
    }

    /// Rounding of a rotation at coordinates up to 5: some ulp of 5, seen through a distance that is
    /// at least 1/4 or 0; squares of 0 become (1e-15)^2.
    #[test]
    fn set_distances_are_unchanged_by_rigid_motion(
        first in cloud(),
        second in cloud(),
        angle in -3.0..3.0_f64,
        shift in -2.0..2.0_f64,
    ) {
        let pair = CloudPair::new(&first, &second).unwrap();
        let other =
            CloudPair::new(&moved(&first, angle, shift), &moved(&second, angle, shift)).unwrap();
        for (one, two) in every_distance(&pair).into_iter().zip(every_distance(&other)) {
            prop_assert!((one - two).abs() <= 1e-12 * (1.0 + one), "{} {}", one, two);
        }
    }

    /// Powers of two scale without rounding.
    #[test]
    fn set_distances_scale_with_length(first in cloud(), second in cloud()) {
        let scaled = |points: &[[f64; 3]]| -> Vec<[f64; 3]> {
            points.iter().map(|p| p.map(|v| 4.0 * v)).collect()
        };
        let pair = CloudPair::new(&first, &second).unwrap();
        let other = CloudPair::new(&scaled(&first), &scaled(&second)).unwrap();
        for directed in DIRECTED {
            let form = ChamferForm { directed, combine: Combine::Sum };
            let factor = if form.unit() == "m^2" { 16.0 } else { 4.0 };
            let (got, expected) = (chamfer(&other, form), factor * chamfer(&pair, form));
            prop_assert!((got - expected).abs() <= 1e-13 * expected);
        }
        let largest = HausdorffForm::Largest(Combine::Max);
        prop_assert_eq!(hausdorff(&other, largest), hausdorff(&pair, largest).map(|d| 4.0 * d));
    }

    #[test]
    fn hausdorff_bounds_its_quantiles_and_the_mean(first in cloud(), second in cloud()) {
        let pair = CloudPair::new(&first, &second).unwrap();
        let largest = hausdorff(&pair, HausdorffForm::Largest(Combine::Max)).unwrap();
        let mut before = 0.0;
        for probability in [0.0, 0.25, 0.5, 0.95, 1.0] {
            let form = HausdorffForm::Quantile { probability, combine: Combine::Max };
            let value = hausdorff(&pair, form).unwrap();
            prop_assert!(value >= before && value <= largest);
            before = value;
        }
        prop_assert_eq!(before, largest);
        prop_assert!(chamfer(&pair, ChamferForm::MEAN_DISTANCE) <= largest * (1.0 + 1e-12));
    }

    #[test]
    fn density_aware_chamfer_is_bounded_and_symmetric(
        first in cloud(),
        second in cloud(),
        alpha in 0.01..100.0_f64,
    ) {
        let value = |a: &[[f64; 3]], b: &[[f64; 3]]| {
            let pair = CloudPair::new(a, b).unwrap();
            density_aware_chamfer(&pair, alpha, DensityAwareForm::Paper).unwrap()
        };
        let got = value(&first, &second);
        prop_assert!((0.0..=1.0).contains(&got));
        prop_assert_eq!(got, value(&second, &first));
    }

    #[test]
    fn surface_scores_grow_with_tau(first in cloud(), second in cloud(), tau in 0.1..2.0_f64) {
        let pair = CloudPair::new(&first, &second).unwrap();
        let [small, large] = [tau, 2.0 * tau].map(|tau| surface_score(&pair, tau).unwrap());
        prop_assert!(small.precision.hit_count <= large.precision.hit_count);
        prop_assert!(small.recall.hit_count <= large.recall.hit_count);
        prop_assert!(small.f_score() <= large.f_score());
    }

    #[test]
    fn surface_score_of_a_cloud_with_itself_is_one(points in cloud(), tau in 1e-9..2.0_f64) {
        let pair = CloudPair::new(&points, &points).unwrap();
        prop_assert_eq!(surface_score(&pair, tau).unwrap().f_score(), 1.0);
    }

    #[test]
    fn a_residual_map_counts_every_point_once(
        points in cloud(),
        edge in 0.1..3.0_f64,
        origin in -1.0..1.0_f64,
    ) {
        let residuals: Vec<f64> = points.iter().map(|p| p[0] * p[1]).collect();
        let grid = MapGrid { origin_m: [origin; 3], cell_m: [edge, edge, f64::INFINITY] };
        let map = residual_map(&points, &residuals, grid).unwrap();
        prop_assert_eq!(map.cells.iter().map(|c| c.count).sum::<usize>(), points.len());
        prop_assert!(map.cells.windows(2).all(|pair| pair[0].cell < pair[1].cell));
        let sum: f64 = map.cells.iter().map(|c| c.mean_m * c.count as f64).sum();
        prop_assert!((sum - residuals.iter().sum::<f64>()).abs() < 1e-9);
        prop_assert!(map.cells.iter().all(|c| c.rms_m >= c.mean_m.abs() - 1e-12 && c.cell[2] == 0));
    }
}

/// One point near many, and many near one: the density term sees what the plain form does not.
#[test]
fn density_aware_chamfer_has_its_closed_form() {
    let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-15, "{got}");
    let one = [[0.0; 3]];
    let four = [[0.0; 3]; 4];
    let pair = CloudPair::new(&one, &four).unwrap();
    // From the one: n = 1, distance 0. From the four: they share one neighbour.
    close(density_aware_chamfer(&pair, 3.0, DensityAwareForm::Paper).unwrap(), 0.5 * 0.75);
    let program = density_aware_chamfer(&pair, 3.0, DensityAwareForm::Program).unwrap();
    let expected = 0.5 * ((1.0 - 0.25 / (1.0 + 1e-6)) + (1.0 - 4.0 / (4.0 + 1e-6)));
    close(program, expected);
    let far = CloudPair::new(&one, &[[3.0, 4.0, 0.0]]).unwrap();
    let paper = density_aware_chamfer(&far, 0.1, DensityAwareForm::Paper).unwrap();
    close(paper, 1.0 - math::exp(-0.5));
    let program = density_aware_chamfer(&far, 0.1, DensityAwareForm::Program).unwrap();
    close(program, 1.0 - math::exp(-2.5) / (1.0 + 1e-6));
}

#[test]
fn neighbours_are_the_same_on_any_number_of_threads() {
    let (first, second) = (random_cloud(1, 30_000), random_cloud(2, 20_000));
    let with_threads = |count| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
        pool.install(|| {
            let pair = CloudPair::new(&first, &second).unwrap();
            let forms: Vec<u64> = every_distance(&pair).into_iter().map(f64::to_bits).collect();
            (pair.first_to_second().to_vec(), forms)
        })
    };
    assert_eq!(with_threads(1), with_threads(3));
}

/// All points in one place, and on one line: halves are made by count, so the tree stays flat.
#[test]
fn duplicates_and_lines_are_answered_like_any_cloud() {
    let same = vec![[1.0, 2.0, 3.0]; 50_000];
    let tree = KdTree::new(&same, "same").unwrap();
    let found = tree.nearest(&[1.0, 2.0, 4.0]).unwrap();
    assert_eq!((found.index, found.distance_m()), (0, 1.0));
    assert_eq!(tree.within(&[1.0, 2.0, 3.0], 0.0).unwrap().len(), same.len());
    let line: Vec<[f64; 3]> = (0..1000).map(|i| [0.0, f64::from(i % 500), 0.0]).collect();
    let found = KdTree::new(&line, "line").unwrap().nearest(&[0.0, 17.4, 0.0]).unwrap();
    assert_eq!(found.index, 17);
}

fn plane(seed: u64, count: u64, height: f64) -> Vec<[f64; 3]> {
    (0..count)
        .map(|index| {
            let mut draws = Seed(seed).draws(1, index);
            let [x, y] = [0; 2].map(|_| 4.0 * draws.uniform() - 2.0);
            [x, y, 0.2 * x + height + 0.005 * draws.normal()]
        })
        .collect()
}

fn options() -> M3c2Options {
    M3c2Options {
        normal_radii_m: vec![0.6],
        cylinder_radius_m: 0.4,
        distance_m_max: 1.0,
        registration_error_m: 0.0,
        towards: [0.0, 0.0, 1.0],
        mode: M3c2Mode::Corrected,
        points_min: 4,
    }
}

#[test]
fn m3c2_of_an_epoch_with_itself_is_zero() {
    let epoch = plane(3, 800, 0.0);
    for change in m3c2(&epoch, &epoch, &epoch[..20], &options()).unwrap() {
        let change = change.unwrap();
        assert_eq!(change.distance_m, 0.0);
        assert!(change.detection_level_m > 0.0 && !change.is_detected());
    }
}

/// A plane raised by 5 cm moves by 5 cm times the normal's upright part; the level of detection is
/// of independent points, so its coverage is exact up to the count: 200 core points, at least 88 %
/// within (binomial, five standard errors of a 95 % level; cylinders overlap).
#[test]
fn m3c2_sees_a_shift_along_the_normal() {
    let (first, second) = (plane(4, 3000, 0.0), plane(5, 3000, 0.05));
    let core: Vec<[f64; 3]> =
        first.iter().filter(|p| p[0].abs() < 1.4 && p[1].abs() < 1.4).take(200).copied().collect();
    let changes = m3c2(&first, &second, &core, &options()).unwrap();
    let mut within = 0;
    for change in &changes {
        let change = change.unwrap();
        assert!(change.is_detected());
        let expected_m = 0.05 * change.normal[2];
        within += usize::from((change.distance_m - expected_m).abs() <= change.detection_level_m);
    }
    assert!(within * 100 >= changes.len() * 88, "{within} of {}", changes.len());
}

#[test]
fn m3c2_changes_sign_with_the_normal() {
    let (first, second) = (plane(4, 800, 0.0), plane(5, 800, 0.05));
    let up = m3c2(&first, &second, &first[..9], &options()).unwrap();
    let downward = M3c2Options { towards: [0.0, 0.0, -1.0], ..options() };
    let down = m3c2(&first, &second, &first[..9], &downward).unwrap();
    for (up, down) in up.iter().zip(&down) {
        let (up, down) = (up.unwrap(), down.unwrap());
        assert_eq!(up.distance_m, -down.distance_m);
        assert_eq!(up.detection_level_m, down.detection_level_m);
    }
}

#[test]
fn m3c2_says_why_there_is_no_change() {
    use tiepoint_measure::geometry::surface_change::NoChange;
    let epoch = plane(3, 800, 0.0);
    let away = [[100.0, 0.0, 0.0]];
    assert_eq!(m3c2(&epoch, &epoch, &away, &options()).unwrap(), [Err(NoChange::NoNormal)]);
    let line: Vec<[f64; 3]> = (0..100).map(|i| [f64::from(i) * 0.01, 0.0, 0.0]).collect();
    let at = [[0.5, 0.0, 0.0]];
    assert_eq!(m3c2(&line, &line, &at, &options()).unwrap(), [Err(NoChange::NoNormal)]);
    let few = m3c2(&epoch, &away, &epoch[..1], &options()).unwrap();
    assert!(matches!(few[..], [Err(NoChange::TooFewPoints { second_count: 0, .. })]));
}

#[test]
fn degenerate_clouds_are_refused_by_name() {
    let good = [[0.0; 3]];
    assert_eq!(CloudPair::new(&[], &good).unwrap_err(), MeasureError::Empty { what: "first" });
    assert_eq!(
        CloudPair::new(&good, &[[0.0; 3], [0.0, f64::NAN, 0.0]]).unwrap_err(),
        MeasureError::NotFinite { what: "second", index: 1 }
    );
    let huge = CloudPair::new(&good, &[[1e200, 0.0, 0.0]]).unwrap_err();
    assert!(
        matches!(huge, MeasureError::TooLarge { what: "second", .. }) && !huge.hint().is_empty()
    );
    let pair = CloudPair::new(&good, &good).unwrap();
    assert!(surface_score(&pair, 0.0).is_err());
    assert!(density_aware_chamfer(&pair, f64::NAN, DensityAwareForm::Paper).is_err());
    assert!(hausdorff(&pair, HausdorffForm::PooledQuantile { probability: 1.5 }).is_err());
    let grid = MapGrid { origin_m: [0.0; 3], cell_m: [1e-10; 3] };
    assert!(matches!(
        residual_map(&[[1e9, 0.0, 0.0]], &[1.0], grid),
        Err(MeasureError::TooLarge { .. })
    ));
}

/// Hostile numbers in all places: an error or a finite answer, never a panic, never a NaN.
#[test]
fn hostile_clouds_neither_panic_nor_give_nan() {
    const HOSTILE: [f64; 10] =
        [0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e149, -1e150, 1e308, 5e-324];
    for seed in 0..2000 {
        let mut draws = Seed(seed).draws(9, 0);
        // Mostly a few plain numbers, so that whole clouds pass the door.
        let kinds = if draws.uniform() < 0.5 { 3 } else { HOSTILE.len() };
        let cloud = |draws: &mut tiepoint_model::seed::Draws| -> Vec<[f64; 3]> {
            let count = draws.below(12);
            (0..count).map(|_| [0; 3].map(|_| HOSTILE[draws.below(kinds)])).collect()
        };
        let (first, second) = (cloud(&mut draws), cloud(&mut draws));
        let radius = HOSTILE[draws.below(HOSTILE.len())];
        let outcome = catch_unwind(|| {
            let options = M3c2Options { cylinder_radius_m: radius, ..options() };
            if let Ok(changes) = m3c2(&first, &second, &first, &options) {
                for change in changes.into_iter().flatten() {
                    assert!(change.distance_m.is_finite());
                }
            }
            if let Ok(pair) = CloudPair::new(&first, &second) {
                for neighbour in pair.first_to_second().iter().chain(pair.second_to_first()) {
                    assert!(neighbour.square_m2.is_finite());
                }
                assert!(every_distance(&pair).iter().all(|value| !value.is_nan()));
                if let Ok(score) = surface_score(&pair, radius) {
                    assert!((0.0..=1.0).contains(&score.f_score()));
                }
            }
        });
        assert!(outcome.is_ok(), "seed {seed}: {first:?} {second:?} {radius}");
    }
}

/// Numbers of different forms carry different texts.
#[test]
fn each_form_prints_its_own_text() {
    assert_eq!(
        ChamferForm::OPEN3D.metric().to_string(),
        "geom.chamfer[combine=sum;directed=mean_distance]"
    );
    assert_eq!(
        ChamferForm::PYTORCH3D.metric().to_string(),
        "geom.chamfer.squared[combine=sum;directed=mean_square]"
    );
    assert_eq!(
        HausdorffForm::Quantile { probability: 0.95, combine: Combine::Max }.metric().to_string(),
        "geom.hausdorff[combine=max;quantile=0.95]"
    );
    assert_eq!(
        DensityAwareForm::Program.metric(1000.0).to_string(),
        "geom.chamfer.density_aware[alpha=1000;mode=compat:density_aware_chamfer_distance==6f7f3e5]"
    );
    let id = tiepoint_measure::registry::GEOM_M3C2_DISTANCE;
    assert!(options().metric(id).to_string().contains("mode=corrected;normal_radii_m=0.6"));
}
