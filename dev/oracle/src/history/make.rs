//! Makes a history from a seed.

use super::{Act, Forms, History, How, Kind, Setup, Step, Stop, Told, Trouble};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// The most time that a history takes. A sync looks back over two days of starts, and nothing here
/// starts before the history begins.
const LONGEST_MS: u64 = 40 * HOUR;
pub(super) const SECOND: u64 = 1000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;

/// The history of a seed.
pub fn make(seed: u64) -> History {
    let mut make = Make(StdRng::seed_from_u64(seed));
    let mut setup = make.setup();
    let mut left = LONGEST_MS;
    // How much goes wrong differs from history to history: few faults alone find what many hide.
    let lossy = make.0.random_range(0..=60);
    let mut steps = vec![Step {
        pause_ms: 0,
        act: Act::Sync,
        told: vec![Told::After(vec![0])],
    }];
    let mut last_writes = make.last_writes();
    let scene = if make.chance(35) {
        make.scene(&mut setup, lossy, &mut last_writes)
    } else {
        Vec::new()
    };
    let count = match scene.is_empty() {
        true => make.0.random_range(3..=22),
        // What a scene leads to shows best where little else happens.
        false if make.chance(40) => 0,
        false => make.0.random_range(1..=8),
    };
    for step in scene {
        left = left.saturating_sub(step.pause_ms);
        steps.push(step);
    }
    for number in 0..count {
        let pause_ms = make.pause().min(left);
        left -= pause_ms;
        // Nothing happens before somebody books.
        let act = if number < 2 && steps.len() < 3 {
            make.booking(&setup)
        } else {
            make.act(&setup)
        };
        steps.push(Step {
            pause_ms,
            act,
            told: make.told(lossy),
        });
    }
    // What goes wrong goes wrong until the last step, and what it meant may have only begun by then.
    if make.chance(70) {
        steps.push(Step {
            pause_ms: make.0.random_range(SECOND..2 * MINUTE).min(left),
            act: Act::Wait,
            told: vec![Told::Never],
        });
    }
    let stops = make.stops();
    History {
        seed,
        setup,
        steps,
        stops,
        last_writes,
    }
}

pub(super) struct Make(pub(super) StdRng);

impl Make {
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        *all.choose(&mut self.0).unwrap_or(&all[0])
    }

    fn setup(&mut self) -> Setup {
        let skewed = self.chance(60);
        Setup {
            minutes_into_month: self.0.random_range(-2880..=2880),
            ahead_ms: if skewed {
                self.0.random_range(-2000..=2000)
            } else {
                0
            },
            sam_connects: self.chance(40),
            rae_connects: self.chance(20),
            repeats: self.of(&[0, 0, 5, 30]),
            forms: self.of(&[Forms::New, Forms::New, Forms::Mixed, Forms::Old]),
            self_links: self.chance(15),
            odd_lists: self.chance(15),
            calls_a_minute: self.of(&[500, 500, 60, 25]),
            run_seconds: self.of(&[60, 60, 45, 30]),
        }
    }

    fn pause(&mut self) -> u64 {
        match self.0.random_range(0..10) {
            0 => 0,
            1..=3 => self.0.random_range(1..3 * SECOND),
            4..=5 => self.0.random_range(SECOND..2 * MINUTE),
            6..=7 => self.0.random_range(MINUTE..40 * MINUTE),
            8 => self.0.random_range(10 * MINUTE..4 * HOUR),
            _ => self.0.random_range(HOUR..12 * HOUR),
        }
    }

    pub(super) fn quarters(&mut self) -> i64 {
        match self.0.random_range(0..10) {
            0..=3 => self.0.random_range(1..=8),
            4..=8 => self.0.random_range(8..=200),
            _ => self.0.random_range(200..=3000),
        }
    }

    fn kind(&mut self, setup: &Setup) -> Kind {
        let kind = self.of(&[
            Kind::Consultation,
            Kind::Consultation,
            Kind::Demo,
            Kind::Visit,
            Kind::RoundRobin,
            Kind::Collective,
            Kind::Webinar,
            Kind::Webinar,
            Kind::Webinar,
            Kind::Call,
        ]);
        match kind {
            Kind::Call if !setup.rae_connects => Kind::Demo,
            kind => kind,
        }
    }

    fn booking(&mut self, setup: &Setup) -> Act {
        Act::Book {
            kind: self.kind(setup),
            person: self.0.random_range(0..6),
            quarters: self.quarters(),
            guests: if self.chance(1) {
                120
            } else {
                self.of(&[0, 0, 0, 1, 2])
            },
        }
    }

    fn act(&mut self, setup: &Setup) -> Act {
        let (invitee, event) = (self.0.random_range(0..12), self.0.random_range(0..8));
        let by_host = self.chance(50);
        match self.0.random_range(0..100) {
            0..=19 => self.booking(setup),
            20..=26 => Act::Join {
                event,
                person: self.0.random_range(0..6),
            },
            27..=36 => Act::Move {
                invitee,
                quarters: self.quarters(),
                by_host,
            },
            37..=38 => Act::MoveInto { invitee, event },
            39..=44 => Act::Cancel { invitee, by_host },
            45..=47 => Act::CancelEvent { event },
            48..=49 => Act::AskForAnotherTime { invitee },
            50..=54 => Act::MarkNoShow { invitee },
            55..=57 => Act::ClearNoShow { invitee },
            58..=59 => Act::Reassign {
                event,
                to_sam: self.chance(50),
            },
            60..=61 => Act::Rename { event },
            62..=63 => Act::ChangePlace { event },
            64..=65 => Act::WriteNotes { event },
            66..=67 => Act::RemoveNotes { event },
            68..=71 => Act::Shift {
                event,
                quarters: self.quarters(),
            },
            72..=74 => Act::Delete { event },
            75 => Act::Demote,
            76 => Act::Promote,
            77 if by_host => Act::AuthorizeElsewhere,
            77 => Act::ChangeOrganization,
            78 => Act::Forbid { event },
            79 => Act::Allow { event },
            80..=87 => Act::Sync,
            88..=94 => self.trouble(),
            95 => Act::Redrive,
            96..=97 => Act::Replay {
                delivery: self.0.random_range(0..12),
            },
            98 => Act::BusyDay {
                people: self.0.random_range(10..40),
                quarters: self.quarters(),
            },
            _ => Act::Unsubscribe {
                subscription: self.0.random_range(0..3),
            },
        }
    }

    fn trouble(&mut self) -> Act {
        let how = self.of(&[
            Trouble::NotFound,
            Trouble::NotFound,
            Trouble::Forbidden,
            Trouble::Page,
            Trouble::Page,
            Trouble::TooMany,
            Trouble::Broken,
            Trouble::Lost,
            Trouble::Lag { seconds: 1 },
            Trouble::Lag { seconds: 10 },
            Trouble::Lag { seconds: 100 },
            Trouble::Lag { seconds: 1000 },
            Trouble::Lag { seconds: 10_000 },
            Trouble::Circle,
            Trouble::Refused,
        ]);
        let calls = match how {
            // It shows only where it doesn't end.
            Trouble::Circle | Trouble::Refused => 50,
            _ => self.of(&[1, 1, 1, 2, 6, 30]),
        };
        Act::Trouble {
            skip: self.0.random_range(0..8),
            calls,
            how,
        }
    }

    pub(super) fn told(&mut self, lossy: u32) -> Vec<Told> {
        let webhooks = self.0.random_range(1..=4);
        (0..webhooks).map(|_| self.one_told(lossy)).collect()
    }

    fn one_told(&mut self, lossy: u32) -> Told {
        if self.chance(lossy) {
            return Told::Never;
        }
        let times = self.of(&[1, 1, 1, 1, 2, 3]);
        Told::After((0..times).map(|_| self.delay()).collect())
    }

    fn delay(&mut self) -> u64 {
        match self.0.random_range(0..10) {
            0..=5 => self.0.random_range(0..2 * SECOND),
            6..=7 => self.0.random_range(SECOND..2 * MINUTE),
            8 => self.0.random_range(MINUTE..HOUR),
            _ => self.0.random_range(HOUR..10 * HOUR),
        }
    }

    fn last_writes(&mut self) -> Vec<u64> {
        let count = self.of(&[0, 0, 0, 1, 3]);
        (0..count).map(|_| self.0.random_range(1..30)).collect()
    }

    fn stops(&mut self) -> Vec<Stop> {
        let count = self.of(&[0, 0, 1, 2, 5, 10]);
        let mut stops = Vec::new();
        for _ in 0..count {
            stops.push(Stop {
                run: self.0.random_range(0..40),
                // Most runs make few calls.
                call: if self.chance(60) {
                    self.0.random_range(0..8)
                } else {
                    self.0.random_range(0..30)
                },
                after: self.chance(50),
                how: self.of(&[How::Killed, How::Killed, How::Lost, How::Slow]),
            });
        }
        stops
    }
}
