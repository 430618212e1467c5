//! What a download leaves behind, and how it goes on after a cut.

use std::{fs, path::Path, time::Duration};

use model::checkpoint::Checkpoint;

use super::{
    SHARDS, User,
    server::{COMMIT, Reply, STEP, content, git_sha1, sha256},
    sharded, with_tokenizer,
};

#[test]
fn a_fresh_download_leaves_what_huggingface_hub_leaves() {
    let server = sharded();
    let user = User::of(&server);
    let folder = user.fetch().unwrap();
    assert_eq!(folder, user.path("snapshots").join(COMMIT));
    assert_eq!(fs::read_to_string(user.path("refs/main")).unwrap(), COMMIT);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let bytes = fs::read(folder.join(&name)).unwrap();
        assert!(bytes == server.file(&name), "{name}");
        let etag = if name.ends_with(".safetensors") { sha256(&bytes) } else { git_sha1(&bytes) };
        assert_eq!(fs::read_link(folder.join(&name)).unwrap(), Path::new("../../blobs").join(etag));
        names.push(name);
    }
    names.sort();
    assert_eq!(names, ["config.json", SHARDS[0], SHARDS[1], "model.safetensors.index.json"]);
    assert_eq!(fs::read_dir(user.path("blobs")).unwrap().count(), 4);
    assert!(user.path(&format!(".no_exist/{COMMIT}/tokenizer.json")).is_file());
    Checkpoint::open(&folder).unwrap();
    let (_, total, done) = *user.said.0.lock().unwrap();
    let bytes: usize = SHARDS.iter().map(|name| server.file(name).len()).sum();
    assert_eq!((total, done), (bytes as u64, bytes as u64));
}

#[test]
fn nothing_is_asked_for_twice_and_nothing_that_is_not_needed() {
    let server = with_tokenizer();
    let user = User::of(&server);
    user.fetch().unwrap();
    let log = server.log();
    for unwanted in [".bin", ".gguf", ".onnx", "consolidated", "README", "generation_config"] {
        assert!(!log.iter().any(|request| request.path.contains(unwanted)), "{unwanted}: {log:?}");
    }
    for wanted in ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"] {
        assert!(user.path("snapshots").join(COMMIT).join(wanted).is_file(), "{wanted}");
    }
    user.fetch().unwrap();
    assert_eq!(server.log().len(), 0, "all of it is here");

    // Another revision with the same content: its names are asked for, its content is not.
    let step = user.fetch_revision("step1000").unwrap();
    assert_eq!(step, user.path("snapshots").join(STEP));
    let log = server.log();
    assert!(!log.is_empty() && log[1..].iter().all(|request| request.method == "HEAD"), "{log:?}");
    assert_eq!(fs::read_to_string(user.path("refs/step1000")).unwrap(), STEP);
    Checkpoint::open(&step).unwrap();
    // The commit itself names the same snapshot.
    assert_eq!(user.fetch_revision(STEP).unwrap(), step);
    assert_eq!(server.log().len(), 0);
}

#[test]
fn a_cut_download_goes_on_where_it_was_cut() {
    let server = with_tokenizer();
    let size = server.file("model.safetensors").len();
    let mut cuts = vec![1000, 0, 5000];
    server.fault(move |request, reply| {
        if request.cdn {
            reply.cut = cuts.pop();
        }
    });
    let user = User::of(&server);
    let folder = user.fetch().unwrap();
    assert!(fs::read(folder.join("model.safetensors")).unwrap() == server.file("model.safetensors"));
    let log = server.log();
    let ranges: Vec<_> = content(&log).iter().map(|r| r.headers.get("range").cloned()).collect();
    let from = |n: usize| Some(format!("bytes={n}-"));
    assert_eq!(ranges, [None, from(5000), from(5000), from(6000)]);
    assert!(user.notes().contains("cut at 5000 bytes"), "{}", user.notes());
    assert_eq!(user.said.0.lock().unwrap().2, size as u64, "no byte is counted twice");
}

#[test]
fn a_download_given_up_is_no_checkpoint_and_the_next_run_goes_on() {
    let server = sharded();
    let size = server.file(SHARDS[1]).len();
    server.fault(|request, reply| {
        if request.cdn && request.path.contains("00002-of") {
            reply.cut = Some(if request.headers.contains_key("range") { 0 } else { 7000 });
        }
    });
    let user = User::of(&server);
    let said = user.refused();
    for word in [SHARDS[1], "7000 of its", &size.to_string(), "next run goes on", "5 times"] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert_eq!(user.found(), None, "a shard is missing");
    assert!(!user.path("refs/main").exists());
    assert_eq!(fs::metadata(&user.incomplete()[0]).unwrap().len(), 7000);

    server.fault(|_, _| {});
    server.log();
    let folder = user.fetch().unwrap();
    let log = server.log();
    let content = content(&log);
    assert_eq!(content.len(), 1, "the first shard is here: {content:?}");
    assert_eq!(content[0].headers["range"], "bytes=7000-");
    assert!(fs::read(folder.join(SHARDS[1])).unwrap() == server.file(SHARDS[1]));
    assert_eq!(user.found(), Some(folder));
    assert!(user.incomplete().is_empty());
}

#[test]
fn a_server_that_cannot_resume_sends_the_file_again() {
    let server = with_tokenizer();
    let whole = server.file("model.safetensors").to_vec();
    let mut first = true;
    server.fault(move |request, reply| {
        if request.cdn {
            *reply = Reply { body: whole.clone(), cut: first.then_some(5000), ..Reply::new(200) };
            first = false;
        }
    });
    let user = User::of(&server);
    let folder = user.fetch().unwrap();
    assert!(fs::read(folder.join("model.safetensors")).unwrap() == server.file("model.safetensors"));
    assert!(user.notes().contains("starts again"), "{}", user.notes());
}

#[test]
fn content_of_another_hash_is_discarded() {
    for (file, cdn) in [("model.safetensors", true), ("config.json", false)] {
        let server = with_tokenizer();
        server.fault(move |request, reply| {
            if request.cdn == cdn && request.path.ends_with(file) && !reply.body.is_empty() {
                let last = reply.body.len() - 1;
                reply.body[last] ^= 1;
            }
        });
        let user = User::of(&server);
        let said = user.refused();
        assert!(said.contains(file) && said.contains("expected the hash"), "{said}");
        let bytes = server.file(file);
        let etag = if cdn { sha256(bytes) } else { git_sha1(bytes) };
        assert!(said.contains(&etag), "{said}");
        assert_eq!(user.found(), None);
        assert!(!user.path("snapshots").join(COMMIT).join(file).exists());
        assert!(!user.path("blobs").join(etag).exists() && user.incomplete().is_empty());
        server.fault(|_, _| {});
        user.fetch().unwrap();
    }
}

#[test]
fn what_was_kept_of_a_download_is_checked_too() {
    let server = with_tokenizer();
    let user = User::of(&server);
    let part = user.path("blobs").join(sha256(server.file("model.safetensors")) + ".incomplete");
    for kept in [vec![0; 100], vec![0; server.file("model.safetensors").len() + 1]] {
        fs::create_dir_all(user.path("blobs")).unwrap();
        fs::write(&part, &kept).unwrap();
        let folder = user.fetch().unwrap();
        assert!(fs::read(folder.join("model.safetensors")).unwrap() == server.file("model.safetensors"));
        fs::remove_dir_all(user.path("")).unwrap();
    }
    assert!(user.notes().contains("damaged"), "{}", user.notes());
}

#[test]
fn a_snapshot_without_one_of_its_shards_is_no_checkpoint() {
    let server = sharded();
    let user = User::of(&server);
    let folder = user.fetch().unwrap();
    server.log();
    // The blob is gone, its link is not.
    fs::remove_file(user.path("blobs").join(sha256(server.file(SHARDS[0])))).unwrap();
    assert_eq!(user.found(), None);
    user.fetch().unwrap();
    assert_eq!(content(&server.log()).len(), 1);
    fs::remove_file(folder.join("config.json")).unwrap();
    assert_eq!(user.found(), None);
}

#[test]
fn a_cached_model_without_a_tokenizer_gets_it_where_that_is_possible() {
    let server = with_tokenizer();
    let mut user = User::of(&server);
    let folder = user.fetch().unwrap();
    let endpoint = user.settings.endpoint.clone();
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        // As transformers leaves it when only the weights were asked for.
        fs::remove_file(folder.join(name)).unwrap();
        fs::remove_file(user.path("blobs").join(git_sha1(server.file(name)))).unwrap();
    }
    assert_eq!(user.found(), Some(folder.clone()), "weights and config are whole");
    user.settings.endpoint = "http://127.0.0.1:1".to_string();
    assert_eq!(user.fetch().unwrap(), folder);
    assert!(user.notes().contains("without a tokenizer"), "{}", user.notes());
    user.settings.offline = true;
    assert_eq!(user.fetch().unwrap(), folder);
    user.settings.offline = false;
    user.settings.endpoint = endpoint;
    server.log();
    let kept = format!("{COMMIT}\n");
    fs::write(user.path("refs/main"), &kept).unwrap();
    user.fetch().unwrap();
    assert!(folder.join("tokenizer.json").is_file());
    assert_eq!(
        fs::read_to_string(user.path("refs/main")).unwrap(),
        kept,
        "it was right and is not written anew"
    );
    assert_eq!(content(&server.log()).len(), 0);
}

#[test]
fn a_cache_that_cannot_be_written_serves_what_it_holds() {
    let server = sharded();
    let user = User::of(&server);
    let folder = user.fetch().unwrap();
    // Nobody noted that there is no tokenizer, and nobody can.
    fs::remove_dir_all(user.path(".no_exist")).unwrap();
    fs::write(user.path(".no_exist"), "").unwrap();
    assert_eq!(user.fetch().unwrap(), folder);
    assert!(user.notes().contains("cannot make"), "{}", user.notes());
    fs::remove_file(folder.join(SHARDS[0])).unwrap();
    let said = user.refused();
    assert!(said.contains("must be readable and writable"), "{said}");
}

#[test]
fn two_at_once_download_once() {
    let server = with_tokenizer();
    server.fault(|request, _| {
        if request.cdn {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    let user = User::of(&server);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| user.fetch().unwrap());
        }
    });
    assert_eq!(content(&server.log()).len(), 1);
    assert!(user.notes().contains("waiting"), "{}", user.notes());
}

#[test]
fn files_of_an_older_tokenizer_come_where_there_is_no_tokenizer_json() {
    let folder = tempfile::tempdir().unwrap();
    let from = super::project().join("data/zoo/gpt2-tiny");
    for name in ["config.json", "model.safetensors", "tokenizer_config.json"] {
        fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    for name in ["vocab.json", "merges.txt", "added_tokens.json", "README.md"] {
        fs::write(folder.path().join(name), "{}").unwrap();
    }
    let user = User::of(&super::server::Server::of(folder.path()));
    let snapshot = user.fetch().unwrap();
    for (name, wanted) in
        [("vocab.json", true), ("merges.txt", true), ("added_tokens.json", true), ("README.md", false)]
    {
        assert_eq!(snapshot.join(name).is_file(), wanted, "{name}");
    }
    assert!(user.path(&format!(".no_exist/{COMMIT}/tokenizer.model")).is_file());
    assert_eq!(user.found(), Some(snapshot));
}
