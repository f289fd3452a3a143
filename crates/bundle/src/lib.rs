//! The list of compiled-in connectors
