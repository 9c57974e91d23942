//! Metrics that compare two samples.

use super::metrics;

metrics! {
    DIST_ENERGY = "dist.energy", "value",
        "Twice the mean distance between two samples minus the mean distances within them; the form says root, V or U.",
        "Szekely and Rizzo, Energy statistics, 2013";
    DIST_ENERGY_SQRT = "dist.energy_sqrt", "sqrt(value)",
        "Root of twice the integrated squared difference of two distributions.",
        "Szekely and Rizzo, 2013; form of scipy.stats.energy_distance";
    DIST_KS = "dist.ks", "1",
        "Largest vertical distance of two empirical distribution functions.",
        "Kolmogorov 1933; Smirnov 1939";
    DIST_KS_P_VALUE = "dist.ks.p_value", "1",
        "Probability of a Kolmogorov-Smirnov distance at least this large between samples of one law.",
        "Hodges 1958; scipy.stats.ks_2samp 1.17.1";
    DIST_MMD_SQUARED = "dist.mmd_squared", "1",
        "Squared distance of the mean embeddings of two samples under a kernel.",
        "Gretton et al., A kernel two-sample test, 2012";
    DIST_MMD_UPPER_BOUND = "dist.mmd_upper_bound", "1",
        "Upper confidence bound for the maximum mean discrepancy under a fixed kernel.",
        "arXiv 2603.10886; Gretton et al. 2012";
    DIST_WASSERSTEIN_1 = "dist.wasserstein_1", "value",
        "Area between two empirical distribution functions.",
        "Villani, Optimal Transport, 2009; scipy.stats.wasserstein_distance";
    DIST_WASSERSTEIN_SLICED = "dist.wasserstein_sliced", "value",
        "Mean over directions of the Wasserstein distances of the projected points, as a root.",
        "Bonneel et al. 2015; POT 0.9.7";
}
