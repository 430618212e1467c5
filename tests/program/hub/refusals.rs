//! What is refused, by whom, and what the message says; who gets to see the token.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use model::hub::{Hub, HubId};

use super::{
    TOKEN, User,
    server::{COMMIT, REPO, Reply, Server, content, sha256},
    with_tokenizer,
};

#[test]
fn the_token_goes_to_the_hub_and_to_nobody_else() {
    let server = with_tokenizer();
    let user = User::with_token(&server);
    user.fetch().unwrap();
    let log = server.log();
    assert!(!content(&log).is_empty());
    for request in &log {
        let sent = request.headers.get("authorization").cloned();
        let expected = if request.cdn { None } else { Some(format!("Bearer {TOKEN}")) };
        assert_eq!(sent, expected, "{request:?}");
    }
    assert_hidden(&user, &[]);
}

/// Neither messages nor notes nor any file hold the token.
fn assert_hidden(user: &User, messages: &[String]) {
    assert!(!messages.join("\n").contains(TOKEN), "{messages:?}");
    assert!(!user.notes().contains(TOKEN), "{}", user.notes());
    assert!(!format!("{:?}", user.settings).contains(TOKEN));
    let mut folders = vec![user.home.path().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            assert!(!path.to_str().unwrap().contains(TOKEN));
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                assert!(!bytes.windows(TOKEN.len()).any(|w| w == TOKEN.as_bytes()), "{}", path.display());
            }
        }
    }
}

#[test]
fn refusals_say_what_to_do_and_never_show_the_token() {
    let gated = |status| Reply::new(status).with("x-error-code", "GatedRepo");
    let no_repo = || Reply::new(401).with("x-error-code", "RepoNotFound");
    let bad_token = || Reply::new(401).with("x-error-message", "Invalid credentials in Authorization header");
    let on = |end: &'static str, reply: Reply| (end, reply);
    let server = with_tokenizer();
    let licence = format!("{}/{REPO}", server.endpoint);
    for (token, (end, reply), says) in [
        // The hub describes a gated model to everybody and refuses its files.
        (false, on("config.json", gated(401)), vec!["gated", "licence", &licence, "HF_TOKEN"]),
        (true, on("config.json", gated(403)), vec!["gated", "licence", &licence, "account of your token"]),
        (false, on("main", no_repo()), vec!["no model owner/model", "private", "spelling", "HF_TOKEN"]),
        (true, on("main", no_repo()), vec!["no model owner/model", "your token"]),
        (false, on("main", Reply::new(404)), vec!["no model owner/model"]),
        (
            false,
            on("main", Reply::new(404).with("x-error-code", "RevisionNotFound")),
            vec!["revision", "main"],
        ),
        (false, on("config.json", Reply::new(404)), vec!["config.json"]),
        (true, on("main", bad_token()), vec!["does not accept the token", "settings/tokens"]),
        (
            true,
            on("main", Reply::new(403).with("x-error-message", "Forbidden: no scope")),
            vec!["403", "no scope"],
        ),
        (false, on("main", Reply::new(503)), vec!["503", "later"]),
        (false, on("main", Reply::new(429).with("retry-after", "9999")), vec!["429", "9999 s"]),
        (false, on("main", Reply::new(429)), vec!["429", "wait"]),
        (
            false,
            on("main", Reply { body: b"<html>".to_vec(), ..Reply::new(200) }),
            vec!["JSON", "HF_ENDPOINT"],
        ),
        (false, on("cdn/model.safetensors", Reply::new(403)), vec!["403", &server.cdn[7..]]),
        (
            true,
            on("main", Reply::new(302).with("location", "ftp://x/?sig=1")),
            vec!["ftp://x/", "HF_ENDPOINT"],
        ),
        (
            true,
            on("main", Reply::new(302).with("location", &format!("/api/models/{REPO}/revision/main"))),
            vec!["redirects"],
        ),
    ] {
        // A server that quotes what it was sent must not make us show it.
        server.fault(move |request, answer| {
            if request.path.ends_with(end) {
                *answer = reply.clone();
                let sent = request.headers.get("authorization").cloned().unwrap_or_default();
                if let Some((_, message)) = answer.headers.iter_mut().find(|(n, _)| n == "x-error-message") {
                    *message = format!("{message} {sent}");
                }
            }
        });
        let user = if token { User::with_token(&server) } else { User::of(&server) };
        let error = user.fetch().unwrap_err();
        let said = error.to_string();
        for word in says {
            assert!(said.contains(word), "{word:?} is not in {said}");
        }
        assert_hidden(&user, &[said, format!("{error:?}")]);
        assert_eq!(user.found(), None);
    }
}

#[test]
fn a_hub_that_quotes_the_token_does_not_make_us_show_it() {
    let server = with_tokenizer();
    let main = |body: String| Reply { body: body.into_bytes(), ..Reply::new(200) };
    let files = r#"[{"rfilename": "config.json"}, {"rfilename": "model.safetensors"}]"#;
    for (end, reply) in [
        ("main", main(format!(r#"{{"sha": "{TOKEN}", "siblings": {files}}}"#))),
        ("main", main(format!(r#"{{"sha": "{COMMIT}", "siblings": [{{"rfilename": "{TOKEN}.bin"}}]}}"#))),
        ("main", main(format!(r#"{{"sha": {TOKEN}}}"#))),
        ("main", main(format!(r#"{{"siblings": "{TOKEN}"}}"#))),
        ("main", Reply::new(302).with("location", &format!("ftp://{TOKEN}/"))),
        ("main", Reply::new(302).with("location", &format!("http://{TOKEN}:{TOKEN}@127.0.0.1:1/{TOKEN}"))),
        ("main", Reply::new(302).with("location", &format!("http://{TOKEN}.invalid/"))),
        ("main", Reply::new(418).with("x-error-message", TOKEN)),
        ("config.json", Reply::new(200).with("etag", TOKEN).with("content-length", "1")),
        ("config.json", Reply::new(200).with("etag", &"0".repeat(40)).with("content-length", TOKEN)),
        ("safetensors", Reply::new(302).with("location", &format!("/{TOKEN}"))),
        ("safetensors", Reply::new(302).with("location", "x").with("x-linked-etag", &format!("{TOKEN}\""))),
    ] {
        server.fault(move |request, answer| {
            if request.path.ends_with(end) {
                *answer = reply.clone();
            }
        });
        let user = User::with_token(&server);
        let error = user.fetch().unwrap_err();
        assert_hidden(&user, &[error.to_string(), format!("{error:?}")]);
    }
}

#[test]
fn a_revision_the_repository_does_not_have_is_named() {
    let server = with_tokenizer();
    let said = User::of(&server).fetch_revision("step9").unwrap_err().to_string();
    assert!(said.contains("\"step9\"") && said.contains("branches"), "{said}");
}

#[test]
fn a_busy_hub_is_waited_for_as_long_as_it_asks() {
    let server = with_tokenizer();
    let mut busy = 1;
    server.fault(move |request, reply| {
        if busy > 0 && request.path.ends_with("main") {
            busy -= 1;
            *reply = Reply::new(429).with("retry-after", "1");
        }
    });
    let user = User::of(&server);
    let start = std::time::Instant::now();
    user.fetch().unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert!(user.notes().contains("429") && user.notes().contains("waiting 1 s"), "{}", user.notes());
}

#[test]
fn a_stumbling_hub_is_asked_again() {
    let server = with_tokenizer();
    let mut stumbles = 3;
    server.fault(move |_, reply| {
        if stumbles > 0 {
            stumbles -= 1;
            *reply = Reply::new(502);
        }
    });
    User::of(&server).fetch().unwrap();
}

#[test]
fn offline_takes_what_is_here_and_asks_nobody() {
    let server = with_tokenizer();
    let mut user = User::of(&server);
    user.settings.offline = true;
    let said = user.refused();
    assert!(said.contains("HF_HUB_OFFLINE") && said.contains(user.home.path().to_str().unwrap()), "{said}");
    user.settings.offline = false;
    let folder = user.fetch().unwrap();
    server.log();
    user.settings.offline = true;
    assert_eq!(user.fetch().unwrap(), folder);
    assert!(user.fetch_revision("step1000").is_err(), "a revision nobody has looked up");
    assert_eq!(server.log().len(), 0);
}

#[test]
fn a_hub_that_is_not_there_is_named() {
    let server = with_tokenizer();
    let mut user = User::of(&server);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(); // closed again
    user.settings.endpoint = format!("http://someone:passphrase@{free}");
    let said = user.refused();
    assert!(!said.contains("someone") && !user.notes().contains("passphrase"), "{said} {}", user.notes());
    assert!(said.contains(&free.to_string()) && said.contains("HF_HUB_OFFLINE=1"), "{said}");
    assert_eq!(user.notes().matches("trying again").count(), 4, "{}", user.notes());
}

#[test]
fn a_repository_without_weights_that_are_read_says_what_it_has() {
    let files = |names: &[&str]| {
        let files = names.iter().map(|name| (name.to_string(), b"{}".to_vec()));
        Server::with(files.collect::<BTreeMap<_, _>>())
    };
    let said = User::of(&files(&["config.json", "tf_model.h5"])).refused();
    assert!(said.contains("found tf_model.h5") && said.contains("refs/pr"), "{said}");
    let said = User::of(&files(&["data.csv"])).refused();
    assert!(said.contains("found data.csv") && said.contains("transformers"), "{said}");
    let said = User::of(&files(&["\u{1b}[2J.bin"])).refused();
    assert!(said.contains("[2J.bin") && !said.contains('\u{1b}'), "{said}");
}

#[test]
fn an_index_that_leads_out_of_the_snapshot_is_refused() {
    let index = br#"{"weight_map": {"x": "../../../evil.safetensors"}}"#.to_vec();
    let files = [("config.json", b"{}".to_vec()), ("model.safetensors.index.json", index)];
    let server = Server::with(files.into_iter().map(|(name, bytes)| (name.to_string(), bytes)).collect());
    let said = User::of(&server).refused();
    assert!(said.contains("evil.safetensors"), "{said}");
}

#[test]
fn weights_of_a_model_that_cannot_run_are_not_downloaded() {
    let server = with_tokenizer();
    let user = User::of(&server);
    let id = HubId::parse(REPO).unwrap();
    let fits = |folder: &Path| {
        assert!(folder.join("config.json").is_file());
        Err("model_type rwkv is not known".to_string())
    };
    let said = Hub::new(user.settings.clone()).fetch(&id, &fits, &user.said).unwrap_err().to_string();
    assert!(said.contains("rwkv") && said.contains("not downloaded"), "{said}");
    assert!(!server.log().iter().any(|request| request.path.contains("safetensors")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_says_how_much_is_missing() {
    let server = with_tokenizer();
    let user = User::of(&server);
    let weights = server.file("model.safetensors");
    let part = user.path("blobs").join(sha256(weights) + ".incomplete");
    fs::create_dir_all(user.path("blobs")).unwrap();
    // Reads as an empty file would, and takes not a byte.
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let said = user.refused();
    assert!(said.contains("disk is full") && said.contains(&weights.len().to_string()), "{said}");
    assert_eq!(user.found(), None);
}
