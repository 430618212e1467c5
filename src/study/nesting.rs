//! How deep a TOML text is nested, told before it is parsed: the parser's recovery from mistakes walks into brackets that are never
//! closed, and into every part of a dotted key, without a bound of its own.

use std::ops::Range;

use toml_parser::{Source, lexer::TokenKind};

/// Tables and lists may lie in each other this deep; files of an experiment need ten.
pub(crate) const DEEPEST: usize = 64;

/// The first place of a text that lies deeper than [`DEEPEST`]. A bracket that no matching one closes stays open.
pub(crate) fn too_deep(text: &str) -> Option<Range<usize>> {
    let (mut open, mut deep) = (Vec::<(TokenKind, usize)>::new(), 0);
    for token in Source::new(text).lex() {
        let kind = token.kind();
        match kind {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                open.push((kind, deep));
                deep += 1;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                let square = kind == TokenKind::RightSquareBracket;
                let fits =
                    |(last, _): &mut (TokenKind, usize)| (*last == TokenKind::LeftSquareBracket) == square;
                if let Some((_, before)) = open.pop_if(fits) {
                    deep = before;
                }
            }
            TokenKind::Dot => deep += 1,
            TokenKind::Comma => deep = open.last().map_or(0, |(_, before)| before + 1),
            TokenKind::Newline if open.is_empty() => deep = 0,
            _ => {}
        }
        if deep > DEEPEST {
            return Some(token.span().start()..token.span().end());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_that_are_not_closed_and_dotted_keys_are_deep_and_texts_are_not() {
        let many = DEEPEST + 1;
        let deep = [
            "[".repeat(many),
            "y = { metric = \"\n".repeat(many),
            format!("a = {}", "{ b = [".repeat(many)),
            format!("a{} = 1", ".a".repeat(many)),
            "x = [ } ".repeat(many),
        ];
        for text in deep {
            assert!(too_deep(&text).is_some(), "{}", &text[..40]);
        }
        let flat = [
            "[[prediction]]\nx = { a.b = [1.5, 2.5], c = [] }\n".repeat(many),
            format!("a = [{}]", "1.5, ".repeat(many)),
            format!("a = [{}]", "{ b.c = 1 }, ".repeat(many)),
            format!("a = \"{}\"\nb = '''\n{}'''", "[".repeat(many), "{\n".repeat(many)),
            "a = 1.5 # [ { .\n".repeat(many),
            format!("a = {}1{}", "[".repeat(DEEPEST), "]".repeat(DEEPEST)),
        ];
        for text in flat {
            assert_eq!(too_deep(&text), None, "{}", &text[..40]);
        }
    }
}
