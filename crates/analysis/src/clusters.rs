//! Which samples belong together: questions about one image, one video, one passage.

use std::collections::HashMap;
use std::hash::Hash;

/// Samples grouped by an id; groups are numbered in order of first appearance.
///
/// ```
/// use analysis::Clusters;
///
/// let by_image = Clusters::new(&["cat.png", "dog.png", "cat.png"]);
/// assert_eq!((by_image.len(), by_image.count()), (3, 2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    of: Vec<u32>,
    count: usize,
}

impl Clusters {
    /// Groups the samples by equal ids.
    #[must_use]
    pub fn new<Id: Eq + Hash>(ids: &[Id]) -> Self {
        let mut seen = HashMap::new();
        let mut of = Vec::with_capacity(ids.len());
        for id in ids {
            let next = seen.len() as u32;
            of.push(*seen.entry(id).or_insert(next));
        }
        Self {
            of,
            count: seen.len(),
        }
    }

    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// The number of clusters.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The clusters of the samples for which `keep` holds, numbered anew.
    pub(crate) fn retain(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<u32> = (0..self.len()).filter(|&i| keep(i)).map(|i| self.of[i]).collect();
        if kept.len() == self.len() {
            self.clone()
        } else {
            Self::new(&kept)
        }
    }

    /// The number of each sample's cluster.
    pub(crate) fn numbers(&self) -> &[u32] {
        &self.of
    }

    /// The number of samples in each cluster.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.count];
        for &g in &self.of {
            sizes[g as usize] += 1;
        }
        sizes
    }

    /// The samples of each cluster, in input order.
    pub(crate) fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.count];
        for (i, &g) in self.of.iter().enumerate() {
            members[g as usize].push(i);
        }
        members
    }

    /// Σ (x - centre) in each cluster.
    pub(crate) fn deviations(&self, xs: &[f64], centre: f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.count];
        for (&g, x) in self.of.iter().zip(xs) {
            sums[g as usize] += x - centre;
        }
        sums
    }
}
