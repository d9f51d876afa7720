//! The positions on one axis, held in the least memory.

use std::borrow::Cow;
use std::sync::Arc;

use super::Position;
use super::runs::{Run, stretches};
use crate::error::Error;

/// Position i is item ⌊i / each⌋ mod n of `n` items.
///
/// A plain list has as many items as positions. The rows of a grid repeat each item, its columns
/// begin again with the first, and so do the axes of arrays that were broadcast: what repeats is
/// held once.
#[derive(Clone)]
pub(super) struct List<'a> {
    pub(super) items: Items<'a>,
    pub(super) n: usize,
    pub(super) each: usize,
}

/// The items of a list. It is public in name only: the sealed trait of the numbers speaks of it.
#[derive(Clone)]
pub enum Items<'a> {
    /// Consecutive numbers from this one on.
    Range(usize),
    Unsigned(Cow<'a, [usize]>),
    Signed(Cow<'a, [i64]>),
    Real(Cow<'a, [f64]>),
    /// Items that are read where they lie: those of strided views, and numbers of other types.
    ByIndex(Arc<dyn Fn(usize) -> Option<Position> + Send + Sync + 'a>),
}

impl Items<'_> {
    pub(super) fn get(&self, index: usize) -> Option<Position> {
        match self {
            Self::Range(start) => start.checked_add(index).map(Position::from),
            Self::Unsigned(ids) => ids.get(index).map(|&id| Position::from(id)),
            Self::Signed(ids) => ids.get(index).map(|&id| Position::from(id)),
            Self::Real(reals) => reals.get(index).map(|&real| Position::from(real)),
            Self::ByIndex(item) => item(index),
        }
    }
}

impl<'a> List<'a> {
    /// A list of `n` items.
    pub(super) fn new(items: Items<'a>, n: usize) -> Self {
        Self { items, n, each: 1 }
    }

    /// A list of positions: as integers where all are.
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

    /// The number of positions after which the list begins again.
    pub(super) fn period(&self) -> usize {
        self.n.saturating_mul(self.each)
    }

    /// The number of the item that stands at `index`.
    fn item_at(&self, index: usize) -> usize {
        if self.each == 1 && index < self.n {
            return index;
        }
        (index / self.each).checked_rem(self.n).unwrap_or(0)
    }

    pub(super) fn get(&self, index: usize) -> Option<Position> {
        self.items.get(self.item_at(index))
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

    /// The `count` positions from `start` on as a list of their own, which begins again after them.
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

    /// The items changed by a function.
    pub(super) fn map(&self, f: impl Fn(f64) -> f64) -> Result<List<'static>, Error> {
        let mut reals = with_room(self.n, 1)?;
        let items = (0..self.n).filter_map(|item| self.items.get(item));
        reals.extend(items.map(|item| f(item.to_f64())));
        Ok(List { items: Items::Real(Cow::Owned(reals)), n: self.n, each: self.each })
    }

    /// The list without a borrow.
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
                all.extend((0..n).map_while(|index| item(index)));
                List::from_positions(all)?.items
            }
        };
        Ok(List { items, n, each })
    }

    /// Of the `count` positions from `start` on, enough indices, counted from `start`, to tell
    /// whether all lie within bounds: each item once, of consecutive numbers the ends.
    pub(super) fn bounds(&self, start: usize, count: usize) -> impl Iterator<Item = usize> + use<> {
        let (each, n) = (self.each, self.n.max(1));
        let (first, last) = (start / each, start.saturating_add(count.saturating_sub(1)) / each);
        let distinct = if count == 0 { 0 } else { (last - first).saturating_add(1).min(n) };
        // Where consecutive numbers begin again, their ends are the last one before and the first
        // one after.
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

    /// The longest run from `index` on, within the next `rest` positions.
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
                start.checked_add(k).is_some_and(|id| at(index) == Some(Position::Integer(id)))
            }),
        };
        Some(if repeated > 1 {
            Run::Repeated { position: start, len: repeated }
        } else {
            Run::Integers { start, len }
        })
    }

    /// Whether the `count` positions of two lists, from one start each, are the same numbers.
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
        // Two sequences with periods p and q are the same if p + q of their elements are.
        let enough = count.min(self.period().saturating_add(other.period()));
        (0..enough).all(|index| self.get(start + index) == other.get(at + index))
    }
}

/// An empty list with room for the positions on one of `axes`.
pub(super) fn with_room<T>(count: usize, axes: usize) -> Result<Vec<T>, Error> {
    let mut list = Vec::new();
    list.try_reserve_exact(count).map_err(|_| Error::TooLarge { rows: count, dim: axes })?;
    Ok(list)
}
