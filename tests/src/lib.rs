//! Workspace acceptance: journeys, scenarios, crash, tidy
