//! What every list takes and refuses: limits, parameters, dates and cursors.

use serde_json::Value;
use stack_tests::{Samples, Sandbox, Stack};

/// A list: its path, its field in the answer, and which parameters it takes.
struct List {
    path: String,
    name: &'static str,
    limit: bool,
    span: bool,
    sorted: bool,
}

fn lists() -> Vec<List> {
    let list = |path: &str, name, limit, span, sorted| List {
        path: path.to_owned(),
        name,
        limit,
        span,
        sorted,
    };
    vec![
        list("/v1/events", "events", true, true, true),
        list(
            "/v1/contacts/ada.booker%40example.com/activity",
            "events",
            true,
            true,
            true,
        ),
        list("/v1/deliveries", "deliveries", true, true, false),
        list("/v1/dead-letters", "deadLetters", true, false, false),
        list("/v1/connections", "connections", true, false, false),
        list(
            "/v1/webhook-subscriptions",
            "subscriptions",
            false,
            false,
            false,
        ),
    ]
}

impl List {
    async fn refuses(&self, stack: &Stack, query: &str, name: &str) {
        let answer = stack.get(&format!("{}?{query}", self.path)).await;
        let error = answer.problem(400, "INVALID_PARAMETER");
        let named = error.starts_with(&format!("{name}:"));
        assert!(named, "{}?{query}: {error}", self.path);
    }

    async fn takes(&self, stack: &Stack, query: &str) -> Value {
        let page = stack.get(&format!("{}?{query}", self.path)).await.ok();
        assert!(page[self.name].is_array(), "{}?{query}: {page}", self.path);
        assert!(page.get("nextCursor").is_some(), "{}?{query}", self.path);
        page
    }
}

#[tokio::test]
async fn limits_have_bounds() {
    let stack = Stack::from_env().await;
    for list in lists() {
        if !list.limit {
            list.refuses(&stack, "limit=5", "limit").await;
            continue;
        }
        for bad in [
            "0",
            "101",
            "-1",
            "ten",
            "",
            "1.5",
            "99999999999999999999",
            "5%20",
        ] {
            list.refuses(&stack, &format!("limit={bad}"), "limit").await;
        }
        for good in [1, 20, 100] {
            let page = list.takes(&stack, &format!("limit={good}")).await;
            assert!(page[list.name].as_array().unwrap().len() <= good);
        }
    }
}

#[tokio::test]
async fn a_parameter_is_known_and_comes_once() {
    let stack = Stack::from_env().await;
    for list in lists() {
        for (query, name) in [
            ("x=1", "x"),
            ("Limit=5", "Limit"),
            ("offset=0", "offset"),
            ("count=1", "count"),
            ("page=2", "page"),
            ("%F0%9F%98%80=1", "😀"),
        ] {
            list.refuses(&stack, query, name).await;
        }
        list.refuses(&stack, "cursor=a&cursor=a", "cursor").await;
        if list.limit {
            list.refuses(&stack, "limit=5&limit=5", "limit").await;
        }
        let long = format!("cursor={}", "a".repeat(1001));
        list.refuses(&stack, &long, "cursor").await;
    }
}

#[tokio::test]
async fn dates_are_times_in_order() {
    let stack = Stack::from_env().await;
    let bad = [
        "yesterday",
        "",
        "2027-01-31",
        "2027-13-01T00:00:00Z",
        "2027-02-30T00:00:00Z",
        "2027-01-31T09:00:00",
        "1800000000",
        "2027-01-31T09:00:00%2099:00",
    ];
    for list in lists() {
        for name in ["from", "to"] {
            if !list.span {
                let query = format!("{name}=2027-01-31T09:00:00Z");
                list.refuses(&stack, &query, name).await;
                continue;
            }
            for bad in bad {
                list.refuses(&stack, &format!("{name}={bad}"), name).await;
            }
            for good in ["2027-01-31T09:00:00Z", "2027-01-31T09:00:00.5%2B02:00"] {
                list.takes(&stack, &format!("{name}={good}")).await;
            }
        }
        if list.span {
            let before = "from=2027-02-01T00:00:00Z&to=2027-01-31T23:59:59.999999Z";
            list.refuses(&stack, before, "to").await;
            let none = "from=2027-02-01T00:00:00Z&to=2027-02-01T00:00:00Z";
            let page = list.takes(&stack, none).await;
            assert_eq!(page[list.name], serde_json::json!([]));
            assert_eq!(page["nextCursor"], Value::Null);
        }
    }
}

#[tokio::test]
async fn only_words_that_are_known_are_taken() {
    let stack = Stack::from_env().await;
    for (path, name, bad, good) in [
        (
            "/v1/events",
            "status",
            &["gone", "Active", "", "active,canceled", "rescheduled"][..],
            &["active", "canceled"][..],
        ),
        (
            "/v1/events",
            "sort",
            &["name", "startTime", "startTime:up", "", "ASC"],
            &["asc", "desc", "startTime:asc", "startTime:desc"],
        ),
        (
            "/v1/deliveries",
            "status",
            &["done", "Processed", "", "queued"],
            &[
                "received",
                "processed",
                "failed",
                "dead",
                "ignored",
                "unprocessable",
            ],
        ),
        (
            "/v1/events",
            "inviteeEmail",
            &["ada", "a%20b@c", "a@b@c", "", "@", "a@", "a/b@c"],
            &["nobody@example.com", "NoBody%2Bx@Example.com"],
        ),
        (
            "/v1/events",
            "connection",
            &["..%2Fx", "a%20b", "", "a%23b"],
            &["nobody"],
        ),
        (
            "/v1/webhook-subscriptions",
            "connection",
            &["..%2Fx", "nobody", ""],
            &[],
        ),
        (
            "/v1/deliveries",
            "event",
            &[""],
            &["invitee.created", "no.such.event"],
        ),
    ] {
        for bad in bad {
            let answer = stack.get(&format!("{path}?{name}={bad}")).await;
            let error = answer.problem(400, "INVALID_PARAMETER");
            assert!(error.starts_with(&format!("{name}:")), "{bad}: {error}");
        }
        for good in good {
            stack.get(&format!("{path}?{name}={good}")).await.ok();
        }
    }
}

/// A cursor of each list that has a second page, with the list it is of and its sort.
async fn cursors(stack: &Stack) -> Vec<(&'static str, &'static str, String)> {
    let mut cursors = Vec::new();
    for (path, sort) in [
        ("/v1/events", "asc"),
        ("/v1/events", "desc"),
        ("/v1/contacts/ada.booker%40example.com/activity", "asc"),
        ("/v1/contacts/ada.booker%40example.com/activity", "desc"),
        ("/v1/deliveries", ""),
        ("/v1/connections", ""),
    ] {
        let sorted = if sort.is_empty() {
            String::new()
        } else {
            format!("&sort={sort}")
        };
        let page = stack.get(&format!("{path}?limit=1{sorted}")).await.ok();
        let cursor = page["nextCursor"].as_str();
        let cursor = cursor.unwrap_or_else(|| panic!("{path} has one page: {page}"));
        assert!(cursor.len() <= 1000, "{path}: too long to be given back");
        cursors.push((path, sort, cursor.to_owned()));
    }
    cursors
}

#[tokio::test]
async fn a_cursor_is_of_this_list_and_this_sort() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    for _ in 0..2 {
        stack
            .applied(Samples::fresh().body("invitee.created"))
            .await;
        let account = sandbox.account("Carl Cursor").await;
        stack.connect(&sandbox, &account).await;
    }
    let cursors = cursors(&stack).await;
    for list in lists() {
        for garbage in [
            "nonsense",
            "",
            "%00",
            "!!",
            "e30",
            "ZXZlbnRz",
            "ZXZlbnRzIA",
            "%F0%9F%98%80",
        ] {
            list.refuses(&stack, &format!("cursor={garbage}"), "cursor")
                .await;
        }
        let sorts: &[&str] = if list.sorted { &["asc", "desc"] } else { &[""] };
        for sort in sorts {
            for (path, of, cursor) in &cursors {
                let sorted = if sort.is_empty() {
                    String::new()
                } else {
                    format!("&sort={sort}")
                };
                let query = format!("cursor={cursor}{sorted}");
                if *path == list.path && of == sort {
                    list.takes(&stack, &query).await;
                } else {
                    list.refuses(&stack, &query, "cursor").await;
                }
                // One that was cut short is none.
                if *path == list.path && of == sort && list.name == "deliveries" {
                    let cut = &cursor[..cursor.len() - 7];
                    list.refuses(&stack, &format!("cursor={cut}"), "cursor")
                        .await;
                }
            }
        }
    }
}
