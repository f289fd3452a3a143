//! The judgement: observations to commit, decision to change, guard, settle, explanation
