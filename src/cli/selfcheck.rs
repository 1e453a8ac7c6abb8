//! `--test-memory` and `--check-system`.

use crate::serve::process::system;
use std::ffi::OsString;
use std::process::ExitCode;

/// Passes over the memory.
const PASSES: u64 = 5;
const WORDS_PER_MB: usize = (1 << 20) / size_of::<u64>();

/// Checks the settings of the system, each with a line; status 1 if one does harm.
pub fn check_system() -> ExitCode {
    let mut fine = true;
    for check in system::checks() {
        match check.warning {
            None => println!("[{}]...OK", check.name),
            Some(text) => {
                println!("[{}]...WARNING:\n{text}\n", check.name);
                fine = false;
            }
        }
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Fills so many megabytes with patterns and reads them back.
pub fn test_memory(megabytes: Option<OsString>) -> ExitCode {
    let Some(megabytes) = megabytes.and_then(|text| text.to_str()?.parse::<usize>().ok()) else {
        eprintln!(
            "Please specify the amount of memory to test in megabytes.\nExample: resnap --test-memory 4096\n"
        );
        return ExitCode::FAILURE;
    };
    let mut memory: Vec<u64> = Vec::new();
    let words = megabytes.checked_mul(WORDS_PER_MB);
    let Some(words) = words.filter(|words| memory.try_reserve_exact(*words).is_ok()) else {
        eprintln!("Unable to allocate {megabytes} megabytes.");
        return ExitCode::FAILURE;
    };
    memory.resize(words, 0);
    let wrong: usize = (0..PASSES).map(|pass| wrong_words(&mut memory, pass)).sum();
    if wrong == 0 {
        println!("Your memory passed this test.");
        return ExitCode::SUCCESS;
    }
    println!("*** MEMORY ERROR DETECTED *** {wrong} words of 8 bytes came back changed.");
    ExitCode::FAILURE
}

/// Every word gets a value of its own, then its complement; how many did not keep them.
fn wrong_words(memory: &mut [u64], pass: u64) -> usize {
    // Odd, so that no two addresses share a value.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let value = |at: usize| (at as u64).wrapping_add(pass << 56).wrapping_mul(SPREAD);
    memory.iter_mut().enumerate().for_each(|(at, word)| *word = value(at));
    let mut wrong = 0;
    for (at, word) in memory.iter_mut().enumerate() {
        wrong += usize::from(std::hint::black_box(*word) != value(at));
        *word = !value(at);
    }
    wrong + memory.iter().enumerate().filter(|(at, word)| std::hint::black_box(**word) != !value(*at)).count()
}
