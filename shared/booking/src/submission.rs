//! A routing form submission as it is kept.

use crate::invitee::Tracking;
use crate::merge::{Latest, latest, max_of, min_of};
use crate::parts::{ByPart, by_part};
use crate::{ConnectionId, ContactKey, InviteeUri, SubmissionUri};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An answer of a routing form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub struct FormAnswer {
    /// The question's id.
    #[serde(alias = "questionUuid")]
    pub question_uuid: Option<String>,
    /// The question.
    pub question: String,
    /// The answer, if one was given.
    pub answer: Option<String>,
    /// The answer was too long to be kept whole; the delivery has all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// A routing form submission. It is joined to its invitee by URI, from whichever side names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionRecord {
    /// The submission's URI, its identity.
    pub uri: SubmissionUri,
    /// The connections that told of it. Join: union.
    #[serde(default)]
    pub connections: BTreeSet<ConnectionId>,
    /// URI of the form. Join: latest.
    pub form: Option<Latest<String>>,
    /// Answers. Join: latest.
    pub answers: Option<Latest<Vec<FormAnswer>>>,
    /// Tracking. Join: latest, by part.
    pub tracking: Option<ByPart<Tracking>>,
    /// Where the form led, as the provider gives it. Join: latest.
    pub result: Option<Latest<serde_json::Value>>,
    /// The invitee who submitted it. Join: greatest.
    pub submitter: Option<InviteeUri>,
    /// Whoever filled it in was erased: what was said in it is gone and is not heard again. Join: or.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
    /// Who else was named in what told of it, as [`EventRecord::named`](crate::EventRecord::named).
    /// Join: union, less those who were erased.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub named: BTreeSet<ContactKey>,
    /// More were named than are kept: whoever is looked for may be among them. Join: or.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub named_more: bool,
    /// Who of those was erased. Join: union.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub erased_people: BTreeSet<ContactKey>,
    /// When it was made. Join: earliest.
    pub created_at: Option<Timestamp>,
    /// The latest time that any fact about it speaks of. Join: latest.
    pub updated_at: Option<Timestamp>,
}

impl SubmissionRecord {
    /// A record that knows nothing but the submission's name.
    pub fn about(uri: SubmissionUri) -> Self {
        Self {
            uri,
            connections: BTreeSet::new(),
            form: None,
            answers: None,
            tracking: None,
            result: None,
            submitter: None,
            erased: false,
            named: BTreeSet::new(),
            named_more: false,
            erased_people: BTreeSet::new(),
            created_at: None,
            updated_at: None,
        }
    }

    /// Joins what `other` knows of the same submission.
    pub fn merge(&mut self, other: &Self) {
        self.connections.extend(other.connections.iter().cloned());
        latest(&mut self.form, &other.form);
        latest(&mut self.answers, &other.answers);
        by_part(&mut self.tracking, &other.tracking);
        latest(&mut self.result, &other.result);
        max_of(&mut self.submitter, &other.submitter);
        min_of(&mut self.created_at, &other.created_at);
        max_of(&mut self.updated_at, &other.updated_at);
        self.named.extend(other.named.iter().cloned());
        self.named_more |= other.named_more;
        self.erased_people
            .extend(other.erased_people.iter().cloned());
        self.named = &self.named - &self.erased_people;
        self.erased |= other.erased;
        if self.erased {
            self.forget();
        }
    }
}
