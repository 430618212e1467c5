//! The store under adversity: killed writers, two writers, damaged files, read-only places.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use app::{
    plan::Known,
    store::{Cell, Store, StoreError, Stored},
};
use base::hash::{Fields, Key};
use number::observation::{PromptObservation, TopToken};

fn cell(n: u32) -> Cell {
    let (blocks, tokens) = (2 + n as usize % 3, 1 + n as usize % 7);
    let mut observation = PromptObservation::made([blocks, tokens, 3], |tap, [l, t]| match tap {
        "attn_off_diagonal" => n as f32 / (1 + l + t) as f32,
        "final_norm" => n as f32 / 3.0 + t as f32,
        "entropy_nats" => n as f32 / 11.0,
        "logit_shift" => n as f32 / 13.0,
        "loss_nats" => n as f32 / 17.0,
        "lens_entropy_nats" => n as f32,
        tap => (n as f32 + tap.len() as f32 / 10.0) / (1 + l + t) as f32,
    });
    observation.token_ids = (0..tokens as u32).map(|t| t * 31 + n).collect();
    observation.top = (0..5).map(|k| TopToken { id: k + n, prob: 0.5 / (k + 1) as f32 }).collect();
    if !n.is_multiple_of(2) {
        observation.take("loss_nats");
    }
    if !n.is_multiple_of(3) {
        observation.take("lens_entropy_nats");
    }
    Cell {
        slot: format!("observe/model/prompt-{n}/auto"),
        fields: Fields::new("observe")
            .with("weights", "w")
            .with("prompt", format!("prompt {n}"))
            .with("bos", "auto"),
        observation,
    }
}

fn cells(range: std::ops::Range<u32>) -> Vec<Cell> {
    range.map(cell).collect()
}

fn keys(cells: &[Cell]) -> Vec<Key> {
    cells.iter().map(|c| c.fields.key()).collect()
}

/// Every file below `folder`, relative, sorted.
fn files(root: &Path, folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() { found.extend(files(root, &name)) } else { found.push(PathBuf::from(name)) }
    }
    found.sort();
    found
}

/// All these cells are readable and equal to what was put.
fn assert_holds(store: &Store, expected: &[Cell]) {
    let snapshot = store.snapshot().unwrap();
    let read = store.observations(&snapshot, &keys(expected)).unwrap();
    assert_eq!(read.damaged, []);
    for cell in expected {
        assert_eq!(read.found.get(&cell.fields.key()), Some(&cell.observation), "{}", cell.slot);
        assert!(snapshot.has(&cell.fields.key()));
    }
}

/// Rows that index files claim per key: more than one is a duplicate.
fn recorded(root: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for file in files(root, "index") {
        for line in fs::read_to_string(root.join(file)).unwrap().lines().skip(1) {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            all.push(line["key"].as_str().unwrap().to_string());
        }
    }
    all.sort();
    all
}

#[test]
fn what_is_put_reads_back_also_through_another_handle() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("a/store")).unwrap();
    let earlier = store.snapshot().unwrap();
    let all = cells(0..25);
    assert_eq!(store.put_observations(&all).unwrap(), 25);
    assert_holds(&store, &all);
    assert_holds(&Store::open(store.root()).unwrap(), &all);
    // A snapshot is a moment: it does not see what came later.
    assert!(!earlier.has(&all[0].fields.key()) && earlier.last_fields(&all[0].slot).is_none());
    assert_eq!(store.snapshot().unwrap().last_fields(&all[7].slot), Some(all[7].fields.clone()));
    assert_eq!(files(store.root(), "objects").len(), 1, "one segment, not a file per cell");
}

#[test]
fn blobs_read_back_and_the_first_one_under_a_key_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let fields = Fields::new("judge").with("hypothesis", "h");
    store.put_blob("judge/H9", &fields, b"{\"a\":1}").unwrap();
    store.put_blob("judge/H9", &fields, b"{\"a\":2}").unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(store.blob(&snapshot, &fields.key()).unwrap(), Stored::Present(b"{\"a\":1}".to_vec()));
    assert_eq!(store.blob(&snapshot, &Fields::new("judge").key()).unwrap(), Stored::Absent);
}

#[test]
fn adding_one_cell_writes_that_cell_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.put_observations(&cells(0..10)).unwrap();
    let before = files(dir.path(), "objects");
    assert_eq!(store.put_observations(&cells(0..11)).unwrap(), 1);
    assert_eq!(store.put_observations(&cells(0..11)).unwrap(), 0);
    assert_eq!(files(dir.path(), "objects").len(), before.len() + 1);
    assert_eq!(recorded(dir.path()).len(), 11);
    assert_holds(&store, &cells(0..11));
}

#[test]
fn one_prompt_under_two_names_is_stored_once_and_known_by_both() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut twin = cell(1);
    twin.slot = "observe/model/other-set/prompt/auto".into();
    assert_eq!(store.put_observations(&[cell(0), cell(1), twin.clone()]).unwrap(), 2);
    let mut late = cell(0);
    late.slot = "observe/model/late-set/prompt/auto".into();
    assert_eq!(store.put_observations(std::slice::from_ref(&late)).unwrap(), 0);
    let count = files(dir.path(), "index").len();
    assert_eq!(store.put_observations(&[cell(0), late.clone(), twin.clone()]).unwrap(), 0);
    assert_eq!((files(dir.path(), "index").len(), files(dir.path(), "objects").len()), (count, 1));
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.cells(), 2);
    assert_eq!(snapshot.last_fields(&twin.slot), Some(cell(1).fields));
    assert_eq!(snapshot.last_fields(&late.slot), Some(cell(0).fields));
    assert_holds(&store, &[cell(0), twin]);
}

#[test]
fn two_writers_of_the_same_cells_leave_one_set_of_rows() {
    let dir = tempfile::tempdir().unwrap();
    // Both hold the same cells but cut them into different batches, as two runs with different prompt sets would.
    let writer = |size: usize| {
        let root = dir.path().join("new");
        move || {
            let store = Store::open(root).unwrap();
            let all = cells(0..60);
            all.chunks(size).map(|batch| store.put_observations(batch).unwrap()).sum::<usize>()
        }
    };
    let threads = [thread::spawn(writer(4)), thread::spawn(writer(7)), thread::spawn(writer(4))];
    let written: usize = threads.into_iter().map(|t| t.join().unwrap()).sum();
    assert_eq!(written, 60);
    let root = dir.path().join("new");
    let rows = recorded(&root);
    assert_eq!(rows.len(), 60);
    assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), 60);
    assert_holds(&Store::open(&root).unwrap(), &cells(0..60));
}

#[test]
fn a_reader_without_lock_never_sees_half_a_put() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_path_buf();
    let writer = thread::spawn(move || {
        let store = Store::open(root).unwrap();
        for start in (0..400).step_by(5) {
            store.put_observations(&cells(start..start + 5)).unwrap();
        }
    });
    let all = cells(0..400);
    let mut looks = 0;
    while !writer.is_finished() || looks == 0 {
        looks += 1;
        // A new handle each time, so that nothing is remembered from the look before.
        let store = Store::open(dir.path()).unwrap();
        let (snapshot, damaged) = store.checked_snapshot().unwrap();
        assert_eq!((damaged, snapshot.notes()), (vec![], &[][..]));
        assert_eq!(snapshot.cells() % 5, 0);
    }
    writer.join().unwrap();
    assert_holds(&Store::open(dir.path()).unwrap(), &all);
}

#[test]
fn a_file_appears_under_its_name_only_when_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    // Large enough that writing takes many looks of the watcher.
    let bytes = vec![7; 48 << 20];
    let digest = Key::of_bytes(&bytes).to_string();
    let path = dir.path().join("objects").join(&digest[..2]).join(format!("{digest}.blob"));
    let writer = thread::spawn(move || store.put_blob("blob", &Fields::new("judge"), &bytes).unwrap());
    while !writer.is_finished() {
        if let Ok(metadata) = fs::metadata(&path) {
            assert_eq!(metadata.len(), 48 << 20);
        }
    }
    writer.join().unwrap();
    assert!(path.exists());
}

/// Not a test: the body of the child process that the tests below start and kill.
#[test]
#[ignore = "child process of other tests"]
fn child_that_writes() {
    let Ok(root) = std::env::var("STREAMGAUGE_TEST_STORE") else { return };
    let (from, to, size): (u32, u32, u32) =
        serde_json::from_str(&std::env::var("STREAMGAUGE_TEST_RANGE").unwrap()).unwrap();
    let store = Store::open(root).unwrap();
    for start in (from..to).step_by(size as usize) {
        store.put_observations(&cells(start..(start + size).min(to))).unwrap();
        println!("done {start}");
    }
}

fn child(root: &Path, range: (u32, u32, u32)) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "store::child_that_writes", "--ignored", "--nocapture"])
        .env("STREAMGAUGE_TEST_STORE", root)
        .env("STREAMGAUGE_TEST_RANGE", serde_json::to_string(&range).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

#[test]
fn a_killed_writer_loses_at_most_its_running_batch() {
    let dir = tempfile::tempdir().unwrap();
    let mut left_something = 0;
    for round in 0..40u32 {
        let first = round * 10_000;
        let mut child = child(dir.path(), (first, first + 10_000, 3)).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut finished: Vec<u32> = Vec::new();
        let done = |line: &str| line.split("done ").nth(1).and_then(|n| n.parse::<u32>().ok());
        // Let it get going, then kill it at a moment that shifts by 0.35 ms from round to round.
        finished.extend(lines.by_ref().find_map(|line| done(&line)));
        assert!(!finished.is_empty(), "the child wrote nothing");
        thread::sleep(Duration::from_micros(u64::from(round) * 350));
        child.kill().unwrap();
        child.wait().unwrap();
        finished.extend(lines.filter_map(|line| done(&line)));

        left_something += usize::from(!files(dir.path(), "tmp").is_empty());
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(
            files(dir.path(), "tmp"),
            Vec::<PathBuf>::new(),
            "garbage is swept once its writer is gone"
        );
        let (snapshot, damaged) = store.checked_snapshot().unwrap();
        assert_eq!((damaged, snapshot.notes()), (vec![], &[][..]));
        for start in &finished {
            assert_holds(&store, &cells(*start..*start + 3));
        }
        // At most the batch whose `done` was not printed yet, and that one whole or not at all.
        let this_round = cells(first..first + 3 * (finished.len() as u32 + 2));
        let found = this_round.iter().filter(|c| snapshot.has(&c.fields.key())).count();
        assert!(
            [0, 3].contains(&(found - 3 * finished.len())),
            "{found} cells of {} batches",
            finished.len()
        );
        assert_eq!(
            files(dir.path(), "objects").len(),
            files(dir.path(), "index").len(),
            "no object without record"
        );
        // The next run resumes.
        assert_eq!(store.put_observations(&this_round).unwrap(), this_round.len() - found);
    }
    assert!(left_something > 0, "no kill hit a write: the test shows nothing");
}

#[test]
fn two_processes_on_one_store_both_finish_with_one_set_of_rows() {
    let dir = tempfile::tempdir().unwrap();
    let mut children = [(0, 90, 5), (0, 90, 7)].map(|range| child(dir.path(), range).spawn().unwrap());
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let rows = recorded(dir.path());
    assert_eq!(rows.len(), 90);
    assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), 90);
    assert_holds(&Store::open(dir.path()).unwrap(), &cells(0..90));
}

#[test]
fn a_flipped_byte_costs_only_the_cells_of_its_object() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.put_observations(&cells(0..3)).unwrap();
    let first = files(dir.path(), "objects").remove(0);
    store.put_observations(&cells(3..6)).unwrap();
    let path = dir.path().join(&first);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();

    let all = cells(0..6);
    let read = store.observations(&store.snapshot().unwrap(), &keys(&all)).unwrap();
    assert_eq!(
        read.damaged.iter().map(|d| d.key).collect::<BTreeSet<_>>(),
        keys(&all[..3]).into_iter().collect()
    );
    assert!(read.damaged[0].to_string().contains(first.file_name().unwrap().to_str().unwrap()));
    assert_eq!(read.found.len(), 3);
    assert!(!path.exists());
    assert_eq!(files(dir.path(), "quarantine").len(), 1);

    let snapshot = Store::open(dir.path()).unwrap().snapshot().unwrap();
    assert!(snapshot.quarantined(&all[0].fields.key()) && !snapshot.has(&all[0].fields.key()));
    assert!(snapshot.has(&all[3].fields.key()) && !snapshot.quarantined(&all[3].fields.key()));
    assert!(snapshot.notes()[0].contains("3 cells"), "{:?}", snapshot.notes());

    assert_eq!(store.put_observations(&all).unwrap(), 3, "the damaged cells are computed again");
    assert_holds(&store, &all);
    assert_eq!(store.snapshot().unwrap().notes(), &[] as &[String]);
}

/// Puts a link to itself in the place of a file: the system refuses to read it, for the superuser too.
#[cfg(unix)]
fn make_unreadable(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    fs::remove_file(path).unwrap();
    std::os::unix::fs::symlink(path, path).unwrap();
    bytes
}

#[cfg(unix)]
#[test]
fn what_the_system_cannot_read_is_an_error_and_neither_absent_nor_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let fields = Fields::new("judge").with("n", 1);
    store.put_blob("judge/1", &fields, b"outcome").unwrap();
    store.put_observations(&cells(0..3)).unwrap();
    let snapshot = store.snapshot().unwrap();
    let objects = files(dir.path(), "objects");
    let before = objects.iter().map(|object| make_unreadable(&dir.path().join(object))).collect::<Vec<_>>();

    let all = keys(&cells(0..3));
    for error in [
        store.observations(&snapshot, &all).unwrap_err(),
        store.blob(&snapshot, &fields.key()).unwrap_err(),
        store.checked_snapshot().unwrap_err(),
        store.snapshot().unwrap_err(),
        store.put_observations(&cells(0..3)).unwrap_err(),
        Store::open(dir.path()).unwrap().snapshot().unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
        assert!(error.to_string().contains("objects/"), "{error}");
    }
    assert_eq!(files(dir.path(), "quarantine"), Vec::<PathBuf>::new());
    for (object, bytes) in objects.iter().zip(before) {
        fs::remove_file(dir.path().join(object)).unwrap();
        fs::write(dir.path().join(object), bytes).unwrap();
    }
    assert_holds(&store, &cells(0..3));
    assert_eq!(store.checked_snapshot().unwrap().1, []);
}

#[cfg(unix)]
#[test]
fn an_index_file_that_the_system_cannot_read_ends_the_command_and_stays_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    Store::open(dir.path()).unwrap().put_observations(&cells(0..3)).unwrap();
    let path = dir.path().join(&files(dir.path(), "index")[0]);
    let bytes = make_unreadable(&path);
    // A killed writer's mark: whoever sweeps must not take the objects for garbage.
    fs::write(dir.path().join("tmp/1-0"), "half").unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Unreadable { path: file, .. } if *file == path), "{error}");
    assert_eq!((files(dir.path(), "index").len(), files(dir.path(), "quarantine").len()), (1, 0));
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    assert_holds(&Store::open(dir.path()).unwrap(), &cells(0..3));
}

#[test]
fn every_key_has_one_answer() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.put_observations(&cells(0..2)).unwrap();
    let gone = dir.path().join(&files(dir.path(), "objects")[0]);
    store.put_observations(&cells(2..4)).unwrap();
    fs::remove_file(gone).unwrap();
    let asked = cells(1..6);
    let answer = store.observations(&store.snapshot().unwrap(), &keys(&asked)).unwrap();
    let mut found: Vec<Key> = answer.found.into_keys().collect();
    found.sort();
    let mut expected = keys(&cells(2..4));
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(answer.damaged.iter().map(|d| d.key).collect::<Vec<_>>(), keys(&cells(1..2)));
    let mut absent = keys(&cells(4..6));
    absent.sort();
    assert_eq!(answer.absent, absent);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_in_the_place_of_an_object_is_moved_aside_and_the_object_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.put_observations(&cells(0..2)).unwrap();
    let path = dir.path().join(&files(dir.path(), "objects")[0]);
    let to_nothing = || std::os::unix::fs::symlink("nowhere", &path).unwrap();
    let folder = || fs::create_dir(&path).unwrap();
    for put_there in [&to_nothing as &dyn Fn(), &folder] {
        fs::remove_file(&path).unwrap();
        put_there();
        assert!(!store.snapshot().unwrap().has(&cell(0).fields.key()));
        assert_eq!(store.put_observations(&cells(0..2)).unwrap(), 2);
        assert_holds(&store, &cells(0..2));
    }
}

#[test]
fn damage_in_a_store_that_cannot_be_locked_is_told_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.put_observations(&cells(0..1)).unwrap();
    let path = dir.path().join(&files(dir.path(), "objects")[0]);
    store.put_observations(&cells(1..2)).unwrap();
    fs::write(&path, "PAR1").unwrap();
    // Stands for a read-only store, which the superuser does not have.
    fs::remove_file(dir.path().join("lock")).unwrap();
    fs::create_dir(dir.path().join("lock")).unwrap();
    let read = store.observations(&store.snapshot().unwrap(), &keys(&cells(0..2))).unwrap();
    assert_eq!((read.damaged.len(), read.damaged[0].quarantined, read.found.len()), (1, false, 1));
    assert!(path.exists());
    assert!(store.put_observations(&cells(2..3)).unwrap_err().to_string().contains("lock"));
}

#[test]
fn a_plan_from_a_checked_snapshot_knows_of_damage_and_loss() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let fields = |n| Fields::new("judge").with("n", n);
    for n in 0..3 {
        store.put_blob(&format!("judge/{n}"), &fields(n), format!("outcome {n}").as_bytes()).unwrap();
    }
    let object = |n| {
        let digest = Key::of_bytes(format!("outcome {n}").as_bytes()).to_string();
        dir.path().join("objects").join(&digest[..2]).join(format!("{digest}.blob"))
    };
    fs::write(object(0), b"outcome 7").unwrap();
    fs::remove_file(object(1)).unwrap();
    let (snapshot, damaged) = store.checked_snapshot().unwrap();
    assert_eq!(damaged.iter().map(|d| d.slot.as_str()).collect::<Vec<_>>(), ["judge/0"]);
    for (n, lost) in [(0, true), (1, true), (2, false)] {
        assert_eq!(snapshot.quarantined(&fields(n).key()), lost, "{n}");
        assert_eq!(snapshot.has(&fields(n).key()), !lost, "{n}");
    }
    store.put_blob("judge/0", &fields(0), b"outcome 0").unwrap();
    assert!(store.snapshot().unwrap().has(&fields(0).key()));
}

#[test]
fn a_truncated_index_file_is_noted_once_and_its_cells_are_recorded_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.put_observations(&cells(0..3)).unwrap();
    store.put_observations(&cells(3..6)).unwrap();
    let path = dir.path().join(&files(dir.path(), "index")[0]);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();

    let store = Store::open(dir.path()).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert!(
        snapshot.notes()[0].contains(path.file_name().unwrap().to_str().unwrap()),
        "{:?}",
        snapshot.notes()
    );
    assert!(!snapshot.has(&cell(0).fields.key()) && snapshot.has(&cell(3).fields.key()));
    assert_eq!(store.put_observations(&cells(0..6)).unwrap(), 3);
    assert_holds(&store, &cells(0..6));
    assert_eq!(Store::open(dir.path()).unwrap().snapshot().unwrap().notes(), &[] as &[String]);
}

#[test]
fn what_a_process_left_that_was_killed_when_it_made_the_store_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["format.17-0.part", ".format-17-ThreadId(2)"] {
        fs::write(dir.path().join(name), "streamgauge st").unwrap();
    }
    drop(Store::open(dir.path()).unwrap());
    fs::write(dir.path().join("identities.json.17-3.part"), "{").unwrap();
    drop(Store::open(dir.path()).unwrap());
    let mut names: Vec<String> =
        fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["format", "index", "objects", "quarantine", "tmp"]);
}

#[test]
fn a_folder_that_is_no_store_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.txt"), "precious").unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::NotAStore { found, .. } if found == "thesis.txt"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_store_of_a_newer_format_is_refused_with_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    let format = dir.path().join("format");
    fs::write(&format, "streamgauge store 9\n").unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { found: 9, .. }), "{error}");
    assert!(error.to_string().contains("Update streamgauge"), "{error}");
    fs::write(&format, "something else").unwrap();
    assert!(matches!(Store::open(dir.path()).unwrap_err(), StoreError::BadFormat { .. }));
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_without_write_permission_is_named() {
    // Nobody may create a folder here, the superuser included.
    let error = Store::open("/sys/streamgauge-store").unwrap_err();
    assert!(matches!(error, StoreError::Permission { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("/sys/streamgauge-store") && text.contains("name another folder"), "{text}");
}
