//! Two processes that take their durable steps in turns drawn from a seed, so that a race can be run again.
//!
//! Between two of its steps a process runs alone: its reads, too, happen in the drawn order.

use std::sync::{Condvar, Mutex};

use tiepoint_model::seed::Draws;

/// Who may run.
pub(crate) struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    turn: usize,
    is_running: [bool; 2],
    draws: Draws,
}

impl Turns {
    /// Both processes are about to begin.
    pub(crate) fn new(mut draws: Draws) -> Self {
        let turn = draws.below(2);
        let state = State { turn, is_running: [true; 2], draws };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits until this process may begin.
    pub(crate) fn begin(&self, process: usize) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |state| state.turn != process).unwrap());
    }

    /// Before a step: perhaps the other runs first.
    pub(crate) fn step(&self, process: usize) {
        let mut state = self.state.lock().unwrap();
        if state.turn == process && state.is_running[1 - process] && state.draws.below(2) == 0 {
            state.turn = 1 - process;
            self.changed.notify_all();
        }
        drop(self.changed.wait_while(state, |state| state.turn != process).unwrap());
    }

    /// This process is done.
    pub(crate) fn end(&self, process: usize) {
        let mut state = self.state.lock().unwrap();
        state.is_running[process] = false;
        state.turn = 1 - process;
        self.changed.notify_all();
    }
}
