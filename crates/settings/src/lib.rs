//! Configuration as types, secrets as references, the policy file
