//! Sorts a part of a slice, as the real server does where only some of many are wanted: in time for those alone, and
//! with elements that are equal in the order in which that method leaves them, which clients see.
//!
//! Quicksort as in J. Bentley and M. McIlroy, "Engineering a Sort Function" (1993), without the parts that nobody wants.

use std::cmp::Ordering;
use std::ops::Range;

/// So few are sorted by insertion.
const FEW: usize = 7;
/// From here on the pivot is a median of medians.
const MANY: usize = 40;
/// Rounds after which an order that was made to be slow is given up: far more than chance ever takes.
const PATIENCE: u32 = 200;

/// Brings to the places `wanted` what is there in the sorted slice; what is elsewhere lies anywhere.
pub fn sort_part<T>(all: &mut [T], wanted: Range<usize>, compare: &impl Fn(&T, &T) -> Ordering) {
    within(all, wanted, compare, PATIENCE);
}

fn within<T>(
    mut all: &mut [T],
    mut wanted: Range<usize>,
    compare: &impl Fn(&T, &T) -> Ordering,
    patience: u32,
) {
    for patience in (0..patience).rev() {
        if all.len() < FEW {
            return insertion(all, compare);
        }
        let (lower, higher) = partition(all, compare);
        let (left, rest) = all.split_at_mut(lower);
        let right_at = lower + rest.len() - higher;
        let right = rest.split_at_mut(rest.len() - higher).1;
        let of_left = wanted.start.min(lower)..wanted.end.min(lower);
        let of_right = wanted.start.saturating_sub(right_at)..wanted.end.saturating_sub(right_at);
        // Into the shorter one, so that this goes no deeper than the logarithm.
        let (short, of_short, long, of_long) =
            if lower < higher { (left, of_left, right, of_right) } else { (right, of_right, left, of_left) };
        if short.len() > 1 && !of_short.is_empty() {
            within(short, of_short, compare, patience);
        }
        if long.len() <= 1 || of_long.is_empty() {
            return;
        }
        (all, wanted) = (long, of_long);
    }
    all.sort_by(compare);
}

fn insertion<T>(all: &mut [T], compare: &impl Fn(&T, &T) -> Ordering) {
    for next in 1..all.len() {
        let mut at = next;
        while at > 0 && compare(&all[at - 1], &all[at]).is_gt() {
            all.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// Brings what is lower than some element to the left end, what is higher to the right end, and gives how many these
/// are. What is equal gathers at both ends at first.
fn partition<T>(all: &mut [T], compare: &impl Fn(&T, &T) -> Ordering) -> (usize, usize) {
    let len = all.len();
    all.swap(0, pivot(all, compare));
    let (mut equal_left, mut left, mut right, mut equal_right) = (1, 1, len - 1, len - 1);
    loop {
        while left <= right {
            match compare(&all[left], &all[0]) {
                Ordering::Greater => break,
                Ordering::Equal => {
                    all.swap(equal_left, left);
                    equal_left += 1;
                }
                Ordering::Less => {}
            }
            left += 1;
        }
        while left <= right {
            match compare(&all[right], &all[0]) {
                Ordering::Less => break,
                Ordering::Equal => {
                    all.swap(right, equal_right);
                    equal_right -= 1;
                }
                Ordering::Greater => {}
            }
            right -= 1;
        }
        if left > right {
            break;
        }
        all.swap(left, right);
        (left, right) = (left + 1, right - 1);
    }
    let (lower, higher) = (left - equal_left, equal_right - right);
    exchange(all, 0, left, equal_left.min(lower));
    exchange(all, left, len, higher.min(len - 1 - equal_right));
    (lower, higher)
}

/// Exchanges `count` elements from `at` on with as many in front of `end`.
fn exchange<T>(all: &mut [T], at: usize, end: usize, count: usize) {
    (0..count).for_each(|n| all.swap(at + n, end - count + n));
}

fn pivot<T>(all: &[T], compare: &impl Fn(&T, &T) -> Ordering) -> usize {
    let (mut first, mut middle, mut last) = (0, all.len() / 2, all.len() - 1);
    if all.len() > MANY {
        let step = all.len() / 8;
        first = median(all, first, first + step, first + 2 * step, compare);
        middle = median(all, middle - step, middle, middle + step, compare);
        last = median(all, last - 2 * step, last - step, last, compare);
    }
    if all.len() > FEW { median(all, first, middle, last, compare) } else { middle }
}

/// The one in the middle of three; of equal ones the one that the method takes.
fn median<T>(all: &[T], a: usize, b: usize, c: usize, compare: &impl Fn(&T, &T) -> Ordering) -> usize {
    let order = |x: usize, y: usize| compare(&all[x], &all[y]);
    match (order(a, b).is_lt(), order(b, c)) {
        (true, Ordering::Less) | (false, Ordering::Greater) => b,
        (true, _) => {
            if order(a, c).is_lt() {
                c
            } else {
                a
            }
        }
        (false, _) => {
            if order(a, c).is_lt() {
                a
            } else {
                c
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_wanted_is_that_of_the_whole(
            values in prop::collection::vec(0u8..20, 0..300), from in 0usize..300, len in 0usize..300,
        ) {
            let wanted = from.min(values.len())..(from + len).min(values.len());
            let mut whole = values.clone();
            whole.sort_unstable();
            let mut part = values;
            sort_part(&mut part, wanted.clone(), &u8::cmp);
            prop_assert_eq!(&part[wanted.clone()], &whole[wanted]);
            part.sort_unstable();
            prop_assert_eq!(part, whole);
        }
    }
}
