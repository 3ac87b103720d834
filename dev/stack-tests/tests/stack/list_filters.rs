//! Filters of lists, each alone and together, in both orders.

use crate::told::{Told, apply_all, own, own_year, places, wanted};
use jiff::Timestamp;
use serde_json::{Value, json};
use stack_tests::{Samples, Stack};

/// What a list may ask for, as its parameter has it, and what then fits.
struct Filter<'a> {
    query: String,
    fits: Box<dyn Fn(&Told) -> bool + 'a>,
    /// It alone leaves nothing of what other tests book.
    own: bool,
}

/// Events of two accounts and three people; half of them canceled.
fn events(year: u16, accounts: &[String; 2], people: &[String; 3]) -> Vec<Told> {
    let told = |number: usize| Told {
        canceled: number % 4 < 2,
        email: people[number % 3].clone(),
        ..Told::new(
            &accounts[number / 3 % 2],
            // Two at a time.
            format!("{year}-{:02}-01T10:00:00Z", 1 + number / 2),
        )
    };
    (0..24).map(told).collect()
}

#[tokio::test]
async fn each_filter_of_events_by_itself_and_with_others() {
    let stack = Stack::from_env().await;
    let year = own_year();
    let accounts = [own("acct"), own("acct")];
    let people = ["a", "b", "c"].map(|name| format!("{}@example.com", own(name)));
    let all = events(year, &accounts, &people);
    apply_all(&stack, &all).await;

    let at = |month: u8| format!("{year}-{month:02}-01T10:00:00Z");
    let time = |month: u8| at(month).parse::<Timestamp>().unwrap();
    let start = |told: &Told| told.start.parse::<Timestamp>().unwrap();
    let (account, person) = (accounts[0].as_str(), people[1].as_str());
    let filters = [
        Filter {
            query: format!("from={}", at(3)),
            fits: Box::new(move |told| start(told) >= time(3)),
            own: false,
        },
        Filter {
            query: format!("to={}", at(9)),
            fits: Box::new(move |told| start(told) < time(9)),
            own: false,
        },
        Filter {
            query: "status=canceled".to_owned(),
            fits: Box::new(|told| told.canceled),
            own: false,
        },
        Filter {
            query: format!("connection={account}"),
            fits: Box::new(|told| told.connection == account),
            own: true,
        },
        Filter {
            // In other letters.
            query: format!("inviteeEmail={}", person.to_uppercase()),
            fits: Box::new(|told| told.email == person),
            own: true,
        },
    ];
    // Every choice of filters that keeps others' events out: by an account or a person, or by a
    // span in the year that is ours.
    let mut asked = 0;
    for choice in 1_u32..32 {
        let chosen: Vec<&Filter> = filters
            .iter()
            .enumerate()
            .filter(|(bit, _)| choice & (1 << bit) != 0)
            .map(|(_, filter)| filter)
            .collect();
        let mut query: Vec<&str> = chosen.iter().map(|filter| filter.query.as_str()).collect();
        let in_year = (
            format!("from={year}-01-01T00:00:00Z"),
            format!("to={year}-12-31T00:00:00Z"),
        );
        if !chosen.iter().any(|filter| filter.own) {
            query.extend((choice & 1 == 0).then_some(in_year.0.as_str()));
            query.extend((choice & 2 == 0).then_some(in_year.1.as_str()));
        }
        for (sort, descending) in [
            ("", false),
            ("&sort=desc", true),
            ("&sort=startTime:asc", false),
        ] {
            let path = format!("/v1/events?limit=4{sort}&{}", query.join("&"));
            let listed = stack.pages(&path, "events", 4).await.concat();
            let fits = |told: &Told| chosen.iter().all(|filter| (filter.fits)(told));
            let wanted = wanted(&all, fits, descending);
            assert!(!wanted.is_empty(), "nothing fits {path}");
            assert_eq!(places(&listed), wanted, "{path}");
            asked += 1;
        }
    }
    assert_eq!(asked, 93);
    for nothing in [
        format!("connection={}", own("acct")),
        format!("inviteeEmail={}@example.com", own("nobody")),
        format!("connection={account}&from={}-01-01T00:00:00Z", year + 1),
        format!("connection={}&inviteeEmail={person}", own("acct")),
    ] {
        let page = stack.get(&format!("/v1/events?{nothing}")).await.ok();
        assert_eq!(
            page,
            json!({ "events": [], "nextCursor": null }),
            "{nothing}"
        );
    }
}

#[tokio::test]
async fn activity_shows_what_somebody_is_to_each_event() {
    let stack = Stack::from_env().await;
    let year = own_year();
    let (account, person) = (own("acct"), format!("{}@Example.com", own("p+")));
    let event = |month: u8| Told::new(&account, format!("{year}-{month:02}-01T10:00:00Z"));
    let all = [
        Told {
            email: person.clone(),
            ..event(1)
        },
        Told {
            guests: vec![person.to_lowercase(), "other@example.com".to_owned()],
            ..event(2)
        },
        Told {
            host: person.to_uppercase(),
            ..event(3)
        },
        event(4),
        Told {
            email: person.clone(),
            guests: vec![person.clone()],
            host: person.clone(),
            canceled: true,
            ..event(5)
        },
    ];
    apply_all(&stack, &all).await;
    let roles: [&[&str]; 4] = [
        &["invitee"],
        &["guest"],
        &["host"],
        &["invitee", "guest", "host"],
    ];
    let encoded = person.replace('@', "%40").replace('+', "%2B");
    for (path, descending) in [
        (format!("/v1/contacts/{encoded}/activity?limit=1"), false),
        (
            format!(
                "/v1/contacts/{}/activity?limit=1&sort=desc",
                person.to_uppercase()
            ),
            true,
        ),
    ] {
        let mut listed = stack.pages(&path, "events", 1).await.concat();
        let fits = |told: &Told| told.id != all[3].id;
        assert_eq!(places(&listed), wanted(&all, fits, descending), "{path}");
        if descending {
            listed.reverse();
        }
        for (event, roles) in listed.iter().zip(roles) {
            assert_eq!(event["roles"], json!(roles), "{event:#}");
        }
        let alone = stack.event(&all[0].id).await;
        assert_eq!(listed[0]["hosts"], alone["hosts"]);
        assert_eq!(listed[0]["invitees"][0]["email"], person);
    }
    let span = format!(
        "/v1/contacts/{encoded}/activity?from={}&to={}",
        all[1].start, all[4].start
    );
    let page = stack.get(&span).await.ok();
    let listed = places(page["events"].as_array().unwrap());
    assert_eq!(listed, [all[1].place(), all[2].place()]);
    let nobody = format!("/v1/contacts/{}%40example.com/activity", own("nobody"));
    let page = stack.get(&nobody).await.ok();
    assert_eq!(page, json!({ "events": [], "nextCursor": null }));
}

#[tokio::test]
async fn each_filter_of_deliveries_by_itself_and_with_others() {
    let stack = Stack::from_env().await;
    let from = Timestamp::now();
    let mut ours = Vec::new();
    for _ in 0..2 {
        let samples = Samples::fresh();
        ours.push(stack.applied(samples.body("invitee.created")).await);
        ours.push(stack.applied(samples.body("invitee.canceled")).await);
        let ignored = samples.edited("event_type.updated", |json| {
            json["payload"]["uri"] = samples.event_uri(1).into();
        });
        ours.push(stack.accepted(ignored).await);
        let torn = samples.body("invitee.created.payment");
        ours.push(stack.accepted(torn[..torn.len() - 2].to_owned()).await);
    }
    let to = Timestamp::now();
    let mut wanted = Vec::new();
    for id in &ours {
        wanted.push(stack.delivery(id).await);
    }
    wanted.reverse();
    for status in [
        None,
        Some("processed"),
        Some("ignored"),
        Some("unprocessable"),
    ] {
        for event in [None, Some("invitee.created"), Some("invitee.canceled")] {
            for limit in [3, 100] {
                let mut query = format!("from={from}&to={to}&limit={limit}");
                let fits = |it: &Value| {
                    status.is_none_or(|status| it["status"] == status)
                        && event.is_none_or(|event| it["event"] == event)
                };
                if let Some(status) = status {
                    query = format!("{query}&status={status}");
                }
                if let Some(event) = event {
                    query = format!("{query}&event={event}");
                }
                let path = format!("/v1/deliveries?{query}");
                let listed = stack.pages(&path, "deliveries", limit).await.concat();
                for it in &listed {
                    assert!(fits(it), "{path}: {it:#}");
                    let at: Timestamp = it["receivedAt"].as_str().unwrap().parse().unwrap();
                    assert!(from <= at && at < to, "{path}: {it:#}");
                    assert_eq!(it.get("body"), None, "{path}");
                }
                // Others post meanwhile; ours are there, as each is alone, the newest first.
                let ours: Vec<_> = listed
                    .into_iter()
                    .filter(|it| ours.iter().any(|id| it["id"] == id.as_str()))
                    .collect();
                let wanted: Vec<_> = wanted.iter().filter(|it| fits(it)).cloned().collect();
                assert_eq!(ours, wanted, "{path}");
            }
        }
    }
    let before = format!(
        "/v1/deliveries?to={}",
        from - jiff::SignedDuration::from_hours(24 * 29)
    );
    let page = stack.get(&before).await.ok();
    assert_eq!(page, json!({ "deliveries": [], "nextCursor": null }));
}
