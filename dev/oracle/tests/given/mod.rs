//! Histories that a test writes itself.

use oracle::history::{Act, Forms, Setup, Step, Told};
use oracle::{History, play, tell};

/// Well told, all of it, but for what the test says.
pub fn history(steps: Vec<Step>) -> History {
    History {
        seed: 7,
        setup: Setup {
            minutes_into_month: 0,
            ahead_ms: 0,
            sam_connects: false,
            rae_connects: false,
            repeats: 0,
            forms: Forms::New,
            self_links: false,
            odd_lists: false,
            calls_a_minute: 5000,
            run_seconds: 60,
        },
        steps,
        stops: Vec::new(),
        last_writes: Vec::new(),
    }
}

/// `act`, and what becomes of the webhooks that tell of it.
pub fn step(act: Act, told: Told) -> Step {
    Step {
        pause_ms: 1,
        act,
        told: vec![told],
    }
}

/// They come at once.
pub fn at_once() -> Told {
    Told::After(vec![0])
}

/// Plays it: all is well in the end.
#[track_caller]
pub fn holds(history: &History) {
    let failure = play(history, false).failure;
    assert!(failure.is_none(), "{}{failure:#?}", tell(history));
}
