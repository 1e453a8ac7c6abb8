//! The files in `fixtures/oracle`: what a human wrote, and what the server answered to it.
//!
//! `fixtures/oracle/README.md` describes the format. A file is kept as its lines, so that the recorder changes
//! nothing but answers.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::mask::{Mask, Order};

/// One file: cases for one command.
pub struct Transcript {
    pub path: PathBuf,
    /// `redis 8.0.6`
    pub server: String,
    pub family: String,
    pub blocks: Vec<Block>,
    /// The human lines, and where a step's answers belong.
    layout: Vec<Line>,
}

enum Line {
    Text(String),
    Answers { block: usize, step: usize },
}

/// A case: starts with empty databases and a configuration of defaults.
pub struct Block {
    pub title: String,
    /// `@config name value`
    pub config: Vec<(String, String)>,
    /// `@resp 3`
    pub only: Option<u8>,
    pub steps: Vec<Step>,
}

/// A command and what it must answer.
pub struct Step {
    pub line: usize,
    pub input: String,
    /// Which connection sends it.
    pub conn: usize,
    pub mask: Mask,
    /// `@save name`
    pub save: Option<String>,
    /// `@elapse ms`: before it is sent
    pub elapse_ms: u64,
    /// `@scan`: iterate from cursor 0 to the end, show all that was found, sorted; `@scan pairs`
    pub scan: Option<Order>,
    /// `@raw`: the words are sent as they are, one after the other; what comes until an ECHO behind them is answered
    pub raw: bool,
    /// `@noreply`: nothing is read
    pub no_reply: bool,
    /// `@closes`: what comes until the server closes
    pub closes: bool,
    /// `!`: what resnap answers instead, and knows why
    pub ours: Option<String>,
    pub answers: Answers,
}

/// The lines `=`, `2`, `3` and `~`; `None`: not recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    pub resp2: Option<String>,
    pub resp3: Option<String>,
    pub frames: Vec<String>,
}

impl Transcript {
    pub fn load(path: &Path) -> Result<Transcript, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Parser::new(path).parse(&text)
    }

    /// The command that the file is about: its name without `.txt`.
    pub fn name(&self) -> String {
        self.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The text of the file, with the answers as they are now.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for line in &self.layout {
            match line {
                Line::Text(text) => writeln!(out, "{text}").expect("a String takes all"),
                Line::Answers { block, step } => {
                    out.push_str(&self.blocks[*block].steps[*step].answers.render())
                }
            }
        }
        out
    }
}

impl Answers {
    fn render(&self) -> String {
        let mut out = String::new();
        match (&self.resp2, &self.resp3) {
            (Some(two), Some(three)) if two == three => writeln!(out, "= {two}"),
            (two, three) => {
                for (tag, answer) in [('2', two), ('3', three)] {
                    if let Some(answer) = answer {
                        writeln!(out, "{tag} {answer}").expect("a String takes all");
                    }
                }
                Ok(())
            }
        }
        .expect("a String takes all");
        for frame in &self.frames {
            writeln!(out, "~ {frame}").expect("a String takes all");
        }
        out
    }
}

/// What `@` lines have said since the last command.
#[derive(Default)]
struct Pending {
    mask: Mask,
    save: Option<String>,
    elapse_ms: u64,
    scan: Option<Order>,
    raw: bool,
    no_reply: bool,
    closes: bool,
}

struct Parser {
    out: Transcript,
    pending: Pending,
    conn: usize,
    line: usize,
}

impl Parser {
    fn new(path: &Path) -> Parser {
        let out = Transcript {
            path: path.to_owned(),
            server: String::new(),
            family: String::new(),
            blocks: Vec::new(),
            layout: Vec::new(),
        };
        Parser { out, pending: Pending::default(), conn: 1, line: 0 }
    }

    fn parse(mut self, text: &str) -> Result<Transcript, String> {
        for line in text.lines() {
            self.line += 1;
            self.take(line).map_err(|e| format!("{}:{}: {e}", self.out.path.display(), self.line))?;
        }
        match self.out.server.is_empty() || self.out.family.is_empty() {
            true => Err(format!("{}: `server:` and `family:` are missing", self.out.path.display())),
            false => Ok(self.out),
        }
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let (tag, rest) = line.split_once(' ').unwrap_or((line, ""));
        match tag {
            "=" => self.answer(Some(rest), Some(rest)),
            "2" => self.answer(Some(rest), None),
            "3" => self.answer(None, Some(rest)),
            "~" => {
                self.step()?.answers.frames.push(rest.to_owned());
                Ok(())
            }
            _ => self.human(line, tag, rest),
        }
    }

    fn human(&mut self, line: &str, tag: &str, rest: &str) -> Result<(), String> {
        // What resnap answers instead stands between a command and its answers.
        if tag == "!" {
            let (answer, _reason) =
                rest.rsplit_once(" -- ").ok_or("a difference without its reason (` -- why`)")?;
            self.step()?.ours = Some(answer.to_owned());
            let place = self.out.layout.len() - 1;
            self.out.layout.insert(place, Line::Text(line.to_owned()));
            return Ok(());
        }
        self.out.layout.push(Line::Text(line.to_owned()));
        match tag {
            "server:" => self.out.server = rest.to_owned(),
            "family:" => self.out.family = rest.to_owned(),
            "#" => self.block(rest),
            ">" => return self.command(rest),
            _ if tag.starts_with('@') => return self.directive(&tag[1..], rest),
            "" | ";" => {}
            _ => return Err(format!("what is {line:?}?")),
        }
        Ok(())
    }

    fn block(&mut self, title: &str) {
        self.conn = 1;
        let block = Block { title: title.to_owned(), config: Vec::new(), only: None, steps: Vec::new() };
        self.out.blocks.push(block);
    }

    fn command(&mut self, input: &str) -> Result<(), String> {
        let mut pending = std::mem::take(&mut self.pending);
        pending.mask.ttl = input.starts_with("TTL ") || input.starts_with("HTTL ");
        let step = Step {
            line: self.line,
            input: input.to_owned(),
            conn: self.conn,
            mask: pending.mask,
            save: pending.save,
            elapse_ms: pending.elapse_ms,
            scan: pending.scan,
            raw: pending.raw,
            no_reply: pending.no_reply,
            closes: pending.closes,
            ours: None,
            answers: Answers::default(),
        };
        let block = self.out.blocks.last_mut().ok_or("a command before the first `#`")?;
        block.steps.push(step);
        let place =
            Line::Answers { block: self.out.blocks.len() - 1, step: self.last_block()?.steps.len() - 1 };
        self.out.layout.push(place);
        Ok(())
    }

    fn answer(&mut self, two: Option<&str>, three: Option<&str>) -> Result<(), String> {
        let answers = &mut self.step()?.answers;
        if let Some(two) = two {
            answers.resp2 = Some(two.to_owned());
        }
        if let Some(three) = three {
            answers.resp3 = Some(three.to_owned());
        }
        Ok(())
    }

    fn directive(&mut self, name: &str, rest: &str) -> Result<(), String> {
        let (rest, reason) =
            rest.split_once("-- ").map_or((rest.trim(), ""), |(rest, why)| (rest.trim(), why));
        let words = rest.split_ascii_whitespace();
        match name {
            "config" => {
                let (name, value) = rest.split_once(' ').ok_or("@config name value")?;
                let value = value.trim_matches('"').to_owned();
                self.last_block()?.config.push((name.to_owned(), value));
                return Ok(());
            }
            "resp" => {
                self.last_block()?.only = Some(rest.parse().map_err(|_| "@resp 2 or 3")?);
                return Ok(());
            }
            "conn" => self.conn = rest.parse().map_err(|_| "@conn N")?,
            "save" => self.pending.save = Some(rest.to_owned()),
            "elapse" => self.pending.elapse_ms = rest.parse().map_err(|_| "@elapse ms")?,
            "noreply" => self.pending.no_reply = true,
            "raw" => self.pending.raw = true,
            "closes" => self.pending.closes = true,
            "scan" => self.pending.scan = Some(order(rest)),
            "unordered" => self.pending.mask.unordered = Some(order(rest)),
            _ if reason.is_empty() => {
                return Err(format!("@{name} without its reason (` -- why`), or unknown"));
            }
            "any" => self.pending.mask.any = true,
            "shape" => self.pending.mask.shape = true,
            "clock" => self.pending.mask.clock = true,
            "names" => self.pending.mask.names = Some(words.map(str::to_owned).collect()),
            "log" => self.pending.mask.log = true,
            "about" => self.pending.mask.about = words.map_while(|w| w.parse().ok()).collect(),
            "among" => self.pending.mask.among = words.map(|w| w.as_bytes().to_vec()).collect(),
            "field" => self.pending.mask.fields = words.map(str::to_owned).collect(),
            _ => return Err(format!("unknown: @{name}")),
        }
        Ok(())
    }

    fn last_block(&mut self) -> Result<&mut Block, String> {
        self.out.blocks.last_mut().ok_or_else(|| "before the first `#`".to_owned())
    }

    fn step(&mut self) -> Result<&mut Step, String> {
        self.last_block()?.steps.last_mut().ok_or_else(|| "an answer without a command".to_owned())
    }
}

fn order(words: &str) -> Order {
    Order { pairs: words.contains("pairs"), scan: words.contains("scan") }
}
