//! How an authorization ends: what is kept of a grant, and what its page says when it is loaded again.

use super::*;

#[tokio::test]
async fn a_callback_that_is_loaded_again_says_the_same_and_does_nothing() {
    let stage = Stage::new().await;
    let html = [("accept", "text/html")];
    let sentence = |page: &Answer| {
        let from = page.text.find("<h1>").unwrap();
        let to = page.text.find("<small>").unwrap();
        (page.status, page.text[from..to].to_owned())
    };
    let back = stage.at_calendly("auto=approve").await;
    let first = stage.ask("GET", &back, &[], "").await;
    let tokens = stage
        .vault
        .tokens(first.json()["connectionId"].as_str().unwrap());
    let page = stage.ask("GET", &back, &html, "").await;
    assert!(page.text.contains("Connected") && page.text.contains("dana.host@example.com"));
    for _ in 0..2 {
        let again = stage.ask("GET", &back, &[], "").await;
        assert_eq!((again.status, again.json()), (200, first.json()));
        let again = stage.ask("GET", &back, &html, "").await;
        assert_eq!(sentence(&again), sentence(&page));
    }
    assert_eq!(stage.exchanges().await, json!({"200": 1}));
    assert!(
        stage
            .vault
            .tokens(first.json()["connectionId"].as_str().unwrap())
            == tokens
    );
    assert_eq!(stage.connector.jobs.drain().len(), 1);

    // Only to whoever comes with the same answer of Calendly's.
    let other = back.replace("code=", "code=x");
    stage
        .ask("GET", &other, &[], "")
        .await
        .refused(400, "STATE_INVALID");

    let denied = stage.at_calendly("auto=deny").await;
    let page = stage.ask("GET", &denied, &html, "").await;
    assert_eq!(page.status, 403);
    let again = stage.ask("GET", &denied, &html, "").await;
    assert_eq!(sentence(&again), sentence(&page));
}

#[tokio::test]
async fn a_callback_that_is_loaded_twice_at_once_is_one() {
    let stage = Stage::new().await;
    let back = stage.at_calendly("auto=approve").await;
    let all = futures::future::join_all((0..4).map(|_| stage.ask("GET", &back, &[], ""))).await;
    for answer in &all {
        assert_eq!((answer.status, answer.json()), (200, all[0].json()));
    }
    assert_eq!(stage.exchanges().await, json!({"200": 1}));
}

#[tokio::test]
async fn what_is_remembered_of_an_authorization_is_no_secret_and_nobodys_name() {
    let stage = Stage::new().await;
    for end in ["auto=approve", "auto=approve&code_expired=1", "auto=deny"] {
        let back = stage.at_calendly(end).await;
        stage.ask("GET", &back, &[], "").await;
    }
    let client = stage.dynamo.client();
    let items = client
        .scan()
        .table_name("connections")
        .send()
        .await
        .unwrap();
    let items = items
        .items()
        .iter()
        .filter(|item| item.contains_key("outcome"));
    let remembered: Vec<String> = items.map(|item| format!("{item:?}")).collect();
    assert_eq!(remembered.len(), 3);
    let state = stage.sandbox_state().await;
    let tokens = state["tokens"].as_array().unwrap().iter();
    let tokens = tokens.flat_map(|token| [&token["accessToken"], &token["refreshToken"]]);
    let mut secrets: Vec<&str> = tokens.filter_map(Value::as_str).collect();
    secrets.extend(["verifier", "Dana", "dana.host"]);
    for item in remembered {
        for secret in &secrets {
            assert!(!item.contains(secret), "{secret} in {item}");
        }
    }
}

#[tokio::test]
async fn a_page_of_an_account_that_was_disconnected_since_says_so() {
    let stage = Stage::new().await;
    let back = stage.at_calendly("auto=approve").await;
    let answer = stage.ask("GET", &back, &[], "").await.json();
    let target = format!(
        "/v1/connections/{}",
        answer["connectionId"].as_str().unwrap()
    );
    let key = [("x-api-key", "k-1")];
    assert_eq!(stage.ask("DELETE", &target, &key, "").await.status, 200);
    let again = stage.ask("GET", &back, &[], "").await;
    again.refused(400, "STATE_INVALID");
    assert!(again.text.contains("disconnected since"), "{}", again.text);
}

#[tokio::test]
async fn an_app_without_scopes_is_connected() {
    for scopes in [AskFor::Nothing, AskFor::Granular] {
        let stage = Stage::of_old_app(scopes).await;
        let asked = stage.authorize_url().await;
        assert_eq!(
            asked.contains("scope"),
            scopes == AskFor::Granular,
            "{asked}"
        );
        let answer = stage.connected().await;
        assert_eq!(answer["subscribed"], true);
        let organization = answer["organizationUri"].as_str().unwrap();
        assert!(organization.contains("/organizations/"), "{organization}");
        stage.nothing_revoked().await;
        // It may do everything, so routing forms are told of, too.
        let state = stage.sandbox_state().await;
        let events = state["subscriptions"][0]["events"].to_string();
        assert!(
            events.contains("routing_form_submission.created"),
            "{events}"
        );
    }
}

#[tokio::test]
async fn an_app_that_is_refused_its_scopes_is_told_the_setting() {
    let stage = Stage::new().await;
    let back = stage.at_calendly("auto=approve&scope=made_up:read").await;
    let page = stage
        .ask("GET", &back, &[("accept", "text/html")], "")
        .await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("CalendlyScopes"), "{}", page.text);
    stage.nothing_kept().await;
}

#[tokio::test]
async fn a_grant_that_does_not_do_is_given_back_unless_the_account_is_connected() {
    let few = "auto=approve&scope_granted=users:read";
    let revoked = async |stage: &Stage| {
        let state = stage.sandbox_state().await;
        let tokens = state["tokens"].as_array().unwrap().clone();
        tokens
            .iter()
            .filter(|token| token["revoked"] == true)
            .count()
    };
    let stage = Stage::new().await;
    let back = stage.at_calendly(few).await;
    stage
        .ask("GET", &back, &[], "")
        .await
        .refused(403, "MISSING_SCOPE");
    assert_eq!(revoked(&stage).await, 1);
    stage.connected().await;
    let back = stage.at_calendly(few).await;
    stage
        .ask("GET", &back, &[], "")
        .await
        .refused(403, "MISSING_SCOPE");
    assert_eq!(revoked(&stage).await, 1);
}

#[tokio::test]
async fn no_answer_of_the_token_endpoint_is_told_and_changes_nothing() {
    let stage = Stage::new().await;
    for fault in [
        json!({"tokenBody": "html"}),
        json!({"tokenBody": "empty"}),
        json!({"tokenBody": "partial"}),
        // An error whose body is a gateway's page is told by its status.
        json!({"tokenErrors": {"503": 1.0}, "errorBody": "html"}),
    ] {
        let back = stage.at_calendly("auto=approve").await;
        stage.faults(&fault).await;
        let answer = stage.ask("GET", &back, &[], "").await;
        stage.faults(&json!({})).await;
        answer.refused(502, "CALENDLY_UNAVAILABLE");
        assert!(!answer.text.contains('<'), "no HTML is passed on");
        stage.nothing_kept().await;
    }
}

/// The code was used, so the tokens are all there is: who granted them came with them.
#[tokio::test]
async fn a_grant_is_kept_though_the_account_can_not_be_read_just_now() {
    for fault in [
        json!({"apiErrors": {"500": 1.0}}),
        json!({"apiBody": "html"}),
        json!({"apiBody": "empty"}),
        json!({"apiBody": "partial"}),
    ] {
        let stage = Stage::new().await;
        let back = stage.at_calendly("auto=approve").await;
        stage.faults(&fault).await;
        let answer = stage.ask("GET", &back, &[], "").await;
        assert_eq!(answer.status, 200, "{fault}: {}", answer.text);
        let answer = answer.json();
        assert_eq!(answer["subscribed"], false);
        let id = answer["connectionId"].as_str().unwrap();
        assert!(stage.vault.tokens(id).is_some());
        stage.nothing_revoked().await;
        // Its first sync makes the subscription.
        assert_eq!(stage.connector.jobs.drain().len(), 1);

        stage.faults(&json!({})).await;
        let again = stage.connected().await;
        for name in ["connectionId", "userUri", "organizationUri"] {
            assert_eq!(again[name], answer[name], "{name}");
        }
    }
}

/// Nobody can say whose they are; but nobody took them back, either.
#[tokio::test]
async fn a_grant_of_nobody_knows_whom_is_not_revoked() {
    let stage = Stage::of_old_app(AskFor::Nothing).await;
    let back = stage.at_calendly("auto=approve").await;
    stage.faults(&json!({"apiErrors": {"500": 1.0}})).await;
    let answer = stage.ask("GET", &back, &[], "").await;
    answer.refused(502, "CALENDLY_UNAVAILABLE");
    stage.nothing_revoked().await;
    stage.nothing_kept().await;
}
