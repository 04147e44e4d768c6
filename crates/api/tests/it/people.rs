//! People with sessions of their own, and a connection that may do everything.

use super::runs_stage::{Stage, server};
use api::auth::embedded::{mint_link, redeem_link};
use tokio_postgres::{Client, NoTls};
use types::{Role, UserId};
use uuid::Uuid;

/// A member of an organization who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    /// An access token.
    pub(crate) token: String,
}

impl Stage {
    /// The database as its superuser.
    pub(crate) async fn superuser(&self) -> Client {
        let cluster = &server().cluster;
        let config: tokio_postgres::Config = self.state.db.url().parse().unwrap();
        let url = cluster.url(cluster.superuser(), config.get_dbname().unwrap());
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// A new member of the organization, signed in.
    pub(crate) async fn person(&self, organization: Uuid, role: Role) -> Person {
        let id = Uuid::now_v7();
        let sql = format!(
            "insert into auth.users (id, email) values ('{id}', '{id}@example.test');
             insert into public.memberships (organization_id, user_id, role)
             values ('{organization}', '{id}', '{role}')"
        );
        self.superuser().await.batch_execute(&sql).await.unwrap();
        let token = self.sign_in(id).await;
        Person { id, token }
    }

    /// The access token of a new session.
    pub(crate) async fn sign_in(&self, id: Uuid) -> String {
        let secret = mint_link(&self.state, UserId(id)).await.unwrap();
        redeem_link(&self.state, &secret).await.unwrap().access_token
    }
}
