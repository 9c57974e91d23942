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
mod derivations;
mod error;
mod export;
mod files;
mod history;
mod ingest;
mod inspect;
mod measure;
mod note;
mod platform;
mod prove;
mod query;
mod recording;
mod regenerate;
mod register;
mod report;
mod retain;
mod run;
mod signed_head;
mod sweep;
mod timeline;
mod trace;
mod twin;
mod verify;
mod witness;

pub use assess::{AssessRequest, Assessed, ReserveError, assess};
pub use check::{CheckReport, CheckedChannel, check};
pub use compact::{CompactReport, CompactedTable, compact};
pub use compare::{CompareReport, ComparedMetric, compare};
pub use error::Error;
pub use export::{ExportReport, StoredOriginal, export_mcap, originals};
pub use history::{LogEntry, log};
pub use ingest::{IngestRequest, IngestedRecording, Source, ingest};
pub use measure::{
    AdjustedRequest, AdwinRequest, AllanRequest, AlphaInvestingRequest, Answer,
    AutocorrelationRequest, BootstrapRequest, CalibrationRequest, CategoryRequest, ColumnMeasure,
    DifferenceTestRequest, DiscoveryRequest, DistributionMeasure, DistributionRequest,
    DriftRequest, GeometryMeasure, GeometryRequest, InformationRequest, InputFile,
    JackknifeRequest, LidarNoiseOptions, LidarRequest, LineDelayRequest, LoopClosureRequest,
    MarginRequest, MeanIntervalRequest, Measured, MeasuredTable, MeasuredValue, MetricLine,
    NonUniformityRequest, OutcomeCounts, PairColumns, PairedOutcomesRequest, PairedUnits,
    PairingWords, PhotonTransferRequest, PlanRequest, PointMeasure, PoweredFiles,
    PoweredMeanRequest, RankingMeasure, RankingRequest, RecordTime, ReferenceErrorRequest,
    RelativeWords, ResidualAgainst, ResidualMapRequest, ResidualRequest, ScalingRequest,
    ShareRequest, SignalMeasure, SignalRequest, StepScaleRequest, SubTrajectoryRequest,
    SurfaceChangeRequest, TimeOffsetRequest, TrainingRateRequest, TrajectoryFiles,
    TrajectoryMeasureRequest, TwoSharesRequest, VideoGainRequest, WeightedMeanRequest,
    measure_adjusted, measure_adwin, measure_allan, measure_alpha_investing,
    measure_autocorrelation, measure_bootstrap, measure_categories, measure_difference_test,
    measure_discoveries, measure_distribution, measure_drop_out, measure_equivalence,
    measure_exchange_rate, measure_extrinsics, measure_geometry, measure_information,
    measure_jackknife, measure_kitti_drift, measure_line_delay, measure_loop_closure,
    measure_mean_interval, measure_non_uniformity, measure_noninferiority, measure_paired_outcomes,
    measure_photon_transfer, measure_plan, measure_powered_mean, measure_range_noise,
    measure_ranking, measure_reference_error, measure_reprojection, measure_residual,
    measure_residual_map, measure_scaling_curve, measure_share, measure_signal, measure_step_scale,
    measure_sub_trajectory, measure_time_offset, measure_training_rate, measure_trajectory,
    measure_two_shares, measure_video_gain, measure_weighted_mean, metrics,
};
pub use note::{Noted, Remark, note};
pub use platform::{Config, InitReport, Platform};
pub use prove::{Proof, ProveRequest, prove};
pub use query::{QueryResult, query};
pub use regenerate::{RegenerateReport, regenerate};
pub use register::{Registered, register};
pub use retain::{RetainReport, Retention, retain};
pub use sweep::{SweepReport, SweptFile, sweep};
pub use timeline::{Block, Half, RunSpan, utc_text};
pub use trace::{TraceExcerpt, TraceNode, TraceReport, trace};
pub use twin::{TwinReport, TwinRequest, twin};
pub use verify::{
    Check, FileTrust, LakeChecks, VerifyReport, verify_file, verify_lake, verify_verdict,
};
pub use witness::{Witnessed, cosign_lines, witness_lake, witness_request};
