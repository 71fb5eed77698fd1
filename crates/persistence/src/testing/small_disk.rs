//! A disk that can be full.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A file system of its own, in memory. It goes away with this value.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// So many MiB. `None` where this process may not mount anything: that takes root, and a container that lets it.
    #[must_use]
    pub fn mount(size: u32) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}m,mode=755"), "tmpfs"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self { folder })
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A folder on it that belongs to this user.
    pub(super) fn folder_of(&self, user: &str) -> PathBuf {
        let folder = self.folder().join(user);
        std::fs::create_dir(&folder).expect("a folder");
        let given = Command::new("chown").arg(user).arg(&folder).status().expect("`chown` should run");
        assert!(given.success(), "the folder should be {user}'s");
        folder
    }

    /// Leaves no byte free.
    pub fn fill(&self) {
        let mut filler = File::options().create(true).append(true).open(self.filler()).expect("a file");
        for size in [1 << 20, 4_096, 1] {
            let piece = vec![0; size];
            loop {
                match filler.write(&piece) {
                    Ok(1..) => {}
                    Ok(_) => break,
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("the disk should be filled: {error}"),
                }
            }
        }
    }

    /// Gives back what `fill` took, if it took anything.
    pub fn free(&self) {
        let _ = std::fs::remove_file(self.filler());
    }

    fn filler(&self) -> PathBuf {
        self.folder().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that is about to end may have a file open.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}
