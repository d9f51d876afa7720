//! The positions on one axis, stored compactly.

use std::borrow::Cow;
use std::sync::Arc;

use super::Position;
use super::runs::{Run, stretches};
use crate::error::Error;

/// A list of positions: position i is item ⌊i / each⌋ mod n of `n` items.
///
/// A plain list has as many items as positions. The rows of a grid repeat each item, its columns
/// repeat the whole list, and broadcast arrays repeat along an axis: what repeats is stored once.
#[derive(Clone)]
pub(super) struct List<'a> {
    pub(super) items: Items<'a>,
    pub(super) n: usize,
    pub(super) each: usize,
}

/// The items of a list. The type is public only because the sealed trait of the number types
/// mentions it.
#[derive(Clone)]
pub enum Items<'a> {
    /// Consecutive numbers from this one on.
    Range(usize),
    Unsigned(Cow<'a, [usize]>),
    Signed(Cow<'a, [i64]>),
    Real(Cow<'a, [f64]>),
    /// Items that are read by index without a copy: strided views, and numbers of other types.
    ByIndex(Arc<dyn Source + 'a>),
}

/// Items that are read by index.
pub trait Source: Send + Sync {
    /// Returns the item at `index`, or `None` past the end.
    fn get(&self, index: usize) -> Option<Position>;

    /// Reads consecutive items as doubles. One call through a pointer for many items takes less
    /// time than one for each.
    fn read(&self, first: usize, out: &mut [f64]);
}

impl<F: Fn(usize) -> Option<Position> + Send + Sync> Source for F {
    fn get(&self, index: usize) -> Option<Position> {
        self(index)
    }

    fn read(&self, first: usize, out: &mut [f64]) {
        read_each(first, out, self);
    }
}

/// Reads consecutive items as doubles, and 0 past the end.
fn read_each(first: usize, out: &mut [f64], get: impl Fn(usize) -> Option<Position>) {
    // The slice comes first: the last index may be the largest one, which has no successor.
    for (out, index) in out.iter_mut().zip(first..) {
        *out = get(index).map_or(0.0, Position::to_f64);
    }
}

impl Items<'_> {
    pub(super) fn get(&self, index: usize) -> Option<Position> {
        match self {
            Self::Range(start) => start.checked_add(index).map(Position::from),
            Self::Unsigned(ids) => ids.get(index).map(|&id| Position::from(id)),
            Self::Signed(ids) => ids.get(index).map(|&id| Position::from(id)),
            Self::Real(reals) => reals.get(index).map(|&real| Position::from(real)),
            Self::ByIndex(source) => source.get(index),
        }
    }

    fn read(&self, first: usize, out: &mut [f64]) {
        match self {
            Self::ByIndex(source) => source.read(first, out),
            _ => read_each(first, out, |index| self.get(index)),
        }
    }
}

impl<'a> List<'a> {
    /// Makes a list of `n` items.
    pub(super) fn new(items: Items<'a>, n: usize) -> Self {
        Self { items, n, each: 1 }
    }

    /// Makes a list of positions, stored as integers if all are.
    pub(super) fn from_positions(positions: Vec<Position>) -> Result<Self, Error> {
        let integer = |position: &Position| match *position {
            Position::Integer(id) => Some(id),
            Position::Real(_) => None,
        };
        let n = positions.len();
        if !positions.iter().all(|position| integer(position).is_some()) {
            let item = move |index| positions.get(index).copied();
            return Ok(Self::new(Items::ByIndex(Arc::new(item)), n));
        }
        let mut ids = with_room(n, 1)?;
        ids.extend(positions.iter().filter_map(integer));
        Ok(Self::new(Items::Signed(Cow::Owned(ids)), n))
    }

    /// Returns the number of positions after which the list repeats.
    pub(super) fn period(&self) -> usize {
        self.n.saturating_mul(self.each)
    }

    /// Returns the index of the item at position `index`.
    fn item_at(&self, index: usize) -> usize {
        if self.each == 1 && index < self.n {
            return index;
        }
        (index / self.each).checked_rem(self.n).unwrap_or(0)
    }

    pub(super) fn get(&self, index: usize) -> Option<Position> {
        self.items.get(self.item_at(index))
    }

    /// Reads consecutive positions as doubles.
    pub(super) fn read(&self, index: usize, out: &mut [f64]) {
        let item = self.item_at(index);
        if self.each == 1 && out.len() <= self.n.saturating_sub(item) {
            self.items.read(item, out);
        } else {
            read_each(index, out, |index| self.get(index));
        }
    }

    /// Borrows the list.
    pub(super) fn borrowed(&self) -> List<'_> {
        let items = match &self.items {
            Items::Range(start) => Items::Range(*start),
            Items::Unsigned(ids) => Items::Unsigned(Cow::Borrowed(ids)),
            Items::Signed(ids) => Items::Signed(Cow::Borrowed(ids)),
            Items::Real(reals) => Items::Real(Cow::Borrowed(reals)),
            Items::ByIndex(item) => Items::ByIndex(Arc::clone(item)),
        };
        List { items, n: self.n, each: self.each }
    }

    /// Returns the `count` positions from `start` on as a list of their own, which repeats after
    /// them.
    pub(super) fn part(self, start: usize, count: usize) -> Self {
        let (n, period) = (self.n, self.period());
        if n == 1 || (start, count) == (0, period) {
            return self;
        }
        if period != 0 && start.is_multiple_of(period) && count.is_multiple_of(period) {
            return self;
        }
        let range = start..start.saturating_add(count);
        let is_plain = self.each == 1 && range.end <= n;
        let items = match self.items {
            Items::Range(first) if is_plain => Items::Range(first + start),
            Items::Unsigned(Cow::Borrowed(ids)) if is_plain => Items::Unsigned(ids[range].into()),
            Items::Signed(Cow::Borrowed(ids)) if is_plain => Items::Signed(ids[range].into()),
            Items::Real(Cow::Borrowed(reals)) if is_plain => Items::Real(reals[range].into()),
            _ => Items::ByIndex(Arc::new(move |index| self.get(start.checked_add(index)?))),
        };
        Self::new(items, count)
    }

    /// Applies a function to the items.
    pub(super) fn map(&self, f: &dyn Fn(f64) -> f64) -> Result<List<'static>, Error> {
        let mut reals = with_room(self.n, 1)?;
        let items = (0..self.n).filter_map(|item| self.items.get(item));
        reals.extend(items.map(|item| f(item.to_f64())));
        Ok(List { items: Items::Real(Cow::Owned(reals)), n: self.n, each: self.each })
    }

    /// Returns an owned list.
    pub(super) fn into_owned(self) -> Result<List<'static>, Error> {
        let List { items, n, each } = self;
        fn owned<T: Copy>(list: Cow<'_, [T]>) -> Result<Cow<'static, [T]>, Error> {
            let Cow::Borrowed(list) = list else { return Ok(Cow::Owned(list.into_owned())) };
            let mut copy = with_room(list.len(), 1)?;
            copy.extend_from_slice(list);
            Ok(Cow::Owned(copy))
        }
        let items = match items {
            Items::Range(start) => Items::Range(start),
            Items::Unsigned(ids) => Items::Unsigned(owned(ids)?),
            Items::Signed(ids) => Items::Signed(owned(ids)?),
            Items::Real(reals) => Items::Real(owned(reals)?),
            Items::ByIndex(item) => {
                let mut all = with_room(n, 1)?;
                all.extend((0..n).map_while(|index| item.get(index)));
                List::from_positions(all)?.items
            }
        };
        Ok(List { items, n, each })
    }

    /// Returns enough indices, counted from `start`, to tell whether the `count` positions from
    /// there on lie within bounds: one index for each item, or the ends of consecutive numbers.
    pub(super) fn bounds(&self, start: usize, count: usize) -> impl Iterator<Item = usize> + use<> {
        let (each, n) = (self.each, self.n.max(1));
        let (first, last) = (start / each, start.saturating_add(count.saturating_sub(1)) / each);
        let distinct = if count == 0 { 0 } else { (last - first).saturating_add(1).min(n) };
        // Where consecutive numbers restart, the extremes are the last number before and the first
        // after.
        let (step, before) = match self.items {
            Items::Range(_) => (distinct.max(2) - 1, n - 1 - first % n),
            _ => (1, n),
        };
        let inner = [before, before.saturating_add(1)].into_iter().filter(move |_| before < n);
        (0..distinct)
            .step_by(step)
            .chain(inner.filter(move |&item| item < distinct))
            .map(move |item| ((first + item) * each).saturating_sub(start))
    }

    /// Returns the longest run that starts at `index`, within the next `rest` positions.
    pub(super) fn run_at(&self, index: usize, rest: usize) -> Option<Run> {
        let item = self.item_at(index);
        let start = match self.items.get(item)? {
            Position::Real(real) => return Some(Run::Real(real)),
            Position::Integer(start) => start,
        };
        if self.n == 1 || self.each > 1 {
            let same = if self.n == 1 { rest } else { rest.min(self.each - index % self.each) };
            return Some(if same > 1 {
                Run::Repeated { position: start, len: same }
            } else {
                Run::Integers { start, len: 1 }
            });
        }
        let rest = rest.min(self.n - item);
        let end = item + rest;
        let (len, repeated) = match &self.items {
            Items::Range(_) => (rest, 1),
            Items::Unsigned(ids) => {
                stretches(ids[item..end].iter(), |&id, k| i64::try_from(id) == Ok(start + k))
            }
            Items::Signed(ids) => {
                stretches(ids[item..end].iter(), |&id, k| start.checked_add(k) == Some(id))
            }
            Items::Real(reals) => stretches(reals[item..end].iter(), |&real, k| {
                Position::from(real) == Position::Integer(start + k)
            }),
            Items::ByIndex(at) => stretches(item..end, |index, k| {
                start.checked_add(k).is_some_and(|id| at.get(index) == Some(Position::Integer(id)))
            }),
        };
        Some(if repeated > 1 {
            Run::Repeated { position: start, len: repeated }
        } else {
            Run::Integers { start, len }
        })
    }

    /// Returns true if `count` positions of two lists, from `start` and `at` on, are equal.
    pub(super) fn equals(&self, start: usize, other: &List<'_>, at: usize, count: usize) -> bool {
        if let (Items::Range(a), Items::Range(b)) = (&self.items, &other.items) {
            let plain = |list: &List<'_>, start| list.each == 1 && start + count <= list.n;
            if plain(self, start) && plain(other, at) {
                return count == 0 || a + start == b + at;
            }
            if (a, start, self.n, self.each) == (b, at, other.n, other.each) {
                return true;
            }
        }
        // Two sequences with periods p and q are equal if their first p + q elements are.
        let enough = count.min(self.period().saturating_add(other.period()));
        (0..enough).all(|index| self.get(start + index) == other.get(at + index))
    }
}

/// Returns an empty list with room for the positions on one of `axes`.
pub(super) fn with_room<T>(count: usize, axes: usize) -> Result<Vec<T>, Error> {
    let mut list = Vec::new();
    list.try_reserve_exact(count).map_err(|_| Error::TooLarge { rows: count, dim: axes })?;
    Ok(list)
}
