//! Random members: one, several, and taken out.

use super::{Entry, Limits, Listpack, RandomState, Set};
use crate::value::listpack::Pos;
use std::collections::HashSet;

/// How much bigger what is taken must be than what stays, so that building a new set of what stays is cheaper.
const REBUILD_FACTOR: usize = 5;
/// A sample of more than a third of a set is not drawn member by member.
const SHUFFLE_FACTOR: usize = 3;

impl Set {
    /// A uniformly random member.
    pub fn random(&self, rng: &mut fastrand::Rng) -> Option<Entry<'_>> {
        match self {
            Set::Ints(ints) => ints.random(rng).map(Entry::Int),
            Set::Packed(lp) => random_pos(lp, rng).map(|pos| lp.get(pos)),
            Set::Table(table) => table.0.random(rng).map(|ix| table.0.get(ix).entry()),
        }
    }

    /// Takes a random member out, after `f` saw it.
    pub fn pop_with<R>(&mut self, rng: &mut fastrand::Rng, f: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        match self {
            Set::Ints(ints) if ints.is_empty() => None,
            Set::Ints(ints) => Some(f(Entry::Int(ints.remove_at(rng.usize(..ints.len()))))),
            Set::Packed(lp) => {
                let pos = random_pos(lp, rng)?;
                let result = f(lp.get(pos));
                lp.delete(pos);
                Some(result)
            }
            Set::Table(table) => {
                let ix = table.0.random(rng)?;
                Some(f(table.0.remove(ix).entry()))
            }
        }
    }

    /// Takes a random member.
    pub fn pop(&mut self, rng: &mut fastrand::Rng) -> Option<Vec<u8>> {
        self.pop_with(rng, |e| e.to_vec())
    }

    /// Takes `n` random members out, or all, and shows each to `f`.
    ///
    /// When little stays, the rest becomes a new set, which may be small enough for a small encoding, as with
    /// SPOP in the real server.
    pub fn pop_many(
        &mut self,
        n: usize,
        limits: &Limits,
        rng: &mut fastrand::Rng,
        mut f: impl FnMut(Entry<'_>),
    ) {
        let n = n.min(self.len());
        if let Set::Packed(lp) = self {
            let picked = sample_listpack(lp, n, rng);
            picked.iter().for_each(|pos| f(lp.get(*pos)));
            return lp.delete_many(&picked);
        }
        let stays = self.len() - n;
        if stays == 0 || stays.saturating_mul(REBUILD_FACTOR) > n {
            for _ in 0..n {
                self.pop_with(rng, &mut f);
            }
            return;
        }
        let mut rest = if let Set::Ints(_) = self { Set::default() } else { Set::packed() };
        for _ in 0..stays {
            self.pop_with(rng, |e| rest.add(e, limits));
        }
        self.iter().for_each(f);
        *self = rest;
    }

    /// `n` different random members, or all, in no order.
    pub fn sample(&self, n: usize, rng: &mut fastrand::Rng) -> Vec<Entry<'_>> {
        if let Set::Packed(lp) = self {
            return sample_listpack(lp, n, rng).into_iter().map(|pos| lp.get(pos)).collect();
        }
        let len = self.len();
        if n.saturating_mul(SHUFFLE_FACTOR) < len {
            return self.draw(n, rng);
        }
        let mut all: Vec<_> = self.iter().collect();
        for i in 0..n.min(len) {
            all.swap(i, rng.usize(i..len));
        }
        all.truncate(n);
        all
    }

    /// `n` different random members, far fewer than there are.
    fn draw(&self, n: usize, rng: &mut fastrand::Rng) -> Vec<Entry<'_>> {
        let mut seen = HashSet::<_, RandomState>::with_capacity_and_hasher(n, RandomState::default());
        let mut drawn = Vec::with_capacity(n);
        while drawn.len() < n {
            match self.random(rng) {
                Some(e) if seen.insert(e) => drawn.push(e),
                Some(_) => {}
                None => break,
            }
        }
        drawn
    }
}

fn random_pos(lp: &Listpack, rng: &mut fastrand::Rng) -> Option<Pos> {
    let len = lp.len();
    if len == 0 { None } else { lp.seek(rng.usize(..len) as i64) }
}

/// The positions of `n` different random entries, or of all, in their order: one walk.
fn sample_listpack(lp: &Listpack, n: usize, rng: &mut fastrand::Rng) -> Vec<Pos> {
    let (mut left, mut wanted) = (lp.len(), n.min(lp.len()));
    let mut picked = Vec::with_capacity(wanted);
    let mut next = lp.first();
    while let Some(pos) = next.filter(|_| wanted > 0) {
        if rng.usize(..left) < wanted {
            picked.push(pos);
            wanted -= 1;
        }
        left -= 1;
        next = lp.next(pos);
    }
    picked
}
