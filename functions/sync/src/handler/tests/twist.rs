//! A way to Calendly on which a test twists answers.

use calendly::{Answer, NoReply, Reply, Wire};
use reqwest::header::HeaderMap;
use reqwest::{Request, StatusCode, Url};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Instead = Box<dyn FnMut(&Url) -> Option<(u16, String)> + Send>;
type Edit = Box<dyn FnMut(&Url, &mut Value) + Send>;

#[derive(Default)]
struct Twists {
    instead: Option<Instead>,
    edit: Option<Edit>,
    lasting: Option<(&'static str, Duration)>,
    asked: Vec<Url>,
}

/// Sends what it is given, unless a test wants another answer.
#[derive(Clone, Default)]
pub(super) struct Twisted {
    client: reqwest::Client,
    twists: Arc<Mutex<Twists>>,
}

impl Twisted {
    /// Answers in place of Calendly, where `instead` gives a status and a body.
    pub(super) fn instead(
        &self,
        instead: impl FnMut(&Url) -> Option<(u16, String)> + Send + 'static,
    ) {
        self.twists.lock().unwrap().instead = Some(Box::new(instead));
    }

    /// Changes Calendly's answers.
    pub(super) fn edit(&self, edit: impl FnMut(&Url, &mut Value) + Send + 'static) {
        self.twists.lock().unwrap().edit = Some(Box::new(edit));
    }

    /// Lets the clock of timers go on by so much while what ends so is asked for.
    pub(super) fn lasting(&self, path: &'static str, time: Duration) {
        self.twists.lock().unwrap().lasting = Some((path, time));
    }

    /// From now on answers are Calendly's own.
    pub(super) fn straighten(&self) {
        let mut twists = self.twists.lock().unwrap();
        (twists.instead, twists.edit, twists.lasting) = (None, None, None);
    }

    /// What was asked for since the last time.
    pub(super) fn asked(&self) -> Vec<Url> {
        std::mem::take(&mut self.twists.lock().unwrap().asked)
    }
}

impl Wire for Twisted {
    fn send(&self, request: Request) -> Answer {
        let this = self.clone();
        Box::pin(async move {
            let url = request.url().clone();
            let lasting = this.twists.lock().unwrap().lasting;
            if let Some((_, time)) = lasting.filter(|(path, _)| url.path().ends_with(path)) {
                tokio::time::pause();
                tokio::time::advance(time).await;
                tokio::time::resume();
            }
            let answered = {
                let mut twists = this.twists.lock().unwrap();
                twists.asked.push(url.clone());
                twists.instead.as_mut().and_then(|instead| instead(&url))
            };
            if let Some((status, body)) = answered {
                return Ok(Reply {
                    status: StatusCode::from_u16(status).unwrap(),
                    headers: HeaderMap::new(),
                    body: body.into_bytes(),
                });
            }
            let answer = this.client.execute(request).await;
            let answer = answer.map_err(|_| NoReply::NotConnected)?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut body = answer.bytes().await.unwrap().to_vec();
            if let Some(edit) = &mut this.twists.lock().unwrap().edit
                && let Ok(mut json) = serde_json::from_slice(&body)
            {
                edit(&url, &mut json);
                body = json.to_string().into_bytes();
            }
            Ok(Reply {
                status,
                headers,
                body,
            })
        })
    }
}

/// A refusal as Calendly words it.
pub(super) fn refusal(status: u16, title: &str) -> (u16, String) {
    let body = json!({"title": title, "message": "as Calendly says"});
    (status, body.to_string())
}

/// A page of the content network before Calendly.
pub(super) fn page(status: u16) -> (u16, String) {
    let page = "<!DOCTYPE html><html><head><title>Attention</title></head></html>";
    (status, page.to_owned())
}
