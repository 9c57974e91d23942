//! The sums behind the Allan family.
//!
//! Invariant: a sum over overlapping terms runs in eight lanes that are added in a fixed tree, so
//! that it can use wide registers and still has the same bits everywhere.
//! Each returns the mean square, scaled so that its root over the factor is the deviation, and the
//! number of terms; 0 terms where the record is too short.
//!
//! Not here: which averaging factors, and units.

const LANES: usize = 8;

/// Sum of squares of `term(i)` for `i` in `0..count`, in lanes.
#[inline(always)]
fn sum_of_squares(count: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let whole = count - count % LANES;
    let mut start = 0;
    while start < whole {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            let value = term(start + lane);
            *sum += value * value;
        }
        start += LANES;
    }
    for (lane, index) in (whole..count).enumerate() {
        let value = term(index);
        lanes[lane] += value * value;
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

/// Terms `i, i + stride, ...` whose last phase `i + span` exists.
fn term_count(phase_count: usize, span: Option<usize>, stride: usize) -> usize {
    match span {
        Some(span) if span < phase_count => (phase_count - span - 1) / stride + 1,
        _ => 0,
    }
}

/// Allan: half the mean square of `x[i + 2 m] - 2 x[i + m] + x[i]`.
pub(super) fn second_differences(x: &[f64], m: usize, stride: usize) -> (f64, usize) {
    let count = term_count(x.len(), m.checked_mul(2), stride);
    if count == 0 {
        return (0.0, 0);
    }
    let sum = if stride == 1 {
        let (x0, x1, x2) = (&x[..count], &x[m..m + count], &x[2 * m..2 * m + count]);
        sum_of_squares(count, |i| x2[i] - 2.0 * x1[i] + x0[i])
    } else {
        sum_of_squares(count, |i| {
            let at = i * stride;
            x[at + 2 * m] - 2.0 * x[at + m] + x[at]
        })
    };
    (sum / (2.0 * count as f64), count)
}

/// Hadamard: a sixth of the mean square of `x[i + 3 m] - 3 x[i + 2 m] + 3 x[i + m] - x[i]`.
pub(super) fn third_differences(x: &[f64], m: usize, stride: usize) -> (f64, usize) {
    let count = term_count(x.len(), m.checked_mul(3), stride);
    if count == 0 {
        return (0.0, 0);
    }
    let sum = if stride == 1 {
        let (x0, x1) = (&x[..count], &x[m..m + count]);
        let (x2, x3) = (&x[2 * m..2 * m + count], &x[3 * m..3 * m + count]);
        sum_of_squares(count, |i| x3[i] - 3.0 * x2[i] + 3.0 * x1[i] - x0[i])
    } else {
        sum_of_squares(count, |i| {
            let at = i * stride;
            x[at + 3 * m] - 3.0 * x[at + 2 * m] + 3.0 * x[at + m] - x[at]
        })
    };
    (sum / (6.0 * count as f64), count)
}

/// Modified Allan: half the mean square of the mean of `m` neighbouring second differences.
pub(super) fn averaged(x: &[f64], m: usize) -> (f64, usize) {
    let span = m.checked_mul(3).map(|span| span - 1);
    let count = term_count(x.len(), span, 1);
    if count == 0 {
        return (0.0, 0);
    }
    let mut running = 0.0;
    for i in 0..m {
        running += x[i + 2 * m] - 2.0 * x[i + m] + x[i];
    }
    let mut sum = running * running;
    for i in 0..count - 1 {
        running += (x[i + 3 * m] - 3.0 * x[i + 2 * m]) + (3.0 * x[i + m] - x[i]);
        sum += running * running;
    }
    let factor = m as f64;
    (sum / (2.0 * count as f64 * factor * factor), count)
}

/// Total: as Allan, at every inner phase of the record, in the mirrored record.
pub(super) fn total(extended: &[f64], phase_count: usize, m: usize) -> (f64, usize) {
    let count = phase_count.saturating_sub(2);
    if count == 0 || m > count {
        return (0.0, 0);
    }
    // The first inner phase.
    let middle = count + 1;
    let x0 = &extended[middle - m..middle - m + count];
    let x1 = &extended[middle..middle + count];
    let x2 = &extended[middle + m..middle + m + count];
    let sum = sum_of_squares(count, |i| x2[i] - 2.0 * x1[i] + x0[i]);
    (sum / (2.0 * count as f64), count)
}
