//! See `token` in `src/api/properties.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| jianjian::api::properties::token(data));
