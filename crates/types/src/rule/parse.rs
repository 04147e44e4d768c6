//! From tokens to a rule, by recursive descent.

use super::token::{Placed, Token, tokens};
use super::{
    Field, Literal, MAX_RULE_DEPTH, MAX_RULE_NAMES, MAX_RULE_TESTS, MAX_RULE_VALUES, Order, Part, Place,
    Rule, RuleError, Test,
};
use std::str::FromStr;

/// Words that are no bare names.
const KEYWORDS: [&str; 13] = [
    "and",
    "or",
    "not",
    "in",
    "contains",
    "starts_with",
    "ends_with",
    "between",
    "exists",
    "is",
    "null",
    "true",
    "false",
];

/// Whether a word means something of its own, in any case: then it is a name only in backquotes.
pub fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            at: 0,
            tests: 0,
        };
        let rule = parser.any(0)?;
        match parser.peek() {
            Token::End => Ok(rule),
            _ => Err(parser.unexpected("`and`, `or` or the end")),
        }
    }
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    tests: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn column(&self) -> usize {
        self.tokens[self.at].1
    }

    fn advance(&mut self) {
        // The last token is the end, which nobody passes.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn error(&self, message: impl Into<String>) -> RuleError {
        RuleError::new(self.column(), message)
    }

    fn unexpected(&self, expected: &str) -> RuleError {
        self.error(format!("expected {expected}, found {}", self.peek().shown()))
    }

    fn is_word(&self, keyword: &str) -> bool {
        matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn take_word(&mut self, keyword: &str) -> bool {
        let found = self.is_word(keyword);
        if found {
            self.advance();
        }
        found
    }

    fn take_sign(&mut self, sign: &'static str) -> bool {
        let found = *self.peek() == Token::Sign(sign);
        if found {
            self.advance();
        }
        found
    }

    fn any(&mut self, depth: usize) -> Result<Rule, RuleError> {
        let mut parts = vec![self.all(depth)?];
        while self.take_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(Rule::any(parts))
    }

    fn all(&mut self, depth: usize) -> Result<Rule, RuleError> {
        let mut parts = vec![self.one(depth)?];
        while self.take_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(Rule::all(parts))
    }

    fn one(&mut self, depth: usize) -> Result<Rule, RuleError> {
        if depth > MAX_RULE_DEPTH {
            return Err(self.error(format!("the rule is nested deeper than {MAX_RULE_DEPTH}")));
        }
        if self.take_word("not") {
            return Ok(Rule::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take_sign("(") {
            let inner = self.any(depth + 1)?;
            if !self.take_sign(")") {
                return Err(self.unexpected("`and`, `or` or `)`"));
            }
            return Ok(inner);
        }
        self.tests += 1;
        if self.tests > MAX_RULE_TESTS {
            return Err(self.error(format!("the rule has more than {MAX_RULE_TESTS} tests")));
        }
        let field = self.field()?;
        Ok(Rule::Test(field, self.test()?))
    }

    fn field(&mut self) -> Result<Field, RuleError> {
        let mut places = vec![self.place()?];
        while self.take_sign("|") {
            if places.len() == MAX_RULE_NAMES {
                return Err(self.error(format!("a field has more than {MAX_RULE_NAMES} alternatives")));
            }
            places.push(self.place()?);
        }
        Ok(Field(places))
    }

    fn place(&mut self) -> Result<Place, RuleError> {
        if self.take_sign("@") {
            return self.named();
        }
        let mut names = vec![self.name(true)?];
        while self.take_sign(".") {
            if names.len() == MAX_RULE_NAMES {
                return Err(self.error(format!("a path has more than {MAX_RULE_NAMES} names")));
            }
            names.push(self.name(false)?);
        }
        Ok(Place::Doc(names))
    }

    /// What stands after `@`.
    fn named(&mut self) -> Result<Place, RuleError> {
        let found = Place::NAMED.into_iter().find(|(name, _)| self.is_word(name));
        let Some((_, place)) = found else {
            return Err(self.unexpected("`target`, `input`, `input_length` or `doc_id` after `@`"));
        };
        self.advance();
        Ok(place)
    }

    /// A name; the first of a path is no keyword.
    fn name(&mut self, first: bool) -> Result<String, RuleError> {
        let name = match self.peek() {
            Token::Word(word) if !(first && is_keyword(word)) => word.clone(),
            Token::Quoted(name) => name.clone(),
            _ => return Err(self.unexpected("the name of a field")),
        };
        self.advance();
        Ok(name)
    }

    fn test(&mut self) -> Result<Test, RuleError> {
        if let Token::Sign(sign) = *self.peek() {
            return self.comparison(sign);
        }
        if self.take_word("not") {
            if !self.take_word("in") {
                return Err(self.unexpected("`in` after `not`"));
            }
            return Ok(Test::NotIn(self.list()?));
        }
        if self.take_word("in") {
            return Ok(Test::In(self.list()?));
        }
        if self.take_word("between") {
            return self.between();
        }
        if self.take_word("exists") {
            return Ok(Test::Exists);
        }
        if self.take_word("is") {
            let is_there = self.take_word("not");
            if !self.take_word("null") {
                return Err(self.unexpected("`null`"));
            }
            return Ok(if is_there { Test::Exists } else { Test::IsNull });
        }
        for (word, part) in [
            ("contains", Part::Anywhere),
            ("starts_with", Part::Start),
            ("ends_with", Part::End),
        ] {
            if self.take_word(word) {
                return Ok(Test::Holds(part, self.text()?));
            }
        }
        Err(self.unexpected("a comparison such as `=`, `<`, `in` or `contains`"))
    }

    fn comparison(&mut self, sign: &'static str) -> Result<Test, RuleError> {
        let orders = [Order::Less, Order::AtMost, Order::More, Order::AtLeast];
        if let Some(order) = orders.into_iter().find(|order| order.sign() == sign) {
            self.advance();
            return Ok(Test::Number(order, self.number()?));
        }
        if !matches!(sign, "=" | "!=") {
            return Err(self.unexpected("a comparison such as `=`, `<`, `in` or `contains`"));
        }
        self.advance();
        let is_same = sign == "=";
        if self.take_word("null") {
            return Ok(if is_same { Test::IsNull } else { Test::Exists });
        }
        let value = vec![self.literal()?];
        Ok(if is_same {
            Test::In(value)
        } else {
            Test::NotIn(value)
        })
    }

    fn between(&mut self) -> Result<Test, RuleError> {
        let low = self.number()?;
        if !self.take_word("and") {
            return Err(self.unexpected("`and` between the two numbers"));
        }
        let column = self.column();
        let high = self.number()?;
        if low > high {
            return Err(RuleError::new(
                column,
                "the second number is less than the first, so that nothing lies between them",
            ));
        }
        Ok(Test::Between(low, high))
    }

    fn list(&mut self) -> Result<Vec<Literal>, RuleError> {
        if !self.take_sign("(") {
            return Err(self.unexpected("`(` and a list of values"));
        }
        let mut values = vec![self.literal()?];
        while self.take_sign(",") {
            if values.len() == MAX_RULE_VALUES {
                return Err(self.error(format!("a list has more than {MAX_RULE_VALUES} values")));
            }
            values.push(self.literal()?);
        }
        if !self.take_sign(")") {
            return Err(self.unexpected("`,` or `)`"));
        }
        Ok(values)
    }

    fn literal(&mut self) -> Result<Literal, RuleError> {
        let value = match self.peek() {
            Token::Text(text) => Literal::Text(text.clone()),
            Token::Number(number, _) => Literal::Number(*number),
            Token::Word(word) if word.eq_ignore_ascii_case("true") => Literal::Bool(true),
            Token::Word(word) if word.eq_ignore_ascii_case("false") => Literal::Bool(false),
            Token::Word(word) if !is_keyword(word) => {
                return Err(self.error(format!("expected a value, found `{word}`; text stands in quotes")));
            }
            _ => return Err(self.unexpected("a value")),
        };
        self.advance();
        Ok(value)
    }

    fn number(&mut self) -> Result<f64, RuleError> {
        let Token::Number(number, _) = *self.peek() else {
            return Err(self.unexpected("a number"));
        };
        self.advance();
        Ok(number)
    }

    fn text(&mut self) -> Result<String, RuleError> {
        let text = match self.peek() {
            Token::Text(text) if !text.is_empty() => text.clone(),
            Token::Text(_) => return Err(self.error("the text is empty, and everything holds that")),
            _ => return Err(self.unexpected("text in quotes")),
        };
        self.advance();
        Ok(text)
    }
}
