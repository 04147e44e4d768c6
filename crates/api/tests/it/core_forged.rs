//! Forged and stale access tokens: a table of them, for every way in which tokens are signed.

use super::issuer::{Key, Project, claims};
use super::runs_stage::Stage;
use api::error::AppError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use types::Role;
use uuid::Uuid;

/// Longest token that is sent over HTTP: longer headers are refused before anybody reads them.
const MAX_SENT: usize = 8 * 1024;

/// A server and the key that its tokens are signed with.
struct Scene {
    stage: Stage,
    ours: Key,
    /// Claims that are accepted.
    valid: Value,
    _project: Option<Project>,
}

/// One row of the table.
type Forgery = (&'static str, String);

impl Scene {
    async fn embedded() -> Self {
        let stage = Stage::new().await;
        let org = stage.org("A").await;
        let person = stage.person(org.id, Role::Owner).await;
        let pem = std::fs::read(stage.data.path().join("auth.key")).unwrap();
        let public = stage.state.keys.public_jwk().unwrap();
        let ours = Key {
            algorithm: Algorithm::ES256,
            kid: public["kid"].as_str().map(str::to_owned),
            signing: EncodingKey::from_ec_pem(&pem).unwrap(),
            public,
        };
        let payload = person.token.split('.').nth(1).unwrap();
        let valid = serde_json::from_slice(&BASE64.decode(payload).unwrap()).unwrap();
        Self {
            stage,
            ours,
            valid,
            _project: None,
        }
    }

    async fn hosted(ours: Key, settings: &[(&str, &str)]) -> Self {
        let project = Project::start();
        let public: Vec<&Key> = [&ours].into_iter().filter(|k| !k.public.is_null()).collect();
        project.serve(&public);
        let settings = [&[("SUPABASE_URL", project.url.as_str())], settings].concat();
        Self {
            stage: Stage::with(&settings).await,
            valid: project.claims(),
            ours,
            _project: Some(project),
        }
    }

    /// The valid claims with one of them changed, or taken away by `null`.
    fn changed(&self, name: &str, value: Value) -> String {
        let mut claims = self.valid.clone();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        self.ours.token(&claims)
    }

    /// The right claims under a header with one field changed, rightly signed.
    fn headed(&self, name: &str, value: Value) -> String {
        let mut header = self.ours.header();
        header[name] = value;
        self.ours.sign(&header, &self.valid)
    }

    /// The right claims, signed by `key` under our key's name.
    fn as_ours(&self, key: &Key) -> String {
        let mut header = key.header();
        if let Some(kid) = &self.ours.kid {
            header["kid"] = json!(kid);
        }
        key.sign(&header, &self.valid)
    }

    /// The same algorithm in the hands of somebody else.
    fn stranger(&self) -> Key {
        match self.ours.algorithm {
            Algorithm::HS256 => Key::hs256("another secret"),
            _ => Key::es256(),
        }
    }

    async fn refuses(&self, (what, token): &Forgery) {
        let verified = self.stage.state.keys.verify(token).await;
        // What only the database knows is found out by the request below.
        assert!(
            matches!(verified, Err(AppError::Unauthorized(_))) || what.starts_with("of a session"),
            "{what}: {verified:?}"
        );
        if token.len() <= MAX_SENT && token.bytes().all(|b| b.is_ascii_graphic()) {
            let (status, problem) = self.stage.get("/me", token).await;
            assert_eq!(status, 401, "{what}: {problem}");
            assert_eq!(problem["type"], json!("/problems/unauthorized"), "{what}");
        }
    }

    async fn refuses_all(&self) {
        let good = self.ours.token(&self.valid);
        assert_eq!(
            self.stage.get("/me", &good).await.0,
            200,
            "the right one is taken"
        );
        let table = [
            self.shapes(),
            self.signatures(),
            self.algorithms(),
            self.headers(),
            self.times(),
            self.identities(),
            self.others(),
        ]
        .concat();
        assert!(table.len() >= 60, "{}", table.len());
        for row in &table {
            self.refuses(row).await;
        }
        assert_eq!(self.stage.get("/me", &good).await.0, 200, "and still is");
    }

    /// What is no token at all, or cut.
    fn shapes(&self) -> Vec<Forgery> {
        let good = self.ours.token(&self.valid);
        let parts: Vec<&str> = good.split('.').collect();
        let claims = BASE64.encode(self.valid.to_string());
        let header = BASE64.encode(self.ours.header().to_string());
        vec![
            ("noise", "x".into()),
            ("noise with dots", "x.y.z".into()),
            ("dots alone", "..".into()),
            ("too many dots", "....".into()),
            ("the header alone", parts[0].into()),
            ("without a signature part", format!("{}.{}", parts[0], parts[1])),
            ("five parts, as if encrypted", format!("{good}.x.y")),
            ("cut in the signature", good[..good.len() - 4].into()),
            ("longer by a letter", format!("{good}A")),
            ("padded", format!("{good}==")),
            (
                "padded claims",
                self.ours.sign_raw(&header, &format!("{claims}=")),
            ),
            ("claims that are no base64", self.ours.sign_raw(&header, "%%%")),
            (
                "claims that are no JSON",
                self.ours.sign_raw(&header, &BASE64.encode("{")),
            ),
            (
                "claims in a list",
                self.ours
                    .sign_raw(&header, &BASE64.encode(format!("[{}]", self.valid))),
            ),
            (
                "claims that are text",
                self.ours.sign_raw(&header, &BASE64.encode("\"x\"")),
            ),
            (
                "claims that are not UTF-8",
                self.ours.sign_raw(&header, &BASE64.encode(b"{\"sub\":\"\xff\"}")),
            ),
            (
                "a header that is no JSON",
                self.ours.sign_raw(&BASE64.encode("{"), &claims),
            ),
            (
                "a header in a list",
                self.ours.sign_raw(&BASE64.encode("[]"), &claims),
            ),
            (
                "deep claims",
                self.ours.sign_raw(&header, &BASE64.encode("[".repeat(9000))),
            ),
            ("a megabyte", self.changed("email", json!("x".repeat(1 << 20)))),
        ]
    }

    fn signatures(&self) -> Vec<Forgery> {
        let good = self.ours.token(&self.valid);
        let (message, signature) = good.rsplit_once('.').unwrap();
        let mut bytes = BASE64.decode(signature).unwrap();
        bytes[3] ^= 1;
        let mut grown = self.valid.clone();
        grown["sub"] = json!(Uuid::now_v7());
        let header = message.split('.').next().unwrap();
        let other = self.ours.token(&grown);
        vec![
            ("one bit turned", format!("{message}.{}", BASE64.encode(&bytes))),
            ("an empty signature", format!("{message}.")),
            (
                "zeros for a signature",
                format!("{message}.{}", BASE64.encode(vec![0; bytes.len()])),
            ),
            (
                "claims changed after the signature",
                format!("{header}.{}.{signature}", BASE64.encode(grown.to_string())),
            ),
            (
                "another token's signature",
                format!("{message}.{}", other.rsplit_once('.').unwrap().1),
            ),
            ("signed by a stranger", self.as_ours(&self.stranger())),
        ]
    }

    /// The algorithm is the key's, whatever the token says.
    fn algorithms(&self) -> Vec<Forgery> {
        let claims = BASE64.encode(self.valid.to_string());
        let named = |name: &str| {
            let mut header = self.ours.header();
            header["alg"] = json!(name);
            header
        };
        let unsigned = |name: &str| format!("{}.{claims}.", BASE64.encode(named(name).to_string()));
        let mut rows = vec![
            ("`none`", unsigned("none")),
            ("`nOnE`", unsigned("nOnE")),
            ("`NONE`", unsigned("NONE")),
            (
                "`none` with a signature",
                self.ours.sign(&named("none"), &self.valid),
            ),
            ("no algorithm", self.headed("alg", Value::Null)),
            ("an unknown algorithm", self.ours.sign(&named("HS1"), &self.valid)),
            (
                "algorithms in a list",
                self.headed("alg", json!([self.ours.algorithm])),
            ),
        ];
        let all = [
            "HS256", "HS384", "HS512", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "EdDSA",
        ];
        for name in all
            .into_iter()
            .filter(|name| json!(name) != json!(self.ours.algorithm))
        {
            rows.push((
                "another algorithm than the key's",
                self.ours.sign(&named(name), &self.valid),
            ));
        }
        // What an attacker knows, taken for a shared secret.
        let public = &self.ours.public;
        for text in [
            public.to_string(),
            public["x"].to_string(),
            public["n"].to_string(),
            String::new(),
        ] {
            rows.push(("the public key as a secret", self.as_ours(&Key::hs256(&text))));
        }
        rows
    }

    /// A header may name a key, and never bring one.
    fn headers(&self) -> Vec<Forgery> {
        let stranger = Key::es256();
        let brought = |name: &str, value: Value| {
            let mut header = stranger.header();
            header[name] = value;
            stranger.sign(&header, &self.valid)
        };
        vec![
            ("a key of its own", brought("jwk", stranger.public.clone())),
            (
                "keys of its own at an address",
                brought("jku", json!("http://127.0.0.1:9/jwks.json")),
            ),
            (
                "a certificate at an address",
                brought("x5u", json!("http://127.0.0.1:9/x.pem")),
            ),
            ("a certificate of its own", brought("x5c", json!(["AAAA"]))),
            ("a file for a key", brought("kid", json!("../../../../dev/null"))),
            ("SQL for a key", brought("kid", json!("x' or 1 = 1 --"))),
            ("a number for a key", self.headed("kid", json!(7))),
            (
                "an endless name for a key",
                brought("kid", json!("k".repeat(10_000))),
            ),
            (
                "something that must be understood",
                self.headed("crit", json!(["exp"])),
            ),
            ("compressed", self.headed("zip", json!("DEF"))),
            ("of another type", self.headed("typ", json!("refresh+jwt"))),
            ("a type that is a number", self.headed("typ", json!(1))),
            ("a token in a token", self.headed("cty", json!("JWT"))),
        ]
    }

    fn times(&self) -> Vec<Forgery> {
        let now = chrono::Utc::now().timestamp();
        vec![
            ("expired", self.changed("exp", json!(now - 120))),
            (
                "expired a little more than clocks differ",
                self.changed("exp", json!(now - 31)),
            ),
            ("expired since 1970", self.changed("exp", json!(0))),
            ("ending before 1970", self.changed("exp", json!(-1))),
            ("ending at a text", self.changed("exp", json!("never"))),
            ("ending at a huge number", self.changed("exp", json!(1e300))),
            ("without an end", self.changed("exp", Value::Null)),
            ("not yet valid", self.changed("nbf", json!(now + 120))),
        ]
    }

    fn identities(&self) -> Vec<Forgery> {
        let issuer = self.valid["iss"].as_str().unwrap();
        vec![
            (
                "of another issuer",
                self.changed("iss", json!("https://evil.test/auth/v1")),
            ),
            (
                "of nearly our issuer",
                self.changed("iss", json!(format!("{issuer}/"))),
            ),
            ("without an issuer", self.changed("iss", Value::Null)),
            ("for another audience", self.changed("aud", json!("anon"))),
            ("for nobody's audience", self.changed("aud", json!([]))),
            ("without an audience", self.changed("aud", Value::Null)),
            ("of nobody", self.changed("sub", Value::Null)),
            ("of somebody who is no UUID", self.changed("sub", json!("root"))),
            ("of a number", self.changed("sub", json!(1))),
            ("of the service role", self.changed("role", json!("service_role"))),
            ("of the anonymous role", self.changed("role", json!("anon"))),
            (
                "of two roles",
                self.changed("role", json!(["authenticated", "service_role"])),
            ),
            ("without a role", self.changed("role", Value::Null)),
        ]
    }

    /// Secrets of other kinds: none opens another's door.
    fn others(&self) -> Vec<Forgery> {
        let (id, secret) = (Uuid::now_v7().simple(), "0".repeat(64));
        vec![
            ("an API token of nobody", format!("lmmsd_{id}_{secret}")),
            ("an API token without a secret", format!("lmmsd_{id}_")),
            ("an API token without an id", format!("lmmsd__{secret}")),
            ("half an API token", "lmmsd_".into()),
            ("something like a refresh token", "0".repeat(48)),
            ("something like a ticket", format!("ticket.{secret}")),
            ("something like an executor's token", secret),
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn none_passes_where_accounts_are_kept_here() {
    let scene = Scene::embedded().await;
    scene.refuses_all().await;
    let org = scene.stage.org("B").await;
    let other = scene.stage.person(org.id, Role::Owner).await;
    let payload = BASE64.decode(other.token.split('.').nth(1).unwrap()).unwrap();
    let others: Value = serde_json::from_slice(&payload).unwrap();
    for row in [
        (
            "of a session that never was",
            scene.changed("session_id", json!(Uuid::now_v7())),
        ),
        (
            "of a session of somebody else",
            scene.changed("session_id", others["session_id"].clone()),
        ),
        (
            "of a session that is a text",
            scene.changed("session_id", json!("mine")),
        ),
        (
            "of a session that is not named",
            scene.changed("session_id", Value::Null),
        ),
    ] {
        scene.refuses(&row).await;
    }
    let ended = scene.ours.token(&scene.valid);
    let url = format!("{}/auth/v1/logout", scene.stage.url);
    let out = scene
        .stage
        .client
        .post(url)
        .bearer_auth(&ended)
        .send()
        .await
        .unwrap();
    assert_eq!(out.status(), 204);
    scene.refuses(&("of a session that was signed out", ended)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn none_passes_where_a_project_signs_with_es256() {
    Scene::hosted(Key::es256(), &[]).await.refuses_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn none_passes_where_a_project_signs_with_rs256() {
    Scene::hosted(Key::rs256(), &[]).await.refuses_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn none_passes_where_a_project_signs_with_a_shared_secret() {
    let settings = [("SUPABASE_JWT_SECRET", "a secret of the project")];
    let scene = Scene::hosted(Key::hs256("a secret of the project"), &settings).await;
    scene.refuses_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_open_their_own_door_alone() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let person = stage.person(org.id, Role::Owner).await;
    let run = stage.create(&org, &["sums"], json!({})).await;
    let (_, ticket) = stage
        .post(&format!("/runs/{run}/ticket"), &person.token, &json!({}))
        .await;
    let ticket = ticket["ticket"].as_str().unwrap();
    let (_, invitation) = stage
        .post(
            "/invitations",
            &person.token,
            &json!({"email": "eve@example.test", "role": "viewer"}),
        )
        .await;
    let foreign = Key::es256().token(&claims(&stage.state.keys.issuer));
    for text in [ticket, invitation["secret"].as_str().unwrap(), &foreign] {
        assert_eq!(stage.get("/me", text).await.0, 401);
    }
}
