//! See `file_name` in `src/api/properties.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| jianjian::api::properties::file_name(data));
