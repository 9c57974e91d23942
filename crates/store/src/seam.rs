//! The seam of the disk: every durable step of this crate asks here first.
//!
//! Invariant: no byte becomes durable, and no name appears or changes, without a step.
//! A test counts the steps of an operation, then runs it again and fails or kills it at each one.
//!
//! Not here: the steps themselves, and reads.

use std::{
    fmt, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// What a durable step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Makes a folder.
    CreateFolder,
    /// Writes bytes under a temporary name.
    WriteTemporary,
    /// Forces a file's bytes to the disk.
    SyncFile,
    /// Gives a temporary file its final name, unless the name is taken.
    Link,
    /// Gives a temporary file its final name, whatever was there.
    Replace,
    /// Forces a folder's names to the disk.
    SyncFolder,
    /// Removes a temporary name.
    RemoveTemporary,
    /// Removes a file that nothing names.
    RemoveFile,
    /// Tries for the lock between commits and sweeps.
    Lock,
    /// The table engine writes one of its files whole, under its final name.
    WriteTableFile,
    /// The table engine removes, copies or renames one of its files.
    ChangeTableFile,
}

/// One durable step, about to be taken.
#[derive(Clone, Copy, Debug)]
pub struct WriteStep<'a> {
    /// Counted from 0 over the life of the seam.
    pub step_index: u64,
    /// What it does.
    pub kind: StepKind,
    /// On which file or folder.
    pub path: &'a Path,
}

type Hook = dyn Fn(&WriteStep<'_>) -> io::Result<()> + Send + Sync;

/// Counts durable steps, and lets a test refuse one or stop the process at it. Clones share both.
#[derive(Clone, Default)]
pub struct WriteSeam {
    count: Arc<AtomicU64>,
    hook: Option<Arc<Hook>>,
}

impl WriteSeam {
    /// A seam that asks `hook` before each step; an error is returned as if the disk had given it.
    pub fn with_hook(
        hook: impl Fn(&WriteStep<'_>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { count: Arc::default(), hook: Some(Arc::new(hook)) }
    }

    /// Steps begun so far, refused ones included.
    #[must_use]
    pub fn step_count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Announces a step. Every durable step of the crate comes through here.
    pub(crate) fn admit(&self, kind: StepKind, path: &Path) -> io::Result<()> {
        let step_index = self.count.fetch_add(1, Ordering::SeqCst);
        match &self.hook {
            Some(hook) => hook(&WriteStep { step_index, kind, path }),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for WriteSeam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteSeam")
            .field("step_count", &self.step_count())
            .field("hooked", &self.hook.is_some())
            .finish()
    }
}
