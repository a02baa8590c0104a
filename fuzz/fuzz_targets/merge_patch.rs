//! See `merge_patch` in `src/api/properties.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| jianjian::api::properties::merge_patch(data));
