//! The statistics that there are: id, unit, what it is, source, conventions.
//!
//! Invariant: sorted by id, and none twice.

use super::super::catalogue::MetricLine;

/// Id, unit, sentence, source, names of the conventions.
type Entry = (&'static str, &'static str, &'static str, &'static str, &'static str);

const ENTRIES: &[Entry] = &[
    (
        "stat.adjusted_p",
        "1",
        "Number of statements of a family that adjusted p-values reject.",
        "Holm 1979; Benjamini and Hochberg 1995; Benjamini and Yekutieli 2001",
        "alpha method",
    ),
    (
        "stat.alpha_investing",
        "1",
        "Rejections by questions asked one after the other of one reserve, each at its charge.",
        "Foster and Stine 2008",
        "level policy reward wealth",
    ),
    (
        "stat.bootstrap",
        "value",
        "A statistic of units with its interval over resamples of rows, blocks or clusters.",
        "Efron 1979 and 1987; Politis and Romano 1992; Davison and Hinkley 1997",
        "block_length cluster level method resamples seed statistic",
    ),
    (
        "stat.e_bh",
        "1",
        "Number of statements of a family that e-values reject, under any dependence.",
        "Wang and Ramdas 2022",
        "alpha",
    ),
    (
        "stat.equivalence",
        "value",
        "Mean paired difference, and whether it is shown to lie within a margin.",
        "Schuirmann 1987; Welch 1947; Waudby-Smith and Ramdas 2024",
        "alpha block_length bound margin test",
    ),
    (
        "stat.exchange_rate",
        "1",
        "Real values that one synthetic value is worth for the precision of a mean.",
        "Angelopoulos, Duchi and Zrnic 2023",
        "alpha",
    ),
    (
        "stat.jackknife",
        "value",
        "How much each unit moves a statistic of all, with its standard error and bias.",
        "Quenouille 1956; Tukey 1958; Efron 1982",
        "statistic",
    ),
    (
        "stat.mean_interval",
        "value",
        "Mean of bounded units with an interval that holds for any law and any number.",
        "Waudby-Smith and Ramdas 2024; Hoeffding 1963",
        "alpha bounds method",
    ),
    (
        "stat.no_difference",
        "1",
        "Chance of differences at least this large if there were none; supports nothing.",
        "Fisher 1935; Phipson and Smyth 2010; Wilcoxon 1945",
        "exchanges seed test",
    ),
    (
        "stat.noninferiority",
        "value",
        "Mean paired difference, and whether it is shown not to be worse by a margin.",
        "Student's t; Waudby-Smith and Ramdas 2024",
        "alpha block_length bound margin safe_side test",
    ),
    (
        "stat.paired_outcomes",
        "1",
        "Synthetic less real share of the same units: exact test, interval, and margin.",
        "McNemar 1947; Clopper and Pearson 1934",
        "alpha margin",
    ),
    (
        "stat.ppi",
        "value",
        "Mean of real values that synthetic values of other units tighten.",
        "Angelopoulos et al. 2023; Angelopoulos, Duchi and Zrnic 2023; Zrnic and Candes 2024",
        "alpha folds lambda method",
    ),
    (
        "stat.sample_size",
        "1",
        "Units that a test needs to support a true claim with the wanted chance.",
        "power of the tests named here; Kish 1965 for scenes",
        "alpha estimate power test",
    ),
    (
        "stat.scaling_curve",
        "value",
        "Floor of an error that falls with the number of samples as a power, with its interval.",
        "Cortes et al. 1993; profile t of Bates and Watts 1988",
        "alpha",
    ),
    (
        "stat.share",
        "1",
        "Share of outcomes with its interval.",
        "Clopper and Pearson 1934; Wilson 1927; Brown, Cai and DasGupta 2001",
        "alpha method",
    ),
    (
        "stat.training_exchange_rate",
        "1",
        "Real training samples that one synthetic sample is worth, off the curve of real ones.",
        "profile t of Bates and Watts 1988",
        "alpha",
    ),
    (
        "stat.two_shares",
        "1",
        "Difference of the shares of two groups, and whether the first is not worse by a margin.",
        "Barnard 1947; Chan 1998; Farrington and Manning 1990; Newcombe 1998",
        "alpha margin",
    ),
    (
        "stat.weighted_mean",
        "value",
        "Mean of weighted units, if enough effective ones carry it.",
        "Hajek; Kish 1965",
        "alpha effective_count_min",
    ),
];

/// The unit of a statistic.
pub(super) fn unit(id: &str) -> &'static str {
    ENTRIES.iter().find(|entry| entry.0 == id).map_or("", |entry| entry.1)
}

/// The lines of the list.
pub(in super::super) fn lines() -> impl Iterator<Item = MetricLine> {
    ENTRIES.iter().map(|(id, unit, description, source, conventions)| MetricLine {
        id: (*id).to_owned(),
        unit: (*unit).to_owned(),
        description: (*description).to_owned(),
        source: (*source).to_owned(),
        command: Some(id),
        elsewhere: None,
        conventions: conventions.split_whitespace().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_statistic_stands_twice_and_each_is_one_sentence() {
        assert!(ENTRIES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(
            ENTRIES
                .iter()
                .all(|(_, unit, sentence, ..)| { sentence.ends_with('.') && !unit.is_empty() })
        );
    }
}
