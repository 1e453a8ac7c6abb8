//! What a log says of function libraries: FUNCTION LOAD, DELETE, FLUSH and RESTORE.
//!
//! Nothing here runs a library. A library is in a log because a server took it, so it is kept as it is, as those of
//! snapshots are. Payloads of the 7.0 release candidates are read, too.

use crate::command::Args;
use crate::engine::Libraries;
use crate::persist::rdb::restore_functions;

/// Whether a command is about libraries, of those that a log may hold.
pub(super) fn is_about_libraries(args: &Args<'_>) -> bool {
    let is =
        |at: usize, word: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    is(0, "function")
        && args.len() >= 2
        && ["load", "delete", "flush", "restore"].iter().any(|word| is(1, word))
}

/// Does what the command says. Errors: as the real server answers it.
pub(super) fn apply(libraries: &mut Libraries, args: &Args<'_>) -> Result<(), String> {
    let word = |at: usize| args.get(at).unwrap_or_default();
    let is = |at: usize, name: &str| word(at).eq_ignore_ascii_case(name.as_bytes());
    match args.len() {
        3.. if is(1, "load") => {
            let options = 2..args.len() - 1;
            if let Some(unknown) = options.clone().find(|at| !is(*at, "replace")) {
                return Err(format!("Unknown option given: {}", String::from_utf8_lossy(word(unknown))));
            }
            add(libraries, word(args.len() - 1), !options.is_empty())
        }
        3 if is(1, "delete") => match remove(libraries, word(2)) {
            true => Ok(()),
            false => Err("Library not found".into()),
        },
        2 | 3 if is(1, "flush") => {
            libraries.functions.clear();
            Ok(())
        }
        3 | 4 if is(1, "restore") => restore(libraries, word(2), is(3, "flush"), is(3, "replace")),
        _ => Err("wrong number of arguments".into()),
    }
}

fn restore(libraries: &mut Libraries, payload: &[u8], flush: bool, replace: bool) -> Result<(), String> {
    let found =
        restore_functions(payload, true).map_err(|_| "payload version or checksum are wrong".to_owned())?;
    let mut after = libraries.clone();
    if flush {
        after.functions.clear();
    }
    for code in &found {
        add(&mut after, code, replace)?;
    }
    *libraries = after;
    Ok(())
}

fn add(libraries: &mut Libraries, code: &[u8], replace: bool) -> Result<(), String> {
    let name = name_of(code).ok_or("Missing library metadata")?;
    if !replace && libraries.functions.iter().any(|other| name_of(other) == Some(name)) {
        return Err(format!("Library '{}' already exists", String::from_utf8_lossy(name)));
    }
    remove(libraries, name);
    libraries.functions.push(code.to_vec());
    Ok(())
}

fn remove(libraries: &mut Libraries, name: &[u8]) -> bool {
    let before = libraries.functions.len();
    libraries.functions.retain(|code| name_of(code) != Some(name));
    libraries.functions.len() < before
}

/// From the first line: `#!lua name=mylib`.
fn name_of(code: &[u8]) -> Option<&[u8]> {
    let first = code.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let mut words = first.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.find_map(|word| word.strip_prefix(b"name="))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::rdb::dump_functions;
    use crate::resp::OwnedArgs;

    fn run(libraries: &mut Libraries, words: &[&[u8]]) -> Result<(), String> {
        let request = OwnedArgs::from_slices(words);
        assert!(is_about_libraries(&request.args()));
        apply(libraries, &request.args())
    }

    #[test]
    fn libraries_come_and_go() {
        let (one, two, new) = (b"#!lua name=one\nx", b"#!lua engine=x name=two", b"#!lua name=one\ny");
        let mut libraries = Libraries::default();
        let names = |libraries: &Libraries| libraries.functions.len();
        assert_eq!(run(&mut libraries, &[b"FUNCTION", b"LOAD", one]), Ok(()));
        let twice = run(&mut libraries, &[b"function", b"load", new]);
        assert_eq!(twice, Err("Library 'one' already exists".into()));
        assert_eq!(run(&mut libraries, &[b"FUNCTION", b"LOAD", b"REPLACE", new]), Ok(()));
        assert_eq!(run(&mut libraries, &[b"FUNCTION", b"LOAD", two]), Ok(()));
        assert_eq!(libraries.functions, [new.to_vec(), two.to_vec()]);
        let payload = dump_functions(libraries.functions.iter().map(Vec::as_slice), false);
        assert_eq!(run(&mut libraries, &[b"FUNCTION", b"DELETE", b"one"]), Ok(()));
        assert!(run(&mut libraries, &[b"FUNCTION", b"DELETE", b"one"]).is_err());
        assert!(run(&mut libraries, &[b"FUNCTION", b"RESTORE", &payload]).is_err());
        assert_eq!(names(&libraries), 1, "all or nothing");
        assert_eq!(run(&mut libraries, &[b"FUNCTION", b"RESTORE", &payload, b"REPLACE"]), Ok(()));
        assert_eq!(names(&libraries), 2);
        assert_eq!(run(&mut libraries, &[b"FUNCTION", b"FLUSH", b"ASYNC"]), Ok(()));
        assert_eq!(names(&libraries), 0);
        assert!(run(&mut libraries, &[b"FUNCTION", b"LOAD", b"return 1"]).is_err());
    }
}
