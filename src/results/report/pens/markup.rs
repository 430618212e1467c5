//! Text as Markdown that says it and does nothing else: no HTML, no link, no picture, no heading, whatever the text holds.

/// Text that holds no markup, on one line.
pub(super) fn escaped(text: &str) -> String {
    let chars: Vec<char> = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for (at, &c) in chars.iter().enumerate() {
        let word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
        let (before, after) = (at.checked_sub(1), Some(at + 1));
        let follows = |words: &str| chars[at + 1..].iter().take(words.len()).copied().eq(words.chars());
        match c {
            '<' => out += "&lt;",
            '&' if word(after) || chars.get(at + 1) == Some(&'#') => out += "&amp;",
            '\\' | '*' | '`' | '[' | ']' | '~' => out.extend(['\\', c]),
            // Within a word it stresses nothing.
            '_' if !(word(before) && word(after)) => out += "\\_",
            // Addresses become links by themselves: those with a scheme, those of the web, those of people.
            ':' if follows("//") => out += "\\:",
            '.' if before.is_some_and(|before| ends_in_www(&chars[..=before])) => out += "\\.",
            '@' if word(before) && word(after) => out += "<!-- -->@",
            _ => out.push(c),
        }
    }
    out
}

/// Text as it stands within an HTML element.
pub(super) fn escaped_html(text: &str) -> String {
    let one_line: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    one_line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A written line at the beginning of a block, where some signs would make a heading, a list or a quotation of it.
pub(super) fn opening(line: &str) -> String {
    let line = line.trim_start();
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let after = line[digits..].strip_prefix(['.', ')']);
    let ordered = digits > 0 && after.is_some_and(|after| after.is_empty() || after.starts_with(' '));
    let first = line.chars().next().unwrap_or(' ');
    let marks = match first {
        '#' | '>' | '=' => true,
        '-' | '+' => !line[1..].starts_with(|c: char| c.is_ascii_digit() || c == '∞'),
        _ => false,
    };
    match (marks, ordered) {
        (true, _) => format!("\\{line}"),
        (_, true) => format!("{}\\{}", &line[..digits], &line[digits..]),
        _ => line.to_string(),
    }
}

/// Text between as many backticks as none of its own can end.
pub(super) fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    match longest_run(&text) {
        0 => format!("`{text}`"),
        run => {
            let fence = "`".repeat(run + 1);
            format!("{fence} {text} {fence}")
        }
    }
}

/// Lines as a block of code.
pub(super) fn fenced(language: &str, lines: &[String]) -> String {
    let fence = "`".repeat(lines.iter().map(|line| longest_run(line)).max().unwrap_or(0).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", lines.join("\n"))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn ends_in_www(before: &[char]) -> bool {
    let Some(start) = before.len().checked_sub(3) else { return false };
    before[start..].iter().all(|c| c.eq_ignore_ascii_case(&'w'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_others_is_shown_and_what_we_mostly_write_stays_as_it_is() {
        for plain in ["h_L / h_0, 50 % of 1.5 (a-b) {c} #2 x!", "log ratio > 0", "AT & T", "3: b"] {
            assert_eq!(escaped(plain), plain);
        }
        for (text, written) in [
            ("<b>&lt;", "&lt;b>&amp;lt;"),
            ("![a](b)", "!\\[a\\](b)"),
            ("_a_ `b` ~~c~~", "\\_a\\_ \\`b\\` \\~\\~c\\~\\~"),
            ("https://x www.y a@b", "https\\://x www\\.y a<!-- -->@b"),
        ] {
            assert_eq!(escaped(text), written);
        }
        assert_eq!(escaped_html("a\n<b> & c"), "a &lt;b&gt; &amp; c");
    }

    #[test]
    fn a_block_begins_with_words() {
        for (line, written) in [
            ("  # a", "\\# a"),
            ("> a", "\\> a"),
            ("- a", "\\- a"),
            ("-0.5 a", "-0.5 a"),
            ("12. a", "12\\. a"),
            ("1.5 a", "1.5 a"),
            ("a # b", "a # b"),
        ] {
            assert_eq!(opening(line), written);
        }
    }

    #[test]
    fn code_ends_where_it_should() {
        assert_eq!([code("a"), code("a`b``c")], ["`a`", "``` a`b``c ```"]);
        assert_eq!(fenced("diff", &["````".into(), "a".into()]), "`````diff\n````\na\n`````");
    }
}
