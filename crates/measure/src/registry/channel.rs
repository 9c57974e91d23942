//! Metrics of the timing of one channel.

use super::metrics;

metrics! {
    CHANNEL_GAP_SHARE = "channel.gap_share", "1",
        "Messages missing in gaps as a share of the messages expected.",
        "GrandTour dataset checker; thresholds in the model";
    CHANNEL_JITTER_SHARE = "channel.jitter_share", "1",
        "Spread of the intervals that are not gaps as a share of the median interval.",
        "this project";
    CHANNEL_RATE = "channel.rate", "Hz",
        "One over the median positive interval of the log times.",
        "GrandTour dataset checker";
}
