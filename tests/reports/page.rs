//! Reads an HTML page as strictly as `maud` writes it, and finds elements in it. No crate: those that read HTML the way
//! browsers do change the features of crates that are built anyway, and everything would be built twice.

/// An element, or the whole document (without a name).
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
    /// From its opening to its closing tag, as written.
    pub source: String,
}

#[derive(Debug)]
pub(crate) enum Node {
    Element(Element),
    Text(String),
}

/// Elements without a closing tag.
const VOID: [&str; 6] = ["meta", "wbr", "br", "hr", "input", "img"];
/// Elements whose text is no markup.
const RAW: [&str; 2] = ["script", "style"];
/// What browsers move out of a paragraph.
const BLOCKS: [&str; 13] =
    ["p", "div", "table", "ul", "ol", "dl", "pre", "details", "figure", "section", "h1", "h2", "h3"];

/// The document, or the first thing that is wrong with it.
pub(crate) fn parse(page: &str) -> Result<Element, String> {
    let body = page.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    let mut open = vec![(Element::default(), 0)];
    let mut at = 0;
    while at < body.len() {
        let rest = &body[at..];
        let inner = &open.last().expect("the document is open").0.name;
        let end = match rest.find('<') {
            _ if RAW.contains(&inner.as_str()) => rest.find(&format!("</{inner}>")),
            found => found,
        };
        let text = &rest[..end.unwrap_or(rest.len())];
        if !text.is_empty() {
            let raw = RAW.contains(&inner.as_str());
            let text = if raw { text.to_string() } else { unescaped(text)? };
            open.last_mut().expect("the document is open").0.children.push(Node::Text(text));
            at += end.unwrap_or(rest.len());
            continue;
        }
        let tag = &rest[1..tag_end(rest)?];
        let after = at + tag.len() + 2;
        match tag.strip_prefix('/') {
            Some(name) => {
                let (mut closed, start) = open.pop().ok_or("a closing tag too many")?;
                if closed.name != name || open.is_empty() {
                    return Err(format!("</{name}> closes <{}>", closed.name));
                }
                closed.source = body[start..after].to_string();
                open.last_mut().expect("checked").0.children.push(Node::Element(closed));
            }
            None => {
                let mut element = opened(tag)?;
                let name = element.name.as_str();
                let within = |outer: &str| open.iter().any(|(element, _)| element.name == outer);
                if BLOCKS.contains(&name) && within("p") || name == "a" && within("a") {
                    return Err(format!("<{tag}> within a paragraph or a link"));
                }
                if tag.ends_with('/') || VOID.contains(&name) {
                    element.source = body[at..after].to_string();
                    open.last_mut().expect("the document is open").0.children.push(Node::Element(element));
                } else {
                    open.push((element, at));
                }
            }
        }
        at = after;
    }
    match open.pop() {
        Some((document, _)) if open.is_empty() => Ok(document),
        left => Err(format!("{:?} is never closed", left.map(|(element, _)| element.name))),
    }
}

/// Where the `>` of the tag at the start lies, outside of quotes.
fn tag_end(text: &str) -> Result<usize, String> {
    let mut quoted = false;
    for (at, sign) in text.char_indices() {
        match sign {
            '"' => quoted = !quoted,
            '>' if !quoted => return Ok(at),
            '<' if at > 0 && !quoted => break,
            _ => {}
        }
    }
    Err(format!("a tag without its end: {text:.60}"))
}

/// `name a="b" c`.
fn opened(tag: &str) -> Result<Element, String> {
    let tag = tag.strip_suffix('/').unwrap_or(tag);
    let (name, mut rest) = tag.split_at(tag.find(' ').unwrap_or(tag.len()));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(format!("no name of an element: <{tag}>"));
    }
    let mut element = Element { name: name.to_string(), ..Element::default() };
    while let Some(attribute) = rest.strip_prefix(' ') {
        let stop = attribute.find([' ', '=']).unwrap_or(attribute.len());
        let (name, after) = attribute.split_at(stop);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.is_empty() || !name.chars().all(plain) || element.attr(name).is_some() {
            return Err(format!("no attribute, or one twice: {name:?} of <{tag:.60}>"));
        }
        let (value, after) = match after.strip_prefix("=\"") {
            Some(value) => value.split_once('"').ok_or_else(|| format!("an open quote in <{tag:.60}>"))?,
            None => ("", after),
        };
        element.attributes.push((name.to_string(), unescaped(value)?));
        rest = after;
    }
    if rest.is_empty() { Ok(element) } else { Err(format!("{rest:?} is left of <{tag:.60}>")) }
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (name, after) = part.split_once(';').ok_or_else(|| format!("a bare & before {part:.20}"))?;
        out += match name {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            _ => return Err(format!("&{name}; is not what maud writes")),
        };
        out += after;
    }
    Ok(out)
}

impl Element {
    /// What it consists of, in order.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.children
    }

    pub(crate) fn attr(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.attr("class").is_some_and(|all| all.split(' ').any(|one| one == class))
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// Every element below that `wanted` holds of, in the order of the page.
    pub(crate) fn all(&self, wanted: &dyn Fn(&Element) -> bool) -> Vec<&Element> {
        let mut found = Vec::new();
        for child in self.children() {
            if wanted(child) {
                found.push(child);
            }
            found.extend(child.all(wanted));
        }
        found
    }

    pub(crate) fn named(&self, name: &str) -> Vec<&Element> {
        self.all(&|element| element.name == name)
    }

    /// The one with this id. Panics without it.
    pub(crate) fn id(&self, id: &str) -> &Element {
        self.all(&|element| element.attr("id") == Some(id))
            .first()
            .copied()
            .unwrap_or_else(|| panic!("no #{id}"))
    }

    /// The first of this class. Panics without one.
    pub(crate) fn class(&self, class: &str) -> &Element {
        self.all(&|element| element.has_class(class))
            .first()
            .copied()
            .unwrap_or_else(|| panic!("no .{class}"))
    }

    /// One line for every element: its name, id and classes, and the words that stand in it itself. What styles, scripts and
    /// drawings hold is left out.
    pub(crate) fn outline(&self) -> String {
        let mut out = String::new();
        for child in self.children() {
            child.outline_at(0, &mut out);
        }
        out
    }

    fn outline_at(&self, depth: usize, out: &mut String) {
        let id = self.attr("id").map_or_else(String::new, |id| format!("#{id}"));
        let class =
            self.attr("class").map_or_else(String::new, |class| format!(".{}", class.replace(' ', ".")));
        let hidden = RAW.contains(&self.name.as_str()) || self.name == "svg";
        let words: String = self
            .children
            .iter()
            .map(|node| match node {
                Node::Text(text) if !hidden => text.as_str(),
                _ => " ",
            })
            .collect();
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = format!("{}{}{id}{class} {words}", "  ".repeat(depth), self.name);
        *out += line.trim_end();
        out.push('\n');
        if !hidden {
            self.children().for_each(|child| child.outline_at(depth + 1, out));
        }
    }

    /// All text below.
    pub(crate) fn text(&self) -> String {
        let parts = self.children.iter().map(|node| match node {
            Node::Element(element) => element.text(),
            Node::Text(text) => text.clone(),
        });
        parts.collect()
    }
}
