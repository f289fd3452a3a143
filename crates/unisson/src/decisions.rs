//! Every decision that is known, whether its standing is cached or waits to be made anew: a list of people who must not
//! be contacted has no holes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use unisson_consent::Law;
use unisson_plan::{KeyDecision, SubjectNo, judge};
use unisson_store::Store;

use crate::exit::Failure;

/// How many subjects are read at once.
const PAGE: usize = 1_000;

/// Shows every decision to `look`, once.
pub(crate) async fn each(store: &dyn Store, law: &Law, mut look: impl FnMut(KeyDecision)) -> Result<(), Failure> {
    let now = Timestamp::now();
    let stale: BTreeSet<SubjectNo> = store.stale(now, usize::MAX).await?.into_iter().collect();
    let mut after = None;
    loop {
        let page = store.standings(after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        let fresh = page.into_iter().filter(|(subject, _)| !stale.contains(subject));
        fresh.flat_map(|(_, known)| known).for_each(&mut look);
    }
    let stale: Vec<SubjectNo> = stale.into_iter().collect();
    for subjects in stale.chunks(PAGE) {
        for dossier in store.dossiers(subjects).await? {
            judge(&dossier, law, &BTreeMap::new(), now).decisions.into_iter().for_each(&mut look);
        }
    }
    Ok(())
}
