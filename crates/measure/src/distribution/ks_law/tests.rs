//! The laws against SciPy 1.17.1 and against counting.

use super::*;

/// `scipy.stats.kstwo.sf(x, n)` of SciPy 1.17.1; each branch of the choice.
///
/// Tolerance: 1e-9 relative; `1 - cdf` loses at most four of sixteen digits here.
#[test]
fn one_sample_tails_agree_with_scipy() {
    for (n, x, expected) in KSTWO {
        let got = kolmogorov_tail_at(n, x);
        assert!((got - expected).abs() <= 1e-9 * expected, "{n} {x}: {got} {expected}");
    }
}

/// n, x, tail.
const KSTWO: [(f64, f64, f64); 39] = [
    (1.0, 0.6, 0.8),
    (1.0, 0.9, 0.19999999999999996),
    (5.0, 0.15, 0.9988),
    (5.0, 0.3, 0.664),
    (5.0, 0.6, 0.03008000000000001),
    (5.0, 0.9, 1.9999999999999978e-05),
    (22.0, 0.02, 1.0),
    (22.0, 0.04, 0.9999999999921411),
    (22.0, 0.1, 0.9647148649979217),
    (22.0, 0.31, 0.022432117768563464),
    (22.0, 0.45, 0.00013851678662863174),
    (22.0, 0.7, 2.4914794329226562e-11),
    (22.0, 0.97, 6.276211921800123e-34),
    (140.0, 0.03, 0.9992547123063266),
    (140.0, 0.06, 0.6719092248862638),
    (140.0, 0.12, 0.03252638258561632),
    (140.0, 0.169, 0.0005778682806183945),
    (140.0, 0.3, 1.1370251710737309e-11),
    (141.0, 0.02, 0.9999999744561288),
    (141.0, 0.06, 0.6677160791348915),
    (141.0, 0.1249, 0.02241500523834805),
    (141.0, 0.13, 0.015449346308454497),
    (141.0, 0.4, 7.149167716778307e-21),
    (1000.0, 0.004, 1.0),
    (1000.0, 0.01, 0.9999496745370611),
    (1000.0, 0.02, 0.8108971656895577),
    (1000.0, 0.04, 0.07933956059000224),
    (1000.0, 0.05, 0.013012074781090332),
    (1000.0, 0.2, 1.5528629204250538e-35),
    (50000.0, 0.0008, 0.9999999999999997),
    (50000.0, 0.003, 0.7579000443487147),
    (50000.0, 0.006, 0.05442749636006261),
    (50000.0, 0.0067, 0.02236306937721667),
    (50000.0, 0.01, 9.018048811843602e-05),
    (500000.0, 0.0003, 0.9999999999844433),
    (500000.0, 0.001, 0.6989801443663661),
    (500000.0, 0.0019, 0.054034070302290904),
    (500000.0, 0.003, 0.00024632301239186754),
    (500000.0, 0.01, 7.374635645083527e-44),
];

/// Small lattices have few enough orders to be counted one by one.
#[test]
fn exact_p_values_count_all_orders() {
    for (n, m) in [(1, 1), (2, 3), (3, 3), (5, 4), (6, 2)] {
        for alternative in [KsAlternative::TwoSided, KsAlternative::Greater, KsAlternative::Less] {
            let orders: Vec<i64> = (0..1_u32 << (n + m))
                .filter(|order| order.count_ones() == n)
                .map(|order| highest(order, [n, m], alternative))
                .collect();
            for limit in 0..=i64::from(n * m) {
                let hits = orders.iter().filter(|&&height| height >= limit).count();
                let expected = hits as f64 / orders.len() as f64;
                let distance = limit as f64 / f64::from(n * m);
                let counts = [n as usize, m as usize];
                let got = smirnov_tail_two_samples(counts, distance, alternative).unwrap();
                assert!((got - expected).abs() < 1e-14, "{n} {m} {limit} {alternative:?}");
            }
        }
    }
}

/// The largest `nm (F - G)` in the tested direction along one order.
fn highest(order: u32, [n, m]: [u32; 2], alternative: KsAlternative) -> i64 {
    let (mut height, mut best) = (0_i64, 0_i64);
    for place in 0..n + m {
        height += if order >> place & 1 == 1 { i64::from(m) } else { -i64::from(n) };
        best = best.max(match alternative {
            KsAlternative::TwoSided => height.abs(),
            KsAlternative::Greater => height,
            KsAlternative::Less => -height,
        });
    }
    best
}
