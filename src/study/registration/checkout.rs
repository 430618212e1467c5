//! The checkout that holds an experiment: at which commit it is, and what that commit has of a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base::foreign::{self, Kind};

/// The commit that the checkout around a path is at, read from its `.git`; `None` outside of one.
pub fn commit(path: &Path) -> Option<String> {
    let start = fs::canonicalize(path).ok()?;
    let git = start.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
    let text = |path: PathBuf| foreign::read_text(&path, Kind::Text);
    // A linked worktree has a file that names its folder.
    let own = match text(git.clone()) {
        Ok(text) => git.parent()?.join(text.strip_prefix("gitdir:")?.trim()),
        Err(_) => git,
    };
    let head = text(own.join("HEAD")).ok()?;
    let hash = |text: &str| {
        let word = text.split_whitespace().next().unwrap_or_default();
        (word.len() >= 40 && word.chars().all(|c| c.is_ascii_hexdigit())).then(|| word.to_string())
    };
    let Some(reference) = head.trim().strip_prefix("ref:").map(str::trim) else { return hash(&head) };
    let common = text(own.join("commondir")).map_or(own.clone(), |text| own.join(text.trim()));
    let loose = [&own, &common].into_iter().find_map(|git| text(git.join(reference)).ok());
    if let Some(text) = loose {
        return hash(&text);
    }
    let packed = text(common.join("packed-refs")).ok()?;
    packed.lines().find(|line| line.split_whitespace().nth(1) == Some(reference)).and_then(hash)
}

/// The commit that the checkout around a file is at, and the text that it has of the file; `None` outside of one, where the commit
/// has no such file, and where there is no git to ask.
pub(super) fn committed(path: &Path) -> Option<(String, String)> {
    let folder = path.parent()?;
    let commit = commit(folder)?;
    let mut git = Command::new("git");
    // Of the environment, whatever would lead to another repository; of the repository, nothing is written.
    git.env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .env("GIT_OPTIONAL_LOCKS", "0");
    git.arg("-C").arg(folder).args(["cat-file", "blob"]);
    git.arg(format!("{commit}:./{}", path.file_name()?.to_str()?));
    let found = git.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = found.status.success().then(|| String::from_utf8(found.stdout).ok())??;
    Some((commit, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_of_a_checkout_is_read_from_its_own_files() {
        let dir = tempfile::tempdir().unwrap();
        let (git, inside) = (dir.path().join(".git"), dir.path().join("experiments"));
        fs::create_dir_all(git.join("refs/heads")).unwrap();
        fs::create_dir_all(&inside).unwrap();
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        assert_eq!(commit(&inside), None, "no commit yet");
        fs::write(git.join("packed-refs"), format!("# pack-refs\n{b} refs/heads/main\n")).unwrap();
        assert_eq!(commit(&inside), Some(b.clone()));
        fs::write(git.join("refs/heads/main"), format!("{a}\n")).unwrap();
        assert_eq!(commit(&inside), Some(a.clone()));
        // A linked worktree beside it.
        let (own, tree) = (git.join("worktrees/tree"), dir.path().join("tree"));
        fs::create_dir_all(&own).unwrap();
        fs::create_dir_all(&tree).unwrap();
        fs::write(tree.join(".git"), format!("gitdir: {}\n", own.display())).unwrap();
        fs::write(own.join("commondir"), "../..\n").unwrap();
        fs::write(own.join("HEAD"), format!("{b}\n")).unwrap();
        assert_eq!(commit(&tree), Some(b));
        fs::write(own.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        assert_eq!(commit(&tree), Some(a));
    }
}
