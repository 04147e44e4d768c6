//! Metadata as codes: every column has its values, and a number for each sample.

use crate::input::{InputError, same_length};
use crate::order::{quantile, sorted};

/// The value of a sample that has none in this column.
pub const MISSING: &str = "(missing)";

/// The value of a sample whose own is too rare in a column of many.
pub const OTHER: &str = "(other)";

/// Columns with more values than this keep only the most frequent.
const MOST_VALUES: usize = 100;

/// How many values such a column keeps.
const KEPT_VALUES: usize = 20;

/// Quantile bins of a numeric column.
const BINS: usize = 5;

/// One property of the samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    values: Vec<String>,
    codes: Vec<u32>,
}

impl Column {
    /// A column as it is.
    #[must_use]
    pub fn new<Value: AsRef<str>>(samples: &[Value]) -> Self {
        let mut values: Vec<&str> = samples.iter().map(AsRef::as_ref).collect();
        values.sort_unstable();
        values.dedup();
        let code = |value: &Value| values.binary_search(&value.as_ref()).unwrap_or_default() as u32;
        let codes = samples.iter().map(code).collect();
        Self {
            values: values.into_iter().map(str::to_owned).collect(),
            codes,
        }
    }

    /// A column of names: a missing one is a value of its own, and of more than 100 values the 20
    /// most frequent stay and the others become one.
    #[must_use]
    pub fn categorical<Value: AsRef<str>>(samples: &[Option<Value>]) -> Self {
        let name = |sample: &Option<Value>| match sample {
            Some(value) => value.as_ref().to_owned(),
            None => MISSING.to_owned(),
        };
        let all = Self::new(&samples.iter().map(name).collect::<Vec<String>>());
        if all.values.len() <= MOST_VALUES {
            return all;
        }
        let mut counts = vec![0_usize; all.values.len()];
        all.codes.iter().for_each(|&code| counts[code as usize] += 1);
        let mut by_count: Vec<usize> = (0..counts.len()).collect();
        by_count.sort_by_key(|&code| (core::cmp::Reverse(counts[code]), code));
        let mut kept = vec![false; counts.len()];
        by_count
            .iter()
            .take(KEPT_VALUES)
            .for_each(|&code| kept[code] = true);
        let name = |&code: &u32| {
            if kept[code as usize] {
                all.values[code as usize].as_str()
            } else {
                OTHER
            }
        };
        Self::new(&all.codes.iter().map(name).collect::<Vec<&str>>())
    }

    /// A column of numbers, cut into five bins of about equal counts; NaN is missing.
    #[must_use]
    pub fn numeric(samples: &[f64]) -> Self {
        let there: Vec<f64> = samples.iter().copied().filter(|x| !x.is_nan()).collect();
        let ascending = sorted(&there);
        let mut cuts: Vec<f64> = (0..=BINS)
            .map(|i| quantile(&ascending, i as f64 / BINS as f64))
            .collect();
        cuts.dedup();
        let bin = |x: f64| {
            let above = cuts.iter().skip(1).take(cuts.len().saturating_sub(2));
            let i = above.filter(|cut| x >= **cut).count();
            let last = i + 2 >= cuts.len();
            let hi = cuts.get(i + 1).copied().unwrap_or(cuts[i]);
            // The number in front keeps the bins in order among the sorted values.
            format!("{}: [{}, {}{}", i + 1, cuts[i], hi, if last { "]" } else { ")" })
        };
        let name = |&x: &f64| if x.is_nan() { MISSING.to_owned() } else { bin(x) };
        Self::new(&samples.iter().map(name).collect::<Vec<String>>())
    }

    pub(super) fn codes(&self) -> &[u32] {
        &self.codes
    }

    pub(super) fn values(&self) -> &[String] {
        &self.values
    }
}

/// The properties of all samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Column>,
    len: usize,
}

impl Table {
    /// A table of columns.
    ///
    /// # Errors
    /// When the columns differ in length.
    pub fn new(columns: Vec<Column>) -> Result<Self, InputError> {
        let len = columns.first().map_or(0, |column| column.codes.len());
        for column in &columns {
            same_length("columns", column.codes.len(), len)?;
        }
        Ok(Self { columns, len })
    }

    /// A table from one row of values per sample, as they are.
    ///
    /// # Errors
    /// When the rows differ in length.
    pub fn from_rows<Value: AsRef<str>, Row: AsRef<[Value]>>(rows: &[Row]) -> Result<Self, InputError> {
        let width = rows.first().map_or(0, |row| row.as_ref().len());
        for row in rows {
            same_length("rows", row.as_ref().len(), width)?;
        }
        let column = |c: usize| -> Column {
            Column::new(
                &rows
                    .iter()
                    .map(|row| row.as_ref()[c].as_ref())
                    .collect::<Vec<&str>>(),
            )
        };
        Ok(Self {
            columns: (0..width).map(column).collect(),
            len: rows.len(),
        })
    }

    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(super) fn holds(&self, row: usize, predicates: &[(usize, u32)]) -> bool {
        predicates
            .iter()
            .all(|&(column, code)| self.columns[column].codes[row] == code)
    }

    pub(super) fn names(&self, predicates: &[(usize, u32)]) -> Vec<(usize, String)> {
        let name =
            |&(column, code): &(usize, u32)| (column, self.columns[column].values[code as usize].clone());
        predicates.iter().map(name).collect()
    }

    /// The codes of named predicates; `None` when this table has no such value.
    pub(super) fn codes(&self, predicates: &[(usize, String)]) -> Option<Vec<(usize, u32)>> {
        let code = |(column, value): &(usize, String)| {
            let values = self.columns.get(*column)?.values();
            Some((*column, values.binary_search(value).ok()? as u32))
        };
        predicates.iter().map(code).collect()
    }
}
