//! Media of samples, from the bytes that come in to the addresses that show them.

use super::imports::imported;
use super::runs_stage::{Org, Stage, answer};
use api::import::Report;
use api::media::{Address, Purpose};
use chrono::{Duration, Utc};
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, RANGE};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::PathBuf;
use types::ImportMapping;
use uuid::Uuid;

/// A PNG of one colour.
fn png(side: u32) -> Vec<u8> {
    let mut output = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(side, side, image::Rgb([200, 30, 30]))
        .write_to(&mut output, image::ImageFormat::Png)
        .unwrap();
    output.into_inner()
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A folder with one run, whose samples name media in every way.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let results = json!({
            "results": {"t": {"acc,none": 0.5}}, "configs": {"t": {}}, "config": {"model": "m"}, "model_name": "org/m",
            "higher_is_better": {"t": {"acc": true}}, "date": "20260101_080000"
        });
        folder.write(
            "out/m/20260101_080000_results.json",
            results.to_string().as_bytes(),
        );
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Samples that name these media, one each.
    fn samples(&self, sources: &[&str]) {
        let line = |(doc, source): (usize, &&str)| {
            json!({"doc_id": doc, "target": "a", "filtered_resps": "b", "acc": 0.0, "input_media": [source]})
                .to_string()
        };
        let lines: Vec<String> = sources.iter().enumerate().map(line).collect();
        self.write(
            "out/m/20260101_080000_samples_t.jsonl",
            lines.join("\n").as_bytes(),
        );
    }

    /// The driver's list for these documents.
    fn index(&self, lines: &[Value]) {
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        self.write("out/media_t.jsonl", lines.join("\n").as_bytes());
    }

    async fn import(&self, stage: &Stage, org: &Org) -> Report {
        imported(stage, org, &self.at("out"), ImportMapping::default()).await
    }
}

/// The media of every sample of the only run, by document.
async fn shown(stage: &Stage, org: &Org) -> Vec<Vec<Value>> {
    let (_, runs) = stage.get("/runs", &org.viewer).await;
    let run = runs["runs"][0]["id"].as_str().unwrap();
    let (status, page) = stage
        .get(&format!("/runs/{run}/samples?limit=100"), &org.viewer)
        .await;
    assert_eq!(status, 200, "{page}");
    let media = |sample: &Value| sample["media"].as_array().unwrap().clone();
    page["samples"].as_array().unwrap().iter().map(media).collect()
}

async fn fetch(stage: &Stage, url: &str, range: Option<&str>) -> Response {
    let mut request = stage.client.get(format!("{}{url}", stage.url));
    if let Some(range) = range {
        request = request.header(RANGE, range);
    }
    request.send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_samples_name_is_taken_from_inside_alone() {
    let (stage, folder) = (Stage::new().await, Folder::new());
    let org = stage.org("A").await;
    let picture = png(40);
    folder.write("out/images/a.png", &picture);
    folder.write("out/images/lie.png", b"<html><script>alert(1)</script>");
    folder.write("secret.png", &png(9));
    std::os::unix::fs::symlink(folder.at("secret.png"), folder.at("out/images/link.png")).unwrap();
    let inline = format!("data:image/png;base64,{}", base64(&png(8)));
    let absolute = folder.at("out/images/a.png").canonicalize().unwrap();
    folder.samples(&[
        "images/a.png",
        absolute.to_str().unwrap(),
        &inline,
        "images/lie.png",
        "../../secret.png",
        "images/link.png",
        "https://example.test/a.png",
        "images/none.png",
    ]);
    let report = folder.import(&stage, &org).await;
    assert_eq!(report.stored, 1, "{report:#?}");
    let media = shown(&stage, &org).await;
    let problems: Vec<&str> = media.iter().map(|media| text(&media[0], "problem")).collect();
    let expected = [
        "",
        "",
        "",
        "wrong_type",
        "outside",
        "missing",
        "remote",
        "missing",
    ];
    assert_eq!(problems, expected, "{media:#?}");
    assert_eq!(text(&media[0][0], "sha256"), hash(&picture));
    assert_eq!(
        (&media[0][0]["width"], &media[2][0]["width"]),
        (&json!(40), &json!(8))
    );
    assert_eq!(text(&media[3][0], "reason"), "said to be an image, is HTML");
    assert!(
        text(&media[5][0], "reason").contains("symbolic link"),
        "{media:#?}"
    );
    let answer = fetch(&stage, text(&media[0][0], "url"), None).await;
    assert_eq!(answer.bytes().await.unwrap(), picture);
    let again = folder.import(&stage, &org).await;
    assert_eq!((again.stored, again.known), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn media_that_come_later_join_their_samples() {
    let (stage, folder) = (Stage::new().await, Folder::new());
    let org = stage.org("A").await;
    folder.samples(&["images/a.png"]);
    folder.import(&stage, &org).await;
    assert_eq!(text(&shown(&stage, &org).await[0][0], "problem"), "missing");
    folder.write("out/images/a.png", &png(40));
    let report = folder.import(&stage, &org).await;
    assert_eq!((report.stored, report.known), (1, 0), "{report:#?}");
    assert_eq!(text(&shown(&stage, &org).await[0][0], "problem"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drivers_list_stands_before_what_samples_name() {
    let (stage, folder) = (Stage::new().await, Folder::new());
    let org = stage.org("A").await;
    folder.samples(&["images/a.png", "images/b.png"]);
    let (picture, wave) = (png(64), wav());
    let bomb = bomb();
    for (bytes, end) in [(&picture, "png"), (&wave, "wav"), (&bomb, "png")] {
        folder.write(&format!("out/media/{}.{end}", hash(bytes)), bytes);
    }
    let kept = |doc: i64, position: i64, kind: &str, bytes: &[u8], end: &str| json!({"doc_id": doc, "position": position, "kind": kind, "sha256": hash(bytes), "extension": end});
    folder.index(&[
        kept(0, 0, "image", &picture, "png"),
        kept(0, 1, "audio", &wave, "wav"),
        kept(0, 2, "image", &wave, "wav"),
        kept(0, 3, "image", &bomb, "png"),
        kept(0, 4, "image", b"never written", "png"),
        json!({"doc_id": 1, "position": 0, "kind": "video", "problem": "left_out", "reason": "more than 5 media in this benchmark"}),
    ]);
    let report = folder.import(&stage, &org).await;
    let media = shown(&stage, &org).await;
    let problems: Vec<&str> = media[0].iter().map(|media| text(media, "problem")).collect();
    assert_eq!(
        problems,
        ["", "", "wrong_type", "huge", "missing"],
        "{media:#?}\n{report:#?}"
    );
    assert_eq!(text(&media[0][2], "reason"), "said to be an image, is a sound");
    assert_eq!(
        (&media[0][1]["duration"], &media[0][1]["mime"]),
        (&json!(2.0), &json!("audio/wav"))
    );
    assert!(media[0][3]["url"].is_null() && media[0][3]["thumbnail"].is_null());
    assert_eq!(
        text(&media[1][0], "reason"),
        "more than 5 media in this benchmark"
    );
    assert_eq!(text(&media[1][0], "kind"), "video");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_medium_are_served_as_http_says() {
    let (stage, folder) = (Stage::new().await, Folder::new());
    let org = stage.org("A").await;
    let wave = wav();
    folder.write(&format!("out/media/{}.wav", hash(&wave)), &wave);
    folder.samples(&["x"]);
    folder.index(&[
        json!({"doc_id": 0, "position": 0, "kind": "audio", "sha256": hash(&wave), "extension": "wav"}),
    ]);
    folder.import(&stage, &org).await;
    let media = shown(&stage, &org).await;
    let url = text(&media[0][0], "url");
    let n = wave.len();
    for (range, status, part) in [
        ("bytes=0-3", 206, Some(&wave[..4])),
        ("bytes=-2", 206, Some(&wave[n - 2..])),
        ("bytes=100-", 206, Some(&wave[100..])),
        ("bytes=0-1,4-5", 200, Some(&wave[..])),
        ("bytes=99999999-", 416, None),
    ] {
        let answer = fetch(&stage, url, Some(range)).await;
        assert_eq!(answer.status().as_u16(), status, "{range}");
        if status == 206 {
            assert!(
                header(&answer, "content-range").ends_with(&format!("/{n}")),
                "{range}"
            );
        }
        if let Some(part) = part {
            assert_eq!(answer.bytes().await.unwrap(), part, "{range}");
        }
    }
    let whole = fetch(&stage, url, None).await;
    assert_eq!(
        header(&whole, "content-security-policy"),
        "sandbox; default-src 'none'"
    );
    assert_eq!(header(&whole, "x-content-type-options"), "nosniff");
    assert_eq!(header(&whole, "cross-origin-resource-policy"), "same-origin");
    assert!(header(&whole, "cache-control").starts_with("private, max-age="));
    assert_eq!(header(&whole, "set-cookie"), "");
    let tag = header(&whole, "etag").to_owned();
    let known = stage
        .client
        .get(format!("{}{url}", stage.url))
        .header("if-none-match", tag);
    assert_eq!(known.send().await.unwrap().status(), StatusCode::NOT_MODIFIED);
    let other = stage
        .client
        .get(format!("{}{url}", stage.url))
        .header(RANGE, "bytes=0-3")
        .header("if-range", "\"x\"");
    assert_eq!(other.send().await.unwrap().status(), StatusCode::OK);
    let head = stage
        .client
        .head(format!("{}{url}", stage.url))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (head.status().as_u16(), header(&head, "content-length")),
        (200, n.to_string().as_str())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_good_for_its_medium_and_its_time() {
    let (stage, folder) = (Stage::new().await, Folder::new());
    let (org, stranger) = (stage.org("A").await, stage.org("B").await);
    folder.write("out/a.png", &png(500));
    folder.samples(&["a.png"]);
    folder.import(&stage, &org).await;
    let media = shown(&stage, &org).await;
    let (url, sha256) = (text(&media[0][0], "url"), text(&media[0][0], "sha256"));
    let status = async |url: &str| fetch(&stage, url, None).await.status().as_u16();
    assert_eq!(status(url).await, 200);
    let (path, query) = url.split_once('?').unwrap();
    let swap = |a: &str, b: &str| url.replace(a, b);
    for wrong in [
        path.to_owned(),
        format!("{path}?{}", query.replace("for=view", "for=download")),
        swap(&org.id.to_string(), &stranger.id.to_string()),
        swap(sha256, &hash(b"other")),
        swap("expires=", "expires=9"),
        format!("{}0", &url[..url.len() - 1]).replace("signature=0", "signature=1"),
    ] {
        let got = status(&wrong).await;
        assert!(matches!(got, 400 | 403 | 422), "{wrong}: {got}");
    }
    let key = &stage.state.keys.sealing;
    let lifetime = stage.state.config.media.url_lifetime;
    let sign = |organization: Uuid, sha256: &str, ago: i64| {
        let address = Address { organization, sha256 };
        address.signed(key, Purpose::View, lifetime, Utc::now() - Duration::seconds(ago))
    };
    assert_eq!(status(&sign(org.id, sha256, 86_400)).await, 403, "expired");
    assert_eq!(status(&sign(stranger.id, sha256, 0)).await, 404, "not theirs");
    assert_eq!(status(&sign(org.id, sha256, 0)).await, 200);
    // Nor do they see that there are samples at all.
    let (_, runs) = stage.get("/runs", &stranger.viewer).await;
    assert_eq!(runs["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_is_a_file_to_save_and_a_thumbnail_is_small() {
    let (stage, folder) = (Stage::new().await, Folder::new());
    let org = stage.org("A").await;
    folder.write("out/a.png", &png(900));
    folder.write(
        "out/b.svg",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    );
    folder.write("out/c.png", &png(30)[..60]);
    folder.samples(&["a.png", "b.svg", "c.png"]);
    folder.import(&stage, &org).await;
    let media = shown(&stage, &org).await;
    let small = fetch(&stage, text(&media[0][0], "thumbnail"), None).await;
    assert_eq!(
        (small.status().as_u16(), header(&small, CONTENT_TYPE.as_str())),
        (200, "image/jpeg")
    );
    let first = small.bytes().await.unwrap();
    let image = image::load_from_memory(&first).unwrap();
    assert_eq!((image.width(), image.height()), (320, 320));
    let again = fetch(&stage, text(&media[0][0], "thumbnail"), None).await;
    assert_eq!(again.bytes().await.unwrap(), first, "it is kept");
    assert_eq!(
        (&media[1][0]["url"], text(&media[1][0], "problem")),
        (&Value::Null, "wrong_type")
    );
    let saved = fetch(&stage, text(&media[1][0], "download"), None).await;
    assert_eq!(header(&saved, CONTENT_TYPE.as_str()), "application/octet-stream");
    assert!(
        header(&saved, CONTENT_DISPOSITION.as_str()).starts_with("attachment"),
        "{saved:?}"
    );
    // What begins as a picture and is none costs its thumbnail alone.
    let broken = fetch(&stage, text(&media[2][0], "thumbnail"), None).await;
    assert_eq!(broken.status(), StatusCode::NOT_FOUND);
    let media = shown(&stage, &org).await;
    assert!(
        media[2][0]["thumbnail"].is_null() && media[2][0]["url"].is_string(),
        "{media:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn executors_upload_what_their_organization_lacks() {
    let scene = super::runs_executor::scene().await;
    let picture = png(20);
    let name = hash(&picture);
    let ask = async || {
        let path = format!("/attempts/{}/media", scene.attempt);
        let body = json!({"sha256": [name, hash(b"other")]});
        let request = scene
            .stage
            .request(reqwest::Method::POST, &path, super::runs_executor::TOKEN);
        answer(request.json(&body)).await
    };
    let put = async |name: &str, bytes: Vec<u8>| {
        let path = format!("/attempts/{}/media/{name}", scene.attempt);
        let request = scene
            .stage
            .request(reqwest::Method::PUT, &path, super::runs_executor::TOKEN);
        answer(request.body(bytes)).await.0.as_u16()
    };
    let missing = |answer: &Value| answer["sha256"].as_array().map(Vec::len);
    assert_eq!(missing(&ask().await.1), Some(2));
    assert_eq!(put(&name, picture.clone()).await, 204);
    assert_eq!(put(&name, picture.clone()).await, 204, "twice is once");
    assert_eq!(missing(&ask().await.1), Some(1));
    assert_eq!(
        put(&hash(b"other"), picture).await,
        422,
        "other bytes than announced"
    );
    assert_eq!(put("../../etc/passwd", Vec::new()).await, 404);
    assert_eq!(put("ABC", Vec::new()).await, 422);
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Two seconds of silence.
fn wav() -> Vec<u8> {
    let rate = 8000_u32;
    let form = [
        &1_u16.to_le_bytes()[..],
        &1_u16.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate * 2).to_le_bytes(),
        &[2, 0, 16, 0],
    ]
    .concat();
    let data = vec![0; 32_000];
    let body = [
        b"WAVEfmt ".as_slice(),
        &16_u32.to_le_bytes(),
        &form,
        b"data",
        &32_000_u32.to_le_bytes(),
        &data,
    ]
    .concat();
    [b"RIFF".as_slice(), &(body.len() as u32).to_le_bytes(), &body].concat()
}

/// A small PNG whose header says that it is enormous.
fn bomb() -> Vec<u8> {
    let mut bytes = png(4);
    bytes[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    bytes
}
