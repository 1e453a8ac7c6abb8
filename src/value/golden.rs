//! The recordings in `fixtures/packed/`, replayed: bytes, nodes and encodings must be the real server's.

use super::limits::Limits;
use super::list::{End, List};
use super::listpack::{Entry, Listpack};
use super::set::Set;
use sha1::{Digest, Sha1};
use std::fmt::Write;

/// An element as the recordings write it: a word, or `x*9` for nine x.
fn element(word: &str) -> Vec<u8> {
    match word.split_once('*') {
        Some((byte, n)) => byte.repeat(n.parse().expect("a number")).into_bytes(),
        None => word.into(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, b| {
        write!(hex, "{b:02x}").expect("strings take anything");
        hex
    })
}

/// A blob as the recordings tell it.
fn tell(blob: &[u8]) -> String {
    if blob.len() <= 40 {
        return hex(blob);
    }
    format!("{}/{}", hex(&Sha1::digest(blob)[..8]), blob.len())
}

/// The lines of a recording: what was done, and what was said then. `limits` lines have nothing behind.
fn lines(recording: &str) -> impl Iterator<Item = (Vec<&str>, &str)> {
    recording.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (done, said) = line.split_once(" = ").unwrap_or((line, ""));
        (done.split(' ').collect(), said)
    })
}

#[test]
fn listpacks_are_the_same_bytes() {
    for (words, said) in lines(include_str!("../../fixtures/packed/listpacks.txt")) {
        let mut lp = Listpack::new();
        for (i, word) in words.iter().enumerate() {
            lp.push_back(format!("f{i}").as_bytes());
            lp.push_back(&element(word));
        }
        assert_eq!(tell(lp.as_bytes()), said, "{words:?}");
        let mut again = Listpack::new();
        again.append_many(lp.iter());
        assert_eq!(again, lp);
        let texts: Vec<_> = lp.iter().rev().map(|e| e.to_vec()).collect();
        let mut from_behind = Listpack::new();
        texts.iter().for_each(|text| from_behind.push_front(Entry::from(text)));
        assert_eq!(from_behind, lp);
    }
}

fn do_list(list: &mut List, words: &[&str], limits: &Limits) {
    let element = |i: usize| element(words[i]);
    let number = |i: usize| words[i].parse::<i64>().expect("a number");
    match words[0] {
        "RPUSH" | "LPUSH" => {
            let end = if words[0] == "LPUSH" { End::Head } else { End::Tail };
            let elements: Vec<_> = (1..words.len()).map(element).collect();
            list.push_all(end, elements.iter().map(Vec::as_slice), limits);
        }
        "LPOP" => drop(list.pop(End::Head, limits)),
        "RPOP" => drop(list.pop(End::Tail, limits)),
        _ if list.is_empty() => {}
        "LSET" => {
            list.set(number(1), &element(2), limits);
        }
        "LINSERT" => {
            list.insert(&element(2), words[1] == "AFTER", &element(3), limits);
        }
        "LREM" => {
            list.remove(number(1), &element(2), limits);
        }
        "LTRIM" => {
            list.trim(number(1), number(2), limits);
        }
        other => panic!("{other} is not recorded"),
    }
    if list.is_empty() {
        *list = List::new();
    }
}

fn tell_list(list: &List) -> String {
    if list.is_empty() {
        return "none".into();
    }
    let nodes =
        list.nodes().map(|(plain, blob)| format!(" {}{}", if plain { 'p' } else { 'l' }, tell(&blob)));
    list.encoding().to_string() + &nodes.collect::<String>()
}

#[test]
fn lists_have_the_same_nodes() {
    (0..3).for_each(same_nodes);
}

fn same_nodes(depth: u32) {
    let mut limits = Limits { list_compress_depth: depth, ..Limits::default() };
    let mut list = List::new();
    for (n, (words, said)) in lines(include_str!("../../fixtures/packed/lists.txt")).enumerate() {
        if words[0] == "limits" {
            limits.list_max_listpack_size = words[1].parse().expect("a number");
            limits.list_packed_threshold = words[2].parse().expect("a number");
            list = List::new();
            continue;
        }
        do_list(&mut list, &words, &limits);
        assert_eq!(tell_list(&list), said, "line {}: {words:?} with {limits:?}", n + 2);
    }
}

fn do_set(set: &mut Option<Set>, words: &[&str], limits: &Limits) {
    let members: Vec<_> = words[1..].iter().map(|word| element(word)).collect();
    if words[0] == "SADD" {
        let set = match set {
            Some(set) => {
                set.expect(members.len(), limits);
                set
            }
            None => set.insert(Set::new(&members[0], members.len(), limits)),
        };
        members.iter().for_each(|m| {
            set.add(m, limits);
        });
    } else if let Some(set) = set {
        members.iter().for_each(|m| {
            set.remove(m);
        });
    }
    if set.as_ref().is_some_and(Set::is_empty) {
        *set = None;
    }
}

fn tell_set(set: Option<&Set>) -> String {
    match set {
        None => "none".into(),
        Some(set @ Set::Ints(ints)) => format!("{} {}", set.encoding(), tell(ints.as_bytes())),
        Some(set @ Set::Packed(lp)) => format!("{} {}", set.encoding(), tell(lp.as_bytes())),
        Some(set) => set.encoding().into(),
    }
}

#[test]
fn sets_have_the_same_encodings() {
    let (mut set, mut limits) = (None, Limits::default());
    for (n, (words, said)) in lines(include_str!("../../fixtures/packed/sets.txt")).enumerate() {
        if words[0] == "limits" {
            limits.set_max_intset_entries = words[1].parse().expect("a number");
            limits.set_max_listpack_entries = words[2].parse().expect("a number");
            limits.set_max_listpack_value = words[3].parse().expect("a number");
            set = None;
            continue;
        }
        do_set(&mut set, &words, &limits);
        assert_eq!(tell_set(set.as_ref()), said, "line {}: {words:?} with {limits:?}", n + 2);
    }
}
