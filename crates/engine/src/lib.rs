//! The shell: sync, deliver, report
