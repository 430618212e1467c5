//! The language of recipes: arithmetic, comparisons and a closed set of operations over named selections of rows.
//!
//! ```text
//! expression = conjunction { "or" conjunction }
//! conjunction = negation { "and" negation }
//! negation   = [ "not" ] comparison
//! comparison = sum [ ( "<" | ">" | "<=" | ">=" | "==" | "!=" ) sum ]
//! sum        = product { ( "+" | "-" ) product }
//! product    = factor { ( "*" | "/" ) factor }
//! factor     = "-" factor | number | 'text' | rows | operation "(" [ expression { "," expression } ] ")" | "(" expression ")"
//! ```

use std::ops::Range;

use super::operation::Operation;

/// A parsed expression. Spans count bytes of its text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expression {
    pub span: Range<usize>,
    pub node: Node,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Number(f64),
    Text(String),
    /// A named selection.
    Rows(String),
    Negative(Box<Expression>),
    Not(Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    Call(Operation, Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Less,
    Greater,
    AtMost,
    AtLeast,
    Equal,
    Unequal,
    And,
    Or,
}

/// What is wrong, and with which bytes of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    pub span: Range<usize>,
    pub message: String,
    /// A known word that may have been meant.
    pub meant: Option<String>,
}

impl Problem {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Problem {
        Problem { span, message: message.into(), meant: None }
    }
}

/// Operators by strength, the weakest first; those of one row are read from left to right.
const LEVELS: &[&[(&str, Binary)]] = &[
    &[("or", Binary::Or)],
    &[("and", Binary::And)],
    &[
        ("<=", Binary::AtMost),
        (">=", Binary::AtLeast),
        ("==", Binary::Equal),
        ("!=", Binary::Unequal),
        ("<", Binary::Less),
        (">", Binary::Greater),
    ],
    &[("+", Binary::Add), ("-", Binary::Subtract)],
    &[("*", Binary::Multiply), ("/", Binary::Divide)],
];
/// `not` binds tighter than `and`, looser than comparisons.
const NEGATION: usize = 2;

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Expression, Problem> {
    let mut parser = Parser { text, at: 0 };
    let expression = parser.level(0)?;
    parser.skip();
    match parser.rest().is_empty() {
        true => Ok(expression),
        false => Err(parser.expected("an operator or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn expected(&self, what: &str) -> Problem {
        let next = self.rest().chars().next();
        let found = next.map_or("the end".to_string(), |c| format!("{c:?}"));
        let end = self.at + next.map_or(0, char::len_utf8);
        Problem::new(self.at..end, format!("expected {what}, found {found}"))
    }

    /// Takes a sign, or a word that ends where it ends.
    fn take(&mut self, token: &str) -> bool {
        self.skip();
        let Some(rest) = self.rest().strip_prefix(token) else { return false };
        if token.ends_with(is_name) && rest.starts_with(is_name) {
            return false;
        }
        self.at += token.len();
        true
    }

    fn need(&mut self, token: &str) -> Result<(), Problem> {
        if self.take(token) { Ok(()) } else { Err(self.expected(&format!("{token:?}"))) }
    }

    fn level(&mut self, level: usize) -> Result<Expression, Problem> {
        self.skip();
        let start = self.at;
        if level == NEGATION && self.take("not") {
            let inner = self.level(level)?;
            return Ok(Expression { span: start..self.at, node: Node::Not(Box::new(inner)) });
        }
        let Some(operators) = LEVELS.get(level) else { return self.factor() };
        let mut left = self.level(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(token, _)| self.take(token)) {
            let right = self.level(level + 1)?;
            let span = start..self.at;
            left = Expression { span, node: Node::Binary(*operator, Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Expression, Problem> {
        self.skip();
        let start = self.at;
        if self.take("-") {
            let inner = self.factor()?;
            return Ok(Expression { span: start..self.at, node: Node::Negative(Box::new(inner)) });
        }
        if self.take("(") {
            let inner = self.level(0)?;
            self.need(")")?;
            return Ok(inner);
        }
        let rest = self.rest();
        let node = if let Some(rest) = rest.strip_prefix('\'') {
            let length = rest.find('\'').ok_or_else(|| self.expected("a text that ends in '"))?;
            self.at += length + 2;
            Node::Text(rest[..length].to_string())
        } else if rest.starts_with(|c: char| c.is_ascii_digit()) {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let number = rest[..end].parse().map_err(|_| self.expected("a number such as 0.05"))?;
            self.at += end;
            Node::Number(number)
        } else if rest.starts_with(is_name) {
            let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
            self.at += end;
            self.named(&rest[..end], start..start + end)?
        } else {
            return Err(self.expected("a number, 'text', the name of rows or an operation"));
        };
        Ok(Expression { span: start..self.at, node })
    }

    fn named(&mut self, name: &str, span: Range<usize>) -> Result<Node, Problem> {
        if !self.take("(") {
            return Ok(Node::Rows(name.to_string()));
        }
        let operation = name.parse::<Operation>().map_err(|unknown| Problem {
            span: span.clone(),
            message: unknown.to_string(),
            meant: base::nearest::nearest(name, Operation::ALL.iter().map(|o| o.as_str()))
                .map(str::to_string),
        })?;
        let mut arguments = Vec::new();
        while !self.take(")") {
            if !arguments.is_empty() {
                self.need(",")?;
            }
            arguments.push(self.level(0)?);
        }
        let (fewest, most) = operation.arguments();
        if !(fewest..=most).contains(&arguments.len()) {
            let found = arguments.len();
            return Err(Problem::new(
                span,
                format!("`{operation}` takes {}, found {found}", operation.usage()),
            ));
        }
        Ok(Node::Call(operation, arguments))
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl Expression {
    /// Names of the selections in it, with their places, in the order of the text.
    pub(super) fn rows(&self) -> Vec<(&str, Range<usize>)> {
        match &self.node {
            Node::Number(_) | Node::Text(_) => Vec::new(),
            Node::Rows(name) => vec![(name, self.span.clone())],
            Node::Negative(inner) | Node::Not(inner) => inner.rows(),
            Node::Binary(_, left, right) => [left.rows(), right.rows()].concat(),
            Node::Call(_, arguments) => arguments.iter().flat_map(Expression::rows).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_bind_as_in_arithmetic() {
        let same = |a: &str, b: &str| {
            let shape = |text| strip(parse(text).expect(text));
            assert_eq!(shape(a), shape(b), "{a} / {b}");
        };
        same("a + b * c - d", "(a + (b * c)) - d");
        same("a / b / c", "(a / b) / c");
        same("not a > 1 and b < 2 or c == 3", "((not (a > 1)) and (b < 2)) or (c == 3)");
        same("-a * 2", "(-a) * 2");
    }

    /// The tree without its places.
    fn strip(expression: Expression) -> String {
        match expression.node {
            Node::Number(number) => number.to_string(),
            Node::Text(text) => format!("'{text}'"),
            Node::Rows(name) => name,
            Node::Negative(inner) => format!("[- {}]", strip(*inner)),
            Node::Not(inner) => format!("[not {}]", strip(*inner)),
            Node::Binary(operator, left, right) => {
                format!("[{operator:?} {} {}]", strip(*left), strip(*right))
            }
            Node::Call(operation, all) => {
                format!("{operation}{:?}", all.into_iter().map(strip).collect::<Vec<_>>())
            }
        }
    }

    #[test]
    fn mistakes_have_their_place() {
        let problem = |text: &str| parse(text).expect_err(text);
        assert_eq!(problem("a + ").span, 4..4);
        assert_eq!(problem("a b").span, 2..3);
        assert_eq!(problem("a / 'open").span, 4..5);
        let unknown = problem("1 + maen(a)");
        assert_eq!((unknown.span, unknown.meant.as_deref()), (4..8, Some("mean")));
        assert!(problem("pearson(a)").message.contains("pearson(x, y)"), "{:?}", problem("pearson(a)"));
    }
}
