//! Who means harm, and the test that shows what they get. The rows follow the topics of a review by OWASP's ASVS 5.0.
//!
//! | topic | shown by |
//! |---|---|
//! | arguments that want to be options or commands | `preview` and `keeper::hard_arguments_arrive_byte_for_byte` of `runner`; the fuzz target `argv` of `lmms` |
//! | paths that lead elsewhere, in addresses | `paths_that_lead_elsewhere_lead_nowhere`; of an executor: `runs_executor::files_have_a_place_and_a_hash` |
//! | links, FIFOs, devices, sparse and endless files in an output folder | `keeper::only_real_files_are_listed`, `…::a_file_above_the_cap_is_left_out`, `…::of_too_many_files_some_are_left_out` of `runner`. A hard link is a file like any other: who can make one can copy the file |
//! | archives | `import::archive::tests`; the fuzz target `archive` |
//! | bodies: more fields, depth, length; pages | `nothing_but_the_known_fields_is_taken`, `core_guard::bodies_are_bounded_…`, `core_guard::pages_are_bounded`; the fuzz target `bodies` |
//! | formulas in exported tables | `format::sheet` of `frontend` |
//! | markup as a model's answer, a model's name or a line of output | `hostile.spec.ts` in the browser; escapes of a terminal: `lmms::log` |
//! | headers and content security policy | `core_guard::every_answer_carries_the_headers` |
//! | hosts and headers of a proxy | `core_guard::a_foreign_host_is_not_served`, `auth::embedded::limiter` |
//! | forged, stale and confused tokens | `core_forged`, `auth::jwt`; the fuzz target `token` |
//! | sessions and sign-in | `core_auth`, `core_hosted`, `core_watch` |
//! | sockets: origin, tickets, frames, rights that end | `runs_socket`, `core_watch`; the fuzz target `frames` |
//! | organizations apart, roles | `runs_tenancy`, `core_isolation`, `core_permissions` |
//! | secrets | `a_secret_is_nowhere_but_in_its_process`, `reporter::secrets_reach_the_process_and_nothing_else` of `runner` |

use super::faults_stage::House;
use super::runs_stage::{Stage, answer};
use api::openapi;
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// It looks like nothing that is known by its shape.
const CANARY: &str = "zebra-crossing-6d1f0a77";

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_nowhere_but_in_its_process() {
    let house = House::new().await;
    let owner = house.stage.token(house.org.id.into(), types::Role::Owner).await;
    let put = house.stage.request(Method::PUT, "/secrets/CANARY", &owner);
    let (status, said) = answer(put.json(&json!({"value": CANARY}))).await;
    assert_eq!(status, 204, "{said}");
    let config = json!({"environment": {"MY_KEY": {"secret": "CANARY"}}});
    let run = house.create(&["leaky_l", "last"], config).await;
    let detail = house.until_over(&run).await;
    let cause = detail["benchmarks"][0]["error_message"]
        .as_str()
        .unwrap_or_default();
    assert!(
        cause.contains("refused [REDACTED]"),
        "the process had it: {detail:#}"
    );

    let mut told = vec![detail.to_string()];
    for path in [
        "",
        "/logs",
        "/logs?raw=stdout",
        "/logs?raw=stderr",
        "/artifacts",
        "/metrics",
        "/samples",
    ] {
        let request = house
            .stage
            .request(Method::GET, &format!("/runs/{run}{path}"), &owner);
        told.push(request.send().await.unwrap().text().await.unwrap());
    }
    let listed = house.stage.get("/secrets", &owner).await;
    assert!(listed.1.to_string().contains("CANARY"));
    told.push(listed.1.to_string());
    let found = told.iter().find(|text| text.contains(CANARY));
    assert_eq!(found, None, "an answer tells it");
    assert_eq!(tables_with(&house, CANARY).await, Vec::<String>::new());
    // What the process itself says is its own affair; what goes up from there is starred out.
    let own = ["events.jsonl", "stderr.log", "stdout.log"].map(|name| format!("attempts/{run}/1/{name}"));
    assert_eq!(files_with(house.stage.data.path(), CANARY), own);
}

/// Every table that holds the text in some column, in any way it can be written down as text.
async fn tables_with(house: &House, text: &str) -> Vec<String> {
    let named = "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables \
                 where schemaname not in ('pg_catalog', 'information_schema')";
    let mut found = Vec::new();
    for row in house.rows(named).await.unwrap() {
        let table: String = row.get(0);
        let bytes = hex::encode(text);
        let holds = format!(
            "select 1 from {table} t where t::text like '%{text}%' or t::text like '%{bytes}%' limit 1"
        );
        if !house.rows(&holds).await.unwrap().is_empty() {
            found.push(table);
        }
    }
    found
}

/// Every file below a folder that holds the text, by name.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
        .map(|entry| entry.path().strip_prefix(folder).unwrap().display().to_string())
        .collect();
    found.sort();
    found
}

/// One request as it is written, for a client would tidy the path.
fn status_of(address: &str, path: &str, token: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said).into_owned();
    let status = said.split_whitespace().nth(1).and_then(|word| word.parse().ok());
    (status.unwrap_or(0), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_lead_elsewhere_lead_nowhere() {
    const OUTSIDE: &str = "what nobody may read";
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    fs::create_dir(&pages).unwrap();
    fs::write(pages.join("index.html"), "<!doctype html>").unwrap();
    fs::write(folder.path().join("outside.txt"), OUTSIDE).unwrap();
    let stage = Stage::with(&[("LMMS_SPA_DIR", pages.to_str().unwrap())]).await;
    let org = stage.org("A").await;
    let address = stage.url.trim_start_matches("http://").to_owned();
    let ways = [
        "../outside.txt",
        "..%2foutside.txt",
        "..%5coutside.txt",
        "..\\outside.txt",
        "%2e%2e/outside.txt",
        "%2e%2e%2foutside.txt",
        "%252e%252e%252foutside.txt",
        "....//outside.txt",
        "/../outside.txt",
        "%00/../outside.txt",
        "index.html%00.txt",
        "%c0%ae%c0%ae/outside.txt",
        "..;/outside.txt",
    ];
    let absolute = folder.path().join("outside.txt").display().to_string();
    for way in ways.iter().copied().chain([absolute.as_str()]) {
        for root in ["/", "/api/v1/artifacts/", "/api/v1/runs/", "/assets/"] {
            let (status, said) = status_of(&address, &format!("{root}{way}"), &org.viewer);
            assert!(!said.contains(OUTSIDE), "{root}{way}");
            assert!(
                matches!(status, 200 | 301..=308 | 400..=422),
                "{root}{way}: {said}"
            );
        }
    }
}

#[test]
fn nothing_but_the_known_fields_is_taken() {
    let document: Value = serde_json::from_str(&openapi::pretty().unwrap()).unwrap();
    let mut seen = 0;
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) else {
                continue;
            };
            seen += 1;
            let body = &document["components"]["schemas"][name];
            assert_eq!(
                body["additionalProperties"],
                json!(false),
                "`{name}` takes any field"
            );
        }
    }
    assert!(seen > 10, "{seen}");
}
