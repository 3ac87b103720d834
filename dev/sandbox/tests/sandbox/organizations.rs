//! What connectors read beside bookings: event types, members, groups, routing forms.

use super::support::*;
use reqwest::Method;
use serde_json::{Value, json};

const SAM: &str = "https://api.calendly.com/users/AAAAHOSTUSER0002";
const GROUP: &str = "https://api.calendly.com/groups/AAAAGROUP0000001";

/// The rows of a list, each the same when it is read alone.
async fn rows(desk: &Desk, path: &str) -> Vec<Value> {
    let page = desk.get(path).await;
    let rows = page["collection"].as_array().unwrap().clone();
    for row in &rows {
        let uri = row["uri"].as_str().unwrap();
        let alone = uri.strip_prefix("https://api.calendly.com").unwrap();
        assert_eq!(desk.get(alone).await["resource"], *row);
    }
    rows
}

/// The same sandbox, as another user.
fn act_as(desk: &mut Desk, user: &str) {
    desk.token = desk.sandbox.world().personal_token(user).unwrap();
}

fn fields(json: &Value) -> Vec<&String> {
    json.as_object().unwrap().keys().collect()
}

#[tokio::test]
async fn event_types_are_listed_for_an_organization_and_for_a_user() {
    let desk = start().await;
    let all = rows(&desk, &format!("/event_types?organization={ORGANIZATION}")).await;
    let kind = |name: &str| all.iter().find(|kind| kind["name"] == name).unwrap();
    assert_eq!(all.len(), 6);
    assert_eq!(kind("Weekly Webinar")["kind"], "group");
    assert_eq!(kind("Support Call")["pooling_type"], "round_robin");
    assert_eq!(kind("Panel Interview")["pooling_type"], "collective");
    assert_eq!(kind("Product Demo")["pooling_type"], Value::Null);
    assert_eq!(kind("Office Visit")["profile"]["owner"], SAM);
    let sams = rows(&desk, &format!("/event_types?user={SAM}")).await;
    assert_eq!(sams.len(), 4);
    // The very fields of the webhook's sample.
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/calendly/event_type.updated.json");
    let sample: Value = serde_json::from_slice(&std::fs::read(sample).unwrap()).unwrap();
    assert_eq!(fields(&all[0]), fields(&sample["payload"]));
    assert_eq!(desk.status(Method::GET, "/event_types", None).await, 400);
}

#[tokio::test]
async fn members_are_listed_with_their_roles_for_those_who_may_know() {
    let mut desk = start().await;
    let one = ORGANIZATION
        .strip_prefix("https://api.calendly.com")
        .unwrap();
    assert_eq!(desk.get(one).await["resource"]["uri"], ORGANIZATION);
    let invited = desk.get(&format!("{one}/invitations")).await;
    assert_eq!(invited["collection"], json!([]));
    let list = format!("/organization_memberships?organization={ORGANIZATION}");
    let members = rows(&desk, &list).await;
    let roles: Vec<_> = members.iter().map(|member| &member["role"]).collect();
    assert_eq!(roles, ["owner", "user"]);
    assert_eq!(members[0]["user"]["uri"], DANA);
    let role = json!({"role": "admin"});
    desk.control(Method::PATCH, "/accounts/AAAAHOSTUSER0002", role)
        .await;
    let sam = rows(&desk, &format!("{list}&email=sam.cohost@example.com")).await;
    assert_eq!(sam[0]["role"], "admin");
    desk.sandbox
        .world()
        .set_role(SAM, sandbox::Role::User)
        .unwrap();
    act_as(&mut desk, SAM);
    assert_eq!(desk.status(Method::GET, &list, None).await, 403);
    let mine = desk
        .get(&format!("/organization_memberships?user={SAM}"))
        .await;
    assert_eq!(mine["pagination"]["count"], 1);
}

#[tokio::test]
async fn who_leads_a_group_sees_and_is_told_what_its_members_host() {
    let mut desk = start().await;
    let receiver = Receiver::start(&[]).await;
    act_as(&mut desk, SAM);
    let groups = rows(&desk, &format!("/groups?organization={ORGANIZATION}")).await;
    assert_eq!(groups[0]["uri"], GROUP);
    let hook = json!({
        "url": receiver.url, "events": ["invitee.created"], "organization": ORGANIZATION,
        "scope": "group", "group": GROUP,
    });
    let made = desk
        .call(Method::POST, "/webhook_subscriptions", Some(hook))
        .await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    assert_eq!(made["resource"]["scope"], "group");
    assert_eq!(made["resource"]["group"], GROUP);
    desk.book("Danas", "2030-01-01T10:00:00Z").await;
    let sams = json!({
        "name": "Sams", "email": "ada@example.com", "startTime": "2030-01-01T10:00:00Z",
        "eventType": "Office Visit",
    });
    desk.post("/bookings", sams).await;
    desk.settle().await;
    let told = receiver.told();
    assert_eq!(told, [("invitee.created".to_owned(), "Sams".to_owned())]);
    let seen = desk.get(&format!("/scheduled_events?group={GROUP}")).await;
    assert_eq!(seen["pagination"]["count"], 1);
    let list =
        format!("/webhook_subscriptions?scope=group&organization={ORGANIZATION}&group={GROUP}");
    assert_eq!(desk.get(&list).await["pagination"]["count"], 1);
    act_as(&mut desk, "AAAAHOSTUSER0003");
    let path = format!("/scheduled_events?group={GROUP}");
    assert_eq!(desk.status(Method::GET, &path, None).await, 403);
}

#[tokio::test]
async fn a_form_that_is_filled_in_is_told_and_names_the_booking_that_came_of_it() {
    let desk = start().await;
    let receiver = Receiver::start(&[]).await;
    let hook = json!({
        "url": receiver.url, "events": ["routing_form_submission.created"],
        "organization": ORGANIZATION, "scope": "organization",
    });
    desk.call(Method::POST, "/webhook_subscriptions", Some(hook))
        .await;
    let forms = rows(
        &desk,
        &format!("/routing_forms?organization={ORGANIZATION}"),
    )
    .await;
    let filled = json!({"answers": ["ada@example.com"], "tracking": {"utm_source": "ads"}});
    let made = desk.post("/routing-form-submissions", filled).await;
    let body = json!({
        "name": "Ada", "email": "ada@example.com", "startTime": "2030-01-01T10:00:00Z",
        "routingFormSubmission": made["uri"],
    });
    let booked = desk.post("/bookings", body).await;
    desk.settle().await;
    let form = forms[0]["uri"].as_str().unwrap();
    let submissions = rows(&desk, &format!("/routing_form_submissions?form={form}")).await;
    let submission = &submissions[0];
    assert_eq!(submission["uri"], made["uri"]);
    let answers: Vec<_> = submission["questions_and_answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answered| answered["answer"].as_str())
        .collect();
    assert_eq!(answers, [Some("ada@example.com"), None]);
    assert_eq!(submission["tracking"]["utm_source"], "ads");
    // By the host of Calendly's pages, not of its API.
    let invitee = booked["inviteeUri"].as_str().unwrap();
    let by_pages = invitee.replace("//api.calendly", "//calendly");
    assert_eq!(submission["submitter"], by_pages);
    let told = receiver.received()[0].json();
    assert_eq!(told["event"], "routing_form_submission.created");
    assert_eq!(told["payload"]["uri"], made["uri"]);
    assert_eq!(told["payload"]["submitter"], Value::Null);
    assert_eq!(fields(&told["payload"]), fields(submission));
    assert_eq!(
        desk.status(Method::GET, "/routing_form_submissions", None)
            .await,
        400
    );
}

#[tokio::test]
async fn a_url_is_one_users_in_one_organization() {
    let mut desk = start().await;
    let hook = |organization: &str, user: &str| {
        Some(json!({
            "url": "https://hooks.example.com/shared", "events": ["invitee.created"],
            "organization": organization, "scope": "user", "user": user,
        }))
    };
    let path = "/webhook_subscriptions";
    let subscribe = hook(ORGANIZATION, DANA);
    assert_eq!(
        desk.status(Method::POST, path, subscribe.clone()).await,
        201
    );
    assert_eq!(desk.status(Method::POST, path, subscribe).await, 409);
    act_as(&mut desk, SAM);
    assert_eq!(
        desk.status(Method::POST, path, hook(ORGANIZATION, SAM))
            .await,
        201
    );
    act_as(&mut desk, "AAAAHOSTUSER0003");
    let other = "https://api.calendly.com/organizations/AAAAORG000000002";
    let rae = "https://api.calendly.com/users/AAAAHOSTUSER0003";
    assert_eq!(desk.status(Method::POST, path, hook(other, rae)).await, 201);
}
