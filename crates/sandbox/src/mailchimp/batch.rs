//! Writing many members at once. The answer is 200 with the failures inside.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::change::{Merge, Wish};
use super::fields::Pick;
use super::lists::audience;
use super::problem::{INVALID, Trouble};
use super::state::State;
use super::write::merge;
use crate::hash::key;
use crate::message::{Answer, Ask, Reply};
use crate::population::{Audience, Status};

const ROWS_MAX: usize = 500;

#[derive(Deserialize)]
struct Batch {
    members: Vec<Wish>,
    #[serde(default)]
    update_existing: bool,
}

/// Why a row of a batch is refused.
struct RowTrouble {
    code: &'static str,
    trouble: Trouble,
}

impl From<Trouble> for RowTrouble {
    fn from(trouble: Trouble) -> Self {
        Self { code: "ERROR_GENERIC", trouble }
    }
}

/// What became of a row.
enum Row {
    Created(u32),
    Updated(u32),
    Ignored,
}

pub(super) fn batch(state: &mut State, ask: &Ask) -> Answer {
    let audience = audience(ask)?;
    let batch: Batch = ask.json().map_err(|error| Trouble::new(INVALID, &error.to_string()))?;
    if batch.members.len() > ROWS_MAX {
        return Err(Trouble::invalid("members", "holds more than 500 members").into());
    }
    let (mut created, mut updated, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for (at, mut wish) in batch.members.into_iter().enumerate() {
        // This call does not take marketing permissions.
        wish.marketing_permissions = None;
        let first = seen.insert(key(wish.email_address.as_deref().unwrap_or_default()));
        let row = if ask.bend.refused_rows.contains(&at) {
            Err(Trouble::invalid("email_address", "could not be processed").into())
        } else if first {
            state.write_row(audience, &wish, (batch.update_existing, merge(ask)))
        } else if ask.query("skip_duplicate_check") == Some("true") {
            Ok(Row::Ignored)
        } else {
            Err(Trouble::invalid("email_address", "stands in the batch more than once").into())
        };
        match row {
            Ok(Row::Created(at)) => created.extend(state.show((audience, at), Pick::ALL)),
            Ok(Row::Updated(at)) => updated.extend(state.show((audience, at), Pick::ALL)),
            Ok(Row::Ignored) => {}
            Err(refused) => errors.push(error(&wish, &refused)),
        }
    }
    Ok(Reply::json(
        200,
        &json!({
            "total_created": created.len(), "total_updated": updated.len(), "error_count": errors.len(),
            "new_members": created, "updated_members": updated, "errors": errors, "_links": [],
        }),
    ))
}

fn error(wish: &Wish, RowTrouble { code, trouble }: &RowTrouble) -> Value {
    let (field, message) = trouble.field.clone().unwrap_or(("", String::new()));
    json!({
        "email_address": wish.email_address, "error": format!("{}: {}", trouble.title, trouble.detail),
        "error_code": code, "field": field, "field_message": message,
    })
}

impl State {
    fn write_row(
        &mut self,
        audience: Audience,
        wish: &Wish,
        (update_existing, merge): (bool, Merge),
    ) -> Result<Row, RowTrouble> {
        let email = wish.email_address.as_deref().unwrap_or_default();
        let Some(at) = self.find(audience, email) else {
            let status = wish.status.as_deref().unwrap_or_default();
            return Ok(Row::Created(self.create(audience, (wish, status), merge)?));
        };
        let archived = self.roll(audience).member(at).is_some_and(|member| member.status == Status::Archived);
        if !update_existing && !archived {
            let trouble = Trouble::new(super::problem::EXISTS, "the address is a member already");
            return Err(RowTrouble { code: "ERROR_CONTACT_EXISTS", trouble });
        }
        self.update((audience, at), wish, merge)?;
        Ok(Row::Updated(at))
    }
}
