//! HTTP with the hub: which requests carry the token, where redirects lead, what is tried again, and what a refusal means.
//!
//! Redirects are followed by hand: the token goes to the endpoint's own scheme, host and port, never to the hosts that
//! serve the content. What counts as which refusal follows `huggingface_hub/utils/_http.py`, `hf_raise_for_status`.

use std::{thread, time::Duration};

use hf_hub::api::RepoInfo;
use ureq::{
    Agent, Body, Error,
    http::{HeaderMap, Response, StatusCode, Uri, header},
    tls::{Certificate, PemItem, RootCerts, TlsConfig},
};

use super::{
    HubError, HubId, Settings, Token,
    digest::Etag,
    error::Shown,
    remote::Remote,
    url::{joined, on_this_machine, origin, quoted, without_credentials},
};
use base::foreign::{self, Kind};
use base::progress::Progress;

/// Tries in a row of one request, and of one file that gets no further.
pub(super) const TRIES: u32 = 5;
/// The longest wait the hub may ask for; beyond it the run ends and says how long.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
const REDIRECTS: usize = 10;

pub(super) struct Client {
    agent: Agent,
    endpoint: String,
    token: Option<Token>,
    pause: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    /// Stops at the first redirect to another host: the hub's own headers describe the file.
    Head,
    Get {
        /// First byte wanted.
        from: u64,
    },
}

/// An answer, and the headers by which the hub describes a file on its way to the content.
struct Answer {
    response: Response<Body>,
    linked: HeaderMap,
    /// The host that gave it.
    host: Shown,
    /// That host is the hub itself.
    own: bool,
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Result<Client, HubError> {
        let roots = match &settings.certificates {
            Some(path) => {
                let bad = |why: String| HubError::Certificates { path: path.clone(), why: why.into() };
                let text = foreign::read(path, Kind::Text).map_err(|error| bad(error.to_string()))?;
                let items: Result<Vec<PemItem<'static>>, Error> = ureq::tls::parse_pem(&text).collect();
                let items = items.map_err(|error| bad(error.to_string()))?;
                let certificates: Vec<Certificate<'static>> = items
                    .into_iter()
                    .filter_map(|item| match item {
                        PemItem::Certificate(certificate) => Some(certificate),
                        _ => None,
                    })
                    .collect();
                if certificates.is_empty() {
                    return Err(bad("none".to_string()));
                }
                RootCerts::new_with_certs(&certificates)
            }
            None => RootCerts::WebPki,
        };
        if settings.token.as_ref().is_some_and(|token| token.header().is_none()) {
            return Err(HubError::BadToken { endpoint: settings.endpoint.as_str().into() });
        }
        let config = Agent::config_builder();
        // A proxy elsewhere knows another `localhost`.
        let config = if on_this_machine(&settings.endpoint) { config.proxy(None) } else { config };
        let agent = config
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_per_read(Some(Duration::from_secs(60)))
            .user_agent(concat!("streamgauge/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Client {
            agent,
            endpoint: without_credentials(&settings.endpoint),
            token: settings.token.clone(),
            pause: settings.pause,
        })
    }

    /// The commit a revision stands for, and the files there.
    pub(super) fn info(&self, id: &HubId, progress: &dyn Progress) -> Result<RepoInfo, HubError> {
        let url = format!("{}/api/{}", self.endpoint, id.at(id.revision()).api_url());
        let mut answer = self.ask(id, None, Method::Get { from: 0 }, &url, progress)?;
        answer.response.body_mut().read_json().map_err(|error| HubError::BadAnswer {
            id: id.clone(),
            expected: "the description of a model in JSON",
            found: error.to_string().into(),
        })
    }

    /// Asks for a file's hash and length, without its content.
    pub(super) fn look(
        &self,
        id: &HubId,
        commit: &str,
        name: &str,
        progress: &dyn Progress,
    ) -> Result<Remote, HubError> {
        let repo = id.at(commit);
        let name_in_url: Vec<String> = name.split('/').map(quoted).collect();
        let name_in_url = name_in_url.join("/");
        let url = format!("{}/{}/resolve/{}/{name_in_url}", self.endpoint, repo.url(), repo.url_revision());
        let answer = self.ask(id, Some(name), Method::Head, &url, progress)?;
        let header = |linked: &str, own: &str| {
            // A redirect's own headers describe the redirect.
            let own = answer.response.headers().get(own).filter(|_| answer.response.status().is_success());
            let value = answer.linked.get(linked).or(own)?;
            value.to_str().ok().map(str::to_string)
        };
        let etag = header("x-linked-etag", "etag");
        let size = header("x-linked-size", "content-length");
        let bad = |expected, found: Option<String>| HubError::BadAnswer {
            id: id.clone(),
            expected,
            found: match found {
                Some(value) => format!("{} for {name}", Shown::quoted(&value)),
                None => format!("none for {name}"),
            }
            .into(),
        };
        Ok(Remote {
            name: name.to_string(),
            url,
            etag: etag
                .as_deref()
                .and_then(Etag::parse)
                .ok_or_else(|| bad("an ETag that is the file's hash", etag))?,
            size: size
                .as_deref()
                .and_then(|size| size.parse().ok())
                .ok_or_else(|| bad("the file's size", size))?,
        })
    }

    /// A file's content from byte `from` on. The status is 200, 206 or 416.
    pub(super) fn content(
        &self,
        id: &HubId,
        remote: &Remote,
        from: u64,
        progress: &dyn Progress,
    ) -> Result<Response<Body>, HubError> {
        self.ask(id, Some(&remote.name), Method::Get { from }, &remote.url, progress)
            .map(|answer| answer.response)
    }

    /// The pause after `failures` tries in a row that failed.
    pub(super) fn pause(&self, failures: u32) -> Duration {
        self.pause * 2u32.pow(failures.saturating_sub(1).min(5))
    }

    /// One request, tried again where that may help.
    fn ask(
        &self,
        id: &HubId,
        file: Option<&str>,
        method: Method,
        url: &str,
        progress: &dyn Progress,
    ) -> Result<Answer, HubError> {
        let mut failures = 0;
        loop {
            let outcome = self.follow(id, method, url);
            failures += 1;
            let wait = match outcome {
                Ok(answer) => match answer.response.status() {
                    StatusCode::TOO_MANY_REQUESTS => {
                        let asked = retry_after(answer.response.headers());
                        let wait = asked.unwrap_or_else(|| self.pause(failures));
                        if failures == TRIES || wait > LONGEST_WAIT {
                            let endpoint = self.endpoint.as_str().into();
                            return Err(HubError::Busy { id: id.clone(), endpoint, wait });
                        }
                        progress.note(&format!(
                            "{id}: too many requests (429), waiting {} s",
                            wait.as_secs_f64()
                        ));
                        wait
                    }
                    status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                        if failures == TRIES {
                            return Err(self.refusal(id, file, answer));
                        }
                        self.pause(failures)
                    }
                    StatusCode::RANGE_NOT_SATISFIABLE => return Ok(answer),
                    status if status.is_success() || (method == Method::Head && status.is_redirection()) => {
                        return Ok(answer);
                    }
                    _ => return Err(self.refusal(id, file, answer)),
                },
                Err(HubError::Unreachable { host, why, .. }) if failures < TRIES => {
                    progress.note(&format!("{id}: cannot reach {host} ({why}), trying again"));
                    self.pause(failures)
                }
                Err(error) => return Err(error),
            };
            thread::sleep(wait);
        }
    }

    /// One request and the redirects it leads to.
    fn follow(&self, id: &HubId, method: Method, url: &str) -> Result<Answer, HubError> {
        let bad = |found: Shown| HubError::BadAnswer {
            id: id.clone(),
            expected: "an http or https address",
            found,
        };
        let parse = |text: &str| {
            let uri = text.parse::<Uri>().ok().filter(|uri| origin(uri).is_some());
            uri.ok_or_else(|| bad(Shown::quoted(text.split('?').next().unwrap_or_default())))
        };
        let hub = origin(&parse(&self.endpoint)?);
        let mut uri = parse(&without_credentials(url))?;
        let mut linked = HeaderMap::new();
        for _ in 0..REDIRECTS {
            let own = origin(&uri) == hub;
            let host: Shown = uri.authority().map(ToString::to_string).unwrap_or_default().into();
            let mut request = match method {
                Method::Head => self.agent.head(&uri),
                Method::Get { .. } => self.agent.get(&uri),
            };
            // Compressed content has another length and could not be resumed.
            request = request.header(header::ACCEPT_ENCODING, "identity");
            if let (true, Some(token)) = (own, self.token.as_ref().and_then(Token::header)) {
                request = request.header(header::AUTHORIZATION, token);
            }
            if let Method::Get { from: from @ 1.. } = method {
                request = request.header(header::RANGE, format!("bytes={from}-"));
            }
            let response = request.call().map_err(|error| {
                let (id, why) = (id.clone(), Shown::from(error.to_string()));
                match error {
                    // A certificate that is not accepted arrives as an error of the connection.
                    Error::Io(_) if why.as_str().contains("certificate") => {
                        HubError::Untrusted { id, host: host.clone(), why }
                    }
                    Error::Io(_) | Error::Timeout(_) | Error::HostNotFound | Error::ConnectionFailed => {
                        HubError::Unreachable { id, host: host.clone(), why }
                    }
                    _ => {
                        let found = format!("{why} from {host}").into();
                        HubError::BadAnswer { id, expected: "an answer in HTTP", found }
                    }
                }
            })?;
            for name in ["x-linked-etag", "x-linked-size"] {
                if let (true, Some(value)) = (own, response.headers().get(name)) {
                    linked.insert(name, value.clone());
                }
            }
            if !response.status().is_redirection() {
                return Ok(Answer { response, linked, host, own });
            }
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let Some(location) = location else { return Err(bad("a redirect to nowhere".into())) };
            let next = parse(&without_credentials(&joined(&uri, location)))?;
            if uri.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
                return Err(bad("a redirect from https to http".into()));
            }
            if method == Method::Head && origin(&next) != hub {
                return Ok(Answer { response, linked, host, own });
            }
            uri = next;
        }
        Err(bad(format!("more than {REDIRECTS} redirects").into()))
    }

    /// The error that a status of failure means.
    fn refusal(&self, id: &HubId, file: Option<&str>, answer: Answer) -> HubError {
        let header = |name: &str| answer.response.headers().get(name).and_then(|value| value.to_str().ok());
        let code = header("x-error-code").unwrap_or_default();
        let message = header("x-error-message").unwrap_or_default();
        let (id, endpoint) = (id.clone(), Shown::from(&self.endpoint));
        let token = self.token.is_some();
        let status = answer.response.status().as_u16();
        match (status, code, file) {
            // Another host knows nothing about repositories: its 403 is about the link it was reached by.
            _ if !answer.own => {}
            (_, "GatedRepo", _) => return HubError::Gated { id, endpoint, token },
            (_, "RevisionNotFound", _) => return HubError::NoRevision { id, endpoint },
            (401, _, _) if message.contains("Invalid credentials") => return HubError::BadToken { endpoint },
            (_, "RepoNotFound", _) | (401, _, _) | (404, "", None) => {
                return HubError::NoRepo { id, endpoint, token };
            }
            (404, _, Some(file)) => return HubError::NoFile { id, endpoint, file: file.into() },
            _ => {}
        }
        let message = if message.is_empty() { "".into() } else { format!(" ({message})").into() };
        HubError::Status { id, host: answer.host, status, message }
    }
}

/// `Retry-After` in seconds; the form with a date is not one the hub uses.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
