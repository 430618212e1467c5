//! Choosing names by pattern: `*` stands for any text.

/// Whether a name matches a pattern, where `*` stands for any text, also none.
pub fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        let name = "blocks.12.hook_resid_post";
        for pattern in
            ["*", name, "blocks.*", "*resid*", "*.hook_resid_post", "blocks.*.hook_*_post", "b**post"]
        {
            assert!(matches(pattern, name), "{pattern}");
        }
        for pattern in ["", "blocks", "*pre", "blocks.1.*", "hook*", "*post.*", "blocks.12.hook_resid_post*t"]
        {
            assert!(!matches(pattern, name), "{pattern}");
        }
        assert!(!matches("ab*ba", "aba"), "parts do not overlap");
    }
}
