//! The README keeps its word: its commands run, its specs read, its links lead somewhere.
//!
//! Commands in blocks marked `sh` are run in a folder that holds `examples/`; those of `sh own-data` need files of the
//! reader's, so only their words are checked.

// Naming the built-in components keeps the linker from dropping them.
use plugins as _;
use registry::{Catalogue, Written, read};
use std::path::Path;
use tests_support::{Block, blocks, cithara, cithara_ok, repository};

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The commands of the blocks marked so, as words.
fn commands(info: &str) -> Vec<Vec<String>> {
    let blocks = blocks(&readme()).into_iter().filter(|block| block.info == info);
    let text = blocks.map(|block| block.lines.join("\n")).collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(words).collect()
}

/// The words of a line of shell; nothing but quotes has a meaning.
fn words(line: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut quote = None;
    for letter in line.chars() {
        match quote {
            Some(open) if open == letter => quote = None,
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if letter == ' ' => found.push(String::new()),
            _ => found.last_mut().unwrap().push(letter),
        }
    }
    assert!(quote.is_none(), "a quote is not closed: {line}");
    found.retain(|word| !word.is_empty());
    found
}

/// Whether `cargo xtask` knows a command, by the text that it prints of itself.
fn xtask_knows(command: &str) -> bool {
    let usage = std::fs::read_to_string(repository().join("tests/xtask/src/main.rs")).unwrap();
    usage.lines().any(|line| line.starts_with(&format!("  {command} ")))
}

#[test]
fn its_commands_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("examples")).unwrap();
    for entry in std::fs::read_dir(repository().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, folder.path().join("examples").join(path.file_name().unwrap())).unwrap();
        }
    }
    std::env::set_current_dir(folder.path()).unwrap();
    let (mut n_xtask, mut n_cithara) = (0, 0);
    for command in commands("sh") {
        match command.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["cargo", "xtask", name, ..] => {
                assert!(xtask_knows(name), "`cargo xtask` has no command `{name}`");
                n_xtask += 1;
            }
            ["cithara", words @ ..] => {
                cithara_ok(words);
                n_cithara += 1;
            }
            ["cargo", "build" | "run" | "test", ..] | ["export", ..] | ["cd", ..] | ["git", "clone", ..] => {}
            other => panic!("nobody checks `{}`; mark its block `sh own-data` or check it here", other.join(" ")),
        }
    }
    std::env::set_current_dir(repository()).unwrap();
    assert!(n_xtask >= 2 && n_cithara >= 1, "{n_xtask} and {n_cithara} commands were found");
}

#[test]
fn its_commands_on_own_data_are_understood() {
    let commands = commands("sh own-data");
    assert!(commands.len() >= 3, "{commands:?}");
    for command in commands {
        assert_eq!(command[0], "cithara", "{command:?}");
        let words: Vec<&str> = command[1..].iter().map(String::as_str).collect();
        assert!(is_understood(&words), "{}", words.join(" "));
    }
}

/// Whether a command line would be read as it stands: with a run, a spec or data that do not exist it is refused for
/// those, not for its words.
fn is_understood(words: &[&str]) -> bool {
    let refused = cithara(words);
    refused.code == 2 && !refused.err.contains("Usage: ") && !refused.err.contains("For more information, try '--help'")
}

#[test]
fn slips_in_its_commands_would_be_seen() {
    assert!(is_understood(&["run", "cite.toml"]));
    for slipped in [&["rn", "cite.toml"][..], &["run", "cite.toml", "--sett", "a=1"], &["predict", "run", "x.h5ad"]] {
        assert!(!is_understood(slipped), "{slipped:?}");
    }
    let words = words("cithara run a.toml --set 'data.path=\"my cells.h5mu\"'");
    assert_eq!(words[4], "data.path=\"my cells.h5mu\"");
    assert!(xtask_knows("demo") && !xtask_knows("dem"));
}

#[test]
fn its_specs_read_without_errors() {
    let catalogue = Catalogue::linked().unwrap();
    let specs: Vec<Block> = blocks(&readme()).into_iter().filter(|block| block.info == "toml").collect();
    assert!(!specs.is_empty());
    for block in specs {
        let text = block.lines.join("\n") + "\n";
        let written = Written { path: Path::new("README.toml"), text: &text, overrides: &[] };
        read(&written, &catalogue).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    }
}

#[test]
fn its_ablation_is_one_of_its_first_spec() {
    let folder = tempfile::tempdir().unwrap();
    let found = blocks(&readme());
    for (info, name) in [("toml", "cite.toml"), ("toml ablation", "parts.toml")] {
        let block = found.iter().find(|block| block.info == info).unwrap();
        std::fs::write(folder.path().join(name), block.lines.join("\n") + "\n").unwrap();
    }
    let outcome = cithara_ok(&["ablate", folder.path().join("parts.toml").to_str().unwrap(), "--dry-run"]);
    assert!(outcome.err.contains("7 variants × 5 seeds"), "{outcome}");
}

#[test]
fn its_links_lead_somewhere() {
    let text = readme();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let own: Vec<&str> = targets.filter(|target| !target.contains("://") && !target.starts_with('#')).collect();
    assert!(own.len() > 3, "{own:?}");
    for target in own {
        let path = target.split('#').next().unwrap_or_default();
        assert!(repository().join(path).exists(), "the README links to `{path}`, which is not there");
    }
}
