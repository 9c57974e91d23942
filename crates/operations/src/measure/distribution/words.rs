//! The words of the command line for the choices of the distribution measures.
//!
//! Invariant: an unknown word is an error that names the known ones.

use tiepoint_measure::distribution::{
    Bandwidth, ClassifierStatistic, Correlation, EnergyForm, EquivalenceLaw, KsAlternative, KsMode,
    Learner, MmdEstimator, PsiBins, SupportMode, TransportOrder,
};

use super::unknown;
use crate::Error;

pub(super) fn alternative(word: &str) -> Result<KsAlternative, Error> {
    match word {
        "two-sided" => Ok(KsAlternative::TwoSided),
        "greater" => Ok(KsAlternative::Greater),
        "less" => Ok(KsAlternative::Less),
        _ => Err(unknown("--alternative", word, "two-sided, greater, less")),
    }
}

pub(super) fn ks_law(word: &str) -> Result<KsMode, Error> {
    match word {
        "exact" => Ok(KsMode::Exact),
        "asymp" => Ok(KsMode::Asymptotic),
        "auto" => Ok(KsMode::Auto),
        _ => Err(unknown("--law", word, "exact, asymp, auto")),
    }
}

pub(super) fn psi_bins(word: &str, bin_count: usize) -> Result<PsiBins, Error> {
    match word {
        "evidently" => Ok(PsiBins::Evidently),
        "quantiles" => Ok(PsiBins::ReferenceQuantiles(bin_count)),
        "widths" => Ok(PsiBins::ReferenceWidths(bin_count)),
        _ => Err(unknown("--bins", word, "evidently, quantiles, widths")),
    }
}

pub(super) fn energy_form(word: &str) -> Result<EnergyForm, Error> {
    match word {
        "root" => Ok(EnergyForm::Root),
        "v" => Ok(EnergyForm::V),
        "u" => Ok(EnergyForm::U),
        "hyppo-unbiased" => Ok(EnergyForm::HyppoUnbiased),
        "hyppo-biased" => Ok(EnergyForm::HyppoBiased),
        _ => Err(unknown("--form", word, "root, v, u, hyppo-unbiased, hyppo-biased")),
    }
}

pub(super) fn bandwidth(word: &str) -> Result<Bandwidth, Error> {
    match word {
        "median-half" => Ok(Bandwidth::MedianHalf),
        "median" => Ok(Bandwidth::Median),
        "columns" => Ok(Bandwidth::Columns),
        _ => word.parse().map(Bandwidth::Gamma).map_err(|_| {
            unknown("--gamma", word, "median-half, median, columns, or a number above zero")
        }),
    }
}

pub(super) fn estimator(word: &str) -> Result<MmdEstimator, Error> {
    match word {
        "biased" => Ok(MmdEstimator::Biased),
        "unbiased" => Ok(MmdEstimator::Unbiased),
        _ => Err(unknown("--estimator", word, "biased, unbiased")),
    }
}

pub(super) fn equivalence_law(word: &str) -> Result<EquivalenceLaw, Error> {
    match word {
        "normal" => Ok(EquivalenceLaw::Normal),
        "concentration" => Ok(EquivalenceLaw::Concentration),
        _ => Err(unknown("--law", word, "normal, concentration")),
    }
}

pub(super) fn classifier_statistic(word: &str) -> Result<ClassifierStatistic, Error> {
    match word {
        "accuracy" => Ok(ClassifierStatistic::Accuracy),
        "auc" => Ok(ClassifierStatistic::AreaUnderCurve),
        _ => Err(unknown("--statistic", word, "accuracy, auc")),
    }
}

/// A learner; `count` is its folds or its neighbours.
pub(super) fn learner(word: &str, inverse_penalty: f64, count: usize) -> Result<Learner, Error> {
    match word {
        "logistic" => Ok(Learner::Logistic { inverse_penalty, fold_count: count }),
        "nearest" => Ok(Learner::NearestNeighbours { k: count }),
        _ => Err(unknown("--learner", word, "logistic, nearest")),
    }
}

pub(super) fn support_mode(word: &str) -> Result<SupportMode, Error> {
    match word {
        "corrected" => Ok(SupportMode::Corrected),
        "compat" => Ok(SupportMode::Synthcity),
        _ => Err(unknown("--mode", word, "corrected, compat")),
    }
}

pub(super) fn correlation(word: &str) -> Result<Correlation, Error> {
    match word {
        "pearson" => Ok(Correlation::Pearson),
        "spearman" => Ok(Correlation::Spearman),
        "kendall" => Ok(Correlation::KendallTauB),
        "distance" => Ok(Correlation::Distance),
        "mutual-information" => Ok(Correlation::MutualInformation),
        _ => {
            let known = "pearson, spearman, kendall, distance, mutual-information";
            Err(unknown("--coefficient", word, known))
        }
    }
}

pub(super) fn transport_order(word: &str) -> Result<TransportOrder, Error> {
    match word {
        "1" => Ok(TransportOrder::First),
        "2" => Ok(TransportOrder::Second),
        _ => Err(unknown("--order", word, "1, 2")),
    }
}
