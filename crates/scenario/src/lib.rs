//! Acceptance scenarios for a policy: the schema consent-scenarios/1, its runner and its report
