//! Short series of acts, each aimed at one promise whose breaking acts by chance seldom meet: a
//! history begins with one of them now and then, and goes on by chance.

use super::make::{HOUR, MINUTE, Make, SECOND};
use super::{Act, Kind, Setup, Step, Told, Trouble};
use rand::Rng;

impl Make {
    /// One of them. A number names whom it should, as nobody booked before.
    pub(super) fn scene(
        &mut self,
        setup: &mut Setup,
        lossy: u32,
        last_writes: &mut Vec<u64>,
    ) -> Vec<Step> {
        match self.0.random_range(0..7) {
            0 => self.marks(lossy),
            1 | 2 => self.gone(lossy),
            3 => self.told_late(lossy),
            4 => match self.0.random_range(0..4) {
                0 if self.chance(60) => self.many_begun(setup),
                1 => self.many_guests(setup),
                _ => self.called_off(lossy, last_writes),
            },
            5 => self.replays(lossy),
            _ => self.turned_away(setup, lossy),
        }
    }

    fn step(&mut self, pause_ms: u64, act: Act, lossy: u32) -> Step {
        let told = self.told(lossy);
        Step {
            pause_ms,
            act,
            told,
        }
    }

    fn well(pause_ms: u64, act: Act) -> Step {
        Step {
            pause_ms,
            act,
            told: vec![Told::After(vec![0])],
        }
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        self.0.random_range(from..to)
    }

    /// Somebody is marked as not having come, and not, and again, within moments.
    fn marks(&mut self, lossy: u32) -> Vec<Step> {
        let mut steps = vec![self.first(Kind::Demo, 1)];
        let mut pause = self.between(16 * MINUTE, HOUR);
        let mut marked = false;
        for _ in 0..self.0.random_range(3..=8) {
            let act = match (self.chance(35), marked) {
                (true, _) => Act::Sync,
                (false, false) => Act::MarkNoShow { invitee: 0 },
                (false, true) => Act::ClearNoShow { invitee: 0 },
            };
            marked ^= act != Act::Sync;
            steps.push(self.step(pause, act, lossy));
            pause = self.between(0, 1200);
        }
        steps
    }

    fn first(&mut self, kind: Kind, quarters: i64) -> Step {
        let act = Act::Book {
            kind,
            person: self.0.random_range(0..6),
            quarters,
            guests: 0,
        };
        Self::well(SECOND, act)
    }

    /// An event is no longer found, by those who should find it and by others, before it begins and
    /// after.
    fn gone(&mut self, lossy: u32) -> Vec<Step> {
        let kind = self.of(&[
            Kind::Demo,
            Kind::Demo,
            Kind::Visit,
            Kind::RoundRobin,
            Kind::Webinar,
        ]);
        let soon = self.chance(50);
        let quarters = if soon {
            self.0.random_range(1..=4)
        } else {
            self.quarters()
        };
        let mut steps = vec![self.first(kind, quarters)];
        if self.chance(50) {
            steps.push(self.step(5 * SECOND, Act::Sync, lossy));
        }
        if self.chance(40) {
            steps.push(self.step(20 * SECOND, Act::Demote, lossy));
        }
        let pause = if soon {
            self.between(MINUTE, 20 * MINUTE)
        } else {
            self.between(20 * SECOND, 3 * MINUTE)
        };
        let leaves = match self.0.random_range(0..10) {
            0..=4 => Act::Delete { event: 0 },
            5..=7 => Act::Reassign {
                event: 0,
                to_sam: true,
            },
            _ => Act::Trouble {
                skip: 0,
                calls: self.of(&[4, 8, 30]),
                how: self.of(&[
                    Trouble::Lag { seconds: 1000 },
                    Trouble::Lag { seconds: 10_000 },
                    Trouble::NotFound,
                ]),
            },
        };
        steps.push(self.step(pause, leaves, lossy));
        for _ in 0..self.0.random_range(1..=4) {
            let pause = self.between(MINUTE / 2, 16 * MINUTE);
            steps.push(self.step(pause, Act::Sync, lossy));
        }
        if self.chance(50) {
            steps.push(self.step(30 * SECOND, Act::Promote, lossy));
        }
        steps
    }

    /// What a message tells is over when it comes, and was read meanwhile: that read found nothing
    /// changed, so nothing of it was stored.
    fn told_late(&mut self, lossy: u32) -> Vec<Step> {
        let never = |pause_ms, act| Step {
            pause_ms,
            act,
            told: vec![Told::Never],
        };
        let notes = self.chance(50);
        let mut steps = vec![self.first(Kind::Demo, 1)];
        let begun = self.between(16 * MINUTE, HOUR);
        steps.push(never(begun, Act::Sync));
        if notes {
            steps.push(never(20 * SECOND, Act::WriteNotes { event: 0 }));
        }
        let late = self.between(20 * MINUTE, 15 * HOUR);
        steps.push(Step {
            pause_ms: 2 * SECOND,
            act: Act::MarkNoShow { invitee: 0 },
            told: vec![Told::After(vec![late])],
        });
        let pause = self.between(SECOND, 5 * MINUTE);
        steps.push(never(pause, Act::ClearNoShow { invitee: 0 }));
        if notes {
            steps.push(never(SECOND, Act::RemoveNotes { event: 0 }));
        }
        let pause = self.between(SECOND, 10 * MINUTE);
        steps.push(self.step(pause, Act::Sync, lossy));
        steps
    }

    /// Meetings that have begun are read in each sync: more than one run has calls for.
    fn many_begun(&mut self, setup: &mut Setup) -> Vec<Step> {
        setup.calls_a_minute = 25;
        let people = self.0.random_range(26..40);
        let told = if self.chance(50) {
            Told::Never
        } else {
            Told::After(vec![0])
        };
        let day = Act::BusyDay {
            people,
            quarters: 1,
        };
        vec![
            Step {
                pause_ms: SECOND,
                act: day,
                told: vec![told],
            },
            Self::well(12 * HOUR, Act::Sync),
        ]
    }

    /// An event that more guests find than one transaction can tell of its change: changed at once
    /// by those who are told of it and by who reads it.
    fn many_guests(&mut self, setup: &mut Setup) -> Vec<Step> {
        setup.sam_connects = true;
        let book = Act::Book {
            kind: self.of(&[Kind::Demo, Kind::Collective]),
            person: 0,
            quarters: 50,
            guests: self.0.random_range(92..=130),
        };
        let told = vec![Told::After(vec![self.between(2000, 2500), 3000])];
        let change = if self.chance(50) {
            Act::Shift {
                event: 0,
                quarters: 90,
            }
        } else {
            Act::Move {
                invitee: 0,
                quarters: 90,
                by_host: false,
            }
        };
        let pause_ms = self.between(800, 1200);
        vec![
            Step {
                pause_ms: SECOND,
                act: book,
                told,
            },
            Self::well(SECOND, change),
            Self::well(pause_ms, Act::Sync),
        ]
    }

    /// Several people's event is moved, or called off, and whoever touches it is stopped.
    fn called_off(&mut self, lossy: u32, last_writes: &mut Vec<u64>) -> Vec<Step> {
        let mut steps = if self.chance(40) {
            self.crowd()
        } else {
            vec![self.first(Kind::Webinar, 40)]
        };
        for person in 1..self.0.random_range(2..5) {
            let act = Act::Join { event: 0, person };
            steps.push(Self::well(SECOND, act));
        }
        let act = match self.0.random_range(0..4) {
            0..=1 => Act::Shift {
                event: 0,
                quarters: 60,
            },
            2 => Act::Delete { event: 0 },
            _ => Act::CancelEvent { event: 0 },
        };
        // While its link isn't ready it is read again, which hides what was left undone.
        let pause = self.between(20 * SECOND, 20 * MINUTE);
        steps.push(self.step(pause, act, lossy));
        if self.chance(60) {
            // Whoever comes later tells of it; the others have to follow.
            let act = Act::Join {
                event: 0,
                person: 5,
            };
            steps.push(Self::well(SECOND, act));
        }
        steps.push(self.step(3 * SECOND, Act::Sync, lossy));
        // Those before have brought the people here.
        for write in 2..16 {
            if self.chance(25) {
                last_writes.push(write);
            }
        }
        steps
    }

    /// More people than one transaction brings in line, and a sync that reads them.
    fn crowd(&mut self) -> Vec<Step> {
        let act = Act::Crowd {
            people: self.0.random_range(12..40),
            quarters: 40,
        };
        let told = vec![Told::Never];
        let book = Step {
            pause_ms: SECOND,
            act,
            told,
        };
        vec![book, Self::well(SECOND, Act::Sync)]
    }

    /// Something before Calendly answers a call of a sync, or a subscription is gone.
    fn turned_away(&mut self, setup: &mut Setup, lossy: u32) -> Vec<Step> {
        let kind = self.of(&[Kind::Visit, Kind::Visit, Kind::Demo]);
        let mut steps = vec![self.first(kind, 50)];
        let pause = self.between(MINUTE, HOUR);
        let act = if self.chance(70) {
            Act::Trouble {
                skip: self.0.random_range(0..5),
                calls: self.of(&[1, 1, 2]),
                how: Trouble::Page,
            }
        } else {
            setup.odd_lists = self.chance(70);
            Act::Unsubscribe { subscription: 0 }
        };
        steps.push(self.step(pause, act, lossy));
        steps.push(self.step(1, Act::Sync, lossy));
        steps
    }

    /// Deliveries are applied again, while others are still to come.
    fn replays(&mut self, lossy: u32) -> Vec<Step> {
        let kind = self.of(&[Kind::Demo, Kind::Webinar, Kind::Collective]);
        let mut steps = vec![self.first(kind, 50)];
        if self.chance(60) {
            let act = Act::Cancel {
                invitee: 0,
                by_host: false,
            };
            steps.push(self.step(30 * SECOND, act, lossy / 2));
        }
        for _ in 0..self.0.random_range(1..=3) {
            let pause = self.between(SECOND, 5 * MINUTE);
            let delivery = self.0.random_range(0..4);
            steps.push(Self::well(pause, Act::Replay { delivery }));
        }
        steps
    }
}
