//! Metrics that compare two samples.

use super::metrics;

metrics! {
    DIST_ENERGY_SQRT = "dist.energy_sqrt", "sqrt(value)",
        "Root of twice the integrated squared difference of two distributions.",
        "Szekely and Rizzo, 2013; form of scipy.stats.energy_distance";
    DIST_KS = "dist.ks", "1",
        "Largest vertical distance of two empirical distribution functions.",
        "Kolmogorov 1933; Smirnov 1939";
    DIST_WASSERSTEIN_1 = "dist.wasserstein_1", "value",
        "Area between two empirical distribution functions.",
        "Villani, Optimal Transport, 2009; scipy.stats.wasserstein_distance";
}
