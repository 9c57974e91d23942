//! Metrics that compare two samples.

use super::metrics;

metrics! {
    DIST_ADWIN_DETECTIONS = "dist.adwin_detections", "1",
        "Places in a stream at which its mean is seen to have changed.",
        "Bifet and Gavalda 2007; river 0.26.1";
    DIST_ALPHA_PRECISION = "dist.alpha_precision", "1",
        "How closely the share of synthetic points near the real centre follows the share of real ones.",
        "Alaa et al. 2022; synthcity 0.2.12";
    DIST_AUTHENTICITY = "dist.authenticity", "1",
        "Share of synthetic points that are not near copies of a real one.",
        "Alaa et al. 2022; synthcity 0.2.12";
    DIST_BETA_RECALL = "dist.beta_recall", "1",
        "How closely the share of real points that inner synthetic ones reach follows their own share.",
        "Alaa et al. 2022; synthcity 0.2.12";
    DIST_C2ST_ACCURACY = "dist.c2st_accuracy", "1",
        "Share of unseen points that a learner puts into their own sample.",
        "Lopez-Paz and Oquab, Revisiting classifier two-sample tests, 2017";
    DIST_C2ST_AUC = "dist.c2st_auc", "1",
        "Area under the ROC curve of a learner's scores of unseen points.",
        "Lopez-Paz and Oquab, Revisiting classifier two-sample tests, 2017";
    DIST_COVERAGE = "dist.coverage", "1",
        "Share of real points whose neighbourhood holds a synthetic one.",
        "Naeem et al. 2020; prdc 0.2";
    DIST_CRAMER_VON_MISES = "dist.cramer_von_mises", "1",
        "Mean squared difference of two empirical distribution functions, scaled by their sizes.",
        "Anderson 1962; scipy.stats.cramervonmises_2samp 1.17.1";
    DIST_DENSITY = "dist.density", "1",
        "Real neighbourhoods that hold a synthetic point on average, over their size.",
        "Naeem et al. 2020; prdc 0.2";
    DIST_DEPENDENCE_DIFFERENCE = "dist.dependence_difference", "1",
        "Largest difference of a coefficient of dependence between two columns.",
        "Pearson; Spearman 1904; Kendall 1945; Szekely et al. 2007";
    DIST_ENERGY = "dist.energy", "value",
        "Twice the mean distance between two samples minus the mean distances within them; the form says root, V or U.",
        "Szekely and Rizzo, Energy statistics, 2013";
    DIST_ENERGY_SQRT = "dist.energy_sqrt", "sqrt(value)",
        "Root of twice the integrated squared difference of two distributions.",
        "Szekely and Rizzo, 2013; form of scipy.stats.energy_distance";
    DIST_FRECHET = "dist.frechet", "value^2",
        "Squared Wasserstein-2 distance of the Gaussians fitted to two samples; biased upwards.",
        "Dowson and Landau 1982; Heusel et al. 2017";
    DIST_KID = "dist.kid", "1",
        "Unbiased squared maximum mean discrepancy under a cubic kernel.",
        "Binkowski et al., Demystifying MMD GANs, 2018";
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
    DIST_MUTUAL_INFORMATION = "dist.mutual_information", "nat",
        "What one column says about another, by nearest neighbours.",
        "Kraskov et al. 2004; scikit-learn 1.9.1, mutual_info_regression";
    DIST_PRECISION = "dist.precision", "1",
        "Share of synthetic points inside the neighbourhood of a real one.",
        "Kynkaanniemi et al. 2019; prdc 0.2";
    DIST_PSI = "dist.psi", "1",
        "Population stability index: symmetric divergence of the shares of bins.",
        "evidently 0.7.23; Siddiqi, Credit Risk Scorecards, 2006";
    DIST_RECALL = "dist.recall", "1",
        "Share of real points inside the neighbourhood of a synthetic one.",
        "Kynkaanniemi et al. 2019; prdc 0.2";
    DIST_TOTAL_VARIATION = "dist.total_variation", "1",
        "Half the sum of the absolute differences of category shares.",
        "SDMetrics 0.32.0, whose TVComplement is one minus it";
    DIST_WASSERSTEIN = "dist.wasserstein", "value",
        "Wasserstein distance of a named order on a line, as a root.",
        "Peyre and Cuturi 2019; POT 0.9.7, which gives its power";
    DIST_WASSERSTEIN_1 = "dist.wasserstein_1", "value",
        "Area between two empirical distribution functions.",
        "Villani, Optimal Transport, 2009; scipy.stats.wasserstein_distance";
    DIST_WASSERSTEIN_EXACT = "dist.wasserstein_exact", "value",
        "Wasserstein distance of a named order between two sets of points, as a root.",
        "Villani, Optimal Transport, 2009; POT 0.9.7, emd2, which gives its power";
    DIST_WASSERSTEIN_SLICED = "dist.wasserstein_sliced", "value",
        "Mean over directions of the Wasserstein distances of the projected points, as a root.",
        "Bonneel et al. 2015; POT 0.9.7";
}
