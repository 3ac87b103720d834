//! The webhook samples of `fixtures/calendly`, with ids of one's own.

use serde_json::Value;
use std::path::PathBuf;

/// The tails of the ids of events (and forms, submissions, no-shows) and of invitees in all samples.
const EVENT_TAIL: &str = "-1111-4222-8333-444455556666";
const INVITEE_TAIL: &str = "-aaaa-4bbb-8ccc-ddddeeeeffff";

/// When the samples' no-show marks are set and taken back, and what stands for that here: a stack has
/// the time of day, and what lies after it doesn't count.
const NO_SHOWS: [(&str, &str); 2] = [
    ("2026-12-01T15:20:00", "2026-11-24T15:20:00"),
    ("2026-12-01T15:40:00", "2026-11-24T15:40:00"),
];

/// All samples under one set of new ids: those that belong together still do, and no other test
/// knows them.
pub struct Samples {
    event_tail: String,
    invitee_tail: String,
}

impl Samples {
    /// New ids.
    pub fn fresh() -> Self {
        let tail = || uuid::Uuid::new_v4().to_string()[8..].to_owned();
        Self {
            event_tail: tail(),
            invitee_tail: tail(),
        }
    }

    /// The body of a sample, by its file's name without `.json`.
    pub fn body(&self, name: &str) -> String {
        let text = String::from_utf8(testkit::fixture(&format!("{name}.json"))).unwrap();
        self.renamed(&text)
    }

    /// The body of a sample, changed.
    pub fn edited(&self, name: &str, edit: impl FnOnce(&mut Value)) -> String {
        let mut json = serde_json::from_str(&self.body(name)).unwrap();
        edit(&mut json);
        json.to_string()
    }

    fn renamed(&self, text: &str) -> String {
        let mut text = text
            .replace(EVENT_TAIL, &self.event_tail)
            .replace(INVITEE_TAIL, &self.invitee_tail);
        for (told, before) in NO_SHOWS {
            text = text.replace(told, before);
        }
        text
    }

    /// `json` with the ids that the files have, so that what two sets of ids led to can be compared.
    pub fn as_in_files(&self, json: &Value) -> Value {
        let text = json.to_string();
        let text = text.replace(&self.event_tail, EVENT_TAIL);
        serde_json::from_str(&text.replace(&self.invitee_tail, INVITEE_TAIL)).unwrap()
    }

    /// The id of the event whose number the sample has: 1 for `00000001-…`.
    pub fn event(&self, number: u32) -> String {
        format!("{number:08}{}", self.event_tail)
    }

    /// The id of the invitee with this number.
    pub fn invitee(&self, number: u32) -> String {
        format!("{number:08}{}", self.invitee_tail)
    }

    /// The URI of the event with this number.
    pub fn event_uri(&self, number: u32) -> String {
        format!(
            "https://api.calendly.com/scheduled_events/{}",
            self.event(number)
        )
    }

    /// The URI of the invitee with this number, on the event with the same.
    pub fn invitee_uri(&self, number: u32) -> String {
        format!(
            "{}/invitees/{}",
            self.event_uri(number),
            self.invitee(number)
        )
    }

    /// The names of all samples that are webhooks' bodies.
    pub fn names() -> Vec<String> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/calendly");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let json: Value = serde_json::from_slice(&testkit::fixture(&name)).ok()?;
                json.get("event")?.as_str()?;
                Some(name.strip_suffix(".json")?.to_owned())
            })
            .collect();
        names.sort();
        names
    }
}
