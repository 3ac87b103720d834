//! An authorization that fails says why, to a program and to a browser, and connects nothing.

use stack_tests::{Account, Answer, BROWSER, Sandbox, Stack};

/// What goes wrong with an authorization.
#[derive(Debug, Clone, Copy)]
enum Case {
    /// The owner says no.
    Denied,
    /// The code comes too late.
    ExpiredCode,
    /// The callback does, that is.
    ExpiredState,
    /// It was not begun here.
    ForeignState,
    /// The code was granted to another authorization.
    ForeignCode,
    /// Calendly's answer has no code.
    MissingCode,
    EmptyCode,
    /// Nor a state.
    MissingState,
    /// Not all of the scopes were granted.
    MissingScope,
    /// The app may not even ask for them.
    RefusedScope,
    /// An error of another name.
    OtherError,
}

const CASES: [(Case, u16, &str); 11] = [
    (Case::Denied, 403, "ACCESS_DENIED"),
    (Case::ExpiredCode, 400, "CODE_INVALID"),
    (Case::ExpiredState, 400, "STATE_INVALID"),
    (Case::ForeignState, 400, "STATE_INVALID"),
    (Case::ForeignCode, 400, "CODE_INVALID"),
    (Case::MissingCode, 400, "CODE_MISSING"),
    (Case::EmptyCode, 400, "CODE_MISSING"),
    (Case::MissingState, 400, "STATE_MISSING"),
    (Case::MissingScope, 403, "MISSING_SCOPE"),
    (Case::RefusedScope, 403, "MISSING_SCOPE"),
    (Case::OtherError, 400, "AUTHORIZATION_FAILED"),
];

/// The parts of the URL at which an authorization came back.
fn part<'a>(back: &'a str, name: &str) -> &'a str {
    let found = back
        .split(['?', '&'])
        .find_map(|pair| pair.strip_prefix(name));
    found.unwrap_or_else(|| panic!("no {name} in {back}"))
}

impl Case {
    /// Where the browser is sent back to.
    async fn back(self, stack: &Stack, sandbox: &Sandbox, account: &Account) -> String {
        let began = stack.authorize().await;
        let at = async |more: &str| {
            let more = format!("user={}&{more}", account.id);
            sandbox.redirect(&began.authorize_url, &more).await
        };
        match self {
            Self::Denied => at("auto=deny").await,
            Self::ExpiredCode => at("auto=approve&code_expired=1").await,
            Self::ExpiredState => {
                stack.let_expire(&began.state).await;
                at("auto=approve").await
            }
            Self::ForeignState => {
                let back = at("auto=approve").await;
                back.replace(&began.state, &"0123456789abcdef".repeat(4))
            }
            Self::ForeignCode => {
                let (back, other) = (
                    at("auto=approve").await,
                    stack.approved(sandbox, account).await,
                );
                back.replace(part(&back, "code="), part(&other, "code="))
            }
            Self::MissingCode => {
                let back = at("auto=approve").await;
                back.replace(&format!("code={}&", part(&back, "code=")), "")
            }
            Self::EmptyCode => {
                let back = at("auto=approve").await;
                back.replace(part(&back, "code="), "")
            }
            Self::MissingState => {
                let back = at("auto=approve").await;
                back.replace(&format!("&state={}", began.state), "")
            }
            Self::MissingScope => at("auto=approve&scope_granted=users:read").await,
            Self::RefusedScope => at("auto=approve&scope=made_up:read").await,
            Self::OtherError => {
                let back = at("auto=deny").await;
                back.replace("access_denied", "%3Cb%3Ejust-made-up%3C%2Fb%3E")
            }
        }
    }
}

async fn assert_nothing_connected(stack: &Stack, sandbox: &Sandbox, account: &Account) {
    assert_eq!(stack.connection(&account.id).await, None);
    assert_eq!(stack.secrets_named(&account.id).await, [""; 0]);
    assert!(sandbox.subscriptions(account).await.is_empty());
    for tokens in sandbox.tokens(account).await {
        for name in ["accessToken", "refreshToken"] {
            let token = tokens[name].as_str().unwrap();
            assert!(!sandbox.is_active(token).await, "{name} still works");
        }
    }
}

/// Nothing that came by the URL is shown.
fn assert_no_echo(answer: &Answer, back: &str) {
    let shown = format!("{}{}{:?}", answer.body, answer.text, answer.headers);
    for (_, value) in reqwest::Url::parse(back).unwrap().query_pairs() {
        let value: &str = &value;
        assert!(
            value.len() < 10 || value.contains("access") || !shown.contains(value),
            "{value} in {shown}"
        );
        assert!(!shown.contains("just-made-up"), "{shown}");
    }
}

#[tokio::test]
async fn every_failure_is_told_and_connects_nothing() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    for (case, status, code) in CASES {
        // On failure the test's output ends with the case.
        println!("{case:?}");
        let account = sandbox.account("Nora Never").await;
        let back = case.back(&stack, &sandbox, &account).await;
        let answer = stack.callback(&back, None).await;
        assert_no_echo(&answer, &back);
        let error = answer.problem(status, code);
        assert!(error.len() > 20, "{error}");
        if let Case::MissingScope = case {
            assert!(
                error.contains("scheduled_events:read, webhooks:write"),
                "{error}"
            );
            assert!(!error.contains("users:read"), "{error}");
        }
        // What failed once, does not work later, and says the same.
        let again = stack.callback(&back, None).await;
        assert_eq!(again.problem(status, code), error);

        let back = case.back(&stack, &sandbox, &account).await;
        let answer = stack.callback(&back, Some(BROWSER)).await;
        assert_no_echo(&answer, &back);
        let page = answer.page(status);
        assert!(page.contains("<h1>Not connected</h1>"), "{page}");
        assert!(page.contains(code), "{page}");
        // The same sentence, with a capital at its start.
        assert!(page.contains(&error[1..]), "{error} in {page}");
        assert_nothing_connected(&stack, &sandbox, &account).await;
    }
}

#[tokio::test]
async fn a_state_works_once() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Otto Once").await;
    let back = stack.approved(&sandbox, &account).await;
    // Of many at once, too: all are answered the same.
    let calls = (0..5).map(|_| stack.callback(&back, None));
    let mut answers = futures::future::join_all(calls).await.into_iter();
    let first = answers.next().unwrap().ok();
    for answer in answers {
        assert_eq!(answer.ok(), first);
    }
    let before = stack.grant(&account.id).await.expect("connected");
    let page = stack.callback(&back, Some(BROWSER)).await.page(200);
    assert!(page.contains("<h1>Connected</h1>"), "{page}");
    assert!(page.contains("Otto Once"), "{page}");
    // With another answer of Calendly's it is worth nothing.
    let other = stack.approved(&sandbox, &account).await;
    let mixed = back.replace(part(&back, "code="), part(&other, "code="));
    let page = stack.callback(&mixed, Some(BROWSER)).await.page(400);
    assert!(
        page.contains("STATE_INVALID") && page.contains("Not connected"),
        "{page}"
    );

    // That harms nothing.
    assert_eq!(stack.grant(&account.id).await, Some(before));
    let [tokens] = &sandbox.tokens(&account).await[..] else {
        panic!("not one pair of tokens");
    };
    assert!(
        sandbox
            .is_active(tokens["accessToken"].as_str().unwrap())
            .await
    );
    assert_eq!(sandbox.subscriptions(&account).await.len(), 1);
}

#[tokio::test]
async fn a_failed_renewal_leaves_the_connection() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    for (case, status, code) in [CASES[0], CASES[1], CASES[8]] {
        let account = sandbox.account("Wim Works").await;
        stack.connect(&sandbox, &account).await;
        let before = stack.grant(&account.id).await;
        let back = case.back(&stack, &sandbox, &account).await;
        stack.callback(&back, None).await.problem(status, code);
        assert_eq!(stack.grant(&account.id).await, before, "{case:?}");
        let tokens = &sandbox.tokens(&account).await[0];
        let token = tokens["accessToken"].as_str().unwrap();
        assert!(sandbox.is_active(token).await, "{case:?}");
        assert_eq!(sandbox.subscriptions(&account).await.len(), 1, "{case:?}");
    }
}
