//! `questions_and_answers`, of bookings and of routing forms.

use super::limits::{ANSWER, ANSWERS, QUESTION, WORD};
use super::part::Part;
use booking::stored_len;
use serde_json::{Map, Value};

/// One question with its answer, as far as they are told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) question: String,
    pub(super) answer: Option<String>,
    pub(super) position: Option<i64>,
    pub(super) uuid: Option<String>,
    /// The answer was too long to be kept whole.
    pub(super) truncated: bool,
}

/// What an entry takes in its record besides its texts.
const AROUND: usize = 150;

/// The answers of a booking or form: a list of `{question, answer}`, or an object with the questions
/// as its names. Texts by themselves are answers whose question isn't known.
pub(super) fn read(payload: &Part<'_>) -> Option<Vec<Answered>> {
    let part = payload.field("questions_and_answers")?;
    let mut answers = match part.value {
        Value::Array(_) => {
            let entries = part.entries()?.into_iter();
            entries.filter_map(|entry| answered(&entry)).collect()
        }
        _ if part.is_blank() => return None,
        Value::Object(fields) if !fields.contains_key("question") => named(&part, fields),
        Value::Object(_) => answered(&part).into_iter().collect(),
        _ => {
            part.note("is not a list: kept as an answer without its question");
            answered(&part).into_iter().collect()
        }
    };
    bound(&mut answers, &part);
    Some(answers)
}

fn answered(entry: &Part<'_>) -> Option<Answered> {
    if entry.is_blank() {
        return None;
    }
    if !entry.value.is_object() {
        let (text, truncated) = answer(entry)?;
        return Some(Answered {
            answer: Some(text),
            truncated,
            ..Answered::default()
        });
    }
    let told = entry.field("answer").and_then(|part| answer(&part));
    let (answer, truncated) = told.unzip();
    let answered = Answered {
        question: entry.text_of("question", QUESTION).unwrap_or_default(),
        answer,
        position: entry.int_of("position"),
        uuid: entry.word_of("question_uuid", WORD),
        truncated: truncated.unwrap_or(false),
    };
    if answered.question.is_empty() && answered.answer.is_none() {
        entry.note("has neither a question nor an answer that can be read: left out");
        return None;
    }
    Some(answered)
}

/// `{"Company": "Engines Ltd"}`
fn named<'a>(part: &Part<'a>, fields: &'a Map<String, Value>) -> Vec<Answered> {
    let answers = fields.iter().filter_map(|(question, value)| {
        // The question is no name that this code knows, so it is no part of a place.
        let (text, truncated) = answer(&part.with(value))?;
        Some(Answered {
            question: part.short(question.clone(), QUESTION).0,
            answer: Some(text),
            truncated,
            ..Answered::default()
        })
    });
    answers.collect()
}

/// An answer's text, and whether it was cut. Several choices are joined by new lines, as Calendly
/// does itself.
fn answer(part: &Part<'_>) -> Option<(String, bool)> {
    let text = match part.value {
        Value::Array(_) => {
            let choices = part.entries()?.into_iter();
            let choices: Vec<_> = choices.filter_map(|choice| choice.whole_text()).collect();
            choices.join("\n")
        }
        _ => part.whole_text()?,
    };
    Some(part.short(text, ANSWER))
}

/// Keeps all answers together within their limit. An entry is cut or left out that no longer fits,
/// and those behind it are tried in their turn.
fn bound(answers: &mut Vec<Answered>, part: &Part<'_>) {
    let mut left = ANSWERS;
    let mut out = 0_usize;
    answers.retain_mut(|entry| {
        let uuid = entry.uuid.as_deref().unwrap_or_default();
        let fixed = AROUND + stored_len(&entry.question) + stored_len(uuid);
        let Some(room) = left.checked_sub(fixed) else {
            out += 1;
            return false;
        };
        left = room;
        if let Some(answer) = &mut entry.answer {
            if let Some(cut) = booking::cut(answer, room) {
                *answer = cut;
                entry.truncated = true;
                out += 1;
            }
            left = left.saturating_sub(stored_len(answer));
        }
        true
    });
    if out > 0 {
        part.note(&format!(
            "takes more than {ANSWERS} bytes in all: {out} of its entries cut or left out"
        ));
    }
}
