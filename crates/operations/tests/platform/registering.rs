//! Registering some files, stopped at each of its durable steps in each way that a machine may stop it.

use std::path::{Path, PathBuf};

use tiepoint_model::{ErrorKind, Seed};
use tiepoint_operations::{Error, Platform, Registered, register};
use tiepoint_store::{StepKind, WriteSeam};

use crate::{
    disk::{Disk, Fault, syncs, takes_room, writes},
    yard::{FIRST, Yard, rows, run},
};

const FILES: [(&str, &str); 3] = [("a", "some"), ("b/c", "more"), ("b/d", "some")];

fn folder(yard: &Yard) -> PathBuf {
    let folder = yard.path("given");
    for (name, text) in FILES {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

async fn register_through(yard: &Yard, lake: &Path, seam: WriteSeam) -> Result<Registered, Error> {
    let mut platform = Platform::open_through(lake, yard.config(), seam).await?;
    register(&mut platform, &[folder(yard)], &mut |_| ()).await
}

async fn held(platform: &Platform) -> usize {
    rows(platform, "SELECT name FROM files").await.len()
}

/// Lets a fault strike at one step, and checks what is left; answers whether it has struck.
async fn strike(yard: &Yard, fault: Fault, at_step: u64) -> bool {
    let lake = yard.copy();
    let disk = Disk::new(&lake, Seed(0x4e61 + at_step));
    disk.arm(fault, at_step);
    let outcome = register_through(yard, &lake, disk.seam(0)).await;
    if !disk.has_struck() {
        // Files are stored side by side, so that the steps come in another order each time.
        assert!(outcome.is_ok(), "{fault:?} at step {at_step}: {outcome:?}");
        return false;
    }
    if let (Fault::FullDisk, Err(error)) = (fault, &outcome) {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    let (after, _) = disk.aftermath();
    assert_eq!(yard.sound(&after, &[FIRST]).await, [FIRST.name()]);
    let count = held(&yard.open(&after).await).await;
    let place = format!("{fault:?} at step {at_step}: {count} files");
    assert!(count == 0 || count == FILES.len(), "{place}");
    assert!(outcome.is_err() || count > 0, "acknowledged, then lost: {place}");
    let again = register_through(yard, &after, WriteSeam::default()).await;
    let again = again.unwrap_or_else(|error| panic!("{place}: {error}"));
    assert_eq!(again.present.len(), count, "{place}");
    assert_eq!(held(&yard.open(&after).await).await, FILES.len(), "{place}");
    true
}

#[test]
fn files_are_registered_together_or_not_at_all_whatever_stops_it() {
    run(async {
        let yard = Yard::new().await;
        let steps = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = std::sync::Arc::clone(&steps);
        let seam = WriteSeam::with_hook(move |step| {
            seen.lock().unwrap().push(step.kind);
            Ok(())
        });
        register_through(&yard, &yard.copy(), seam).await.unwrap();
        let steps: Vec<StepKind> = steps.lock().unwrap().clone();
        let matters = |fault, kind| match fault {
            Fault::TornWrite => writes(kind),
            Fault::FullDisk => takes_room(kind),
            Fault::FailedSync => syncs(kind),
            _ => true,
        };
        let (mut tried, mut struck) = (0, 0);
        for fault in [Fault::TornWrite, Fault::FullDisk, Fault::FailedSync, Fault::PowerCut] {
            for (at_step, kind) in (0..).zip(&steps) {
                if matters(fault, *kind) {
                    tried += 1;
                    struck += u32::from(strike(&yard, fault, at_step).await);
                }
            }
        }
        assert!(struck * 4 >= tried * 3, "{struck} of {tried}");
    });
}
