//! What a format finds in a checkpoint: its weights, and the tensors that store each.

use super::{
    super::{
        error::{AGAIN, CheckpointError},
        files::File,
        place::{Parts, Place, StoredAs},
    },
    rows::{Rows, Scheme},
};

/// One weight.
pub(super) struct Weight {
    /// As an unquantised checkpoint names it.
    pub(super) name: String,
    pub(super) scheme: Scheme,
    /// Likewise, outermost dimension first.
    pub(super) shape: Vec<usize>,
    /// Indices of the tensors that store it, the one with its elements first, in the order that `rows` takes them in.
    pub(super) parts: Vec<usize>,
    pub(super) rows: Box<dyn Rows>,
}

/// Everything that a format reads.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) weights: Vec<Weight>,
    /// Tensors from which no number of a weight follows, such as scales of activations.
    pub(super) unread: Vec<usize>,
}

/// Tensors of a checkpoint that no weight needs.
#[derive(Default)]
pub(in super::super) struct Unread(pub(in super::super) Vec<Place>);

impl Plan {
    /// The weights in place of their parts, sorted by name, and what is not read.
    pub(super) fn place(
        self,
        files: &[File],
        places: Vec<Place>,
    ) -> Result<(Vec<Place>, Unread), CheckpointError> {
        let mut left: Vec<Option<Place>> = places.into_iter().map(Some).collect();
        let mut placed = Vec::new();
        for weight in self.weights {
            let Weight { name, scheme, shape, parts, rows } = weight;
            let mut taken = Vec::new();
            for part in parts {
                let Some(place) = left[part].take() else {
                    return Err(twice(files, &placed, &name));
                };
                taken.push(place);
            }
            let (file, range) = (taken[0].file, taken[0].range.clone()); // a weight has elements
            let dtype = StoredAs::Quantised(scheme);
            let parts = Some(Box::new(Parts { places: taken, rows }));
            placed.push(Place { name, dtype, shape, file, range, hash: Default::default(), parts });
        }
        let unread = self.unread.into_iter().filter_map(|index| left[index].take()).collect();
        placed.extend(left.into_iter().flatten());
        placed.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(pair) = placed.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(twice(files, std::slice::from_ref(&pair[0]), &pair[0].name));
        }
        Ok((placed, Unread(unread)))
    }
}

fn twice(files: &[File], near: &[Place], name: &str) -> CheckpointError {
    let file = near.last().map_or(0, |place| place.file);
    CheckpointError::Tensor {
        file: files[file].path().to_path_buf(),
        tensor: name.to_string(),
        expected: "it stored once".into(),
        found: "tensors that store it twice".into(),
        next: AGAIN,
    }
}
