//! What a value must fulfil beyond its type.

use super::Config;
use crate::persist::aof::Until;

type Checked = Result<(), &'static str>;

fn is_base_name(name: &[u8]) -> bool {
    !name.contains(&b'/') && !name.contains(&b'\\')
}

pub(super) fn snapshot_name(name: &[u8]) -> Checked {
    if is_base_name(name) { Ok(()) } else { Err("dbfilename can't be a path, just a filename") }
}

pub(super) fn append_name(name: &[u8]) -> Checked {
    match name {
        b"" => Err("appendfilename can't be empty"),
        _ if !is_base_name(name) => Err("appendfilename can't be a path, just a filename"),
        _ => Ok(()),
    }
}

pub(super) fn append_dir(name: &[u8]) -> Checked {
    match name {
        b"" => Err("appenddirname can't be empty"),
        _ if !is_base_name(name) => Err("appenddirname can't be a path, just a dirname"),
        _ => Ok(()),
    }
}

pub(super) fn until(text: &[u8]) -> Checked {
    match text.is_empty() || Until::parse(text).is_some() {
        true => Ok(()),
        false => Err("aof-until must be a time, an offset or FILE:OFFSET"),
    }
}

pub(super) fn shutdown_flags(flags: &u32) -> Checked {
    match flags & 0b11 {
        0b11 => Err("shutdown options SAVE and NOSAVE can't be used simultaneously"),
        _ => Ok(()),
    }
}

pub(super) fn hostname(name: &[u8]) -> Checked {
    if name.len() >= 256 {
        return Err("Hostnames must be less than 256 characters");
    }
    if name.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.')) {
        Ok(())
    } else {
        Err("Hostnames may only contain alphanumeric characters, hyphens or dots")
    }
}

/// Names of nodes stand in a line with other words, so what separates or brackets words may not be in them.
pub(super) fn node_name(name: &[u8]) -> Checked {
    let bad = |c: &u8| b"!#$%&()*+:;<>?@[]^{|}~".contains(c);
    if name.iter().any(bad) { Err("Announced human node name contained invalid character") } else { Ok(()) }
}

pub(super) fn title_template(template: &[u8]) -> Checked {
    const ERROR: &str = "template format is invalid or contains unknown variables";
    let title = std::str::from_utf8(template).ok().and_then(|template| expand(template, sample_of));
    match title {
        Some(title) if !title.trim_matches(' ').is_empty() => Ok(()),
        _ => Err(ERROR),
    }
}

/// What a variable would be at least: a title that may turn out empty is refused.
fn sample_of(name: &str) -> Option<String> {
    match name {
        "title" | "server-mode" | "unixsocket" => Some(String::new()),
        "listen-addr" | "config-file" | "port" | "tls-port" => Some("-".to_owned()),
        _ => None,
    }
}

/// The process title by `proc-title-template`: `title` is the program's name or what a child does, `config_file` its
/// config. Spaces at the ends go.
pub fn expand_title(config: &Config, title: &str, config_file: Option<&str>) -> String {
    let socket = || config.unixsocket.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let value = |name: &str| {
        Some(match name {
            "title" => title.to_owned(),
            "listen-addr" if config.port != 0 => {
                format!("{}:{}", config.bind.first().map_or("*", String::as_str), config.port)
            }
            "listen-addr" => format!("unixsocket:{}", socket()),
            "server-mode" => String::new(),
            "config-file" => config_file.unwrap_or("-").to_owned(),
            "port" => config.port.to_string(),
            "tls-port" => "0".to_owned(),
            "unixsocket" => socket(),
            _ => return None,
        })
    };
    expand(&config.proc_title_template, value).unwrap_or_default().trim_matches(' ').to_owned()
}

/// Replaces `{name}`; `{{` is a brace. `None`: an unknown name or a brace left open.
fn expand(template: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('{') {
            out.push('{');
            rest = after;
        } else {
            let (name, after) = after.split_once('}')?;
            out.push_str(&value(name)?);
            rest = after;
        }
    }
    out.push_str(rest);
    Some(out)
}
