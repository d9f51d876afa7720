//! Gradients of tables, slopes, kernels and gates.

use super::{DifferentiableBias, of_key};
use crate::arrays::check_finite;
use crate::bias::distance::{Distances, PAGE, distances};
use crate::bias::table::read_rows;
use crate::bias::{
    Alibi, AttentionBias, AxesBias, Forget, Kerple, Sandwich, TableBias, TableRule, column,
};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use crate::training::{Parameter, Trainable, check_values, copy_values};

impl<A: Element, R: TableRule> Trainable<A> for TableBias<A, R> {
    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("table", self.table.shape(), false)]
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        copy_values(self.table.len(), self.table.iter().copied(), values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.table.len(), values.len())?;
        check_finite(values)?;
        self.table.iter_mut().zip(values).for_each(|(own, value)| *own = *value);
        Ok(())
    }
}

impl<A: Element, R: TableRule> DifferentiableBias<A> for TableBias<A, R> {
    fn backward_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: &[f64],
        gradient: &mut [f64],
    ) {
        read_rows::<PAGE>(&self.rule, query, keys, |start, rows| {
            for (key, row) in (start..).zip(rows) {
                let Some(place) = self.place(*row) else { continue };
                let own = gradient.get_mut(place..).unwrap_or_default();
                let upstream = of_key(upstream, keys.len(), key);
                own.iter_mut().zip(upstream).for_each(|(sum, value)| *sum += value);
            }
        });
    }
}

impl<A: Element, R: TableRule> Trainable<A> for AxesBias<A, R> {
    fn parameters(&self) -> Vec<Parameter> {
        let tables = self.parts.iter().enumerate();
        let of = |(i, part): (usize, &TableBias<A, R>)| {
            Parameter::new(format!("axis_{i}.table"), part.table.shape(), false)
        };
        tables.map(of).collect()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        let own = self.parts.iter().flat_map(|part| &part.table);
        copy_values(self.parameter_count(), own.copied(), values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        check_finite(values)?;
        let own = self.parts.iter_mut().flat_map(|part| &mut part.table);
        own.zip(values).for_each(|(own, value)| *own = *value);
        Ok(())
    }
}

impl<A: Element, R: TableRule> DifferentiableBias<A> for AxesBias<A, R> {
    fn backward_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: &[f64],
        gradient: &mut [f64],
    ) {
        let mut rest = gradient;
        for (axis, part) in self.parts.iter().enumerate() {
            let (own, others) = rest.split_at_mut(part.table.len().min(rest.len()));
            if let Some((query, keys)) = query.axis(axis).zip(keys.axis(axis)) {
                part.backward_row(&query, &keys, upstream, own);
            }
            rest = others;
        }
    }
}

impl<A: Element> Trainable<A> for Alibi {
    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("slopes", [AttentionBias::<A>::heads(self)], false)]
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        let slopes = self.slopes();
        copy_values(slopes.len(), slopes.into_iter().map(A::from_f64), values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(AttentionBias::<A>::heads(self), values.len())?;
        self.set_slopes(values)
    }
}

impl<A: Element> DifferentiableBias<A> for Alibi {
    fn backward_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: &[f64],
        gradient: &mut [f64],
    ) {
        self.factors(query, keys, |start, Distances { values, .. }| {
            for (slope, upstream) in gradient.iter_mut().zip(upstream.chunks(keys.len().max(1))) {
                let terms = values.iter().zip(upstream.get(start..).unwrap_or_default());
                *slope += terms.map(|(factor, value)| factor * value).sum::<f64>();
            }
        });
    }
}

impl<A: Element> Trainable<A> for Kerple {
    fn parameters(&self) -> Vec<Parameter> {
        ["r1", "r2"].map(|name| Parameter::new(name, [self.parameters.len()], false)).into()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        let own = [0, 1].into_iter().flat_map(|i| self.parameters.iter().map(move |own| own[i]));
        copy_values(2 * self.parameters.len(), own.map(A::from_f64), values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(2 * self.parameters.len(), values.len())?;
        let values: Vec<f64> = values.iter().map(|value| value.to_f64()).collect();
        let (r1, r2) = values.split_at(self.parameters.len());
        *self = Self::new(self.kernel, r1, r2)?;
        Ok(())
    }
}

impl<A: Element> DifferentiableBias<A> for Kerple {
    fn backward_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: &[f64],
        gradient: &mut [f64],
    ) {
        let (of_r1, of_r2) = gradient.split_at_mut(self.parameters.len().min(gradient.len()));
        distances(query, keys, |start, Distances { values, .. }| {
            let rows = upstream.chunks(keys.len().max(1));
            let heads = self.parameters.iter().zip(of_r1.iter_mut().zip(of_r2.iter_mut()));
            for ((own, (r1, r2)), upstream) in heads.zip(rows) {
                for (d, upstream) in values.iter().zip(upstream.get(start..).unwrap_or_default()) {
                    let [_, by_r1, by_r2] = self.kernel.value_and_slopes(*own, d.abs());
                    *r1 += upstream * by_r1;
                    *r2 += upstream * by_r2;
                }
            }
        });
    }
}

impl<A: Element> Trainable<A> for Forget {
    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("sums", self.sums.shape(), false)]
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        copy_values(self.sums.len(), self.sums.mapv(A::from_f64), values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.sums.len(), values.len())?;
        check_finite(values)?;
        self.sums.iter_mut().zip(values).for_each(|(own, value)| *own = value.to_f64());
        Ok(())
    }
}

impl<A: Element> DifferentiableBias<A> for Forget {
    fn backward_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: &[f64],
        gradient: &mut [f64],
    ) {
        let query = column(query.get(0));
        let rows = gradient.chunks_mut(self.sums.ncols().max(1));
        for (row, upstream) in rows.zip(upstream.chunks(keys.len().max(1))) {
            for (key, value) in upstream.iter().enumerate() {
                for (column, value) in [(query, *value), (column(keys.get(key)), -value)] {
                    row.get_mut(column).into_iter().for_each(|sum| *sum += value);
                }
            }
        }
    }
}

/// Sandwich has no parameters.
impl<A: Element> Trainable<A> for Sandwich {
    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(0, values.len())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(0, values.len())
    }
}

impl<A: Element> DifferentiableBias<A> for Sandwich {
    fn backward_row(&self, _: &Positions<'_>, _: &Positions<'_>, _: &[f64], _: &mut [f64]) {}
}
