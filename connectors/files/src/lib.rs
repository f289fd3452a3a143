//! CSV and JSONL files in, suppression lists out
