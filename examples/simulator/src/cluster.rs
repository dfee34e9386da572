//! A PostgreSQL of one's own: in a folder that goes with it, on a socket in that folder.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

/// `nobody`: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;

/// A cluster that is stopped and removed when it is dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
}

impl Cluster {
    /// A running one; `None`, with a word about it, where PostgreSQL is not installed.
    ///
    /// # Errors
    ///
    /// It is installed and does not run.
    #[expect(clippy::print_stderr, reason = "whoever runs the tests hears what is not tested")]
    pub fn start() -> anyhow::Result<Option<Self>> {
        let Some(programs) = programs() else {
            eprintln!("skipped: no `initdb` and `pg_ctl`; install PostgreSQL (Debian: `apt-get install postgresql`)");
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
        }
        let cluster = Self { folder, programs };
        cluster.run("initdb", &["-A", "trust", "-U", "punch", "-E", "UTF8", "--no-locale", "--no-sync"])?;
        cluster.resume()?;
        Ok(Some(cluster))
    }

    /// The address, with a password nobody asks for.
    pub fn url(&self) -> String {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://punch:canary-of-the-api@{folder}/postgres")
    }

    /// Takes it away as a crash does.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.run("pg_ctl", &["stop", "-m", "immediate", "-w"])
    }

    /// Brings it back.
    ///
    /// # Errors
    ///
    /// It does not begin to run.
    pub fn resume(&self) -> anyhow::Result<()> {
        let folder = self.folder.path().display();
        let options = format!("-k {folder} -c listen_addresses= -c timezone=Asia/Dhaka -c max_connections=200");
        self.run("pg_ctl", &["start", "-w", "-l", "log", "-o", &options])
    }

    fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let status = self.command(program, arguments).status().with_context(|| program.to_owned())?;
        ensure!(status.success(), "{program} {arguments:?}: {status}");
        Ok(())
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(["-D", "data"]).args(arguments).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may be stopped already.
        drop(self.command("pg_ctl", &["stop", "-m", "immediate", "-w"]).status());
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The folder with the programs: on the path, or where Debian keeps them.
fn programs() -> Option<PathBuf> {
    let has_both = |folder: &Path| ["initdb", "pg_ctl"].iter().all(|program| folder.join(program).is_file());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    std::env::split_paths(&path).chain(debian).find(|folder| has_both(folder))
}
