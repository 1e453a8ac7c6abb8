#![allow(unsafe_code)] // glob(3), so that patterns mean what they mean to the shell and to the real server
//! Files that a pattern matches.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The files that the pattern matches, in order; none if none does or the pattern cannot be one.
pub fn files(pattern: &[u8]) -> Vec<PathBuf> {
    let Ok(pattern) = CString::new(pattern) else { return Vec::new() };
    // SAFETY: `found` is plain data for which zeros are valid; the pattern ends with a NUL. After a call that succeeds
    // `gl_pathv` has `gl_pathc` strings that live until `globfree`, which is called once, after they were copied.
    unsafe {
        let mut found: libc::glob_t = std::mem::zeroed();
        let matched = libc::glob(pattern.as_ptr(), 0, None, &mut found) == 0;
        let count = if matched { found.gl_pathc } else { 0 };
        let name = |at: usize| CStr::from_ptr(*found.gl_pathv.add(at)).to_bytes();
        let files = (0..count).map(|at| PathBuf::from(OsStr::from_bytes(name(at)))).collect();
        libc::globfree(&mut found);
        files
    }
}

/// Whether it is a pattern at all.
pub fn is_pattern(path: &[u8]) -> bool {
    path.iter().any(|c| b"*?[".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_in_order() {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["b.conf", "a.conf", "c.txt"] {
            std::fs::write(dir.path().join(name), "").expect("written");
        }
        let pattern = dir.path().join("*.conf");
        let names: Vec<_> = files(pattern.as_os_str().as_bytes())
            .iter()
            .map(|path| path.file_name().expect("a name").to_owned())
            .collect();
        assert_eq!(names, ["a.conf", "b.conf"]);
        assert_eq!(files(b"/nonexistent/*.conf"), Vec::<PathBuf>::new());
        assert!(is_pattern(b"a[b]") && !is_pattern(b"/etc/redis.conf"));
    }
}
