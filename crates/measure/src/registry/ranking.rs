//! Metrics of how alike two evaluations rank the same systems.

use super::metrics;

metrics! {
    RANKING_KENDALL_TAU_B = "ranking.kendall_tau_b", "1",
        "Rank correlation of real and synthetic scores of a panel of systems, with ties.",
        "Kendall 1945; form of scipy.stats.kendalltau";
    RANKING_MMRV = "ranking.mmrv", "value",
        "Largest real difference to a system that is ordered the other way, averaged over systems.",
        "Li et al. 2024 (SIMPLER)";
    RANKING_SRCC = "ranking.srcc", "1",
        "Linear correlation of real and synthetic scores of a panel of systems.",
        "Kadian et al. 2020";
}
