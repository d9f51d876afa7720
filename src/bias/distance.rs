//! Distances of a query from its keys, in blocks of keys.

use crate::element::Element;
use crate::exact::largest;
use crate::positions::{Position, Positions, Run};

/// The number of keys in a block of rows or values.
pub(crate) const CHUNK: usize = 256;

/// The number of distances in a block, which is on the stack. It is larger than [`CHUNK`], so that
/// the row of each head is written in long pieces.
pub(crate) const PAGE: usize = 1024;

/// The distances query − key of a block of keys, each exactly the sum of two doubles.
pub(crate) struct Distances<'a> {
    pub(crate) values: &'a mut [f64],
    /// The rounding errors of the values: zero wherever a distance is a double.
    pub(crate) rests: &'a mut [f64],
    /// Whether the values are whole numbers that fall by 1 from key to key, and all rests are zero.
    pub(crate) fall: bool,
}

/// Calls `visit` with the distances of each block of keys and the index of its first key.
pub(crate) fn distances(
    query: &Positions<'_>,
    keys: &Positions<'_>,
    mut visit: impl FnMut(usize, Distances<'_>),
) {
    let Some(query) = query.get(0) else { return };
    let (mut values, mut rests) = ([0.0; PAGE], [0.0; PAGE]);
    for start in (0..keys.len()).step_by(PAGE) {
        let keys = keys.slice(start..start + PAGE);
        let (values, rests) = (&mut values[..keys.len()], &mut rests[..keys.len()]);
        let first = first_of_falling(query, &keys);
        match first {
            Some(first) => {
                (0..PAGE as i32)
                    .zip(values.iter_mut())
                    .for_each(|(i, value)| *value = first as f64 - f64::from(i));
                rests.fill(0.0);
            }
            None => keys
                .iter()
                .zip(values.iter_mut().zip(rests.iter_mut()))
                .for_each(|(key, (value, rest))| [*value, *rest] = query.less(key)),
        }
        visit(start, Distances { values, rests, fall: first.is_some() });
    }
}

/// Returns the first of positions that are consecutive whole numbers on one axis.
fn consecutive(positions: &Positions<'_>) -> Option<i64> {
    match positions.run_at(0) {
        Some(Run::Integers { start, len }) if len == positions.len() && positions.axes() == 1 => {
            Some(start)
        }
        _ => None,
    }
}

/// Returns the distance of the first key if all distances are small whole numbers and fall by 1
/// from key to key.
pub(crate) fn first_of_falling(query: Position, keys: &Positions<'_>) -> Option<i64> {
    let (Position::Integer(query), Some(start)) = (query, consecutive(keys)) else { return None };
    // Differences of such numbers are exact doubles.
    let is_small = (query.unsigned_abs() | start.unsigned_abs()) < 1 << 50;
    is_small.then(|| query - start)
}

/// Returns the distance of the last query from the first key if queries and keys are consecutive.
/// This distance is the largest, and the others fall from it by 1.
pub(crate) fn last_distance(queries: &Positions<'_>, keys: &Positions<'_>) -> Option<i64> {
    let (query, key) = consecutive(queries).zip(consecutive(keys))?;
    query.checked_add_unsigned(queries.len() as u64 - 1)?.checked_sub(key)
}

/// Writes row(distance) to `rows` for the distance of each key.
pub(crate) fn rows_of_distances(
    query: &Positions<'_>,
    keys: &Positions<'_>,
    rows: &mut [usize],
    row: impl Fn(f64) -> usize,
) {
    distances(query, keys, |start, Distances { values, .. }| {
        let rows = rows.iter_mut().skip(start).zip(values);
        rows.for_each(|(to, distance)| *to = row(*distance));
    });
}

/// Writes value(head, i), rounded once, for each head and the i-th of `count` keys from `start` on,
/// to `out`, a row of `keys` values for each head.
pub(crate) fn put_values<A: Element>(
    out: &mut [A],
    [heads, keys]: [usize; 2],
    (start, count): (usize, usize),
    value: impl Fn(usize, usize) -> f64,
) {
    let largest = largest::<A>();
    for (head, row) in out.chunks_exact_mut(keys.max(1)).take(heads).enumerate() {
        for (i, out) in row[start..start + count].iter_mut().enumerate() {
            *out = A::from_f64(value(head, i).min(largest));
        }
    }
}
