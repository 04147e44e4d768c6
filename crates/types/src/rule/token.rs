//! From characters to tokens.

use super::{MAX_RULE, RuleError};

/// A word of the language.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A bare word: a name or a keyword.
    Word(String),
    /// A name in backquotes.
    Quoted(String),
    /// Text in quotes.
    Text(String),
    /// A number, as it was written.
    Number(f64, String),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `(`, `)`, `,`, `.`, `|`, `@`
    Sign(&'static str),
    /// Nothing more.
    End,
}

impl Token {
    /// How an error names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Quoted(name) => format!("the name `{name}`"),
            Self::Text(text) => format!("the text \"{text}\""),
            Self::Number(_, text) => format!("the number {text}"),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::End => "the end".to_owned(),
        }
    }
}

/// A token and the column at which it begins.
pub(super) type Placed = (Token, usize);

/// The longest first.
const SIGNS: [&str; 13] = [
    "==", "!=", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "|", "@",
];

/// The tokens of a rule, the last of which is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, RuleError> {
    let mut reader = Reader {
        chars: text.chars().take(MAX_RULE + 1).collect(),
        at: 0,
    };
    if reader.chars.len() > MAX_RULE {
        return Err(RuleError::new(
            MAX_RULE + 1,
            format!("the rule is longer than {MAX_RULE} characters"),
        ));
    }
    let mut found = Vec::new();
    loop {
        reader.skip_blanks();
        let column = reader.at + 1;
        let token = reader.next()?;
        let is_end = token == Token::End;
        found.push((token, column));
        if is_end {
            return Ok(found);
        }
    }
}

/// Whether a name may start with this character without quotes.
pub(super) fn starts_word(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Whether a name may go on with this character without quotes.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&fits) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn next(&mut self) -> Result<Token, RuleError> {
        let Some(c) = self.peek() else {
            return Ok(Token::End);
        };
        let second = self.chars.get(self.at + 1).copied();
        match c {
            '"' | '\'' => self.text(c),
            '`' => self.quoted(),
            _ if starts_word(c) => Ok(Token::Word(self.take_while(is_of_word))),
            _ if c.is_ascii_digit() => self.number(),
            '-' if second.is_some_and(|c| c.is_ascii_digit()) => self.number(),
            _ => self.sign(c),
        }
    }

    fn sign(&mut self, c: char) -> Result<Token, RuleError> {
        let fits = |sign: &&&str| {
            let mut rest = self.chars[self.at..].iter();
            sign.chars().all(|c| rest.next() == Some(&c))
        };
        let Some(sign) = SIGNS.iter().find(fits) else {
            return Err(RuleError::new(self.at + 1, format!("`{c}` has no meaning here")));
        };
        self.at += sign.len();
        Ok(Token::Sign(if *sign == "==" { "=" } else { sign }))
    }

    fn number(&mut self) -> Result<Token, RuleError> {
        let column = self.at + 1;
        let mut text = String::new();
        if self.peek() == Some('-') {
            text.push('-');
            self.at += 1;
        }
        text += &self.take_while(|c| c.is_ascii_digit());
        let digit_at = |place: usize| self.chars.get(place).is_some_and(char::is_ascii_digit);
        if self.peek() == Some('.') && digit_at(self.at + 1) {
            self.at += 1;
            text = format!("{text}.{}", self.take_while(|c| c.is_ascii_digit()));
        }
        text += &self.exponent();
        if self.peek().is_some_and(is_of_word) {
            return Err(RuleError::new(
                self.at + 1,
                format!("the number {text} goes on with a letter"),
            ));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Number(number, text)),
            _ => Err(RuleError::new(column, format!("the number {text} is too large"))),
        }
    }

    /// `e10`, `E-3`; nothing where no digits follow.
    fn exponent(&mut self) -> String {
        let start = self.at;
        if matches!(self.peek(), Some('e' | 'E')) {
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            if self.take_while(|c| c.is_ascii_digit()).is_empty() {
                self.at = start;
            }
        }
        self.chars[start..self.at].iter().collect()
    }

    fn text(&mut self, quote: char) -> Result<Token, RuleError> {
        let column = self.at + 1;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(RuleError::new(column, "the text that begins here has no end")),
                Some('\0') => return Err(RuleError::new(self.at + 1, "text cannot hold a NUL character")),
                Some('\\') => text.push(self.escaped()?),
                Some(c) => {
                    self.at += 1;
                    if c == quote {
                        return Ok(Token::Text(text));
                    }
                    text.push(c);
                }
            }
        }
    }

    fn escaped(&mut self) -> Result<char, RuleError> {
        let column = self.at + 1;
        let meant = match self.chars.get(self.at + 1) {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some(c @ ('\\' | '"' | '\'')) => *c,
            Some(c) => {
                return Err(RuleError::new(
                    column,
                    format!("`\\{c}` has no meaning; expected \\n, \\t, \\r, \\\\ or a quote"),
                ));
            }
            None => return Err(RuleError::new(column, "a character is missing after `\\`")),
        };
        self.at += 2;
        Ok(meant)
    }

    fn quoted(&mut self) -> Result<Token, RuleError> {
        let column = self.at + 1;
        self.at += 1;
        let mut name = String::new();
        loop {
            match self.peek() {
                None => return Err(RuleError::new(column, "the name that begins here has no end")),
                Some('\0') => return Err(RuleError::new(self.at + 1, "a name cannot hold a NUL character")),
                Some('`') if self.chars.get(self.at + 1) == Some(&'`') => {
                    self.at += 2;
                    name.push('`');
                }
                Some('`') => {
                    self.at += 1;
                    return Ok(Token::Quoted(name));
                }
                Some(c) => {
                    self.at += 1;
                    name.push(c);
                }
            }
        }
    }
}
