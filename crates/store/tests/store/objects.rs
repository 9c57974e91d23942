//! Laws of objects, blobs and the seam.

#![expect(clippy::disallowed_methods, reason = "room: disk, which these tests damage")]

use std::{
    io,
    sync::{Arc, Barrier, Mutex},
};

use tiepoint_model::Digest;
use tiepoint_store::{Objects, PutOutcome, StepKind, StoreError, WriteSeam, blobs::blob_key};

use crate::rows::lake;

fn objects(seam: WriteSeam) -> (tempfile::TempDir, Objects) {
    let folder = tempfile::tempdir().unwrap();
    let objects = Objects::create(folder.path(), seam).unwrap();
    (folder, objects)
}

#[test]
fn opening_makes_nothing_and_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/lake");
    let absent = Objects::open(&path, WriteSeam::default()).unwrap_err();
    assert!(matches!(absent, StoreError::NoLake { .. }), "{absent}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    Objects::create(&path, WriteSeam::default()).unwrap();
    Objects::create(&path, WriteSeam::default()).unwrap();
    Objects::open(&path, WriteSeam::default()).unwrap();
}

#[test]
fn of_two_threads_that_put_if_absent_exactly_one_wins() {
    let (_folder, objects) = objects(WriteSeam::default());
    for round in 0..50 {
        let barrier = Arc::new(Barrier::new(2));
        let outcomes: Vec<_> = ["left", "right"]
            .map(|text| {
                let (objects, barrier) = (objects.clone(), Arc::clone(&barrier));
                std::thread::Builder::new()
                    .spawn(move || {
                        let runtime =
                            tokio::runtime::Builder::new_current_thread().build().unwrap();
                        barrier.wait();
                        let key = format!("log/{round:03}");
                        let put = objects.put_if_absent(&key, text);
                        (text, runtime.block_on(put).unwrap())
                    })
                    .unwrap()
            })
            .map(|thread| thread.join().unwrap())
            .into();
        let winners: Vec<_> = outcomes
            .iter()
            .filter(|(_, outcome)| *outcome == PutOutcome::Written)
            .map(|(text, _)| *text)
            .collect();
        assert_eq!(winners.len(), 1);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let stored = runtime.block_on(objects.get(&format!("log/{round:03}"))).unwrap();
        assert_eq!(stored, winners[0].as_bytes());
    }
}

#[tokio::test]
async fn objects_are_listed_in_order_of_their_keys_and_temporary_files_are_not_objects() {
    let (folder, objects) = objects(WriteSeam::default());
    for key in ["log/10", "log/02", "log/tiles/0", "logs", "checkpoint", "blobs/aa/x"] {
        assert_eq!(objects.put_if_absent(key, key).await.unwrap(), PutOutcome::Written);
    }
    std::fs::write(folder.path().join("tmp/left-over"), "half").unwrap();
    let all = ["blobs/aa/x", "checkpoint", "log/02", "log/10", "log/tiles/0", "logs"];
    assert_eq!(objects.list("").await.unwrap(), all);
    assert_eq!(objects.list("log/").await.unwrap(), ["log/02", "log/10", "log/tiles/0"]);
    assert_eq!(objects.list("log").await.unwrap(), ["log/02", "log/10", "log/tiles/0", "logs"]);
    assert_eq!(objects.list("log/1").await.unwrap(), ["log/10"]);
    assert!(objects.list("nothing/here/").await.unwrap().is_empty());
    assert_eq!(objects.put_if_absent("logs", "other").await.unwrap(), PutOutcome::Existed);
    assert_eq!(objects.get("logs").await.unwrap(), b"logs");
    objects.put_replace("logs", "other").await.unwrap();
    assert_eq!(objects.get("logs").await.unwrap(), b"other");
    assert_eq!(objects.get_range("log/tiles/0", 4..9).await.unwrap(), b"tiles");
    let beyond = objects.get_range("logs", 3..6).await;
    assert!(matches!(beyond, Err(StoreError::OutOfRange { size_bytes: 5, .. })));
    assert!(matches!(objects.get("log/03").await, Err(StoreError::NotFound { .. })));
    assert!(!objects.exists("log").await.unwrap(), "a folder is not an object");
    objects.fsync_paths(&["logs".to_owned(), "log/02".to_owned()]).await.unwrap();
}

#[tokio::test]
async fn a_key_cannot_leave_the_folder() {
    let (_folder, objects) = objects(WriteSeam::default());
    for key in ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/", "tmp/x", "a\\b", ".hidden"] {
        let put = objects.put_if_absent(key, "x").await;
        assert!(matches!(put, Err(StoreError::BadKey { .. })), "{key}");
    }
}

#[tokio::test]
async fn a_blob_stored_twice_is_stored_once_and_damage_is_found() {
    let lake = lake();
    let objects = &lake.store.objects;
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let (id, outcome) = objects.put_blob(io::Cursor::new(bytes.clone())).await.unwrap();
    assert_eq!((outcome, id.size_bytes), (PutOutcome::Written, 12_000_000));
    let (again, outcome) = objects.put_blob(io::Cursor::new(bytes.clone())).await.unwrap();
    assert_eq!((again, outcome), (id, PutOutcome::Existed));
    assert_eq!(objects.list("blobs/").await.unwrap(), [blob_key(&id.blake3)]);
    assert_eq!(objects.get_blob(&id.blake3).await.unwrap(), bytes);
    assert_eq!(objects.sha256(&blob_key(&id.blake3)).await.unwrap(), id.sha256);
    // FIPS 180-4 and the BLAKE3 paper: digests of the empty text.
    let (empty, _) = objects.put_blob(io::empty()).await.unwrap();
    assert_eq!(
        empty.sha256.to_string(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        empty.blake3.to_string(),
        "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    );
    objects.put_replace(&blob_key(&id.blake3), "damaged").await.unwrap();
    let damaged = objects.get_blob(&id.blake3).await;
    assert!(matches!(damaged, Err(StoreError::BlobDamaged { .. })));
    objects.check_blob(&empty.blake3).await.unwrap();
    let damaged = objects.check_blob(&id.blake3).await;
    assert!(matches!(damaged, Err(StoreError::BlobDamaged { .. })));
}

#[tokio::test]
async fn bytes_that_are_not_those_expected_become_no_blob() {
    let (folder, objects) = objects(WriteSeam::default());
    let expected = Digest(*blake3::hash(b"as it was").as_bytes());
    let changed = objects.put_known_blob(io::Cursor::new("changed"), expected).await;
    assert!(matches!(changed, Err(StoreError::BlobDamaged { expected: e, .. }) if e == expected));
    assert!(objects.list("").await.unwrap().is_empty());
    assert_eq!(std::fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
    let put = objects.put_known_blob(io::Cursor::new("as it was"), expected).await.unwrap();
    assert_eq!(put, PutOutcome::Written);
    assert_eq!(objects.get_blob(&expected).await.unwrap(), b"as it was");
}

#[tokio::test]
async fn a_blob_whose_source_fails_leaves_nothing_behind() {
    struct Failing;
    impl io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("unplugged"))
        }
    }
    let (folder, objects) = objects(WriteSeam::default());
    assert!(matches!(objects.put_blob(Failing).await, Err(StoreError::Source(_))));
    assert!(objects.list("").await.unwrap().is_empty());
    assert_eq!(std::fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
}

/// The bytes are synced before they are named, and the name before the call returns.
#[tokio::test]
async fn a_name_appears_only_after_its_bytes_are_on_the_disk() {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&steps);
    let seam = WriteSeam::with_hook(move |step| {
        seen.lock().unwrap().push(step.kind);
        Ok(())
    });
    let (_folder, objects) = objects(seam);
    objects.put_if_absent("warm", "x").await.unwrap();
    steps.lock().unwrap().clear();
    objects.put_if_absent("log-0", "entry").await.unwrap();
    let expected = [
        StepKind::WriteTemporary,
        StepKind::SyncFile,
        StepKind::Link,
        StepKind::SyncFolder,
        StepKind::RemoveTemporary,
    ];
    assert_eq!(*steps.lock().unwrap(), expected);
}

/// Whatever step fails, an object is there whole or not at all, and an acknowledged one is there.
#[tokio::test]
async fn a_put_that_fails_at_any_step_leaves_the_object_whole_or_absent() {
    for failing in 0..12 {
        let seam = WriteSeam::with_hook(move |step| {
            if step.step_index == failing { Err(io::Error::other("full")) } else { Ok(()) }
        });
        let (folder, objects) = objects(seam);
        let put = objects.put_if_absent("log/0", "entry").await;
        let fresh = Objects::open(folder.path(), WriteSeam::default()).unwrap();
        match fresh.get("log/0").await {
            Ok(bytes) => assert_eq!(bytes, b"entry"),
            Err(StoreError::NotFound { .. }) => assert!(put.is_err(), "step {failing}"),
            Err(error) => panic!("{error}"),
        }
    }
}
