//! What Redis 8.0.6 answered, replayed against our server; and the recorder that asks it.
//!
//! `fixtures/oracle/README.md` has the format and the commands. Source of truth: the recordings, and behind them the
//! server that their first line names.

mod facts;
pub mod mask;
pub mod quote;
mod run;
mod transcript;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use run::{Kind, Target};
use transcript::{Answers, Block, Step, Transcript};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/oracle")
}

/// The files that `ORACLE=get,set` names, or all; of one family, or of every.
fn transcripts(family: Option<&str>) -> Vec<Transcript> {
    let wanted = std::env::var("ORACLE").ok();
    let wanted: Option<Vec<&str>> = wanted.as_deref().map(|w| w.split(',').collect());
    let entries = std::fs::read_dir(folder()).expect("fixtures/oracle is in the repository");
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("a readable directory").path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "txt"));
    paths.sort();
    let all = paths.iter().map(|p| Transcript::load(p).unwrap_or_else(|e| panic!("{e}")));
    let mine = all.filter(|t| family.is_none_or(|f| t.family == f));
    mine.filter(|t| wanted.as_ref().is_none_or(|w| w.contains(&t.name().as_str()))).collect()
}

/// All cases of these files against a server; the report names every mismatch of every file.
fn replay(kind: Kind, files: &[Transcript]) -> Result<(), String> {
    if files.is_empty() {
        return Ok(());
    }
    let ours = matches!(kind, Kind::Ours);
    let mut target = Target::start(kind).map_err(|e| e.to_string())?;
    if !target.sees_frames() {
        eprintln!("DEBUG RESNAP-FRAMES is missing: what goes to the log is not compared");
    }
    let mut report = String::new();
    let mut failed = Vec::new();
    let mut missing = Vec::new();
    for file in files {
        let found = mismatches(&mut target, file, ours);
        let unknown = format!("-ERR unknown command '{}'", file.name().to_uppercase());
        if found.iter().any(|text| text.contains(&unknown)) {
            missing.push(file.name());
        } else if !found.is_empty() {
            failed.push(format!("{} ({})", file.name(), found.len()));
            report.extend(found);
        }
    }
    if failed.is_empty() && missing.is_empty() {
        return Ok(());
    }
    let passed = files.len() - failed.len() - missing.len();
    let [failed, missing] = [failed, missing].map(|names| names.join(", "));
    Err(format!(
        "{report}\n{passed} of {} files pass\nnot there: {missing}\nfailing: {failed}\n",
        files.len()
    ))
}

fn mismatches(target: &mut Target, file: &Transcript, ours: bool) -> Vec<String> {
    let mut found = Vec::new();
    for block in &file.blocks {
        for protocol in [2, 3] {
            if block.only.is_none_or(|only| only == protocol) {
                let place = format!("{} # {} (RESP{protocol})", file.name(), block.title);
                check_block(target, block, protocol, ours, &place, &mut found);
            }
        }
    }
    found
}

fn check_block(
    target: &mut Target,
    block: &Block,
    protocol: u8,
    ours: bool,
    place: &str,
    found: &mut Vec<String>,
) {
    let answers = match target.run(block, protocol) {
        Ok(answers) => answers,
        Err(error) => {
            found.push(format!("\n{place}\n  the block did not run: {error}\n"));
            Vec::new()
        }
    };
    for (step, got) in block.steps.iter().zip(&answers) {
        if let Some(text) = differ(step, got, protocol, ours, target.sees_frames()) {
            found.push(format!("\n{place}, line {}\n  > {}\n{text}", step.line, step.input));
        }
    }
    if answers.iter().any(lost) || answers.len() < block.steps.len() {
        target.restart().unwrap_or_else(|e| panic!("after {place}: {e}"));
    }
}

/// Whether the server was gone, or did not answer.
fn lost(answers: &Answers) -> bool {
    [&answers.resp2, &answers.resp3].into_iter().flatten().any(|text| text.starts_with("<no reply"))
}

fn reply(answers: &Answers, protocol: u8) -> Option<&str> {
    if protocol == 2 { answers.resp2.as_deref() } else { answers.resp3.as_deref() }
}

fn differ(step: &Step, got: &Answers, protocol: u8, ours: bool, frames: bool) -> Option<String> {
    let instead = step.ours.as_deref().filter(|_| ours);
    let want = instead.or(reply(&step.answers, protocol)).unwrap_or("<not recorded>");
    let answer = reply(got, protocol).unwrap_or("<none>");
    let mut text = String::new();
    if want != answer {
        let [want, answer] = clip(want, answer);
        write!(text, "    want {want}\n    got  {answer}\n").expect("a String takes all");
    }
    if frames && instead.is_none() && got.frames != step.answers.frames {
        let [want, got] = clip(&step.answers.frames.join("; "), &got.frames.join("; "));
        write!(text, "    want in the log: {want}\n    got in the log:  {got}\n")
            .expect("a String takes all");
    }
    (!text.is_empty()).then_some(text)
}

/// Long lines from shortly before where they begin to differ.
fn clip(want: &str, got: &str) -> [String; 2] {
    let same = want.chars().zip(got.chars()).take_while(|(a, b)| a == b).count();
    [want, got].map(|text| {
        let length = text.chars().count();
        let from = if length > 400 { same.saturating_sub(100) } else { 0 };
        let shown: String = text.chars().skip(from).take(400).collect();
        let [before, after] = [from > 0, from + 400 < length].map(|cut| if cut { "..." } else { "" });
        format!("{before}{shown}{after}")
    })
}

/// Asks the server all steps in both protocols and puts its answers into the transcript.
fn record_file(target: &mut Target, file: &mut Transcript) -> Result<(), String> {
    let name = file.name();
    for block in &mut file.blocks {
        let mut passes = Vec::new();
        for protocol in [2, 3] {
            if block.only.is_none_or(|only| only == protocol) {
                passes
                    .push(target.run(block, protocol).map_err(|e| format!("{name} # {}: {e}", block.title))?);
            }
        }
        for (at, step) in block.steps.iter_mut().enumerate() {
            let frames = passes[0][at].frames.clone();
            if passes.iter().any(|pass| pass[at].frames != frames) {
                let lines = passes.iter().map(|pass| pass[at].frames.join("; ")).collect::<Vec<_>>();
                return Err(format!("{name}:{}: frames differ by protocol: {lines:?}", step.line));
            }
            let find = |p| passes.iter().find_map(|pass| reply(&pass[at], p).map(str::to_owned));
            if passes.iter().any(|pass| lost(&pass[at])) {
                target.restart().map_err(|e| e.to_string())?;
                return Err(format!("{name}:{}: no reply", step.line));
            }
            step.answers = Answers { resp2: find(2), resp3: find(3), frames };
        }
    }
    file.server = "redis 8.0.6".to_owned();
    Ok(())
}

fn family(name: &str) {
    if let Err(report) = replay(Kind::Ours, &transcripts(Some(name))) {
        panic!("{report}");
    }
}

#[test]
fn strings() {
    family("strings");
}

#[test]
fn generic() {
    family("generic");
}

#[test]
fn hyperloglog() {
    family("hyperloglog");
}

#[test]
fn geo() {
    family("geo");
}

#[test]
fn sort() {
    family("sort");
}

#[test]
fn lists() {
    family("lists");
}

#[test]
fn sets() {
    family("sets");
}

#[test]
fn hashes() {
    family("hashes");
}

#[test]
fn zsets() {
    family("zsets");
}

#[test]
fn streams() {
    family("streams");
}

#[test]
fn connection() {
    family("connection");
}

#[test]
fn server() {
    family("server");
}

#[test]
fn transactions() {
    family("transactions");
}

/// Commands that are not there yet: whoever builds one gives its file a family.
#[test]
#[ignore = "not built yet"]
fn later() {
    family("later");
}

/// Every file is replayed by one of the tests above, and reads back as it was written.
#[test]
fn files_are_well_formed() {
    let families = [
        "strings",
        "generic",
        "lists",
        "sets",
        "hashes",
        "zsets",
        "streams",
        "hyperloglog",
        "geo",
        "sort",
        "connection",
        "server",
        "transactions",
        "later",
    ];
    for file in transcripts(None) {
        assert!(families.contains(&file.family.as_str()), "{}: family {}", file.name(), file.family);
        let text = std::fs::read_to_string(&file.path).expect("it was read before");
        assert_eq!(file.render(), text, "{}: not as the recorder writes it", file.name());
    }
}

/// With `RESNAP_REAL=/path/to/redis-server`: the real server still answers what was recorded.
#[test]
fn live() {
    let Some(path) = std::env::var_os("RESNAP_REAL") else { return };
    let path = PathBuf::from(path);
    if let Err(report) = replay(Kind::Real(path.clone()), &transcripts(None)) {
        panic!("{report}");
    }
    let mut target = Target::start(Kind::Real(path)).unwrap_or_else(|e| panic!("{e}"));
    let found = facts::differences(&mut target, true);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// With `RESNAP_RECORD=/path/to/redis-server`: renews the recordings (`ORACLE=get,set`: only these), and asks once
/// more to see that the masks hold.
#[test]
fn record() {
    let Some(path) = std::env::var_os("RESNAP_RECORD") else { return };
    let mut target = Target::start(Kind::Real(path.clone().into())).unwrap_or_else(|e| panic!("{e}"));
    let mut files = transcripts(None);
    let mut errors = Vec::new();
    for file in &mut files {
        match record_file(&mut target, file) {
            Ok(()) => std::fs::write(&file.path, file.render()).expect("the folder can be written"),
            Err(error) => errors.push(error),
        }
    }
    facts::record(&mut target);
    drop(target);
    if let Err(report) = replay(Kind::Real(path.into()), &files) {
        errors.push(report);
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}
