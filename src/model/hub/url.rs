//! Addresses: whose they are, where a redirect leads, how a file name becomes part of one.

use ureq::http::Uri;

use base::secret::Secret;

/// Scheme, host and port; `None` for anything but http and https.
pub(super) fn origin(uri: &Uri) -> Option<(String, String, u16)> {
    let scheme = uri.scheme_str()?;
    let usual = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    Some((scheme.to_string(), uri.host()?.to_ascii_lowercase(), uri.port_u16().unwrap_or(usual)))
}

/// An address without the user and password in it, which are secrets from now on.
pub(super) fn without_credentials(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").map_or(("", address), |(scheme, rest)| (scheme, rest));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some((credentials, host)) = rest[..end].rsplit_once('@') else { return address.to_string() };
    let password = credentials.split_once(':').map_or(credentials, |(_, password)| password);
    Secret::new(password);
    Secret::new(&unquoted(password));
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    format!("{scheme}{host}{}", &rest[end..])
}

/// A part of an address as the text that it stands for.
fn unquoted(part: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = part.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = digits.and_then(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Says whether a server runs on this machine.
pub(super) fn on_this_machine(endpoint: &str) -> bool {
    let uri = endpoint.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The address that a `Location` leads to from `uri`.
pub(super) fn joined(uri: &Uri, location: &str) -> String {
    let scheme = uri.scheme_str().unwrap_or_default();
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    let path = location.find(['/', '?', '#']).unwrap_or(location.len());
    if location[..path].ends_with(':') && location[path..].starts_with("//") {
        location.to_string()
    } else if let Some(rest) = location.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else {
        let folder = uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    }
}

/// A file name as part of a URL.
pub(super) fn quoted(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(byte.into()),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::secret::hide;

    #[test]
    fn redirects_are_joined_and_origins_told_apart_by_scheme_host_and_port() {
        let uri: Uri = "https://hub.example/a/resolve/main/x.json".parse().unwrap();
        assert_eq!(joined(&uri, "/api/x?y=1"), "https://hub.example/api/x?y=1");
        assert_eq!(joined(&uri, "/x?next=http://y"), "https://hub.example/x?next=http://y");
        assert_eq!(joined(&uri, "y.json"), "https://hub.example/a/resolve/main/y.json");
        assert_eq!(joined(&uri, "//cdn.example/x"), "https://cdn.example/x");
        assert_eq!(joined(&uri, "http://cdn.example/x"), "http://cdn.example/x");
        let origin = |text: &str| origin(&text.parse().unwrap());
        assert_eq!(origin("https://Hub.example"), origin("https://hub.example:443/x"));
        assert_ne!(origin("https://hub.example"), origin("http://hub.example:443"));
        assert_ne!(origin("http://hub.example:81"), origin("http://hub.example"));
        assert_eq!(origin("ftp://hub.example"), None);
        let here = ["http://127.0.0.1:80", "http://localhost/x", "http://[::1]:80"].map(on_this_machine);
        assert_eq!(here, [true; 3]);
        assert!(!on_this_machine("https://hub.example") && !on_this_machine("http://localhost.example"));
        assert_eq!(without_credentials("https://u:word1@h.example:8/a@b?c"), "https://h.example:8/a@b?c");
        assert_eq!(without_credentials("https://word2@h.example"), "https://h.example");
        assert_eq!(without_credentials("u:word3@h.example"), "h.example");
        assert_eq!(without_credentials("https://h.example/a@b"), "https://h.example/a@b");
        assert_eq!(hide("word1 word2 word3"), "[hidden] [hidden] [hidden]");
        assert_eq!(unquoted("%41%4%zz%"), "A%4%zz%");
        assert_eq!(quoted("model 1%.safetensors"), "model%201%25.safetensors");
    }
}
