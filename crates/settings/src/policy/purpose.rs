//! Checks of purposes and of everything that names one.

use super::check::Check;
use crate::nearest::instead;
use crate::path::KeyPath;
use crate::word::check_name;

/// How many purposes a policy can have.
const PURPOSES_MAX: usize = 1_000;

pub(super) fn check(check: &mut Check<'_>) {
    let purposes = &check.file.purposes;
    let path = KeyPath::of(&["purposes"]);
    if purposes.len() > PURPOSES_MAX {
        return check.refuse(&path, format!("has {} purposes; a policy can have {PURPOSES_MAX}", purposes.len()));
    }
    for (id, purpose) in purposes {
        let path = path.key(id);
        if let Err(problem) = check_name(id) {
            check.refuse(&path, problem);
        }
        if purpose.dpv.as_ref().is_some_and(|dpv| !dpv.starts_with("https://")) {
            check.refuse(&path.key("dpv"), "is no IRI; write for example \"https://w3id.org/dpv#DirectMarketing\"");
        }
        let Some(parent) = &purpose.parent else { continue };
        let path = path.key("parent");
        match purposes.get(&parent.0) {
            None => unknown(check, &path, &parent.0),
            Some(wider) if wider.family != purpose.family => {
                check.refuse(
                    &path,
                    format!("names `{}`, which is of the other family; a purpose and its parent must agree", parent.0),
                );
            }
            Some(_) => {}
        }
    }
    if let Some(id) = purposes.keys().find(|id| is_own_ancestor(check, id)) {
        check.refuse(
            &path.key(id).key("parent"),
            "makes the purpose a part of itself; take one parent of the circle away",
        );
    }
    let path = KeyPath::of(&["lineage"]);
    for (old, newer) in &check.file.lineage {
        for (index, name) in newer.iter().enumerate() {
            known(check, &path.key(old).index(index), &name.0);
        }
    }
}

/// Refuses a name that is no purpose.
pub(super) fn known(check: &mut Check<'_>, path: &KeyPath, name: &str) {
    if !check.file.purposes.contains_key(name) {
        unknown(check, path, name);
    }
}

fn unknown(check: &mut Check<'_>, path: &KeyPath, name: &str) {
    // Looking for the nearest name takes longer than all else.
    if check.is_full() {
        return;
    }
    let ids: Vec<&str> = check.file.purposes.keys().map(String::as_str).collect();
    check.refuse(path, format!("names `{name}`, which is no purpose; {}", instead(name, &ids)));
}

/// Whether the parents of a purpose lead back to it.
fn is_own_ancestor(check: &Check<'_>, id: &str) -> bool {
    let purposes = &check.file.purposes;
    let mut at = id;
    // As many steps as there are purposes: a longer walk repeats itself.
    for _ in 0..purposes.len() {
        match purposes.get(at).and_then(|purpose| purpose.parent.as_ref()) {
            Some(parent) if parent.0 == id => return true,
            Some(parent) => at = &parent.0,
            None => return false,
        }
    }
    false
}
