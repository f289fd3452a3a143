//! The memory: store trait, persisted codec, in-memory store, the suite that every store must pass
