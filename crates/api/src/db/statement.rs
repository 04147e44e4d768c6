//! SQL of ours with a fixed text, prepared once for each connection.
//!
//! `diesel::sql_query` is prepared anew each time: one more round trip, parsed and planned again. That suits a
//! statement whose best plan depends on its values. What is said many times a second, and finds its rows by a key,
//! is a [`statement`].

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::{QueryResult, RunQueryDsl};
use std::marker::PhantomData;

/// A statement with `$1`, `$2` and so on for the values that are bound to it, in order.
pub const fn statement(text: &'static str) -> Statement<Text> {
    Statement(Text(text))
}

/// What can be run, or bound to another value.
#[derive(Clone, Copy, Debug)]
pub struct Statement<Q>(Q);

/// The text.
#[derive(Clone, Copy, Debug)]
pub struct Text(&'static str);

/// A statement with one more value, of the SQL type `ST`.
#[derive(Clone, Copy, Debug)]
pub struct Bound<Q, V, ST> {
    before: Q,
    value: V,
    kind: PhantomData<ST>,
}

impl<Q> Statement<Q> {
    /// Binds the next value.
    pub fn bind<ST, V>(self, value: V) -> Statement<Bound<Q, V, ST>> {
        Statement(Bound {
            before: self.0,
            value,
            kind: PhantomData,
        })
    }
}

impl QueryFragment<Pg> for Text {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

impl<Q, V, ST> QueryFragment<Pg> for Bound<Q, V, ST>
where
    Q: QueryFragment<Pg>,
    V: ToSql<ST, Pg>,
    Pg: HasSqlType<ST>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.before.walk_ast(out.reborrow())?;
        // The text names its parameters itself, in any order: what diesel writes is a comment.
        out.push_sql(" /*");
        out.push_bind_param(&self.value)?;
        out.push_sql("*/");
        Ok(())
    }
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Statement<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

/// Known by its text alone.
impl<Q> QueryId for Statement<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for Statement<Q> {
    type SqlType = Untyped;
}

impl<Q, C> RunQueryDsl<C> for Statement<Q> {}

#[cfg(test)]
mod tests {
    use super::statement;
    use diesel::debug_query;
    use diesel::pg::Pg;
    use diesel::sql_types::{BigInt, Text};

    #[test]
    fn a_value_may_stand_in_many_places() {
        let twice = statement("select $1 where $1 > $2").bind::<BigInt, _>(7_i64);
        let twice = twice.bind::<Text, _>("x");
        assert_eq!(
            debug_query::<Pg, _>(&twice).to_string(),
            r#"select $1 where $1 > $2 /*$1*/ /*$2*/ -- binds: [7, "x"]"#
        );
    }
}
