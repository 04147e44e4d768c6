//! Organizations: their names, their members, and the order in which a person sees them.

use super::runs_stage::{Org, Stage, answer};
use api::db::{Conn, Error, organizations};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use types::{OrganizationId, Role, UserId};
use uuid::Uuid;

/// A person with an account on this server.
struct Person {
    id: UserId,
    token: String,
}

struct Scene {
    stage: Stage,
    org: Org,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::with(&[("LMMS_OPEN_SIGN_UP", "true")]).await;
        let org = stage.org("A").await;
        Self { stage, org }
    }

    async fn person(&self, name: &str, role: Role) -> Person {
        let body = json!({"email": format!("{name}@example.test"), "password": "correct horse"});
        let url = format!("{}/auth/v1/signup", self.stage.url);
        let (status, session) = answer(self.stage.client.post(url).json(&body)).await;
        assert_eq!(status, 200, "{session}");
        let id = UserId(session["user"]["id"].as_str().unwrap().parse().unwrap());
        self.join(self.org.id, id, role).await;
        let token = session["access_token"].as_str().unwrap().to_owned();
        Person { id, token }
    }

    async fn join(&self, organization: Uuid, user: UserId, role: Role) {
        let organization = OrganizationId(organization);
        let join = async |conn: &mut Conn| -> Result<(), Error> {
            Ok(organizations::add_member(conn, organization, user, role).await?)
        };
        self.stage.state.db.service(join).await.unwrap();
    }

    async fn ask(&self, method: Method, path: &str, by: &Person, body: Value) -> (StatusCode, Value) {
        let path = format!("/organizations/{}{path}", self.org.id);
        answer(self.stage.request(method, &path, &by.token).json(&body)).await
    }

    async fn change(&self, who: &Person, role: &str, by: &Person) -> (StatusCode, Value) {
        let path = format!("/members/{}", who.id);
        self.ask(Method::PATCH, &path, by, json!({"role": role})).await
    }

    async fn remove(&self, who: &Person, by: &Person) -> StatusCode {
        let path = format!("/members/{}", who.id);
        self.ask(Method::DELETE, &path, by, json!({})).await.0
    }

    /// Who did what, oldest first.
    async fn deeds(&self) -> Vec<String> {
        let read = async |conn: &mut Conn| -> Result<Vec<String>, Error> {
            use api::db::schema::audit_log::dsl;
            use diesel::{ExpressionMethods, QueryDsl};
            let ours = dsl::organization_id.eq(self.org.id);
            let query = dsl::audit_log.filter(ours).order(dsl::id).select(dsl::action);
            Ok(diesel_async::RunQueryDsl::load(query, conn).await?)
        };
        self.stage.state.db.service(read).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_manage_members_up_to_their_own_role() {
    let s = Scene::new().await;
    let owner = s.person("owner", Role::Owner).await;
    let admin = s.person("admin", Role::Admin).await;
    let viewer = s.person("viewer", Role::Viewer).await;
    let (status, list) = s.ask(Method::GET, "/members", &viewer, json!({})).await;
    assert_eq!(status, 200, "{list}");
    let seen: Vec<_> = list["members"].as_array().unwrap().iter().collect();
    let emails: Vec<_> = seen.iter().map(|m| m["email"].as_str().unwrap()).collect();
    assert_eq!(
        emails,
        ["owner@example.test", "admin@example.test", "viewer@example.test"]
    );
    assert_eq!(seen[0]["role"], "owner");

    assert_eq!(s.change(&viewer, "editor", &viewer).await.0, 403);
    let (status, changed) = s.change(&viewer, "editor", &admin).await;
    assert_eq!((status.as_u16(), &changed["role"]), (200, &json!("editor")));
    assert_eq!(
        s.change(&viewer, "owner", &admin).await.0,
        403,
        "more than their own role"
    );
    assert_eq!(
        s.change(&owner, "viewer", &admin).await.0,
        403,
        "somebody above them"
    );
    assert_eq!(s.remove(&owner, &admin).await, 403);
    assert_eq!(s.change(&admin, "owner", &owner).await.0, 200);
    assert_eq!(s.remove(&viewer, &admin).await, 204);
    assert_eq!(s.remove(&viewer, &admin).await, 404);
    assert_eq!(
        s.ask(Method::GET, "/members", &viewer, json!({})).await.0,
        404,
        "an organization that is not theirs does not exist"
    );
    assert_eq!(
        s.deeds().await,
        ["member.change", "member.change", "member.remove"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_stays() {
    let s = Scene::new().await;
    let owner = s.person("owner", Role::Owner).await;
    let other = s.person("other", Role::Owner).await;
    assert_eq!(s.remove(&other, &other).await, 204, "everybody may leave");
    assert_eq!(s.remove(&owner, &owner).await, 409);
    let (status, problem) = s.change(&owner, "admin", &owner).await;
    assert_eq!(status, 409);
    assert!(
        problem["detail"].as_str().unwrap().contains("last owner"),
        "{problem}"
    );
    assert_eq!(s.change(&owner, "owner", &owner).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_renamed_to_a_free_name() {
    let s = Scene::new().await;
    let owner = s.person("owner", Role::Owner).await;
    let editor = s.person("editor", Role::Editor).await;
    s.stage.org("B").await;
    let rename = |name: &str, by| s.ask(Method::PATCH, "", by, json!({"name": name}));
    assert_eq!(rename("C", &editor).await.0, 403);
    assert_eq!(rename(" ", &owner).await.0, 422);
    assert_eq!(rename("B", &owner).await.0, 409);
    let (status, renamed) = rename(" C ", &owner).await;
    assert_eq!((status.as_u16(), &renamed["name"]), (200, &json!("C")));
    let (_, me) = s.stage.get("/me", &editor.token).await;
    assert_eq!(me["organizations"][0]["name"], "C");
    assert_eq!(s.deeds().await, ["organization.rename"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_comes_after_what_is_really_theirs() {
    let s = Scene::new().await;
    let person = s.person("zoe", Role::Owner).await;
    let demo = async |conn: &mut Conn| -> Result<OrganizationId, Error> {
        Ok(organizations::insert(conn, "0 Demo", true).await?)
    };
    let demo = s.stage.state.db.service(demo).await.unwrap();
    s.join(demo.0, person.id, Role::Owner).await;
    let (_, me) = s.stage.get("/me", &person.token).await;
    let names: Vec<_> = me["organizations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| &o["name"])
        .collect();
    assert_eq!(names, ["A", "0 Demo"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_found_by_who_and_when_they_were_made() {
    let s = Scene::new().await;
    let ada = s.person("ada", Role::Editor).await;
    let eve = s.person("eve", Role::Viewer).await;
    let by_token = s.stage.create(&s.org, &["sums"], json!({})).await;
    let benchmark = s.stage.benchmark("more").await;
    let body = json!({"model_id": s.org.model, "benchmark_ids": [benchmark]});
    let (status, created) = s.stage.post("/runs/create", &ada.token, &body).await;
    assert_eq!(status, 201, "{created}");
    let own = created["run_id"].as_str().unwrap().to_owned();
    let listed = async |query: &str, token: &str| -> Vec<String> {
        let (status, list) = s.stage.get(&format!("/runs?{query}"), token).await;
        assert_eq!(status, 200, "{list}");
        let rows = list["runs"].as_array().unwrap().iter();
        rows.map(|run| run["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed("mine=true", &ada.token).await, std::slice::from_ref(&own));
    assert_eq!(
        listed("mine=true", &s.org.editor).await,
        std::slice::from_ref(&by_token)
    );
    assert!(listed("mine=true", &eve.token).await.is_empty());
    let both = [own.clone(), by_token];
    assert_eq!(listed("since=2000-01-01T00:00:00Z", &eve.token).await, both);
    assert!(listed("until=2000-01-01T00:00:00Z", &eve.token).await.is_empty());
    let (_, detail) = s.stage.get(&format!("/runs/{own}"), &eve.token).await;
    assert_eq!(detail["created_by_name"], "ada@example.test");
    let (_, list) = s.stage.get("/runs", &eve.token).await;
    let names: Vec<_> = list["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["created_by_name"])
        .collect();
    assert_eq!(names, [&json!("ada@example.test"), &Value::Null]);
}
