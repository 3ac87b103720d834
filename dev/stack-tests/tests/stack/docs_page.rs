//! The docs page, as a browser gets it.

use reqwest::Method;
use stack_tests::Stack;

#[tokio::test]
async fn anybody_gets_the_docs_page_and_all_that_it_refers_to() {
    let stack = Stack::from_env().await;
    let get = async |path: &str, headers: &[_]| stack.call(Method::GET, path, headers, None).await;
    let page = get("/v1/docs", &[]).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(
        page.header("content-security-policy")
            .contains("script-src 'self'")
    );
    let assets: Vec<&str> = page
        .text
        .split("\"./docs/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(assets.len() >= 4, "{page:?}");
    for asset in assets {
        let path = format!("/v1/docs/{asset}");
        let plain = get(&path, &[]).await;
        let packed = get(&path, &[("accept-encoding", "gzip")]).await;
        for (answer, encoding) in [(&plain, ""), (&packed, "gzip")] {
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(answer.header("content-encoding"), encoding, "{path}");
            assert!(
                answer.header("cache-control").contains("immutable"),
                "{path}"
            );
        }
        if asset.starts_with("swagger-ui-bundle.") {
            let length = |header: &str| header.parse::<usize>().unwrap();
            let whole = length(plain.header("content-length"));
            assert_eq!(plain.text.len(), whole);
            assert!(plain.text.contains("SwaggerUIBundle"));
            assert!(length(packed.header("content-length")) < whole / 3);
        }
    }
    let etag = page.header("etag");
    let again = get("/v1/docs", &[("if-none-match", etag)]).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    get("/v1/docs/swagger-ui.css", &[])
        .await
        .problem(404, "NOT_FOUND");
}
