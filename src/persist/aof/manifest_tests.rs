use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Manifest, String> {
    Manifest::parse(text.as_bytes()).map_err(|error| error.to_string())
}

fn printed(manifest: &Manifest) -> String {
    String::from_utf8(manifest.print()).expect("ASCII")
}

#[test]
fn reads_and_prints_what_real_servers_write() {
    for text in [
        "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.1.incr.aof seq 1 type h\n\
         file appendonly.aof.4.incr.aof seq 4 type i\nfile appendonly.aof.5.incr.aof seq 5 type i\n",
        "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i startoffset 0 endoffset 54\n",
        "file a.1.incr.aof seq 1 type i startoffset 77\n",
        "file \"a b\\x00.1.incr.aof\" seq 1 type i\n",
    ] {
        let want = text.replace("\\x00.1.incr.aof", "");
        assert_eq!(parse(text).map(|manifest| printed(&manifest)), Ok(want));
    }
}

#[test]
fn is_as_tolerant_as_real_servers() {
    let rows = [
        ("# a comment\nfile a seq 1 type i\n", "file a seq 1 type i\n"),
        ("  TYPE incr FILE a Seq +7x future 1\r\n", "file a seq 7 type i\n"),
        ("seq 1 file \"a\\\"b\" type b\n", "file \"a\\\"b\" seq 1 type b\n"),
        ("file a seq 1 type i startoffset -1 endoffset 5\n", "file a seq 1 type i\n"),
        ("# only this\n", ""),
        ("file b seq -4 type b\n", "file b seq -4 type b\n"),
    ];
    for (text, want) in rows {
        assert_eq!(parse(text).map(|manifest| printed(&manifest)), Ok(want.to_owned()), "{text}");
    }
}

#[test]
fn refuses_in_the_real_servers_words() {
    let rows = [
        ("", EMPTY),
        ("file a seq 1 type i", TOO_LONG),
        ("file a\0 seq 1 type i\n", TOO_LONG),
        ("file a seq 1 type i\n\n", "line 2, '': Invalid AOF manifest file format"),
        ("file a seq 1\n", "line 1, 'file a seq 1': Invalid AOF manifest file format"),
        ("file a seq 0 type i\n", "line 1, 'file a seq 0 type i': Invalid AOF manifest file format"),
        ("file \"a seq 1 type i\n", "line 1, 'file \"a seq 1 type i': Invalid AOF manifest file format"),
        ("file a seq 1 type x\n", "line 1, 'file a seq 1 type x': Unknown AOF file type"),
        ("file d/a seq 1 type i\n", "line 1, 'file d/a seq 1 type i': File can't be a path, just a filename"),
        (
            "file a seq 1 type b\nfile b seq 2 type b\n",
            "line 2, 'file b seq 2 type b': Found duplicate base file information",
        ),
        (
            "file a seq 2 type i\nfile b seq 2 type i\n",
            "line 2, 'file b seq 2 type i': Found a non-monotonic sequence number",
        ),
    ];
    for (text, want) in rows {
        assert_eq!(parse(text), Err(want.to_owned()), "{text:?}");
    }
    let long = format!("file {} seq 1 type i\n", "a".repeat(1024));
    assert_eq!(parse(&long), Err(TOO_LONG.to_owned()));
    let error = Manifest::parse(b"abc\n").expect_err("no manifest");
    assert_eq!(
        error.notes(),
        [
            "\n*** FATAL AOF MANIFEST FILE ERROR ***\n",
            "Reading the manifest file, at line 1\n",
            ">>> 'abc'\n",
            "Invalid AOF manifest file format\n"
        ]
    );
}

#[test]
fn goes_through_a_rewrite() {
    let names = Names::of("a.aof");
    let mut manifest = Manifest::default();
    assert!(manifest.is_empty());
    assert_eq!(manifest.next_base(&names, true).name, b"a.aof.1.base.rdb");
    assert_eq!(manifest.next_incr(&names, Some(0)).name, b"a.aof.1.incr.aof");
    assert_eq!(manifest.next_incr(&names, None).name, b"a.aof.2.incr.aof");
    manifest.next_base(&names, false);
    manifest.retire_incrs(1);
    let want = "file a.aof.2.base.aof seq 2 type b\nfile a.aof.1.incr.aof seq 1 type h startoffset 0\n\
                file a.aof.1.base.rdb seq 1 type h\nfile a.aof.2.incr.aof seq 2 type i\n";
    assert_eq!(printed(&manifest), want);
    let gone: Vec<_> = manifest.take_history().into_iter().map(|part| part.shown()).collect();
    assert_eq!(gone, ["a.aof.1.incr.aof", "a.aof.1.base.rdb"]);
    manifest.set_end_offset(Some(9));
    manifest.set_start_offset(Some(3));
    let want =
        "file a.aof.2.base.aof seq 2 type b\nfile a.aof.2.incr.aof seq 2 type i startoffset 3 endoffset 9\n";
    assert_eq!(printed(&manifest), want);
}

#[test]
fn takes_an_old_file_over_once() {
    let names = Names::of("a.aof");
    let mut manifest = Manifest::default();
    assert!(manifest.wants_single(&names, false));
    manifest.take_over(&names);
    assert_eq!(printed(&manifest), "file a.aof seq 1 type b\n");
    assert!(manifest.wants_single(&names, false), "the move was not reached");
    assert!(!manifest.wants_single(&names, true));
    manifest.next_incr(&names, None);
    assert!(!manifest.wants_single(&names, false));
    assert_eq!(names.manifest(), b"a.aof.manifest");
    assert_eq!(names.temp_manifest(), b"temp-a.aof.manifest");
    assert_eq!(names.temp_incr(), b"temp-a.aof.incr");
}

proptest! {
    #[test]
    fn never_panics(text: Vec<u8>, lines in r#"(file|seq|type|[ab"'\\ \n0-9]){0,40}"#) {
        let _ = Manifest::parse(&text);
        let _ = Manifest::parse(lines.as_bytes());
    }

    #[test]
    fn any_name_comes_back(stem in proptest::collection::vec(1_u8.., 1..40)) {
        prop_assume!(!stem.contains(&b'/') && !stem.contains(&b'\\'));
        let names = Names::of(stem);
        let mut manifest = Manifest::default();
        manifest.next_base(&names, true);
        manifest.next_incr(&names, Some(7));
        prop_assert_eq!(Manifest::parse(&manifest.print()), Ok(manifest));
    }
}
