//! Sorted and filtered views of a twin's records, kept between the pages of one listing.
//!
//! A listing of a million records is sorted once, not once a page. A view lives until a record changes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many views are kept; a listing needs one, and few run at once.
const VIEWS_MAX: usize = 4;

/// The views of one collection.
#[derive(Debug, Default)]
pub(crate) struct Views {
    kept: Mutex<VecDeque<View>>,
}

#[derive(Debug)]
struct View {
    version: u64,
    key: String,
    rows: Arc<[u32]>,
}

impl Views {
    /// The positions that `build` gives for this key, built only where the collection's version has moved on.
    pub(crate) fn get(&self, version: u64, key: &str, build: impl FnOnce() -> Vec<u32>) -> Arc<[u32]> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|view| view.version == version);
        if let Some(view) = kept.iter().find(|view| view.key == key) {
            return Arc::clone(&view.rows);
        }
        let rows: Arc<[u32]> = build().into();
        if kept.len() == VIEWS_MAX {
            kept.pop_front();
        }
        kept.push_back(View { version, key: key.to_owned(), rows: Arc::clone(&rows) });
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_built_once_for_each_version() {
        let views = Views::default();
        let mut built = 0;
        for version in [1, 1, 2, 2] {
            views.get(version, "all", || {
                built += 1;
                vec![built]
            });
        }
        assert_eq!(built, 2);
    }

    #[test]
    fn the_oldest_view_gives_way() {
        let views = Views::default();
        for key in 0..=VIEWS_MAX {
            views.get(1, &key.to_string(), Vec::new);
        }
        let mut rebuilt = false;
        views.get(1, "0", || {
            rebuilt = true;
            Vec::new()
        });
        assert!(rebuilt);
    }
}
