//! Packs what `GET /v1/docs` answers with: the page, its script, and Swagger UI's files out of the
//! archive of a crate. All is gzipped, named after its content and written to `OUT_DIR`, together
//! with `assets.rs`, which `src/docs.rs` includes.

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fmt::Write as _;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

const SOURCES: &str = "src/docs";
const TEXT: &str = "text/plain; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What is taken from Swagger UI's folder `dist` as it is.
const FROM_DIST: [(&str, &str); 3] = [
    ("swagger-ui-bundle.js", SCRIPT),
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCES}");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut swagger_ui = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;

    let mut assets = vec![("init.js", SCRIPT, fs::read(source("init.js"))?)];
    for (name, content_type) in FROM_DIST {
        let content = taken(&mut swagger_ui, &format!("dist/{name}"))?;
        assets.push((name, content_type, content));
    }
    // The Apache licence asks for both to go with every copy.
    let mut license = taken(&mut swagger_ui, "NOTICE")?;
    license.extend(taken(&mut swagger_ui, "LICENSE")?);
    assets.push(("swagger-ui-license.txt", TEXT, license));

    let mut page = fs::read_to_string(source("page.html"))?;
    let mut table = format!("static ASSETS: [Asset; {}] = [", assets.len());
    for (name, content_type, content) in assets {
        let hash = hash(&content);
        let named = hashed_name(name, &hash)?;
        let placeholder = format!("{{{name}}}");
        if !page.contains(&placeholder) {
            return Err(format!("{SOURCES}/page.html doesn't refer to {placeholder}").into());
        }
        page = page.replace(&placeholder, &named);
        fs::write(out.join(format!("{name}.gz")), gzipped(&content)?)?;
        write!(
            table,
            "Asset {{ name: {named:?}, content_type: {content_type:?}, hash: {hash:?}, \
             gzipped: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.gz\")) }},"
        )?;
    }
    table.push_str("];");
    write!(
        table,
        "static PAGE: &str = {page:?}; static PAGE_HASH: &str = {:?};",
        hash(page.as_bytes())
    )?;
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

fn source(name: &str) -> PathBuf {
    Path::new(SOURCES).join(name)
}

/// One file of Swagger UI's archive, in which all lies under one folder named after the version.
fn taken(
    archive: &mut ZipArchive<Cursor<&'static [u8]>>,
    path: &str,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let full = archive
        .file_names()
        .filter_map(|full| Some(full.ok()?.into_owned()))
        .find(|full| full.split_once('/').is_some_and(|(_, rest)| rest == path))
        .ok_or_else(|| {
            format!(
                "the archive of utoipa-swagger-ui-vendored has no {path}: say in \
                 functions/api/build.rs what this version calls it"
            )
        })?;
    let mut content = Vec::new();
    archive.by_name(&full)?.read_to_end(&mut content)?;
    Ok(content)
}

/// Enough of a SHA-256 to tell any two versions of a file apart.
fn hash(content: &[u8]) -> String {
    hex::encode(&Sha256::digest(content)[..8])
}

/// `swagger-ui.css` becomes `swagger-ui.<hash>.css`.
fn hashed_name(name: &str, hash: &str) -> Result<String, Box<dyn Error>> {
    let (stem, extension) = name
        .rsplit_once('.')
        .ok_or_else(|| format!("{name} has no extension"))?;
    Ok(format!("{stem}.{hash}.{extension}"))
}

fn gzipped(content: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}
