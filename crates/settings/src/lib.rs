//! Configuration as types, secrets as references, the policy file.
//!
//! [`Settings`] say how an installation runs, a [`LoadedPolicy`] says what counsel decided, and a [`SecretSource`]
//! fetches the secrets that settings only name. Whatever is wrong is refused with its file, line and key, and with what
//! to write instead; nothing that was mistyped is quietly ignored.
//!
//! It refuses to know connectors: what is not common to all of them is handed on as it was written.

mod document;
mod environment;
mod error;
mod fault;
mod instance;
mod layer;
mod nearest;
mod node;
mod path;
mod period;
mod policy;
mod read;
mod secret;
mod settings;
mod word;

pub use environment::process_environment;
pub use error::{Defect, LoadError, Place};
pub use instance::{Enforce, Instance, ListMapping, Trust, TrustDefaults};
pub use period::Period;
pub use policy::{
    DEFAULT_POLICY, Deadlines, HoldSetting, Keep, LoadedPolicy, Profile, Retention, check_holds, load_policy,
    parse_policy,
};
pub use secret::{Exposed, FileSecret, KeyRef, SecretError, SecretSource};
pub use settings::{
    Controller, DEFAULT_FILE, DEFAULT_TEXT, Erasure, Guard, PolicyChoice, Settings, Store, StoreUrl, SyncPace,
    TombstoneKey, apply_lists,
};
