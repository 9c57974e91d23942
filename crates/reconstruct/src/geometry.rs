//! Small planar geometry: a motion ready to move many points, and the line through weighted points.
//!
//! Invariant: no transcendental function per point; a line's normal has unit length.

use tiepoint_model::{Pose2, math};

/// A pose with its sine and cosine worked out, for moving many points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Motion {
    cos: f64,
    sin: f64,
    x_m: f64,
    y_m: f64,
}

impl Motion {
    pub(crate) fn of(a_from_b: Pose2) -> Self {
        let (sin, cos) = math::sin_cos(a_from_b.yaw_rad);
        Self { cos, sin, x_m: a_from_b.x_m, y_m: a_from_b.y_m }
    }

    pub(crate) fn point(self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.x_m + self.cos * x - self.sin * y, self.y_m + self.sin * x + self.cos * y]
    }

    pub(crate) fn direction(self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.cos * x - self.sin * y, self.sin * x + self.cos * y]
    }

    /// The direction in the body's frame.
    pub(crate) fn direction_back(self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.cos * x + self.sin * y, -self.sin * x + self.cos * y]
    }
}

pub(crate) fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

pub(crate) fn minus(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

pub(crate) fn length_squared(a: [f64; 2]) -> f64 {
    dot(a, a)
}

/// The vector at length 1; the x axis for the null vector.
pub(crate) fn unit(a: [f64; 2]) -> [f64; 2] {
    let length = length_squared(a).sqrt();
    if length > 0.0 { [a[0] / length, a[1] / length] } else { [1.0, 0.0] }
}

/// Weighted sums of points about a pivot near them, from which their line follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    pivot: [f64; 2],
    weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

/// The line of least squared distance to weighted points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) mean: [f64; 2],
    /// Unit normal, of either sign.
    pub(crate) normal: [f64; 2],
    /// Standard deviation across the line.
    pub(crate) across_m: f64,
    /// Standard deviation along the line.
    pub(crate) along_m: f64,
}

impl Moments {
    pub(crate) fn about(pivot: [f64; 2]) -> Self {
        Self { pivot, weight: 0.0, x: 0.0, y: 0.0, xx: 0.0, xy: 0.0, yy: 0.0 }
    }

    pub(crate) fn add(&mut self, point: [f64; 2], weight: f64) {
        let [x, y] = minus(point, self.pivot);
        self.weight += weight;
        self.x += weight * x;
        self.y += weight * y;
        self.xx += weight * x * x;
        self.xy += weight * x * y;
        self.yy += weight * y * y;
    }

    /// `None` without weight, or if all points coincide.
    pub(crate) fn line(&self) -> Option<Line> {
        if self.weight <= 0.0 {
            return None;
        }
        let (mx, my) = (self.x / self.weight, self.y / self.weight);
        let xx = self.xx / self.weight - mx * mx;
        let xy = self.xy / self.weight - mx * my;
        let yy = self.yy / self.weight - my * my;
        let spread = ((xx - yy) * (xx - yy) + 4.0 * xy * xy).sqrt();
        let least = 0.5 * (xx + yy - spread);
        let most = 0.5 * (xx + yy + spread);
        if most <= 1e-12 {
            return None;
        }
        // The better conditioned of the two rows of (covariance - most) spans the normal.
        let (a, b) = ([xx - most, xy], [xy, yy - most]);
        let row = if length_squared(a) >= length_squared(b) { a } else { b };
        Some(Line {
            mean: [self.pivot[0] + mx, self.pivot[1] + my],
            normal: unit(row),
            across_m: least.max(0.0).sqrt(),
            along_m: most.sqrt(),
        })
    }
}
