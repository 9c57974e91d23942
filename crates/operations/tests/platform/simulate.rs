//! The whole platform under a seed: random operations, faults and power cuts, two processes in drawn turns, held against
//! a model that is too simple to be wrong: the set of logs whose ingest was acknowledged.
//!
//! A failure prints its seed and what was done. `TIEPOINT_SEEDS=100..200` runs other seeds than the fixed ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::PathBuf,
    sync::Arc,
};

use tiepoint_model::{Seed, seed::Draws};
use tiepoint_operations::{
    Config, Error, Platform, Retention, compact, ingest, log, retain, sweep,
};
use tiepoint_store::WriteSeam;

use crate::{
    disk::{Disk, Fault},
    turns::Turns,
    yard::{self, FIRST, Log, Yard, run},
};

const SEEDS: Range<u64> = 0..3;
const ACTIONS_PER_SEED: usize = 12;

/// More steps than most operations take, so that a fault may also miss.
const STEPS: usize = 80;

/// One call of the program.
#[derive(Clone, Copy, Debug)]
enum Call {
    Ingest(Log),
    Compact,
    Sweep,
    /// Lets all positions go but the last few.
    Retain(u64),
}

/// What may be expected of the lake.
#[derive(Default)]
struct Model {
    /// Acknowledged: they are there, whatever happens.
    kept: BTreeSet<String>,
    /// Tried and not acknowledged: they are there or not.
    tried: BTreeSet<String>,
    /// What each position held when something was acknowledged at it.
    past: BTreeMap<u64, Vec<String>>,
    /// The first position that could be read when it was last looked at.
    retain_from: u64,
}

struct World {
    yard: Arc<Yard>,
    lake: PathBuf,
    disk: Disk,
    draws: Draws,
    logs: Vec<Log>,
    model: Model,
    /// A process that stays open while others write, so that its head grows old.
    resident: Option<Platform>,
    story: Story,
}

/// Told if the test fails.
struct Story {
    seed: u64,
    lines: Vec<String>,
}

impl Drop for Story {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (seed, end) = (self.seed, self.seed + 1);
            eprintln!("seed {seed}:\n{}", self.lines.join("\n"));
            eprintln!("run it again with TIEPOINT_SEEDS={seed}..{end}");
        }
    }
}

fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("TIEPOINT_SEEDS") else { return SEEDS };
    let (first, end) = text.split_once("..").unwrap();
    first.parse().unwrap()..end.parse().unwrap()
}

#[test]
fn a_lake_keeps_what_it_acknowledged_through_everything() {
    run(async {
        let yard = Arc::new(Yard::new().await);
        for seed in seeds() {
            let mut world = World::new(&yard, seed);
            for _ in 0..ACTIONS_PER_SEED {
                world.act().await;
                world.check().await;
            }
        }
    });
}

impl World {
    fn new(yard: &Arc<Yard>, seed: u64) -> Self {
        let lake = yard.copy();
        Self {
            yard: Arc::clone(yard),
            disk: Disk::new(&lake, Seed(seed)),
            lake,
            draws: Seed(seed).draws(0, 0),
            logs: vec![FIRST],
            model: Model { kept: [FIRST.name()].into(), ..Model::default() },
            resident: None,
            story: Story { seed, lines: Vec::new() },
        }
    }

    fn tell(&mut self, line: String) {
        self.story.lines.push(line);
    }

    async fn act(&mut self) {
        match self.draws.below(12) {
            0..4 => {
                let call = self.call();
                self.alone(call, None).await;
            }
            4..8 => {
                let fault = self.fault();
                let call = self.call();
                self.alone(call, Some(fault)).await;
            }
            8..10 => {
                let fault = (self.draws.below(2) == 0).then(|| self.fault());
                self.together(fault).await;
            }
            _ => self.through_resident().await,
        }
    }

    fn fault(&mut self) -> (Fault, u64) {
        let faults =
            [Fault::Crash, Fault::TornWrite, Fault::FullDisk, Fault::FailedSync, Fault::PowerCut];
        (faults[self.draws.below(faults.len())], self.draws.below(STEPS) as u64)
    }

    fn call(&mut self) -> Call {
        match self.draws.below(12) {
            0 => Call::Compact,
            1 | 10 => Call::Sweep,
            11 => Call::Retain(1 + self.draws.below(4) as u64),
            2 | 3 => Call::Ingest(self.logs[self.draws.below(self.logs.len())]),
            _ => {
                let serial = self.logs.len() as u64;
                let log = Log { serial, pose_count: 1 + self.draws.below(6) as u64 };
                self.logs.push(log);
                Call::Ingest(log)
            }
        }
    }

    /// One process, perhaps with a fault under it.
    async fn alone(&mut self, call: Call, fault: Option<(Fault, u64)>) {
        self.tell(format!("{call:?}, {fault:?}"));
        self.close_resident_before(call);
        if let Some((fault, steps)) = fault {
            self.disk.arm(fault, steps);
        }
        let config = config_for(&self.yard, &self.lake, call).await;
        let outcome = perform(&self.lake, config, call, self.disk.seam(0)).await;
        self.learn(call, outcome.is_ok());
        let has_struck = self.disk.has_struck();
        assert!(outcome.is_ok() || has_struck, "{call:?}: {outcome:?}");
        self.clear_up(has_struck).await;
        if outcome.is_ok() && matches!(call, Call::Ingest(_)) {
            self.note_position().await;
        }
    }

    /// Two processes in turns.
    async fn together(&mut self, fault: Option<(Fault, u64)>) {
        let calls = [self.call(), self.call()];
        self.tell(format!("{calls:?} together, {fault:?}"));
        self.resident = None;
        if let Some((fault, steps)) = fault {
            self.disk.arm(fault, 2 * steps);
        }
        let turns = Arc::new(Turns::new(Seed(self.draws.bits()).draws(3, 0)));
        let mut running = Vec::new();
        for (process, call) in calls.into_iter().enumerate() {
            let config = config_for(&self.yard, &self.lake, call).await;
            let (turns, disk, lake) = (Arc::clone(&turns), self.disk.clone(), self.lake.clone());
            running.push(std::thread::spawn(move || {
                turns.begin(process);
                let order = Arc::clone(&turns);
                let seam = WriteSeam::with_hook(move |step| {
                    order.step(process);
                    disk.announce(process, step)
                });
                let outcome = run(perform(&lake, config, call, seam));
                turns.end(process);
                outcome
            }));
        }
        let outcomes: Vec<Result<(), Error>> =
            running.into_iter().map(|thread| thread.join().unwrap()).collect();
        // A sweep a day later takes what the other is writing now; that one is told so.
        let has_sweep = calls.iter().any(|call| matches!(call, Call::Sweep));
        let has_struck = self.disk.has_struck();
        for (call, outcome) in calls.iter().zip(&outcomes) {
            self.learn(*call, outcome.is_ok());
            assert!(outcome.is_ok() || has_struck || has_sweep, "{call:?}: {outcome:?}");
        }
        self.clear_up(has_struck).await;
    }

    /// The process that stays open ingests once more.
    async fn through_resident(&mut self) {
        let Call::Ingest(log) = self.call() else { return };
        self.tell(format!("{log:?} by the process that stays open"));
        let mut platform = match self.resident.take() {
            Some(platform) => platform,
            None => {
                let (config, seam) = (self.yard.config(), self.disk.seam(2));
                Platform::open_through(&self.lake, config, seam).await.unwrap()
            }
        };
        let outcome = ingest(&mut platform, log.request()).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        self.learn(Call::Ingest(log), true);
        self.resident = Some(platform);
    }

    /// A sweep a day later would take what a process that is still open has not named yet, which is nothing here.
    fn close_resident_before(&mut self, call: Call) {
        if matches!(call, Call::Sweep) {
            self.resident = None;
        }
    }

    fn learn(&mut self, call: Call, is_acknowledged: bool) {
        let Call::Ingest(log) = call else { return };
        match is_acknowledged {
            true => self.model.kept.insert(log.name()),
            false => self.model.tried.insert(log.name()),
        };
    }

    /// After a fault every process is gone, and the disk is well again.
    async fn clear_up(&mut self, has_struck: bool) {
        if has_struck {
            self.resident = None;
        }
        (self.lake, self.disk) = self.disk.clone().aftermath();
    }

    /// Whatever is acknowledged now makes everything before it durable.
    async fn note_position(&mut self) {
        let platform = self.yard.open(&self.lake).await;
        let position = log(&platform, usize::MAX).await.unwrap().len() as u64;
        let held = yard::held(&platform, &self.logs).await;
        self.model.past.insert(position, held);
    }

    async fn check(&mut self) {
        let held: BTreeSet<String> =
            self.yard.sound(&self.lake, &self.logs).await.into_iter().collect();
        let lost: Vec<&String> = self.model.kept.difference(&held).collect();
        assert!(lost.is_empty(), "acknowledged, then lost: {lost:?}");
        let known: BTreeSet<String> = self.model.kept.union(&self.model.tried).cloned().collect();
        assert!(held.is_subset(&known), "nobody ingested all of {held:?}");
        if self.model.past.is_empty() {
            return;
        }
        let index = self.draws.below(self.model.past.len());
        let (position, names) = self.model.past.iter().nth(index).unwrap();
        let config = self.yard.config();
        let retain_from = self.yard.open(&self.lake).await.retain_from();
        assert!(retain_from >= self.model.retain_from, "what was let go came back");
        self.model.retain_from = retain_from;
        let opened = Platform::open_at(&self.lake, config, *position).await;
        if *position < retain_from {
            assert!(matches!(opened, Err(Error::LetGo { .. })), "position {position}");
            return;
        }
        let platform = opened.unwrap();
        assert_eq!(&yard::held(&platform, &self.logs).await, names, "position {position}");
    }
}

async fn config_for(yard: &Yard, lake: &std::path::Path, call: Call) -> Config {
    match call {
        Call::Sweep => yard.a_day_later(lake).await,
        Call::Ingest(_) | Call::Compact | Call::Retain(_) => yard.config(),
    }
}

async fn perform(
    lake: &std::path::Path,
    config: Config,
    call: Call,
    seam: WriteSeam,
) -> Result<(), Error> {
    let mut platform = Platform::open_through(lake, config, seam).await?;
    match call {
        Call::Ingest(log) => ingest(&mut platform, log.request()).await.map(drop),
        Call::Compact => compact(&mut platform).await.map(drop),
        Call::Sweep => sweep(&mut platform, false).await.map(drop),
        Call::Retain(kept) => {
            let position = log(&platform, usize::MAX).await?.len() as u64;
            let first = position.saturating_sub(kept).max(platform.retain_from());
            retain(&mut platform, Retention::From(first)).await.map(drop)
        }
    }
}
