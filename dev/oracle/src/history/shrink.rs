//! Makes a failing history smaller: drops what it fails without.

use super::{History, Setup, Told};

/// The smallest history that was found, by dropping parts of `history`, for which `fails` holds.
/// `fails` is asked at most `most` times.
pub fn shrink(history: History, mut most: usize, fails: impl Fn(&History) -> bool) -> History {
    let mut smallest = history;
    loop {
        let before = smallest.clone();
        for change in changes(&smallest) {
            if most == 0 {
                return smallest;
            }
            let Some(smaller) = change.apply(&smallest) else {
                continue;
            };
            most -= 1;
            if fails(&smaller) {
                smallest = smaller;
            }
        }
        if smallest == before {
            return smallest;
        }
    }
}

/// One way to make a history smaller. Places count from the end, so that those of earlier parts
/// stay right when a later one is dropped.
enum Change {
    DropSteps { from: usize, count: usize },
    DropAllStops,
    DropStop(usize),
    DropLastWrite(usize),
    Setup(fn(&mut Setup)),
    TellWell(usize),
    TellSoon(usize),
    DropPause(usize),
}

fn changes(history: &History) -> Vec<Change> {
    let steps = history.steps.len();
    let mut changes = vec![Change::DropAllStops];
    let mut count = steps / 2;
    while count > 0 {
        let froms = (0..steps).rev().filter(|from| from + count <= steps);
        let froms = froms.filter(|from| (steps - from).is_multiple_of(count));
        changes.extend(froms.map(|from| Change::DropSteps { from, count }));
        count /= 2;
    }
    changes.extend((0..history.stops.len()).rev().map(Change::DropStop));
    let writes = (0..history.last_writes.len()).rev();
    changes.extend(writes.map(Change::DropLastWrite));
    let setups: [fn(&mut Setup); 9] = [
        |setup| setup.ahead_ms = 0,
        |setup| setup.sam_connects = false,
        |setup| setup.rae_connects = false,
        |setup| setup.repeats = 0,
        |setup| setup.forms = super::Forms::New,
        |setup| setup.self_links = false,
        |setup| setup.odd_lists = false,
        |setup| setup.calls_a_minute = 500,
        |setup| setup.run_seconds = 60,
    ];
    changes.extend(setups.map(Change::Setup));
    changes.extend((0..steps).rev().map(Change::TellWell));
    changes.extend((0..steps).rev().map(Change::TellSoon));
    changes.extend((0..steps).rev().map(Change::DropPause));
    changes
}

impl Change {
    /// The smaller history; nothing where it is as small already.
    fn apply(&self, history: &History) -> Option<History> {
        let mut smaller = history.clone();
        match *self {
            Self::DropSteps { from, count } => {
                if from + count > smaller.steps.len() {
                    return None;
                }
                smaller.steps.drain(from..from + count);
            }
            Self::DropAllStops => smaller.stops.clear(),
            Self::DropStop(place) => {
                if place >= smaller.stops.len() {
                    return None;
                }
                smaller.stops.remove(place);
            }
            Self::DropLastWrite(place) => {
                if place >= smaller.last_writes.len() {
                    return None;
                }
                smaller.last_writes.remove(place);
            }
            Self::Setup(simpler) => simpler(&mut smaller.setup),
            Self::TellWell(step) => smaller.steps.get_mut(step)?.told = vec![Told::After(vec![0])],
            Self::TellSoon(step) => {
                for told in &mut smaller.steps.get_mut(step)?.told {
                    if let Told::After(times) = told {
                        *times = vec![0];
                    }
                }
            }
            Self::DropPause(step) => {
                let pause = &mut smaller.steps.get_mut(step)?.pause_ms;
                *pause = (*pause).min(1000);
            }
        }
        (smaller != *history).then_some(smaller)
    }
}
