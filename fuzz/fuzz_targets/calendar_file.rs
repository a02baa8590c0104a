//! See `calendar_file` in `src/api/properties.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| jianjian::api::properties::calendar_file(data));
