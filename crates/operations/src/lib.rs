//! The user's verbs, one function each: the only place where engines meet.
//!
//! Invariant: an operation writes its data first, then commits one ledger entry that names everything it wrote;
//! until then nobody sees any of it. Operations decide, engines compute, surfaces show.
//! Clock, entropy and environment come in once, with [`Config`].
//!
//! Not here: the command line, printing, and arithmetic that an engine could do.

mod assess;
mod check;
mod compact;
mod compare;
mod error;
mod export;
mod files;
mod history;
mod ingest;
mod inspect;
mod measure;
mod platform;
mod prove;
mod query;
mod recording;
mod regenerate;
mod report;
mod retain;
mod run;
mod signed_head;
mod sweep;
mod timeline;
mod twin;
mod verify;
mod witness;

pub use assess::{AssessRequest, Assessed, assess};
pub use check::{CheckReport, CheckedChannel, check};
pub use compact::{CompactReport, CompactedTable, compact};
pub use compare::{CompareReport, ComparedMetric, compare};
pub use error::Error;
pub use export::{ExportReport, StoredOriginal, export_mcap, originals};
pub use history::{LogEntry, TraceNode, TraceReport, log, trace};
pub use ingest::{IngestRequest, IngestedRecording, Source, ingest};
pub use measure::{
    AdjustedRequest, AdwinRequest, AllanRequest, AlphaInvestingRequest, Answer,
    AutocorrelationRequest, BootstrapRequest, ColumnMeasure, DifferenceTestRequest,
    DiscoveryRequest, DistributionMeasure, DistributionRequest, DriftRequest, EquivalenceRequest,
    GeometryMeasure, GeometryRequest, InputFile, JackknifeRequest, LoopClosureRequest,
    MeanIntervalRequest, Measured, MeasuredTable, MeasuredValue, MetricLine, NonInferiorityRequest,
    OutcomeCounts, PairColumns, PairedOutcomesRequest, PairedUnits, PairingWords, PlanRequest,
    PointMeasure, PoweredFiles, PoweredMeanRequest, RankingMeasure, RankingRequest, RecordTime,
    RelativeWords, ScalingRequest, ShareRequest, SignalMeasure, SignalRequest, StepScaleRequest,
    SubTrajectoryRequest, SurfaceChangeRequest, TimeOffsetRequest, TrainingRateRequest,
    TrajectoryFiles, TrajectoryMeasureRequest, TwoSharesRequest, WeightedMeanRequest,
    measure_adjusted, measure_adwin, measure_allan, measure_alpha_investing,
    measure_autocorrelation, measure_bootstrap, measure_difference_test, measure_discoveries,
    measure_distribution, measure_equivalence, measure_exchange_rate, measure_geometry,
    measure_jackknife, measure_kitti_drift, measure_loop_closure, measure_mean_interval,
    measure_noninferiority, measure_paired_outcomes, measure_plan, measure_powered_mean,
    measure_ranking, measure_scaling_curve, measure_share, measure_signal, measure_step_scale,
    measure_sub_trajectory, measure_time_offset, measure_training_rate, measure_trajectory,
    measure_two_shares, measure_weighted_mean, metrics,
};
pub use platform::{Config, InitReport, Platform};
pub use prove::{Proof, ProveRequest, prove};
pub use query::{QueryResult, query};
pub use regenerate::{RegenerateReport, regenerate};
pub use retain::{RetainReport, Retention, retain};
pub use sweep::{SweepReport, SweptFile, sweep};
pub use timeline::{Block, Half, RunSpan, utc_text};
pub use twin::{TwinReport, TwinRequest, twin};
pub use verify::{
    Check, FileTrust, LakeChecks, VerifyReport, verify_file, verify_lake, verify_verdict,
};
pub use witness::{Witnessed, cosign_lines, witness_lake, witness_request};
