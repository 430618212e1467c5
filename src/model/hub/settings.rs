//! Settings of the hub from the environment, under the names and defaults of `huggingface_hub`.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use super::url::without_credentials;
use base::foreign::{self, Kind};
use base::secret::Secret;

/// The hub's address, the folder of its cache, and how to ask it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `HF_ENDPOINT`, else <https://huggingface.co>; without a user and password, and without a slash at its end.
    pub endpoint: String,
    /// `HF_HUB_CACHE`, else `HF_HOME/hub`, else `huggingface/hub` in `XDG_CACHE_HOME` or `~/.cache`.
    pub cache: PathBuf,
    /// `HF_TOKEN`, else the file `HF_TOKEN_PATH`, else `HF_HOME/token`, where `hf auth login` leaves it.
    pub token: Option<Token>,
    /// `HF_HUB_OFFLINE`, or `TRANSFORMERS_OFFLINE`.
    pub offline: bool,
    /// `SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE`: whom to trust instead of the public authorities.
    pub certificates: Option<PathBuf>,
    /// The pause before the second try; doubled for each further one.
    pub pause: Duration,
}

/// What the user may read of the hub by. It can be sent to the hub, and shown to nobody.
#[derive(Clone, Debug)]
pub struct Token(Secret);

impl Token {
    /// A token, unless the text is blank.
    pub fn new(text: &str) -> Option<Token> {
        let text = text.trim();
        (!text.is_empty()).then(|| Token(Secret::new(text)))
    }

    /// The value of an `Authorization` header; `None` where the token has characters no header may have.
    pub(super) fn header(&self) -> Option<ureq::http::HeaderValue> {
        let mut value = ureq::http::HeaderValue::from_str(&format!("Bearer {}", self.0.expose())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Settings {
    /// The settings of this process's environment.
    pub fn from_env() -> Settings {
        Settings::read(|name| std::env::var_os(name))
    }

    /// The settings that `variable` gives. An empty variable counts as none.
    fn read(variable: impl Fn(&str) -> Option<OsString>) -> Settings {
        let first = |names: &[&str]| names.iter().find_map(|name| variable(name).filter(|v| !v.is_empty()));
        let home = first(&["HOME", "USERPROFILE"]).map(PathBuf::from);
        let path = |names: &[&str]| {
            let path = PathBuf::from(first(names)?);
            Some(match (path.strip_prefix("~"), &home) {
                (Ok(below), Some(home)) => home.join(below),
                _ => path,
            })
        };
        let hf_home = path(&["HF_HOME"]).unwrap_or_else(|| {
            let cache = path(&["XDG_CACHE_HOME"]).or_else(|| Some(home.as_ref()?.join(".cache")));
            cache.unwrap_or_else(|| PathBuf::from(".cache")).join("huggingface")
        });
        let token = first(&["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
            .and_then(|text| Token::new(&text.to_string_lossy()))
            .or_else(|| token_in(&path(&["HF_TOKEN_PATH"]).unwrap_or_else(|| hf_home.join("token"))));
        let endpoint = first(&["HF_ENDPOINT"]).map(|text| text.to_string_lossy().into_owned());
        let endpoint = endpoint.unwrap_or_else(|| "https://huggingface.co".to_string());
        // Those of a proxy are sent to it, and its errors may quote them.
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            first(&[proxy]).map(|text| without_credentials(&text.to_string_lossy()));
        }
        let offline = first(&["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]).is_some_and(|text| {
            ["1", "ON", "YES", "TRUE"].contains(&text.to_string_lossy().to_uppercase().as_str())
        });
        Settings {
            endpoint: without_credentials(endpoint.trim_end_matches('/')),
            cache: path(&["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"]).unwrap_or_else(|| hf_home.join("hub")),
            token,
            offline,
            certificates: path(&["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]),
            pause: Duration::from_millis(500),
        }
    }
}

/// A token file that is not there or cannot be read is no token: public models need none.
fn token_in(file: &Path) -> Option<Token> {
    Token::new(&foreign::read_text(file, Kind::Text).ok()?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use base::secret::hide;

    fn read(variables: &[(&str, &str)]) -> Settings {
        Settings::read(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_cache_is_where_huggingface_hub_has_it() {
        let cache = |variables: &[_]| read(variables).cache;
        assert_eq!(cache(&[("HOME", "/u")]), Path::new("/u/.cache/huggingface/hub"));
        assert_eq!(cache(&[("HOME", "/u"), ("XDG_CACHE_HOME", "/x")]), Path::new("/x/huggingface/hub"));
        assert_eq!(cache(&[("HOME", "/u"), ("HF_HOME", "/h")]), Path::new("/h/hub"));
        assert_eq!(cache(&[("HOME", "/u"), ("HF_HOME", "~/h")]), Path::new("/u/h/hub"));
        assert_eq!(cache(&[("HF_HOME", "/h"), ("HF_HUB_CACHE", "/c")]), Path::new("/c"));
        assert_eq!(cache(&[("HF_HOME", "/h"), ("HF_HUB_CACHE", "")]), Path::new("/h/hub"));
    }

    #[test]
    fn offline_and_endpoint_are_read_and_have_defaults() {
        assert!(!read(&[]).offline && !read(&[("HF_HUB_OFFLINE", "0")]).offline);
        assert!(
            read(&[("HF_HUB_OFFLINE", "1")]).offline && read(&[("TRANSFORMERS_OFFLINE", "true")]).offline
        );
        assert_eq!(read(&[]).endpoint, "https://huggingface.co");
        assert_eq!(read(&[("HF_ENDPOINT", "https://mirror.example/")]).endpoint, "https://mirror.example");
        let settings = read(&[("HF_ENDPOINT", "https://user:pass%21word@mirror.example/")]);
        assert_eq!(settings.endpoint, "https://mirror.example");
        assert_eq!(hide("pass!word pass%21word"), "[hidden] [hidden]");
        read(&[("HTTPS_PROXY", "http://user:of-the-proxy@proxy.example:80")]);
        assert_eq!(hide("http://user:of-the-proxy@"), "http://user:[hidden]@");
    }

    #[test]
    fn the_token_comes_from_the_variable_or_the_login_file_and_is_never_shown() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("token"), "hf_of_the_file\n").unwrap();
        let folder = home.path().to_str().unwrap();
        let from_file = read(&[("HF_HOME", folder)]);
        assert_eq!(from_file.token.as_ref().unwrap().0.expose(), "hf_of_the_file");
        let from_variable = read(&[("HF_HOME", folder), ("HF_TOKEN", " hf_of_the_variable ")]);
        assert_eq!(from_variable.token.as_ref().unwrap().0.expose(), "hf_of_the_variable");
        for settings in [from_file, from_variable] {
            let shown = format!("{settings:?} {settings:#?} {:?}", settings.token.as_ref().unwrap().header());
            assert!(!shown.contains("hf_of") && shown.contains("hidden"), "{shown}");
        }
    }
}
