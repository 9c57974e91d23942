//! A small ingest that is stopped at each of its durable steps, in each way that a machine may stop it.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tiepoint_model::{ErrorKind, Seed};
use tiepoint_operations::Platform;
use tiepoint_store::{StepKind, WriteSeam};

use crate::{
    disk::{Disk, Fault, syncs, takes_room, writes},
    yard::{self, FIRST, Log, Yard, run},
};

pub(crate) const NEW: Log = Log { serial: 1, pose_count: 5 };

/// The steps that the ingest takes.
pub(crate) async fn steps(yard: &Yard) -> Vec<(StepKind, PathBuf)> {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&steps);
    let seam = WriteSeam::with_hook(move |step| {
        seen.lock().unwrap().push((step.kind, step.path.to_owned()));
        Ok(())
    });
    yard.ingest_through(&yard.copy(), NEW, seam).await.unwrap();
    Arc::into_inner(steps).map_or_else(Vec::new, |steps| steps.into_inner().unwrap())
}

/// Lets a fault strike at one step, and checks what is left: the lake opens and verifies, the recording is wholly there
/// or not at all, what was acknowledged is there, and the same ingest works afterwards.
pub(crate) async fn strike(yard: &Yard, fault: Fault, at_step: u64) {
    let lake = yard.copy();
    let disk = Disk::new(&lake, Seed(0x7ea2 + at_step));
    disk.arm(fault, at_step);
    let outcome = yard.ingest_through(&lake, NEW, disk.seam(0)).await;
    assert!(disk.has_struck(), "{fault:?} at step {at_step} has not struck: {outcome:?}");
    if let (Fault::FullDisk, Err(error)) = (fault, &outcome) {
        let told = format!("{error} ({})", error.hint());
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{told}");
        assert!(told.starts_with("the disk is full: `run-1` of "), "{told}");
        assert!(told.contains("nothing is lost; make room for about "), "{told}");
    }
    let (after, _) = disk.aftermath();
    let held = yard.sound(&after, &[FIRST, NEW]).await;
    let place = format!("{fault:?} at step {at_step}: {held:?}");
    assert!(held.contains(&FIRST.name()), "{place}");
    assert!(outcome.is_err() || held.contains(&NEW.name()), "acknowledged, then lost: {place}");
    let again = yard.ingest_through(&after, NEW, WriteSeam::default()).await;
    let again = again.unwrap_or_else(|error| panic!("{place}: {error}"));
    assert_eq!(again.was_present, held.contains(&NEW.name()), "{place}");
    if !at_step.is_multiple_of(4) {
        return;
    }
    let platform = yard.open(&after).await;
    assert_eq!(yard::held(&platform, &[FIRST, NEW]).await, [FIRST.name(), NEW.name()], "{place}");
}

fn strike_everywhere(fault: Fault, matters: impl Fn(StepKind) -> bool) {
    run(async {
        let yard = Yard::new().await;
        let steps = steps(&yard).await;
        assert!(steps.len() > 30, "{} steps: the seam is not where it was", steps.len());
        for (at_step, (kind, _)) in (0..).zip(steps) {
            if matters(kind) {
                strike(&yard, fault, at_step).await;
            }
        }
    });
}

#[test]
fn a_process_that_dies_at_any_step_leaves_all_or_nothing() {
    strike_everywhere(Fault::Crash, |_| true);
}

#[test]
fn a_write_torn_at_any_step_leaves_all_or_nothing() {
    strike_everywhere(Fault::TornWrite, writes);
}

#[test]
fn a_disk_full_at_any_step_is_told_and_leaves_all_or_nothing() {
    strike_everywhere(Fault::FullDisk, takes_room);
}

#[test]
fn a_sync_that_fails_at_any_step_acknowledges_nothing_that_a_power_cut_takes() {
    strike_everywhere(Fault::FailedSync, syncs);
}

#[test]
fn a_power_cut_at_any_step_takes_nothing_acknowledged() {
    strike_everywhere(Fault::PowerCut, |_| true);
}

/// A process dies after its entry has its name and before the name is synced. The next one finds the recording there and
/// says so: from then on a power cut must not take it.
#[test]
fn what_was_found_to_be_there_is_acknowledged_and_stays() {
    run(async {
        let yard = Yard::new().await;
        let is_entry = |(kind, path): &(StepKind, PathBuf)| {
            *kind == StepKind::Link && path.parent().is_some_and(|folder| folder.ends_with("log"))
        };
        let named_at = steps(&yard).await.iter().position(is_entry).unwrap() as u64;
        for seed in 0..6 {
            let lake = yard.copy();
            let disk = Disk::new(&lake, Seed(seed));
            disk.arm(Fault::Crash, named_at + 1);
            yard.ingest_through(&lake, NEW, disk.seam(0)).await.unwrap_err();
            let (lake, disk) = disk.aftermath();
            let again = yard.ingest_through(&lake, NEW, disk.seam(1)).await.unwrap();
            assert!(again.was_present);
            disk.arm(Fault::PowerCut, 0);
            let other = Log { serial: 2, pose_count: 1 };
            yard.ingest_through(&lake, other, disk.seam(2)).await.unwrap_err();
            let (after, _) = disk.aftermath();
            assert_eq!(yard.sound(&after, &[FIRST, NEW]).await, [FIRST.name(), NEW.name()]);
        }
    });
}

/// The step that signs the ledger's head comes after the commit, so that its failure is a warning and no error.
#[test]
fn a_head_that_cannot_be_signed_is_a_warning() {
    run(async {
        let yard = Yard::new().await;
        let lake = yard.copy();
        let seam = WriteSeam::with_hook(|step| match step.path.ends_with("checkpoint") {
            true => Err(std::io::Error::other("refused")),
            false => Ok(()),
        });
        let done = yard.ingest_through(&lake, NEW, seam).await.unwrap();
        assert_eq!(done.warnings.len(), 1, "{:?}", done.warnings);
        assert!(done.warnings[0].contains("could not be signed"), "{:?}", done.warnings);
        assert_eq!(yard.sound(&lake, &[FIRST, NEW]).await, [FIRST.name(), NEW.name()]);
    });
}

/// `init` is cut short at every few steps; run again, it makes a lake.
#[test]
fn an_init_that_dies_can_be_run_again() {
    run(async {
        let yard = Yard::new().await;
        let seam = WriteSeam::default();
        let whole = yard.path("whole");
        Platform::create_through(&whole, yard.config(), seam.clone()).await.unwrap();
        let step_count = seam.step_count();
        for at_step in (0..step_count).filter(|step| step % 23 == 5 || step + 8 > step_count) {
            let lake = yard.path(&format!("init-{at_step}"));
            std::fs::create_dir(&lake).unwrap();
            let disk = Disk::new(&lake, Seed(1));
            disk.arm(Fault::Crash, at_step);
            let first = Platform::create_through(&lake, yard.config(), disk.seam(0)).await;
            if !disk.has_struck() {
                // Making the folder, too, took steps the first time.
                continue;
            }
            match Platform::create(&lake, yard.config()).await {
                Ok(_) => (),
                // The description was there already: the lake was made, though not told so.
                Err(error) => {
                    let is_told = first.is_err() && error.kind() == ErrorKind::InvalidInput;
                    assert!(is_told, "step {at_step} of {step_count}: {first:?}, then {error:?}");
                }
            }
            yard.ingest_through(&lake, NEW, WriteSeam::default()).await.unwrap();
            assert_eq!(yard.sound(&lake, &[NEW]).await, [NEW.name()], "step {at_step}");
        }
    });
}
