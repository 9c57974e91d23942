//! A disk that fails on command, in every way that a disk may.
//!
//! It watches the durable steps of an operation at the store's seam and remembers which bytes and which names were
//! forced to the disk. A power cut then keeps those, and of everything else any part: a file that was not synced has
//! any prefix of its bytes, a name that was not synced is there or not, each by itself, drawn from a seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tiepoint_model::{Seed, seed::Draws};
use tiepoint_store::{StepKind, WriteSeam, WriteStep};

/// What happens at the chosen step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process is gone before it.
    Crash,
    /// The process is gone after it, and what it wrote has lost its end.
    TornWrite,
    /// From it on, the disk has no room.
    FullDisk,
    /// It does not force anything to the disk, and says so; later the power fails.
    FailedSync,
    /// The power fails before it.
    PowerCut,
}

/// A disk under one lake. Clones are the same disk.
#[derive(Clone)]
pub(crate) struct Disk {
    state: Arc<Mutex<State>>,
}

struct State {
    lake: PathBuf,
    armed: Option<Armed>,
    has_struck: bool,
    step_count: u64,
    draws: Draws,
    /// By process: a step that was allowed and has been taken by the time its next one is announced.
    taken: BTreeMap<usize, (StepKind, PathBuf)>,
    /// Files whose bytes are on the disk, by inode.
    synced: BTreeSet<u64>,
    /// Folders as their names were last forced to the disk.
    names: BTreeMap<PathBuf, BTreeMap<OsString, Node>>,
    /// Every file ever seen, by inode, so that a removed name can come back.
    kept: PathBuf,
}

#[derive(Clone, Copy)]
struct Armed {
    fault: Fault,
    at_step: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Folder,
    File(u64),
}

impl Disk {
    /// A disk on which the lake as it stands is durable.
    pub(crate) fn new(lake: &Path, seed: Seed) -> Self {
        let kept = beside(lake, "kept");
        fs::create_dir_all(&kept).unwrap();
        let mut state = State {
            lake: lake.to_owned(),
            armed: None,
            has_struck: false,
            step_count: 0,
            draws: seed.draws(1, 0),
            taken: BTreeMap::new(),
            synced: BTreeSet::new(),
            names: BTreeMap::new(),
            kept,
        };
        state.all_is_durable(lake);
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Lets a fault strike so many steps from now; none strikes before.
    pub(crate) fn arm(&self, fault: Fault, steps_from_now: u64) {
        let mut state = self.state.lock().unwrap();
        let at_step = state.step_count + steps_from_now;
        state.armed = Some(Armed { fault, at_step });
    }

    /// The seam through which a process must open a lake on this disk; each has a number of its own.
    pub(crate) fn seam(&self, process: usize) -> WriteSeam {
        let state = Arc::clone(&self.state);
        WriteSeam::with_hook(move |step| state.lock().unwrap().announce(process, step))
    }

    /// One announced step of a process: refused, or about to be taken.
    pub(crate) fn announce(&self, process: usize, step: &WriteStep<'_>) -> io::Result<()> {
        self.state.lock().unwrap().announce(process, step)
    }

    /// Whether the fault has struck.
    pub(crate) fn has_struck(&self) -> bool {
        self.state.lock().unwrap().has_struck
    }

    /// All processes are gone. The lake as it is found afterwards, on a disk without faults: as it stands, or after a
    /// power cut anew in another folder.
    pub(crate) fn aftermath(self) -> (PathBuf, Self) {
        let mut state = self.state.lock().unwrap();
        state.settle_all();
        let cuts = |armed: Armed| matches!(armed.fault, Fault::FailedSync | Fault::PowerCut);
        let is_cut = state.has_struck && state.armed.is_some_and(cuts);
        (state.armed, state.has_struck) = (None, false);
        let lake = state.lake.clone();
        if !is_cut {
            drop(state);
            return (lake, self);
        }
        let (after, seed) = (beside(&lake, "cut"), Seed(state.draws.bits()));
        let mut draws = seed.draws(2, 0);
        state.rebuild(&lake, &after, &mut draws);
        (after.clone(), Self::new(&after, seed))
    }
}

fn beside(lake: &Path, what: &str) -> PathBuf {
    let mut path = lake.as_os_str().to_owned();
    path.push(format!("-{what}"));
    PathBuf::from(path)
}

impl State {
    fn announce(&mut self, process: usize, step: &WriteStep<'_>) -> io::Result<()> {
        let index = self.step_count;
        self.step_count += 1;
        let torn = self.taken.get(&process).cloned();
        self.settle(process);
        let answer = self.armed.map_or(Ok(()), |armed| self.judge(armed, index, step.kind, torn));
        if answer.is_ok() {
            self.taken.insert(process, (step.kind, step.path.to_owned()));
        }
        answer
    }

    fn judge(
        &mut self,
        Armed { fault, at_step }: Armed,
        index: u64,
        kind: StepKind,
        torn: Option<(StepKind, PathBuf)>,
    ) -> io::Result<()> {
        let is_gone = || Err(io::Error::other("the process is gone"));
        match fault {
            Fault::Crash | Fault::PowerCut if index >= at_step => {
                self.has_struck = true;
                is_gone()
            }
            Fault::TornWrite if self.has_struck => is_gone(),
            Fault::TornWrite if index > at_step => match torn {
                Some((kind, path)) if writes(kind) && path.is_file() => {
                    self.has_struck = true;
                    tear(&path, &mut self.draws);
                    is_gone()
                }
                _ => Ok(()),
            },
            Fault::FullDisk if index >= at_step && takes_room(kind) => {
                self.has_struck = true;
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            Fault::FailedSync if index >= at_step && syncs(kind) && !self.has_struck => {
                self.has_struck = true;
                Err(io::Error::other("input/output error"))
            }
            _ => Ok(()),
        }
    }

    fn settle_all(&mut self) {
        for process in self.taken.keys().copied().collect::<Vec<_>>() {
            self.settle(process);
        }
    }

    /// The step that a process was allowed last has been taken: what it forced to the disk is there.
    fn settle(&mut self, process: usize) {
        match self.taken.remove(&process) {
            Some((StepKind::SyncFile, path)) => {
                if let Some(Node::File(inode)) = self.node(&path) {
                    self.synced.insert(inode);
                }
            }
            Some((StepKind::SyncFolder, path)) => {
                let listed = self.list(&path);
                self.names.insert(path, listed);
            }
            _ => (),
        }
    }

    fn all_is_durable(&mut self, folder: &Path) {
        let listed = self.list(folder);
        for (name, node) in &listed {
            match node {
                Node::Folder => self.all_is_durable(&folder.join(name)),
                Node::File(inode) => {
                    self.synced.insert(*inode);
                }
            }
        }
        self.names.insert(folder.to_owned(), listed);
    }

    fn list(&self, folder: &Path) -> BTreeMap<OsString, Node> {
        let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
        let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
        names.filter_map(|name| Some((name.clone(), self.node(&folder.join(name))?))).collect()
    }

    fn node(&self, path: &Path) -> Option<Node> {
        let found = fs::symlink_metadata(path).ok()?;
        if found.is_dir() {
            return Some(Node::Folder);
        }
        // A second link keeps the bytes, and keeps the inode from being given to another file.
        let _ = fs::hard_link(path, self.kept.join(found.ino().to_string()));
        Some(Node::File(found.ino()))
    }

    /// Writes what the disk may hold of a folder after the power failed.
    fn rebuild(&self, folder: &Path, after: &Path, draws: &mut Draws) {
        fs::create_dir_all(after).unwrap();
        let current = self.list(folder);
        let durable = self.names.get(folder).cloned().unwrap_or_default();
        let names: BTreeSet<&OsString> = current.keys().chain(durable.keys()).collect();
        for name in names {
            let (old, new) = (durable.get(name), current.get(name));
            match if old == new || draws.below(2) == 0 { new } else { old } {
                None => (),
                Some(Node::Folder) => self.rebuild(&folder.join(name), &after.join(name), draws),
                Some(Node::File(inode)) => {
                    let (from, to) = (self.kept.join(inode.to_string()), after.join(name));
                    if self.synced.contains(inode) {
                        fs::hard_link(from, to).unwrap();
                    } else {
                        fs::copy(from, &to).unwrap();
                        tear(&to, draws);
                    }
                }
            }
        }
    }
}

/// Leaves nothing, all, or a part of a file; of the part, the end may be zeros that were never written.
fn tear(path: &Path, draws: &mut Draws) {
    let bytes = fs::read(path).unwrap();
    let left = match draws.below(4) {
        0 => 0,
        1 => bytes.len(),
        _ => draws.below(bytes.len() + 1),
    };
    let mut torn = bytes[..left].to_vec();
    if draws.below(3) == 0 {
        torn.resize(bytes.len(), 0);
    }
    // Anew, so that a second link keeps the bytes as they were.
    fs::remove_file(path).unwrap();
    fs::write(path, torn).unwrap();
}

pub(crate) fn writes(kind: StepKind) -> bool {
    matches!(kind, StepKind::WriteTemporary | StepKind::WriteTableFile)
}

pub(crate) fn takes_room(kind: StepKind) -> bool {
    writes(kind) || matches!(kind, StepKind::CreateFolder | StepKind::Link | StepKind::Replace)
}

pub(crate) fn syncs(kind: StepKind) -> bool {
    matches!(kind, StepKind::SyncFile | StepKind::SyncFolder)
}
